"""What each word of the flow language does, on flows made for the purpose."""

from collections.abc import Iterable

import pytest

from bot.domain.event import Draft, Event
from bot.flows.describe import waiting
from tests.flows.jobs import JOB, failed, flow
from tests.flows.rig import FACTS, NOON, fact


def test_nothing_begins_before_its_event() -> None:
    rig = flow(f"    invoke: {JOB}").happen("TestsPassed", "Pushed", fact("TriggerRequested", reason="sweep"))
    assert rig.state.state == ""
    assert [event.type for event in rig.log] == ["TestsPassed", "Pushed", "TriggerRequested"]


def test_an_event_begins_the_flow_and_moves_it_on() -> None:
    rig = flow(f"    invoke: {JOB}").happen("CommitReady")
    assert rig.path == ["begin", "work"]
    assert [(event.type, event.data.get("step"), event.data.get("trigger")) for event in rig.log[1:]] == [
        ("LifecyclePhaseAdvanced", 1, "CommitReady"),
        ("LifecyclePhaseAdvanced", 2, "CommitReady"),
        ("AgentTaskScheduled", 2, None),
    ]


def test_an_invocation_tells_the_agent_where_it_stands() -> None:
    rig = flow(f"    invoke: {JOB}").happen("CommitReady")
    (task,) = rig.said("AgentTaskScheduled")
    task_id = rig.task("builder")
    assert task.data == {
        "taskId": task_id,
        "agent": "builder",
        "skill": "Build",
        "fsmState": "work",
        "step": 2,
        "retries": 0,
        "flow": "job",
        "traceId": "trace-1",
        "tenantId": "vetclinic-001",
        "moduleId": "booking-service",
        "wait": True,
    }
    assert (task.agent_id, task.skill_id, task.task_id) == ("builder", "Build", task_id)
    assert task.session_id == task_id.replace("task-", "session-")
    assert (task.component_tag, task.status) == ("BuilderAgent:Build", "Scheduled")


def test_the_done_event_completes_the_task_and_the_state() -> None:
    rig = flow(f"    invoke: {JOB}").happen("CommitReady", "TestsPassed")
    assert rig.path == ["begin", "work", "end"]
    (done,) = rig.said("AgentTaskCompleted")
    assert done.data["message"] == "TestsPassed is there"
    assert rig.state.tasks == {}
    assert rig.said("LifecyclePhaseAdvanced")[-1].status == "Completed"


def test_without_a_done_event_the_agent_says_so_itself() -> None:
    rig = flow("    invoke: {agent: builder, skill: Build}").happen("CommitReady", "TestsPassed")
    assert rig.state.state == "work"
    rig.happen(fact("AgentTaskCompleted", taskId="task-of-somebody-else"))
    assert rig.state.state == "work"
    rig.happen(fact("AgentTaskCompleted", taskId=rig.task("builder")))
    assert rig.path == ["begin", "work", "end"]


def test_all_awaited_invocations_must_be_done() -> None:
    second = "{agent: tester, skill: Test, done: TestsExecuted}"
    rig = flow(f"    invoke: [{JOB}, {second}]").happen("CommitReady")
    assert rig.running == ["builder", "tester"]
    rig.happen("TestsExecuted")
    assert (rig.state.state, rig.running) == ("work", ["builder"])
    rig.happen("TestsPassed")
    assert rig.state.state == "end"


def test_a_fact_made_by_somebody_else_counts_as_done() -> None:
    rig = flow(f"    all: PipelineReady\n    invoke: {JOB}").happen("CommitReady", "TestsPassed")
    assert rig.path == ["begin", "work", "end"]
    assert rig.said("AgentTaskScheduled") == []


def test_waits_for_all_before_it_invokes() -> None:
    rig = flow(f"    all: [PipelineReady, [PullRequestCreated, ChangeOpened]]\n    invoke: {JOB}").happen(
        "CommitReady"
    )
    assert waiting(rig.flow, rig.state, rig.facts) == ("PipelineReady", "PullRequestCreated or ChangeOpened")
    rig.happen("ChangeOpened")
    assert rig.running == []
    rig.happen("PipelineReady")
    assert (rig.running, waiting(rig.flow, rig.state, rig.facts)) == (["builder"], ("builder",))


def test_what_happened_before_the_state_counts_for_all() -> None:
    rig = flow(f"    all: [PipelineReady]\n    invoke: {JOB}").happen("PipelineReady", "CommitReady")
    assert rig.running == ["builder"]


def test_until_takes_a_fact_back() -> None:
    rig = flow(f"    all: [{{event: PipelineReady, until: TestsFailed}}]\n    invoke: {JOB}")
    rig.happen("PipelineReady", "TestsFailed", "CommitReady")
    assert rig.running == []
    rig.happen("PipelineReady")
    assert rig.running == ["builder"]


def test_all_without_an_invocation_leads_on() -> None:
    rig = flow("    all: [PipelineReady, TestsPassed]").happen("CommitReady", "PipelineReady")
    assert rig.state.state == "work"
    rig.happen("TestsPassed")
    assert (rig.path[-1], rig.said("LifecyclePhaseAdvanced")[-1].data["trigger"]) == ("end", "TestsPassed")


@pytest.mark.parametrize(("submitted", "running"), [(True, ["builder"]), (False, [])])
def test_when_leaves_an_invocation_out(submitted: bool, running: list[str]) -> None:
    rig = flow("    invoke: {agent: builder, skill: Build, done: TestsPassed, when: submitted}")
    rig.facts = FACTS.model_copy(update={"submitted": submitted})
    rig.happen("CommitReady")
    assert rig.running == running
    assert rig.state.state == ("work" if submitted else "end")


@pytest.mark.parametrize(("condition", "state"), [("submitted", "end"), ("not submitted", "work")])
def test_when_guards_a_transition(condition: str, state: str) -> None:
    rig = flow(f"    invoke: {JOB}\n    on: {{ChangeMerged: {{target: end, when: {condition}}}}}")
    assert rig.happen("CommitReady", "ChangeMerged").state.state == state


def test_alongside_does_not_hold_the_flow_and_is_followed_to_its_end() -> None:
    rig = flow(
        f"    invoke: [{JOB}, {{agent: cloud, skill: Provision, wait: false}}]\n    onError: lost"
    ).happen("CommitReady", "TestsPassed")
    assert (rig.state.state, rig.running) == ("end", ["cloud"])
    rig = flow(
        f"    invoke: [{JOB}, {{agent: cloud, skill: Provision, done: InfraProvisioned, wait: false}}]",
        more="",
    ).happen("CommitReady")
    rig.happen(failed(rig, "cloud"))
    assert (rig.state.state, rig.running) == ("work", ["builder"])
    assert rig.said("TaskEscalated")[0].data["message"] == "cloud could not do Provision: it broke"


def test_entering_a_state_again_is_a_new_visit() -> None:
    rig = flow(f"    invoke: {JOB}\n    on: {{ModuleGenerated: work}}").happen(
        "CommitReady", "ModuleGenerated"
    )
    assert rig.path == ["begin", "work", "work"]
    assert [event.data["step"] for event in rig.said("AgentTaskScheduled")] == [2, 3]
    assert len(rig.state.tasks) == 1


def test_the_end_is_the_end() -> None:
    rig = flow(f"    invoke: {JOB}").happen("StudioPRAction")
    length = len(rig.log)
    rig.happen("CommitReady", "TestsPassed", fact("TriggerRequested", reason="retry"))
    assert (rig.state.state, len(rig.log)) == ("end", length + 3)


def test_facts_said_together_all_count() -> None:
    """Two facts of one decision: the second comes before the flow has moved, and must not be lost."""

    def agents(event: Event) -> Iterable[Draft]:
        return (fact("CommitReady"), fact("TestsPassed")) if event.type == "Pushed" else ()

    rig = flow(f"    invoke: {JOB}")
    rig.agents = agents
    rig.happen("Pushed")
    assert rig.path == ["begin", "work", "end"]
    assert rig.said("AgentTaskScheduled") == []


def test_of_two_ways_the_first_fact_wins() -> None:
    def agents(event: Event) -> Iterable[Draft]:
        return (fact("CommitReady"), fact("StudioPRAction")) if event.type == "ChangeOpened" else ()

    rig = flow(f"    invoke: {JOB}")
    rig.agents = agents
    rig.happen("ChangeOpened")
    assert rig.path == ["begin", "work"]


def test_a_scope_hears_only_its_own_environment() -> None:
    job = "{agent: deployer, skill: Deploy, done: DeploymentCompleted, error: DeploymentFailed}"
    rig = flow(
        f"    scope: environment\n    all: InfraProvisioned\n    invoke: {job}\n"
        "    onError: lost\n    on: {ReleaseDelayed: lost}"
    )
    rig.happen(fact("InfraProvisioned", "production"), fact("CommitReady", "staging"))
    assert rig.running == []
    rig.happen(
        fact("InfraProvisioned", "staging"),
        fact("ReleaseDelayed", "production"),
        fact("DeploymentFailed", "production"),
    )
    assert (rig.state.state, rig.running) == ("work", ["deployer"])
    rig.happen(fact("DeploymentCompleted", "staging"))
    assert rig.state.state == "end"


def test_an_environment_named_in_the_payload_counts_as_well() -> None:
    rig = flow("    scope: environment\n    all: InfraProvisioned").happen(fact("CommitReady", "staging"))
    assert rig.happen(Draft(type="InfraProvisioned", data={"environment": "staging"})).state.state == "end"


def test_time_comes_from_the_facts() -> None:
    rig = flow(f"    invoke: {JOB}\n    timeout: 5m").happen("CommitReady")
    (timer,) = rig.timers.values()
    assert (timer.at - NOON).total_seconds() == 300
    assert timer.name == f"job/{rig.task('builder')}/task-timeout"
