"""Locks of environments: whoever decides after one sees it, in whatever trace; nobody else's repository does."""

from __future__ import annotations

from typing import Any

from bot.domain.decision import NOTHING, Decision
from bot.domain.event import Event
from bot.domain.release import Lock
from bot.domain.view import View
from bot.projections.locks import apply
from tests.engine.rig import running
from tests.log.facts import fact
from tests.projections.test_rebuild import settled

LOCKED, UNLOCKED = "pointsman.EnvironmentLocked", "pointsman.EnvironmentUnlocked"
PLACE = {"forge": "local", "repository": "acme/booking", "environment": "production"}
CODE = {"moduleId": "booking", "version": "1.0.0", "forge": "local", "files": []}


def said(type_: str, **data: Any) -> Event:
    return fact(1, "trace-1", type=type_, data=PLACE | data, actor="dana")


def test_a_lock_is_there_until_it_is_opened() -> None:
    locked = apply({}, said(LOCKED, reason="migration"))
    assert [(name, lock.by, lock.reason) for name, lock in locked.items()] == [
        ("production", "dana", "migration")
    ]
    assert apply(locked, said(UNLOCKED, environment="staging")) == locked
    assert apply(locked, said(UNLOCKED)) == {}
    assert apply(locked, said("TestsPassed")) is locked


def test_every_trace_of_the_repository_sees_it_and_no_other(database_url: str) -> None:
    seen: dict[str, dict[str, Lock]] = {}

    def decide(event: Event, view: View) -> Decision:
        seen[event.id] = dict(view.locks)
        return NOTHING

    with running(database_url, decide) as runtime:
        for nth, (trace, type_, data) in enumerate(
            [
                ("trace-1", "ModuleGenerated", CODE | {"repository": "acme/booking"}),
                ("trace-2", "ModuleGenerated", CODE | {"repository": "acme/booking"}),
                ("trace-3", "ModuleGenerated", CODE | {"repository": "acme/other"}),
                ("trace-1", LOCKED, PLACE | {"reason": "migration"}),
                ("trace-2", "TestsExecuted", {}),
                ("trace-3", "TestsExecuted", {}),
                ("trace-2", UNLOCKED, PLACE),
                ("trace-1", "TestsExecuted", {}),
            ]
        ):
            runtime.submit(fact(nth, trace, type=type_, data=data, actor="dana"), "tests", str(nth))
            settled(runtime)
        names = [list(seen[fact(nth, trace).id]) for nth, trace in enumerate(
            ["trace-1", "trace-2", "trace-3", "trace-1", "trace-2", "trace-3", "trace-2", "trace-1"]
        )]  # fmt: skip
    assert names == [[], [], [], ["production"], ["production"], [], [], []]
