"""An environment check of Azure Pipelines asks the bot, and is answered once."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.errors import Invalid, Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.azure.deliveries import delivery
from tests.forges.azure import bodies
from tests.forges.azure.bodies import HEAD, fact
from tests.forges.azure.fake.state import Fault
from tests.forges.conformance.stages.azure import AzureStage

WAITING = "project-1/build/plan-1/job-1/task-1"


def check(**more: Any) -> bytes:
    said = {
        "environment": "production",
        "project": {"name": "demo", "id": "project-1"},
        "repository": {"name": "booking"},
        "revision": HEAD,
        "runId": "21",
        "hubName": "build",
        "planId": "plan-1",
        "jobId": "job-1",
        "taskInstanceId": "task-1",
    }
    return bodies.body("pointsman.environment-check", said | more)


def answer(stage: AzureStage, deployment: str = WAITING, state: str = "approved") -> Any:
    wanted = {
        "environment": "production",
        "deployment_id": deployment,
        "state": state,
        "comment": "All gates passed.",
    }
    effect = e.AnswerDeployment.model_validate(wanted | {"repository": stage.repository})
    return stage.forge.perform("trace-1.000001.0", effect, EffectContext("acme", "trace-1", lambda _: None))


def test_a_check_asks() -> None:
    said = fact(check())
    assert (said.draft.type, said.repository, said.new_trace) == (
        "DeploymentRequested",
        "demo/booking",
        False,
    )
    assert said.hints == (f"azure:demo/booking={HEAD}",)
    assert said.draft.data == {
        "repository": "demo/booking",
        "environment": "production",
        "revision": HEAD,
        "deploymentId": WAITING,
        "runId": "21",
        "url": "",
    }
    assert delivery(check()).delivery_id == "check:plan-1:task-1"


@pytest.mark.parametrize(
    "more", [{"planId": "../x"}, {"jobId": ""}, {"project": {"name": "demo"}}, {"environment": None}]
)
def test_a_check_that_was_set_up_wrongly_is_told_as_unreadable(more: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        fact(check(**more))


@pytest.mark.parametrize(("state", "result"), [("approved", "succeeded"), ("rejected", "failed")])
def test_an_answer_lets_it_go_on_or_ends_it_once(stage: AzureStage, state: str, result: str) -> None:
    stage.org.waiting = ["plan-1"]
    for _ in range(2):
        assert answer(stage, state=state).id == WAITING
    assert stage.org.answered == [
        {
            "scopeIdentifier": "project-1",
            "hubName": "build",
            "planId": "plan-1",
            "name": "TaskCompleted",
            "jobId": "job-1",
            "taskId": "task-1",
            "result": result,
        }
    ]


@pytest.mark.parametrize("kind", ["status", "reset", "lost"])
def test_an_answer_that_fails_is_given_again(stage: AzureStage, kind: str) -> None:
    stage.org.waiting = ["plan-1"]
    stage.org.faults = [Fault("POST", "/events", kind, 503)]
    with pytest.raises(Retryable):
        answer(stage)
    answer(stage)
    assert len(stage.org.answered) == 1


def test_what_is_no_check_and_what_the_bot_may_not_answer(stage: AzureStage) -> None:
    with pytest.raises(Permanent) as unknown:
        answer(stage, "../../x")
    assert unknown.value.message == "'../../x' is no environment check of Azure Pipelines"
    stage.org.faults = [Fault("POST", "/events", "status", 403)]
    with pytest.raises(Permanent) as refused:
        answer(stage)
    assert refused.value.reason_code == "AccessDenied"
