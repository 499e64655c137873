"""The steps in which something goes wrong: a bad version, a killed worker, a changed byte."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

from bot.demo import processes
from bot.demo.story import Story, Told, claim, cli, git, running

BY_AGENTS = 1
"""Commits on a new version's branch: the module's. Its pipeline is on main since the first one."""


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
    environment = failed.data["environment"]
    tried = story.ask.event(trace, "AgentActionCompleted", effect="ApplyRelease")
    probes = {probe["name"]: probe["ok"] for probe in tried.data["result"]["healthStatus"]}
    claim(probes["startup"] and not probes["readiness"], f"version 2 ran and never got ready: {probes}")
    url = story.urls[environment]
    answer = story.ask.fetch(f"{url}/bookings")
    claim(answer["version"] == "1.0.0" and failed.data["rolledBackTo"] == "1.0.0", "version 1 answers again")
    service = running(story.place, environment)
    claim(service.version == "1.0.0" and service.pid != story.pids[environment], "version 1 was started anew")
    return Told(
        [triggered, failed],
        {
            "traceId": trace,
            "change": change["number"],
            "reason": triggered.data["reason"],
            "environment": environment,
            "rolledBackTo": "1.0.0",
            "answers": answer["version"],
            "url": url,
        },
        f"2.0.0 did not get ready in {environment}; 1.0.0 answers again. Why: {triggered.data['reason']}",
    )


def killed(story: Story) -> Told:
    """SIGKILL in the middle: another worker takes over, nothing is lost, nothing is done twice."""
    trace = story.ask.submit("1.0.1", "v1", "document booking-service", ["Say what a booking is"])
    before = story.ask.event(trace, "CommitReady")
    pid = story.worker.kill()
    claim("PipelineReady" not in _types(story, trace), "there was work left when the worker was killed")
    story.worker = processes.start("worker-2", ["worker"], story.place.environment, story.place.home)
    ready = story.ask.event(trace, "PipelineReady", within=60)
    passed = story.ask.event(trace, "TestsPassed", within=60, revision=ready.data["revision"])
    branch = before.data["branch"]
    commits = git(
        story.place, "log", f"main..{branch}", "--format=%(trailers:key=Effect-Id,valueonly)"
    ).split()
    changes = [c for c in story.ask.forge("/changes") if c["source"] == branch]
    claim(len(commits) == len(set(commits)) == BY_AGENTS, f"one commit, of the module, not {commits}")
    claim(len(changes) == 1, "one change")
    done = Counter(e.data["effectId"] for e in story.ask.log(trace) if e.type == "AgentActionCompleted")
    claim(set(done.values()) == {1}, f"each effect is told once, not {done.most_common(1)}")
    once = Counter(_types(story, trace))
    facts = {name: once[name] for name in ("CommitReady", "PullRequestCreated", "PipelineReady")}
    claim(set(facts.values()) == {1}, f"each fact once, not {facts}")
    sequences = [e.sequence for e in story.ask.log(trace)]
    claim(sequences == list(range(1, len(sequences) + 1)), "no event is missing")
    return Told(
        [before, ready, passed],
        {"traceId": trace, "killedPid": pid, "commits": len(commits), "changes": len(changes)},
        f"Killed the worker ({pid}) in the middle of {trace}; another took over, "
        "nothing lost, nothing doubled.",
    )


def _types(story: Story, trace: str) -> list[str]:
    return [event.type for event in story.ask.log(trace)]


def verified(story: Story) -> Told:
    """The hash chain holds."""
    code, found = cli(story.place, "trace", "verify")
    claim(code == 0 and found["ok"], f"the log verifies: {found}")
    return Told([], found, f"Verified {found['events']} events of {found['traces']} traces.")


def tampered(story: Story) -> Told:
    """One flipped byte in a copy of the database is found, and named."""
    copy = story.place.home / "tampered.db"
    _copy(story.place.home / "pointsman.db", copy)
    sequence = _flip_one_byte(copy, story.trace)
    code, found = cli(story.place, "trace", "verify", database=f"sqlite:///{copy}")
    copy.unlink()
    expected = {"traceId": story.trace, "sequence": sequence}
    claim(code == 1 and not found["ok"] and found["first_bad"] == expected, f"the byte is found: {found}")
    return Told(
        [],
        {"flipped": expected, "found": found["first_bad"]},
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
        changed[secrets.randbelow(len(changed))] ^= 1
        connection.execute(
            "update events set body = ? where trace_id = ? and sequence = ?",
            (bytes(changed), trace, sequence),
        )
    return int(sequence)
