"""A token of one agent: the outcome of its own tasks is taken, and everything else it might say is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.event import Event
from bot.flows import load as flows
from bot.intake import agents, tokens
from bot.intake.stated import decided_here
from bot.log import append, find
from tests.intake.conftest import Door
from tests.log.facts import fact

HEAD = "a" * 40
FLOW = flows.load(
    """\
flow: delivery
version: 1
initial: checked
states:
  checked:
    all: [ModuleGenerated]
    invoke:
      - {agent: qa-agent, skill: RunTests, done: TestsPassed, error: [TestsFailed, ReleaseRejected], wait: false}
      - {agent: doc-agent, skill: WriteDocs, wait: false}
      - {agent: infra-agent, skill: Provision, done: [InfraProvisioned, ReleaseApproved], wait: false}
    onDone: over
  over: {final: true}
"""
)


def task(number: int, agent: str, skill: str, *, task_id: str, trace: str = "trace-1") -> Event:
    data = {
        "taskId": task_id, "agent": agent, "skill": skill, "fsmState": "checked", "step": 1, "flow": "delivery",
        "wait": False, "traceId": trace, "tenantId": "acme",
    }  # fmt: skip
    return fact(number, trace, type="AgentTaskScheduled", data=data, source="pointsman")


CHANGE = {
    "repository": "acme/booking", "number": 1, "author": "ada", "source": "s", "target": "main", "head": HEAD,
}  # fmt: skip


@pytest.fixture
def tasks(door: Door, monkeypatch: pytest.MonkeyPatch) -> Door:
    """trace-1 has a running task for each of three agents, and one of qa-agent's that has ended."""
    monkeypatch.setattr(agents, "definition", lambda _name: FLOW)
    ended = {"taskId": "task-old", "agent": "qa-agent"}
    story = [
        fact(1, type="ChangeOpened", data=CHANGE),
        task(2, "qa-agent", "RunTests", task_id="task-old"),
        fact(3, type="AgentTaskCompleted", data=ended, source="pointsman"),
        task(4, "qa-agent", "RunTests", task_id="task-qa"),
        task(5, "doc-agent", "WriteDocs", task_id="task-doc"),
        task(6, "infra-agent", "Provision", task_id="task-infra"),
        task(7, "release-manager", "EvaluateRelease", task_id="task-release"),
    ]
    with door.runtime.store.begin() as session:
        if find(session, "acme", "trace-1", story[0].id) is None:  # the database is the module's
            append(session, story)
    return door


def state(door: Door, type_: str, agent: str = "qa-agent", *, trace: str = "trace-1", **data: Any) -> Any:
    sent = {"type": type_, "traceId": trace, "id": f"{type_}-{len(json.dumps(data))}-{agent}", "data": data}
    return post(door, sent, agent)


def post(door: Door, sent: Any, agent: str = "qa-agent", tenant: str = "acme") -> Any:
    headers = door.bearer(f"agent:{agent}", tenant=tenant, actor=agent) | {"Content-Type": "application/json"}
    return door.client.post("/v1/events", content=json.dumps(sent), headers=headers)


def stored(door: Door) -> list[Event]:
    with door.runtime.store.read() as session:
        bodies = session.execute(sa.text("SELECT body FROM inbox ORDER BY seq")).scalars()
        return [Event.model_validate_json(bytes(body)) for body in bodies]


def refused(door: Door, answer: Any, detail: str) -> None:
    assert (answer.status_code, answer.json()["reasonCode"], answer.json()["detail"]) == (
        403,
        "NotYourTask",
        detail,
    )
    assert stored(door) == []


@pytest.mark.parametrize(
    ("agent", "type_", "data"),
    [
        ("qa-agent", "TestsPassed", {"taskId": "task-qa", "revision": HEAD}),
        ("qa-agent", "TestsFailed", {"taskId": "task-qa", "revision": HEAD}),
        ("qa-agent", "AgentTaskFailed", {"taskId": "task-qa", "message": "no browser"}),
        ("qa-agent", "AgentTaskAcknowledged", {"taskId": "task-qa"}),
        ("doc-agent", "AgentTaskCompleted", {"taskId": "task-doc"}),
        (
            "infra-agent",
            "InfraProvisioned",
            {"taskId": "task-infra", "environment": "staging", "namespace": "n"},
        ),
    ],
)
def test_the_outcome_of_its_own_task_is_taken(
    tasks: Door, agent: str, type_: str, data: dict[str, Any]
) -> None:
    answer = state(tasks, type_, agent, **data)
    assert answer.status_code == 202, answer.text
    (event,) = stored(tasks)
    assert (event.type, event.actor, event.agent_id, event.task_id) == (type_, agent, agent, data["taskId"])


NONE = "qa-agent has no running task {!r} in {!r}"


@pytest.mark.parametrize(
    ("task_id", "trace"),
    [
        ("task-doc", "trace-1"),  # another agent's
        ("task-release", "trace-1"),  # a built-in agent's
        ("task-old", "trace-1"),  # its own, and over
        ("task-made-up", "trace-1"),
        ("task-qa", "trace-of-nobody"),
    ],
)
@pytest.mark.parametrize(
    "type_", ["AgentTaskCompleted", "AgentTaskFailed", "AgentTaskAcknowledged", "TestsPassed"]
)
def test_of_any_other_task_it_may_say_nothing(tasks: Door, task_id: str, trace: str, type_: str) -> None:
    answer = state(tasks, type_, trace=trace, taskId=task_id, revision=HEAD)
    refused(tasks, answer, NONE.format(task_id, trace))


def test_without_a_task_it_may_say_nothing(tasks: Door) -> None:
    answer = state(tasks, "TestsPassed", revision=HEAD)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "taskId")
    assert answer.json()["detail"].startswith("taskId: taskId is required")
    assert stored(tasks) == []


def test_another_tenant_s_agent_of_the_same_name_has_no_such_task(tasks: Door) -> None:
    sent = {
        "type": "AgentTaskFailed",
        "traceId": "trace-1",
        "data": {"taskId": "task-qa", "tenantId": "acme"},
    }
    refused(
        tasks, post(tasks, sent | {"tenantid": "acme"}, tenant="umbrella"), NONE.format("task-qa", "trace-1")
    )


def test_the_task_decides_which_fact_ends_it(tasks: Door) -> None:
    refused(
        tasks, state(tasks, "AgentTaskCompleted", taskId="task-qa"),
        "the task 'task-qa' does not end with AgentTaskCompleted",
    )  # fmt: skip
    refused(
        tasks, state(tasks, "TestsPassed", "doc-agent", taskId="task-doc", revision=HEAD),
        "the task 'task-doc' does not end with TestsPassed",
    )  # fmt: skip


def test_tests_are_of_the_revision_that_the_task_is_about(tasks: Door) -> None:
    other = state(tasks, "TestsPassed", taskId="task-qa", revision="b" * 40)
    refused(tasks, other, f"the task 'task-qa' is about the revision {HEAD}, and no other")


def test_what_the_bot_decides_is_not_the_agent_s_whatever_the_flow_says(tasks: Door) -> None:
    verdict = {
        "environment": "production",
        "revision": HEAD,
        "version": "1.0.0",
        "moduleId": "m",
        "taskId": "task-infra",
    }
    for type_ in ("ReleaseApproved", "ReleaseRejected"):
        answer = state(tasks, type_, "infra-agent", **verdict)
        refused(tasks, answer, f"a token of one agent may not state {type_}")


@pytest.mark.parametrize("type_", sorted(decided_here() - agents.FACTS - agents.ALWAYS - {agents.OWN_WORD}))
def test_no_other_type_of_fact_is_ever_its_own(tasks: Door, type_: str) -> None:
    answer = state(tasks, type_, taskId="task-qa")
    assert answer.status_code in {403, 422}, answer.text
    assert stored(tasks) == []


def test_open_facts_are_not_its_own_either(tasks: Door) -> None:
    refused(
        tasks,
        state(tasks, "TestsExecuted", taskId="task-qa"),
        "a token of one agent may not state TestsExecuted",
    )
    module = {"repository": "acme/x", "moduleId": "x", "version": "1.0.0", "taskId": "task-qa"}
    refused(
        tasks, state(tasks, "ModuleGenerated", **module), "a token of one agent may not state ModuleGenerated"
    )


def test_one_wrong_outcome_of_a_batch_and_none_is_taken(tasks: Door) -> None:
    good = {"type": "AgentTaskFailed", "traceId": "trace-1", "data": {"taskId": "task-qa"}}
    bad = good | {"data": {"taskId": "task-doc"}}
    refused(tasks, post(tasks, [good, bad]), NONE.format("task-doc", "trace-1"))


def test_it_can_not_speak_in_another_name_nor_to_the_flow_behind_the_scenes(tasks: Door) -> None:
    data = {
        "taskId": "task-qa",
        "agent": "release-manager",
        "skill": "X",
        "verdict": "ReleaseApproved",
        "message": "m",
    }
    sent = {
        "type": "AgentTaskFailed", "traceId": "trace-1", "actor": "jane.doe", "agentId": "release-manager",
        "taskId": "task-release", "skillId": "X", "data": data,
    }  # fmt: skip
    assert post(tasks, sent).status_code == 202
    (event,) = stored(tasks)
    assert (event.actor, event.agent_id, event.task_id, event.skill_id) == (
        "qa-agent",
        "qa-agent",
        "task-qa",
        "RunTests",
    )
    assert (event.data["agent"], event.data["skill"]) == ("qa-agent", "RunTests")
    assert "verdict" not in event.data


def test_a_token_for_a_built_in_agent_says_nothing_should_there_be_one(tasks: Door) -> None:
    answer = state(tasks, "AgentTaskFailed", "release-manager", taskId="task-release")
    refused(tasks, answer, "release-manager is built in: nobody outside speaks for it")
    assert "release-manager" in agents.built_in()


def test_its_token_opens_no_other_door(tasks: Door) -> None:
    with pytest.raises(ValueError, match="may have the scope 'read' beside it, and no other"):
        tasks.token("agent:qa-agent", "events:any")
    with pytest.raises(ValueError, match="may have the scope 'read' beside it, and no other"):
        tasks.token("agent:qa-agent", "agent:doc-agent")
    with pytest.raises(ValueError, match="unknown scope"):
        tasks.token("agent:Not An Id")
    with tasks.runtime.store.read() as session:
        caller = tokens.identify(session, tasks.token("agent:qa-agent", "read"))
    assert caller is not None
    assert caller.agent == "qa-agent"
