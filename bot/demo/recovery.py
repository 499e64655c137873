"""The steps in which something goes wrong: a bad version, a killed worker, a changed byte."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from pathlib import Path

from bot.demo import processes
from bot.demo.story import Story, Told, claim, git
from bot.log.store import Store
from bot.log.verify import verify

BY_AGENTS = 2
"""Commits on a new version's branch: the module's and the pipeline's."""


def rolled_back(story: Story) -> Told:
    """Version 2 never gets ready: version 1 answers again."""
    trace = story.ask.submit("2.0.0", "v2", "add a waiting list to booking-service", ["Keep a waiting list"])
    ready = story.ask.event(trace, "PipelineReady")
    story.ask.event(trace, "TestsPassed", revision=ready.data["revision"])
    change = story.ask.state(trace).change or {}
    story.ask.wait(lambda: "production" in story.ask.state(trace).releases, "the verdict on version 2")
    story.ask.comment("jane.doe", change["number"], "/approve-release production waiting list wanted")
    story.ask.comment("sam", change["number"], "/override-freeze production goes with the launch")
    failed = story.ask.event(trace, "DeploymentFailed")
    triggered = story.ask.event(trace, "RollbackTriggered")
    url = story.urls[failed.data["environment"]]
    answer = story.ask.fetch(f"{url}/bookings")
    claim(answer["version"] == "1.0.0" and failed.data["rolledBackTo"] == "1.0.0", "version 1 answers again")
    return Told(
        [triggered, failed],
        {
            "traceId": trace,
            "change": change["number"],
            "reason": triggered.data["reason"],
            "environment": failed.data["environment"],
            "rolledBackTo": "1.0.0",
            "answers": answer["version"],
            "url": url,
        },
        f"2.0.0 did not get ready in {failed.data['environment']}; 1.0.0 answers again. "
        f"Why: {triggered.data['reason']}",
    )


def killed(story: Story) -> Told:
    """SIGKILL in the middle: another worker takes over, nothing is lost, nothing is done twice."""
    trace = story.ask.submit("1.0.1", "v1", "document booking-service", ["Say what a booking is"])
    before = story.ask.event(trace, "CommitReady")
    pid = story.worker.kill()
    story.worker = processes.start("worker-2", ["worker"], story.place.environment, story.place.home)
    ready = story.ask.event(trace, "PipelineReady", within=60)
    passed = story.ask.event(trace, "TestsPassed", within=60, revision=ready.data["revision"])
    branch = before.data["branch"]
    commits = git(
        story.place, "log", f"main..{branch}", "--format=%(trailers:key=Effect-Id,valueonly)"
    ).split()
    changes = [c for c in story.ask.forge("/changes") if c["source"] == branch]
    claim(
        len(commits) == len(set(commits)) == BY_AGENTS,
        f"one commit of the module, one of the pipeline, not {commits}",
    )
    claim(len(changes) == 1, "one change")
    once = Counter(
        e.type
        for e in story.ask.log(trace)
        if e.type in {"CommitReady", "PullRequestCreated", "PipelineReady"}
    )
    claim(set(once.values()) == {1}, f"each fact once, not {once}")
    return Told(
        [before, ready, passed],
        {"traceId": trace, "killedPid": pid, "commits": len(commits), "changes": len(changes)},
        f"Killed the worker ({pid}) in the middle of {trace}; another took over, "
        "nothing lost, nothing doubled.",
    )


def verified(story: Story) -> Told:
    """The hash chain holds."""
    with story.ask.store.read() as session:
        found = verify(session)
    claim(bool(found["ok"]), f"the log verifies: {found}")
    return Told([], dict(found), f"Verified {found['events']} events of {found['traces']} traces.")


def tampered(story: Story) -> Told:
    """One flipped byte in a copy of the database is found, and named."""
    copy = story.place.home / "tampered.db"
    _copy(story.place.home / "pointsman.db", copy)
    sequence = _flip_one_byte(copy, story.trace)
    store = Store(f"sqlite:///{copy}")
    try:
        with store.read() as session:
            found = verify(session)
    finally:
        store.close()
        copy.unlink()
    claim(
        not found["ok"] and found["first_bad"] == {"traceId": story.trace, "sequence": sequence},
        f"the flipped byte is found: {found}",
    )
    return Told(
        [],
        {"flipped": {"traceId": story.trace, "sequence": sequence}, "found": found["first_bad"]},
        f"Flipped one byte of event {sequence} in a copy: found.",
    )


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    with sqlite3.connect(source) as one, sqlite3.connect(target) as other:
        one.backup(other)


def _flip_one_byte(database: Path, trace: str) -> int:
    """Flip a bit of the body of the approval, under the triggers that forbid it."""
    with sqlite3.connect(database) as connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f'drop trigger "{name}"')
        sequence, body = connection.execute(
            "select sequence, body from events where trace_id = ? and type = 'ApprovalGranted'", (trace,)
        ).fetchone()
        changed = bytearray(body)
        changed[len(changed) // 2] ^= 1
        connection.execute(
            "update events set body = ? where trace_id = ? and sequence = ?",
            (bytes(changed), trace, sequence),
        )
    return int(sequence)
