"""The delivery flow of the bot, from generated code to production, with all that comes between."""

from collections.abc import Iterable

import pytest

from bot.domain.event import Draft, Event
from bot.flows.describe import describe, waiting
from bot.flows.load import definition
from tests.flows.rig import FACTS, Rig, fact

STATES = [
    "trace_initialized",
    "commit_ready",
    "pull_request_created",
    "pipeline_ready",
    "release_evaluation",
    "release_approved",
    "release_rejected",
    "deployment_completed",
]
TO_EVALUATION = ("ModuleGenerated", "CommitReady", "PullRequestCreated", "PipelineReady")


def agents(event: Event) -> Iterable[Draft]:
    """The orchestrator publishes together with the last environment's completion."""
    if event.type == "DeploymentCompleted" and event.environment == "production":
        return [fact("ReleasePublished", "production")]
    return ()


def delivery(*happened: str | Draft, infrastructure: bool = False) -> Rig:
    facts = FACTS.model_copy(update={"needs_infrastructure": infrastructure})
    return Rig(definition("delivery"), facts, agents).happen(*happened)


def evaluated() -> Rig:
    return delivery(*TO_EVALUATION, "TestsPassed")


def retry() -> Draft:
    return fact("TriggerRequested", reason="retry")


def test_the_states_are_the_cluster_s() -> None:
    assert list(definition("delivery").states) == STATES


def test_from_code_to_production() -> None:
    rig = delivery("TraceInitialized")
    assert (rig.state.state, rig.state.step) == ("trace_initialized", 1)
    seen = []
    for happened in (*TO_EVALUATION, "TestsPassed"):
        rig.happen(happened)
        seen.append((rig.state.state, rig.running))
    for environment in ("staging", "production"):
        rig.happen(fact("ReleaseApproved", environment))
        seen.append((rig.state.state, rig.running))
        rig.happen(fact("DeploymentCompleted", environment))
        seen.append((rig.state.state, rig.running))
    assert seen == [
        ("commit_ready", ["code-committer"]),
        ("pull_request_created", ["pull-request-creator"]),
        ("pipeline_ready", ["devops-engineer"]),
        ("release_evaluation", []),
        ("release_evaluation", ["release-manager"]),
        ("release_approved", ["deployment-orchestrator"]),
        ("release_evaluation", ["release-manager"]),
        ("release_approved", ["deployment-orchestrator"]),
        ("deployment_completed", []),
    ]


def test_the_release_is_evaluated_in_step_five() -> None:
    (task,) = evaluated().state.tasks.values()
    said = {name: task[name] for name in ("traceId", "fsmState", "step", "retries", "tenantId", "moduleId")}
    assert said == {
        "traceId": "trace-1",
        "fsmState": "release_evaluation",
        "step": 5,
        "retries": 0,
        "tenantId": "vetclinic-001",
        "moduleId": "booking-service",
    }
    (again,) = evaluated().happen(retry()).state.tasks.values()
    assert (again["step"], again["retries"]) == (5, 1)


def test_nothing_is_evaluated_again_after_the_last_environment() -> None:
    rig = evaluated().happen(fact("ReleaseApproved", "production"), fact("DeploymentCompleted", "production"))
    assert rig.path[-2:] == ["release_evaluation", "deployment_completed"]
    assert [event.data["agent"] for event in rig.said("AgentTaskScheduled")][-1] == "deployment-orchestrator"


def test_the_pipeline_waits_for_infrastructure() -> None:
    rig = delivery(*TO_EVALUATION[:3], infrastructure=True)
    assert (rig.state.state, rig.running) == ("pipeline_ready", ["cloud-provisioner"])
    assert waiting(rig.flow, rig.state, rig.facts) == ("InfraProvisioned",)
    rig.happen(fact("InfraProvisioned", "staging"))
    assert rig.running == ["cloud-provisioner", "devops-engineer"]


def test_a_deployment_waits_for_its_own_environment() -> None:
    rig = delivery(*TO_EVALUATION[:3], fact("InfraProvisioned", "staging"), infrastructure=True)
    rig.happen("PipelineReady", "TestsPassed", fact("ReleaseApproved", "production"))
    assert (rig.state.state, rig.running) == ("release_approved", ["cloud-provisioner"])
    rig.happen(fact("InfraProvisioned", "production"))
    assert rig.running == ["cloud-provisioner", "deployment-orchestrator"]


def test_provisioning_that_failed_is_retried_from_any_later_state() -> None:
    rig = delivery(*TO_EVALUATION[:3], infrastructure=True)
    rig.happen(fact("AgentTaskFailed", taskId=rig.task("cloud-provisioner"), message="no quota"))
    assert (rig.state.state, rig.running) == ("pipeline_ready", [])
    assert [event.data["message"] for event in rig.said("TaskEscalated")] == [
        "cloud-provisioner could not do ProvisionEnvironment: no quota"
    ]
    rig.happen(retry())
    assert (rig.running, rig.state.tasks[rig.task("cloud-provisioner")]["retries"]) == (
        ["cloud-provisioner"],
        1,
    )


def test_failed_tests_are_seen_and_a_later_pass_goes_on() -> None:
    rig = delivery(*TO_EVALUATION, "TestsFailed")
    assert (rig.state.state, rig.running, "TestsFailed" in rig.state.seen) == ("release_evaluation", [], True)
    assert waiting(rig.flow, rig.state, rig.facts) == (
        "TestsPassed (not undone by TestsFailed or CommitReady)",
    )
    assert rig.happen("TestsPassed").running == ["release-manager"]


@pytest.mark.parametrize("undone_by", ["TestsFailed", "CommitReady"])
def test_an_old_pass_does_not_count(undone_by: str) -> None:
    rig = delivery(*TO_EVALUATION[:3], "TestsPassed", undone_by, "PipelineReady")
    assert (rig.state.state, rig.running) == ("release_evaluation", [])


def test_a_delay_is_no_answer() -> None:
    rig = evaluated().happen(fact("ReleaseDelayed", "staging"))
    assert (rig.state.state, rig.running) == ("release_evaluation", ["release-manager"])


@pytest.mark.parametrize(
    ("way_back", "state"),
    [
        (fact("ReleaseApproved", "staging"), "release_approved"),
        (fact("TestsPassed"), "release_evaluation"),
        (fact("CommitReady"), "pull_request_created"),
        (fact("ModuleGenerated"), "commit_ready"),
        (retry(), "release_evaluation"),
    ],
)
@pytest.mark.parametrize("how", ["rejected", "failed"])
def test_what_was_rejected_or_failed_waits_for_a_person_or_a_new_fact(
    way_back: Draft, state: str, how: str
) -> None:
    rig = evaluated()
    if how == "failed":
        rig.happen(fact("ReleaseApproved", "staging"), fact("DeploymentFailed", "staging"))
    else:
        rig.happen(fact("ReleaseRejected", "staging"))
    assert (rig.state.state, rig.running, rig.said("TaskEscalated")) == ("release_rejected", [], [])
    rig.happen("Pushed", "PipelineFinished", fact("TriggerRequested", reason="sweep")).wait(86400)
    assert rig.state.state == "release_rejected"
    assert rig.happen(way_back).state.state == state


@pytest.mark.parametrize(
    ("closed", "state"),
    [
        (fact("ReleaseDelayed", "staging"), "release_evaluation"),
        (fact("ReleaseRejected", "staging"), "release_rejected"),
        (fact("ReleaseDelayed", "production"), "release_approved"),
        (fact("ReleaseRejected", "production"), "release_approved"),
        (fact("DeploymentFailed", "production"), "release_approved"),
    ],
)
def test_a_gate_that_closes_after_the_approval_counts_for_its_environment(closed: Draft, state: str) -> None:
    assert evaluated().happen(fact("ReleaseApproved", "staging"), closed).state.state == state


def test_the_next_environment_may_be_approved_together_with_the_last_completion() -> None:
    rig = evaluated()
    rig.agents = lambda event: (
        [fact("ReleaseApproved", "production")] if event.type == "DeploymentCompleted" else ()
    )
    rig.happen(fact("ReleaseApproved", "staging"), fact("DeploymentCompleted", "staging"))
    assert rig.path[-3:] == ["release_approved", "release_evaluation", "release_approved"]
    assert (rig.state.environment, rig.running) == ("production", ["deployment-orchestrator"])


def test_code_that_could_not_be_committed_is_replaced_by_new_code() -> None:
    rig = delivery("ModuleGenerated")
    rig.happen(
        fact(
            "AgentTaskFailed", taskId=rig.task("code-committer"), reasonCode="SecretFound", message="a secret"
        )
    )
    assert (rig.state.state, rig.running) == ("commit_ready", [])
    rig.happen("ModuleGenerated")
    assert (rig.state.state, rig.running, rig.state.step) == ("commit_ready", ["code-committer"], 3)


def test_a_task_that_failed_for_good_can_be_done_by_hand() -> None:
    rig = delivery(*TO_EVALUATION[:2])
    rig.happen(fact("AgentTaskFailed", taskId=rig.task("pull-request-creator"), message="branch deleted"))
    assert rig.happen("PullRequestCreated").state.state == "pipeline_ready"


def test_a_person_s_change_is_adopted_where_it_stands() -> None:
    rig = Rig(definition("delivery"), FACTS.model_copy(update={"submitted": False}))
    rig.happen("ChangeOpened")
    assert (rig.path, rig.running) == (["trace_initialized", "pipeline_ready", "release_evaluation"], [])
    assert rig.happen("TestsPassed").running == ["release-manager"]
    assert "devops-engineer" not in [event.data["agent"] for event in rig.said("AgentTaskScheduled")]


@pytest.mark.parametrize("first", ["Pushed", "CommentCreated", "PipelineFinished", "MembershipChanged"])
def test_other_traces_have_no_delivery(first: str) -> None:
    assert delivery(first).state.state == ""


def test_a_repeated_fact_changes_nothing() -> None:
    rig = delivery("ModuleGenerated", "CommitReady")
    length = len(rig.log)
    rig.happen("CommitReady", "CommitReady")
    assert len(rig.log) == length + 2


def test_the_picture_in_the_docs() -> None:
    picture = describe(definition("delivery"))
    assert picture[0] == (
        "delivery, version 1; begins in trace_initialized on TraceInitialized, ModuleGenerated, StudioCommitRequest, "
        "CommitReady, StudioPRAction, PullRequestCreated, ChangeOpened"
    )
    start = picture.index("release_approved")
    assert picture[start : start + 9] == [
        "release_approved",
        "  about one environment",
        "  waits for ReleaseApproved, and InfraProvisioned [needsInfrastructure]",
        "  invokes deployment-orchestrator DeployRelease until DeploymentCompleted, or DeploymentFailed",
        "  done -> release_evaluation",
        "  error -> release_rejected",
        "  ReleaseRejected -> release_rejected",
        "  ReleaseDelayed -> release_evaluation",
        "  ModuleGenerated -> commit_ready",
    ]
    assert picture[-1] == "deployment_completed (end)"


def test_the_picture_of_retries_and_timeouts() -> None:
    from bot.flows.load import load
    from tests.flows.test_load import WHOLE

    picture = describe(load(WHOLE))
    assert picture[2:] == [
        "requested",
        "  ModuleGenerated -> building [submitted]",
        "",
        "building",
        "  waits for ModuleGenerated, and PullRequestCreated or ChangeOpened, and TestsPassed (not undone by TestsFailed)",
        "  invokes code-committer CommitModule until CommitReady, or QAFailed, within 1m30s",
        "  alongside invokes cloud-provisioner ProvisionEnvironment [not submitted]",
        "  tries again 2 times",
        "  done -> built",
        "  error -> requested",
        "  after 1d -> says TimeoutWarning",
        "",
        "built (end)",
    ]


def test_every_invocation_has_an_agent_that_can_do_it() -> None:
    from handlers.decide import registry

    wanted = {(i.agent, i.skill) for state in definition("delivery").states.values() for i in state.invoke}
    assert wanted <= registry().skills.keys()
