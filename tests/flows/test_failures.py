"""Failures, retries and timeouts of tasks and states, and what a person can do about them."""

from tests.flows.jobs import JOB, failed, flow
from tests.flows.rig import fact


def test_a_failure_is_retried_after_its_delays_and_then_goes_to_a_person() -> None:
    rig = flow(f"    invoke: {JOB}\n    retry: {{limit: 3, delays: [0s, 5s]}}").happen("CommitReady")
    first = rig.task("builder")
    rig.happen(failed(rig))
    assert rig.task("builder") != first
    rig.happen(failed(rig))
    assert rig.running == []
    rig.wait(4)
    assert rig.running == []
    rig.wait(1)
    assert rig.state.tasks[rig.task("builder")]["retries"] == rig.state.retries == 2
    rig.happen(failed(rig)).wait(5)
    rig.happen(failed(rig))
    assert [event.data["retries"] for event in rig.said("AgentTaskScheduled")] == [0, 1, 2, 3]
    assert len({event.data["taskId"] for event in rig.said("AgentTaskScheduled")}) == 4
    (told,) = rig.said("TaskEscalated")
    assert told.data == {
        "reasonCode": "Broken",
        "message": "builder could not do Build: it broke",
        "role": "StudioAdmin",
        "taskId": rig.said("AgentTaskScheduled")[-1].data["taskId"],
    }
    assert rig.state.state == "work"


def test_only_the_failure_of_the_running_task_counts() -> None:
    rig = flow(f"    invoke: {JOB}\n    onError: lost").happen("CommitReady")
    rig.happen(fact("AgentTaskFailed", taskId="another"), fact("AgentTaskCompleted", taskId="another"))
    assert (rig.state.state, rig.running) == ("work", ["builder"])


def test_what_can_not_be_retried_goes_to_a_person_at_once() -> None:
    rig = flow(f"    invoke: {JOB}\n    retry: {{limit: 3}}\n    onError: lost").happen("CommitReady")
    rig.happen(failed(rig, retryable=False))
    assert (rig.state.state, len(rig.said("TaskEscalated"))) == ("lost", 1)
    assert rig.said("LifecyclePhaseAdvanced")[-1].data["trigger"] == "AgentTaskFailed"


def test_a_negative_answer_takes_the_way_for_it_and_is_no_mishap() -> None:
    job = "{agent: manager, skill: Decide, done: ReleaseApproved, error: ReleaseRejected}"
    rig = flow(f"    invoke: {job}\n    retry: {{limit: 3}}\n    onError: lost").happen(
        "CommitReady", "ReleaseRejected"
    )
    assert rig.path == ["begin", "work", "lost"]
    assert rig.said("AgentTaskFailed")[0].data["message"] == "manager answered ReleaseRejected"
    assert rig.said("LifecyclePhaseAdvanced")[-1].data["trigger"] == "ReleaseRejected"
    assert rig.said("TaskEscalated") == []


def test_a_negative_answer_before_the_question_counts_too() -> None:
    job = "{agent: manager, skill: Decide, done: ReleaseApproved, error: ReleaseRejected}"
    rig = flow(f"    all: PipelineReady\n    invoke: {job}\n    onError: lost").happen(
        "CommitReady", "ReleaseRejected"
    )
    assert (rig.path[-1], rig.said("AgentTaskScheduled")) == ("lost", [])


def test_a_task_that_takes_too_long_fails() -> None:
    rig = flow("    invoke: {agent: builder, skill: Build, timeout: 5m, retry: {limit: 1}}").happen(
        "CommitReady"
    )
    rig.wait(299)
    assert rig.said("TaskTimedOut") == []
    rig.wait(1)
    assert rig.said("TaskTimedOut")[0].data["message"] == "builder did not finish Build in time"
    assert [event.data["retries"] for event in rig.said("AgentTaskScheduled")] == [0, 1]
    rig.wait(300)
    assert rig.said("TaskEscalated")[0].data["reasonCode"] == "TaskTimedOut"


def test_a_task_that_ended_in_time_does_not_time_out() -> None:
    rig = flow(f"    invoke: {JOB}\n    timeout: 5m").happen("CommitReady", "TestsPassed").wait(600)
    assert rig.said("TaskTimedOut") == []


def test_a_task_that_completes_late_is_complete() -> None:
    rig = flow("    invoke: {agent: builder, skill: Build}\n    timeout: 5m").happen("CommitReady")
    task = rig.task("builder")
    rig.wait(300).happen(fact("AgentTaskCompleted", taskId=task))
    assert rig.state.state == "end"


def test_a_state_that_takes_too_long_leads_elsewhere() -> None:
    rig = (
        flow("    all: PipelineReady\n    timeout: {after: 1h, target: lost}")
        .happen("CommitReady")
        .wait(3600)
    )
    assert rig.path == ["begin", "work", "lost"]
    rig.happen("CommitReady").wait(1800).happen("PipelineReady").wait(7200)
    assert rig.path == ["begin", "work", "lost", "work", "end"]


def test_a_state_that_takes_too_long_says_so_once() -> None:
    rig = (
        flow("    all: PipelineReady\n    timeout: {after: 1h, event: TimeoutWarning}")
        .happen("CommitReady")
        .wait(99999)
    )
    (warning,) = rig.said("TimeoutWarning")
    assert warning.data == {
        "flow": "job",
        "state": "work",
        "step": 2,
        "reasonCode": "StateTimeout",
        "message": "work was not left in time",
    }


def test_a_person_retries_what_runs_and_what_has_failed() -> None:
    rig = flow(f"    invoke: [{JOB}, {{agent: cloud, skill: Provision, wait: false}}]").happen("CommitReady")
    rig.happen(failed(rig), fact("TriggerRequested", reason="retry"))
    assert [(e.data["agent"], e.data["retries"]) for e in rig.said("AgentTaskScheduled")] == [
        ("builder", 0),
        ("cloud", 0),
        ("builder", 1),
    ]
    rig.happen(fact("TriggerRequested", reason="retry"))
    assert rig.state.tasks[rig.task("builder")]["retries"] == 2


def test_a_person_retries_one_task() -> None:
    rig = flow(f"    invoke: [{JOB}, {{agent: tester, skill: Test}}]").happen("CommitReady")
    rig.happen(fact("TriggerRequested", reason="retry", taskId=rig.task("tester")))
    assert [e.data["agent"] for e in rig.said("AgentTaskScheduled")] == ["builder", "tester", "tester"]


def test_a_retry_of_what_is_complete_does_nothing() -> None:
    rig = flow(f"    invoke: [{JOB}, {{agent: tester, skill: Test, done: TestsExecuted}}]").happen(
        "CommitReady", "TestsPassed"
    )
    rig.happen(fact("TriggerRequested", reason="retry"))
    assert [e.data["agent"] for e in rig.said("AgentTaskScheduled")] == ["builder", "tester", "tester"]


def test_a_state_without_invocations_has_a_way_for_retry() -> None:
    rig = flow(
        f"    invoke: {JOB}\n    onError: held", "  held: {on: {ChangeClosed: end}, onRetry: work}"
    ).happen("CommitReady")
    rig.happen(failed(rig), fact("TriggerRequested", reason="a sweep"))
    assert rig.state.state == "held"
    rig.happen(fact("TriggerRequested", reason="retry"))
    assert (rig.path, rig.running) == (["begin", "work", "held", "work"], ["builder"])


def test_a_delayed_retry_is_dropped_when_the_flow_has_moved_on() -> None:
    rig = flow(
        f"    invoke: {JOB}\n    retry: {{limit: 1, delays: [60s]}}\n    on: {{ChangeClosed: lost}}"
    ).happen("CommitReady")
    rig.happen(failed(rig), "ChangeClosed").wait(60)
    assert (rig.state.state, len(rig.said("AgentTaskScheduled"))) == ("lost", 1)


def test_a_delayed_retry_is_dropped_when_a_person_was_faster() -> None:
    rig = flow(f"    invoke: {JOB}\n    retry: {{limit: 1, delays: [60s]}}").happen("CommitReady")
    rig.happen(failed(rig), fact("TriggerRequested", reason="retry")).wait(60)
    assert [event.data["retries"] for event in rig.said("AgentTaskScheduled")] == [0, 1]
