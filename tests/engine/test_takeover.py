"""A worker dies with SIGKILL in the middle of its work: a survivor takes it over within seconds, and only so often."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.domain.decision import NOTHING, Decision
from bot.domain.effect import Effect, PostComment
from bot.domain.event import Event
from bot.domain.model import Model
from bot.domain.view import View
from bot.engine.runtime import Runtime
from tests.engine.rig import Performer, count, of, result, running, settings_for, wait_for
from tests.log.facts import fact

HANGER = """
import sys, time
sys.path.insert(0, {root!r})
from tests.engine.test_takeover import Hanging, runtime_for
runtime = runtime_for({url!r}, Hanging())
runtime.launch()
print("ready", flush=True)
time.sleep(3600)
"""


class Hanging:
    """Never answers, and says when it was asked."""

    def perform(self, effect_id: str, effect: Effect, context: object) -> Model:
        sys.stdout.write(f"performing {effect_id}\n")
        sys.stdout.flush()
        time.sleep(3600)
        raise AssertionError


def decide(event: Event, _view: View) -> Decision:
    return (
        Decision(effects=(PostComment(change=1, body="hello"),)) if event.type == "TestsExecuted" else NOTHING
    )


def runtime_for(url: str, performer: object) -> Runtime:
    return Runtime(settings_for(url), forges={}, performers={"local": performer}, decide=decide)  # type: ignore[dict-item]


def hanging(url: str) -> subprocess.Popen[str]:
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", HANGER.format(root=root, url=url)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_survivor_takes_over_within_seconds(database_url: str) -> None:
    with running(database_url, work=False) as web:
        web.submit(fact(1), "tests", "1")
    victim = hanging(database_url)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "performing trace-1.000001.0\n"
    answered = Performer(lambda _effect, _count: result("PostComment", comment_id="1"))
    with running(database_url, decide, performers={"local": answered}) as survivor:
        time.sleep(1.5)
        assert answered.asked == [], "the other still lives"
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        victim.stdout.close()
        died = time.monotonic()
        wait_for(lambda: of(survivor.store, "trace-1", "AgentActionCompleted"), 30)
        assert time.monotonic() - died < 15
        assert [effect_id for effect_id, *_ in answered.asked] == ["trace-1.000001.0"]
        wait_for(lambda: count(survivor.store, "executor_lease") == 1)


def test_an_orderly_end_leaves_no_lease(database_url: str) -> None:
    with running(database_url) as runtime:
        assert count(runtime.store, "executor_lease") == 1
    with running(database_url, work=False) as web:
        assert count(web.store, "executor_lease") == 0


@pytest.mark.parametrize("already", [2, 3])
def test_an_effect_that_kills_its_workers_is_given_up(sqlite_url: str, already: int) -> None:
    with running(sqlite_url, work=False) as web:
        web.submit(fact(1), "tests", "1")
        with web.store.begin() as session:
            told = sa.text("INSERT INTO takeover(workflow_id, attempts) VALUES ('acme/trace-1.000001.0', :n)")
            session.execute(told, {"n": already})
    victim = hanging(sqlite_url)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "performing trace-1.000001.0\n"
    victim.kill()
    victim.wait()
    victim.stdout.close()
    answered = Performer(lambda _effect, _count: result("PostComment", comment_id="1"))
    with running(sqlite_url, decide, performers={"local": answered}) as survivor:
        if already == 2:
            wait_for(lambda: of(survivor.store, "trace-1", "AgentActionCompleted"), 30)
            return
        (failed,) = wait_for(lambda: of(survivor.store, "trace-1", "AgentSkillFailed"), 30)
        assert (failed.data["reasonCode"], failed.data["exhausted"]) == ("WorkerLost", True)
        assert failed.data["message"] == "3 workers died while this was being done"
        assert answered.asked == []
