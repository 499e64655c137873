"""The steps from generated code to production."""

from __future__ import annotations

import shutil

from bot.demo.place import PATH
from bot.demo.story import Step, Story, Told, claim, git, running
from bot.domain.event import Event


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
    if shutil.which("ssh-keygen"):
        signers = f"gpg.ssh.allowedSignersFile={story.place.home / 'forge' / 'allowed_signers'}"
        git(story.place, "-c", signers, "verify-commit", sha)
    claim(event.data["signed"] == bool(shutil.which("ssh-keygen")), "the commit is signed where it can be")
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
    comment = story.ask.comment(
        "sam", story.change, "/override-freeze production customers wait for bookings"
    )
    story.ask.event(story.trace, "TaskCompleted", correlation=comment)
    event = story.ask.event(story.trace, "FreezeOverridden", by="sam")
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


def deployed_to(environment: str) -> Step:
    """The step that looks at one environment."""

    def deployed(story: Story) -> Told:
        """Really running, probed by the bot and asked by us."""
        event = story.ask.event(story.trace, "DeploymentCompleted", environment=environment)
        story.urls[environment] = event.data["url"]
        answer = story.ask.fetch(f"{event.data['url']}/bookings")
        claim(answer["version"] == "1.0.0", f"{environment} answers as 1.0.0")
        service = running(story.place, environment)
        told = (event.release_id, event.data["pid"], event.data["revision"])
        claim((service.release_id, service.pid, service.revision) == told, f"{environment} runs this release")
        story.pids[environment] = service.pid
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
            str(f.relative_to(root)) for f in root.rglob("[!.]*") if f.is_file() and story.trace in str(f)
        ),
        "the artefacts",
    )
    return Told([event], {"artefacts": files}, f"Published; {len(files)} artefacts of the trace are written.")
