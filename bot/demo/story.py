"""The steps of the demo, in order. Each makes something happen and looks whether it really did; its answer is the evidence."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.demo import processes
from bot.demo.asking import Asking, DidNotHappen
from bot.demo.place import PATH, REPOSITORY, Place
from bot.domain.event import Event
from bot.log.store import Store
from bot.log.verify import verify

WRONG = "the demo's claim does not hold"


@dataclass
class Story:
    """What the steps share."""

    place: Place
    ask: Asking
    web: processes.Process
    worker: processes.Process
    trace: str = ""
    change: int = 0
    urls: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What a step leaves behind: the events that prove it, and what a reader wants to see."""

    events: list[Event]
    detail: dict[str, Any]
    said: str


Step = Callable[[Story], Told]


def claim(holds: bool, what: str) -> None:
    """The demo fails when a claim does not hold."""
    if not holds:
        raise DidNotHappen(f"{WRONG}: {what}")


def git(place: Place, *arguments: str) -> str:
    """Ask git about the bare repository."""
    done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
        ["git", "-C", str(place.repository), *arguments], check=True, capture_output=True, text=True
    )  # noqa: S607 - git is asked for in the README
    return done.stdout.strip()


def submitted(story: Story) -> Told:
    """Generated code comes in."""
    story.trace = story.ask.submit(
        "1.0.0", "v1", "add booking-service", ["Book appointments that do not overlap"]
    )
    event = story.ask.event(story.trace, "ModuleGenerated")
    return Told(
        [event],
        {"traceId": story.trace, "files": len(event.data["files"])},
        f"An agent submitted booking-service 1.0.0 as {story.trace}.",
    )


def committed(story: Story) -> Told:
    """One signed commit with trailers, in a real Git repository."""
    event = story.ask.event(story.trace, "CommitReady")
    sha = event.data["sha"]
    trailers = git(story.place, "log", "-1", "--format=%(trailers:key=Trace-Id,valueonly)", sha)
    claim(trailers.strip() == story.trace, "the commit names its trace")
    outside = [
        name
        for name in git(story.place, "show", "--format=", "--name-only", sha).splitlines()
        if not name.startswith(PATH)
    ]
    claim(not outside, "the commit stays inside the module's folder")
    return Told(
        [event],
        {"commit": sha, "branch": event.data["branch"], "signed": event.data["signed"]},
        f"Committed {sha[:10]} with its trace in the trailers.",
    )


def opened(story: Story) -> Told:
    """A change with a trace link."""
    event = story.ask.event(story.trace, "PullRequestCreated")
    story.change = event.data["number"]
    return Told(
        [event],
        {"change": story.change, "url": event.data["url"], "title": event.data["title"]},
        f"Opened change #{story.change}: {event.data['title']}.",
    )


def piped(story: Story) -> Told:
    """The committed pipeline ran: build, test, scan, package."""
    ready = story.ask.event(story.trace, "PipelineReady")
    passed = story.ask.event(story.trace, "TestsPassed", revision=ready.data["revision"])
    run = story.ask.event(story.trace, "PipelineFinished", revision=ready.data["revision"])
    claim(
        run.data["status"] == "success" and all(job["status"] == "success" for job in run.data["jobs"]),
        "every job succeeded",
    )
    jobs = {job["name"]: job["status"] for job in run.data["jobs"]}
    return Told(
        [ready, run, passed],
        {
            "revision": ready.data["revision"],
            "jobs": jobs,
            "coverage": run.data.get("coverage"),
            "url": run.data.get("url"),
        },
        f"The pipeline ran: {', '.join(jobs)}; coverage {run.data.get('coverage')} %.",
    )


def blocked(story: Story) -> Told:
    """No approval, and a freeze: production waits, and says for whom."""
    head = story.ask.state(story.trace).head

    def look() -> Event | None:
        found = [
            e
            for e in story.ask.log(story.trace)
            if e.type == "pointsman.VerdictChanged" and e.environment == "production"
        ]
        return (
            found[-1]
            if found
            and found[-1].data["revision"] == head
            and "TestsFailed" not in str(found[-1].data["verdict"])
            else None
        )

    event = story.ask.wait(look, "the verdict on production")
    codes = {
        child["name"]: child["reason_code"]
        for child in event.data["verdict"]["children"]
        if child["state"] != "approved"
    }
    claim(
        event.data["state"] == "delayed" and {"freeze", "approvals"} <= codes.keys(),
        f"production waits for approval and freeze, not {codes}",
    )
    return Told(
        [event],
        {
            "state": event.data["state"],
            "blockedBy": codes,
            "message": event.data["verdict"]["message"],
            "checks": _checks(story),
        },
        f"Production is blocked: {event.data['verdict']['message']}",
    )


def _checks(story: Story) -> dict[str, str]:
    head = story.ask.state(story.trace).head
    return {
        check["name"]: check.get("conclusion") or "pending"
        for check in story.ask.forge(f"/checks?revision={head}")
    }


def refused(story: Story) -> Told:
    """Somebody without the role tries."""
    comment = story.ask.comment("mallory", story.change, "/approve-release production let me help")
    event = story.ask.event(story.trace, "CommandRefused", correlation=comment)
    claim(event.data["reasonCode"] == "UnauthorizedApprover", "the refusal names its reason")
    claim(not story.ask.state(story.trace).approvals, "nothing was approved")
    return Told(
        [event],
        {"actor": event.actor, "reasonCode": event.data["reasonCode"], "message": event.data["message"]},
        f"mallory was refused: {event.data['message']}",
    )


def approved(story: Story) -> Told:
    """The product owner approves exactly this revision."""
    comment = story.ask.comment("jane.doe", story.change, "/approve-release production demo looks right")
    event = story.ask.event(story.trace, "ApprovalGranted", correlation=comment)
    return Told(
        [event],
        {"approver": event.data["approver"], "role": event.data["role"], "revision": event.data["revision"]},
        f"jane.doe approved {event.data['revision'][:10]} as {event.data['role']}.",
    )


def unfrozen(story: Story) -> Told:
    """The freeze is lifted for this release, with a reason."""
    story.ask.comment("sam", story.change, "/override-freeze production customers wait for bookings")
    event = story.ask.event(story.trace, "FreezeOverridden")
    return Told(
        [event],
        {
            "window": event.data["window"],
            "by": event.data["by"],
            "reason": event.data["reason"],
            "until": event.data.get("until"),
        },
        f"sam lifted the freeze {event.data['window']}: {event.data['reason']}.",
    )


def merged(story: Story) -> Told:
    """What is merged is what was approved."""
    event = story.ask.event(story.trace, "ChangeMerged")
    carried = story.ask.event(story.trace, "pointsman.ApprovalsCarried")
    claim(git(story.place, "rev-parse", "main") == event.data["mergeSha"], "main is at the merge commit")
    return Told(
        [event, carried],
        {"commit": event.data["mergeSha"], "tree": event.data["tree"]},
        f"Merged as {event.data['mergeSha'][:10]}; its tree is the approved one.",
    )


def _deployed(environment: str) -> Step:
    def deployed(story: Story) -> Told:
        """Really running, probed by the bot and asked by us."""
        event = story.ask.event(story.trace, "DeploymentCompleted", environment=environment)
        story.urls[environment] = event.data["url"]
        answer = story.ask.fetch(f"{event.data['url']}/bookings")
        claim(answer["version"] == "1.0.0", f"{environment} answers as 1.0.0")
        probes = {probe["name"]: probe["ok"] for probe in event.data["healthStatus"]}
        started = story.ask.event(story.trace, "DeploymentStarted", environment=environment)
        return Told(
            [started, event],
            {
                "url": event.data["url"],
                "version": answer["version"],
                "probes": probes,
                "pid": event.data["pid"],
            },
            f"{environment} runs 1.0.0 at {event.data['url']}.",
        )

    return deployed


def published(story: Story) -> Told:
    """The release is out, and its artefacts are written."""
    event = story.ask.event(story.trace, "ReleasePublished")
    root = story.place.home / "memory"
    files = story.ask.wait(
        lambda: sorted(
            str(f.relative_to(root)) for f in root.rglob("*") if f.is_file() and story.trace in str(f)
        ),
        "the artefacts",
    )
    return Told([event], {"artefacts": files}, f"Published; {len(files)} artefacts of the trace are written.")


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
        f"2.0.0 did not get ready in {failed.data['environment']}; 1.0.0 answers again. Why: {triggered.data['reason']}",
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
        len(commits) == len(set(commits)) == 2,
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
        f"Killed the worker ({pid}) in the middle of {trace}; another took over, nothing lost, nothing doubled.",
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


STEPS: tuple[tuple[str, Step], ...] = (
    ("submit", submitted),
    ("commit", committed),
    ("change", opened),
    ("pipeline", piped),
    ("blocked", blocked),
    ("refused", refused),
    ("approved", approved),
    ("freeze-overridden", unfrozen),
    ("merged", merged),
    ("staging", _deployed("staging")),
    ("production", _deployed("production")),
    ("published", published),
    ("rolled-back", rolled_back),
    ("worker-killed", killed),
    ("verified", verified),
    ("tampering-found", tampered),
)
REPOSITORIES = (REPOSITORY,)
