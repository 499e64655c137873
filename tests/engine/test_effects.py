"""Effects: one try each, retried by the schedule, in order per trace, given up in the end; a deployment blocks nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from bot.domain import payloads as p
from bot.domain.decision import NOTHING, Decision
from bot.domain.effect import (
    ApplyRelease,
    Effect,
    GatherFacts,
    PostComment,
    React,
    Service,
    SetCheck,
    Target,
    WriteMemory,
)
from bot.domain.errors import Permanent, Retryable
from bot.domain.event import Event
from bot.domain.model import Model
from bot.domain.view import View
from bot.engine import effects
from bot.engine.outbox import subject
from tests.engine.rig import Performer, count, of, result, running, wait_for
from tests.log.facts import fact

CHECK = SetCheck(
    revision="r1", name="release", title="blocked", purpose="gate", task_id="t1", agent_id="release-manager"
)
DONE = result("SetCheck", check_id="c1")


def wanting(*wanted: Effect) -> Callable[[Event, View], Decision]:
    """Decide on `wanted` for each fact of the tests, and on nothing for what comes of it."""

    def decide(event: Event, _view: View) -> Decision:
        return Decision(effects=wanted) if event.type == "TestsExecuted" else NOTHING

    return decide


def always(answer: Model | Exception) -> Performer:
    return Performer(lambda _effect, _count: answer)


def failing(times: int, error: Exception, answer: Model = DONE) -> Performer:
    return Performer(lambda _effect, count: error if count <= times else answer)


def test_an_outcome_is_recorded_with_what_was_asked(database_url: str) -> None:
    forge = always(DONE)
    with running(database_url, wanting(CHECK), performers={"local": forge}) as runtime:
        runtime.submit(fact(1), "tests", "1")
        (done,) = wait_for(lambda: of(runtime.store, "trace-1", "AgentActionCompleted"))
    assert done.data == {
        "effectId": "trace-1.000001.0", "effect": "SetCheck", "purpose": "gate", "taskId": "t1", "attempt": 1,
        "request": CHECK.to_json(), "result": {"checkId": "c1", "url": ""},
    }  # fmt: skip
    assert (done.causation_id, done.task_id, done.agent_id) == ("trace-1-1", "t1", "release-manager")
    assert forge.asked[0][0] == "trace-1.000001.0"
    assert forge.asked[0][2].tenant_id == "acme"


def test_gathered_facts_come_back_as_themselves(database_url: str) -> None:
    gathered = p.FactsGathered(correlation="c", repository="acme/booking", policy_text="version: 1")
    asking = GatherFacts(repository="acme/booking", correlation="c")
    with running(database_url, wanting(asking), performers={"local": always(gathered)}) as runtime:
        runtime.submit(fact(1), "tests", "1")
        (event,) = wait_for(lambda: of(runtime.store, "trace-1", "FactsGathered"))
    assert event.data["policyText"] == "version: 1"


def test_a_performer_reads_earlier_events_of_its_trace_only(database_url: str) -> None:
    found: list[Event | None] = []

    class Reader:
        def perform(self, effect_id: str, effect: Effect, context: object) -> Model:
            found.extend([context.find("trace-1-1"), context.find("trace-2-1")])  # type: ignore[attr-defined]
            return DONE

    with running(database_url, wanting(CHECK), performers={"local": Reader()}) as runtime:
        runtime.submit(fact(1, "trace-2"), "tests", "0")
        wait_for(lambda: found)
        found.clear()
        runtime.submit(fact(1), "tests", "1")
        wait_for(lambda: found)
    assert [event and event.id for event in found] == ["trace-1-1", None]


def test_failures_are_retried_by_the_schedule_then_escalated(database_url: str) -> None:
    forge = always(Retryable("the forge is down; token glpat-abcdefghij0123456789"))
    with running(database_url, wanting(CHECK), performers={"local": forge}) as runtime:
        runtime.submit(fact(1), "tests", "1")
        wait_for(lambda: len(of(runtime.store, "trace-1", "AgentSkillFailed")) == 3)
        failed = of(runtime.store, "trace-1", "AgentSkillFailed")
        assert count(runtime.store, "effect", "status = 'failed'") == 1
    assert forge.attempts == [1, 2, 3]
    assert [(event.data["attempt"], event.data["exhausted"], event.data.get("retryInS")) for event in failed] == [
        (1, False, 0.05), (2, False, 0.1), (3, True, None),
    ]  # fmt: skip
    assert {event.data["message"] for event in failed} == {"the forge is down; token [hidden]"}
    moments = [moment for *_, moment in forge.asked]
    assert moments[1] - moments[0] >= 0.05
    assert moments[2] - moments[1] >= 0.1


def test_the_default_schedule_is_0_5_15_60(sqlite_url: str) -> None:
    from bot.settings import Settings

    assert Settings().retry_schedule == (0.0, 5.0, 15.0, 60.0)


def test_a_wait_that_the_forge_asked_for_costs_no_attempt(database_url: str) -> None:
    forge = failing(5, Retryable("slow down", after=0.01))
    with running(database_url, wanting(CHECK), performers={"local": forge}) as runtime:
        runtime.submit(fact(1), "tests", "1")
        (done,) = wait_for(lambda: of(runtime.store, "trace-1", "AgentActionCompleted"), 30)
    assert forge.attempts == [1] * 6
    assert done.data["attempt"] == 1


@pytest.mark.parametrize(
    ("error", "reason_code", "message", "tries"),
    [
        (Permanent("HeadMoved", "the head is another by now"), "HeadMoved", "the head is another by now", 1),
        (RuntimeError("unforeseen"), "RuntimeError", "unforeseen", 3),
    ],
)
def test_how_it_ends_depends_on_who_must_act(
    sqlite_url: str, error: Exception, reason_code: str, message: str, tries: int
) -> None:
    forge = always(error)
    with running(sqlite_url, wanting(CHECK), performers={"local": forge}) as runtime:
        runtime.submit(fact(1), "tests", "1")
        wait_for(lambda: any(e.data["exhausted"] for e in of(runtime.store, "trace-1", "AgentSkillFailed")))
        last = of(runtime.store, "trace-1", "AgentSkillFailed")[-1]
    assert (last.data["reasonCode"], last.data["message"], len(forge.asked)) == (reason_code, message, tries)


def test_an_effect_that_nobody_performs_fails_with_a_reason(sqlite_url: str) -> None:
    with running(sqlite_url, wanting(CHECK.model_copy(update={"target": "gitea"}))) as runtime:
        runtime.submit(fact(1), "tests", "1")
        (failed,) = wait_for(lambda: of(runtime.store, "trace-1", "AgentSkillFailed"))
    assert (failed.data["reasonCode"], failed.data["exhausted"]) == ("NoPerformer", True)
    assert failed.data["message"] == "nobody here performs effects for 'gitea'"


def test_reactions_and_memory_leave_no_event_when_they_succeed(sqlite_url: str) -> None:
    silent = (React(change=1, comment_id="1", reaction="eyes"), WriteMemory())
    performers = {"local": always(result("React")), "memory": always(result("WriteMemory"))}
    with running(sqlite_url, wanting(*silent), performers=performers) as runtime:
        runtime.submit(fact(1), "tests", "1")
        wait_for(lambda: count(runtime.store, "effect", "status = 'done'") == 2)
        assert [event.type for event in of(runtime.store, "trace-1")] == ["TestsExecuted"]


def test_one_trace_is_served_in_order_while_others_and_deployments_go_on(database_url: str) -> None:
    gate = threading.Event()
    target = Target(
        environment="staging", namespace="acme-staging", module_id="booking", release_id="r", version="1.0.0",
        revision="a" * 40, repository="acme/booking", service=Service(command=("true",)),
    )  # fmt: skip
    deploying = threading.Event()

    def deploy(_effect: Effect, _count: int) -> Model:
        deploying.set()
        assert gate.wait(20)
        return result("ApplyRelease", healthy=True)

    comments = tuple(PostComment(change=1, body=str(number)) for number in range(4))
    forge = Performer(lambda effect, _count: result("PostComment", comment_id=effect.body))  # type: ignore[attr-defined]
    performers = {"local": forge, "deploy": Performer(deploy)}
    with running(
        database_url, wanting(ApplyRelease(release=target), *comments), performers=performers
    ) as runtime:
        runtime.submit(fact(1), "tests", "1")
        runtime.submit(fact(1, "trace-2"), "tests", "2")
        assert deploying.wait(20)
        wait_for(lambda: len(forge.asked) == 8)
        gate.set()
        wait_for(lambda: count(runtime.store, "effect", "status = 'done'") == 10)
    for trace in ("trace-1", "trace-2"):
        bodies = [
            e.body
            for _, e, context, _ in forge.asked
            if context.trace_id == trace and isinstance(e, PostComment)
        ]
        assert bodies == ["0", "1", "2", "3"]


def test_a_late_retry_does_not_overwrite_what_was_said_since(sqlite_url: str) -> None:
    first, second = (
        CHECK.model_copy(update={"task_id": None, "title": title}) for title in ("blocked", "open")
    )
    forge = failing(1, Retryable("down"))
    with running(
        sqlite_url, wanting(first, second), performers={"local": forge}, retry_schedule=(0, 0.5)
    ) as runtime:
        runtime.submit(fact(1), "tests", "1")
        wait_for(lambda: count(runtime.store, "effect", "status = 'superseded'") == 1)
        assert [effect.title for _, effect, _, _ in forge.asked if isinstance(effect, SetCheck)] == [
            "blocked",
            "open",
        ]


def test_the_same_try_performed_twice_is_recorded_once(sqlite_url: str) -> None:
    both = threading.Barrier(2, timeout=10)

    def meet(_effect: Effect, _count: int) -> Model:
        both.wait()
        return DONE

    forge = Performer(meet)
    with running(sqlite_url, wanting(CHECK), performers={"local": forge}) as runtime:
        runtime.submit(fact(1), "tests", "1")
        wait_for(lambda: len(forge.asked) == 1)
        effects.perform(
            runtime.wiring, "acme", "trace-1.000001.0"
        )  # a takeover from a process that was only slow
        wait_for(lambda: of(runtime.store, "trace-1", "AgentActionCompleted"))
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)
        assert len(of(runtime.store, "trace-1", "AgentActionCompleted")) == 1


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (CHECK.model_copy(update={"repository": "a/b"}), "check a/b r1 release"),
        (PostComment(change=7, body="x", sticky="status", repository="a/b"), "comment a/b 7 status"),
        (PostComment(change=7, body="x", repository="a/b"), ""),
        (WriteMemory(), "memory"),
        (React(change=1, comment_id="1", reaction="eyes"), ""),
    ],
)
def test_what_a_later_effect_would_overwrite(effect: Effect, expected: str) -> None:
    assert subject(effect) == expected
