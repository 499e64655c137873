"""The embedded forge's own wire format: what its webhooks say, and the row that makes sure they arrive.

Every body has `event`, `repository {name, defaultBranch}` and `sender {login, bot}`; beside them, by event:

    push        ref, branch | tag, before, after, forced, commits [{sha, message, author}], paths, changes [n]
    change      action, change {...}, headCommit {sha, message}
    comment     action, comment {...}, change {...}, headCommit
    review      review {...}, change {...}, headCommit
    pipeline    pipeline {...}, changes, headCommit
    check       check {...}, changes, headCommit
    deployment  deployment {...}, headCommit
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot import log_text
from bot.forges.local import logs
from bot.forges.local.git import ZERO
from bot.forges.local.ground import Ground
from bot.forges.local.history import Commit
from bot.forges.local.tables import (
    ForgeChange,
    ForgeCheck,
    ForgeComment,
    ForgeDelivery,
    ForgeDeployment,
    ForgeJob,
    ForgeLabel,
    ForgePipeline,
    ForgeRepository,
    ForgeReview,
    ForgeRevision,
    ForgeUser,
)

Json = dict[str, Any]
LONGEST_TEXT = 64 * 1024
TAIL = 32 * 1024
"""Bytes of a failed job's log that are looked at."""
"""Characters. With these limits no delivery comes near the megabyte that a receiver may refuse for ever."""
LONGEST_MESSAGE, MOST_COMMITS, MOST_PATH_BYTES = 1000, 100, 200 * 1024


def enqueue(ground: Ground, session: Session, repository: str, event: str, sender: str, **body: Any) -> None:
    """Add a delivery to the transaction that makes it true."""
    row = session.get_one(ForgeRepository, repository)
    whole = {
        "event": event,
        "repository": {"name": repository, "defaultBranch": row.default_branch},
        "sender": {"login": sender, "bot": is_bot(session, sender)},
        **body,
    }
    session.add(
        ForgeDelivery(
            delivery_id=str(uuid4()),
            repository=repository,
            event=event,
            created_at=ground.moment(),
            body=written(_shortened(whole)),
        )
    )


def written(said: Json) -> str:
    """A body, as it is sent and searched."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _shortened(said: Any) -> Any:
    """Without the middle of texts that are too long: what a trace is found by is at a message's end."""
    if isinstance(said, dict):
        return {name: _shortened(value) for name, value in said.items()}
    if isinstance(said, list):
        return [_shortened(value) for value in said]
    return cut(said, LONGEST_TEXT) if isinstance(said, str) else said


def cut(text: str, longest: int) -> str:
    """At most so many characters of a text: its beginning and its end."""
    half = longest // 2 - 5
    return text if len(text) <= longest else f"{text[:half]}\n[...]\n{text[-half:]}"


def push_json(commits: list[Commit], paths: Iterable[str]) -> Json:
    """What a push brought, oldest first, or the newest part of it; `cut` tells that there is more."""
    listed, left = [], MOST_PATH_BYTES
    for path in paths:
        left -= len(path.encode(errors="replace")) + 3
        if left < 0:
            break
        listed.append(path)
    newest = [
        {"sha": commit.sha, "message": cut(commit.message, LONGEST_MESSAGE), "author": commit.author}
        for commit in commits[:MOST_COMMITS]
    ]
    return {"commits": newest[::-1], "paths": listed, "cut": left < 0 or len(commits) > MOST_COMMITS}


def is_bot(session: Session, login: str) -> bool:
    """Whether a login is a machine's."""
    user = session.get(ForgeUser, login)
    return bool(user and user.is_bot)


def head_commit(commit: Commit | None) -> Json | None:
    """The commit that may name a trace in its trailers."""
    return {"sha": commit.sha, "message": commit.message} if commit else None


def labels(session: Session, change: ForgeChange) -> list[str]:
    """The labels of a change, sorted."""
    rows = session.scalars(
        select(ForgeLabel).where(ForgeLabel.change_id == change.id).order_by(col(ForgeLabel.label))
    )
    return [row.label for row in rows]


def last_revision(session: Session, change: ForgeChange) -> ForgeRevision | None:
    """The newest head of a change."""
    newest = col(ForgeRevision.id).desc()
    return session.scalars(
        select(ForgeRevision).where(ForgeRevision.change_id == change.id).order_by(newest)
    ).first()


def pushers(session: Session, change: ForgeChange) -> set[str]:
    """Everybody who pushed a head of a change. Addresses in commits are claims; who pushed is known."""
    wanted = select(ForgeRevision.pusher).where(ForgeRevision.change_id == change.id)
    return set(session.scalars(wanted.distinct()))


def branch_pushers(session: Session, repository: str, branch: str) -> set[str]:
    """Everybody who has pushed to a branch since it was made, as the deliveries told it."""
    ref = written({"ref": f"refs/heads/{branch}"})[1:-1]
    wanted = (
        select(ForgeDelivery.body)
        .where(
            ForgeDelivery.repository == repository,
            ForgeDelivery.event == "push",
            col(ForgeDelivery.body).contains(ref, autoescape=True),
        )
        .order_by(col(ForgeDelivery.seq).desc())
    )
    found: set[str] = set()
    for body in session.scalars(wanted):
        said = json.loads(body)
        if said["ref"] != f"refs/heads/{branch}":
            continue
        found.add(said["sender"]["login"])
        if said["before"] == ZERO:
            break
    return found


def change_json(ground: Ground, session: Session, change: ForgeChange) -> Json:
    """A change as the wire has it."""
    revision = last_revision(session, change)
    merged = (
        {}
        if change.merge_sha is None
        else {
            "mergeSha": change.merge_sha,
            "tree": change.tree,
            "headTree": change.head_tree,
            "mergedBy": change.merged_by or "",
        }
    )
    return {
        "number": change.number,
        "title": change.title,
        "body": change.body,
        "url": ground.change_url(change.repository, change.number),
        "author": change.author,
        "source": change.source,
        "target": change.target,
        "head": change.head,
        "state": change.state,
        "draft": change.draft,
        "committers": sorted({*(revision.committers if revision else ()), *pushers(session, change)}),
        "coAuthors": list(revision.co_authors) if revision else [],
        "lastPusher": revision.pusher if revision else None,
        "labels": labels(session, change),
        **merged,
    }


def comment_json(ground: Ground, session: Session, comment: ForgeComment, change: ForgeChange) -> Json:
    """A comment as the wire has it."""
    return {
        "id": str(comment.id),
        "author": comment.author,
        "authorIsBot": is_bot(session, comment.author),
        "body": comment.body,
        "createdAt": comment.created_at,
        "editedAt": comment.edited_at,
        "replyTo": comment.reply_to,
        "url": f"{ground.change_url(change.repository, change.number)}#comment-{comment.id}",
    }


def review_json(review: ForgeReview) -> Json:
    """A review as the wire has it."""
    return {
        "id": str(review.id),
        "author": review.author,
        "state": review.state,
        "revision": review.revision,
        "body": review.body,
        "submittedAt": review.submitted_at,
    }


def check_json(check: ForgeCheck) -> Json:
    """A check as the wire has it."""
    return {
        "id": str(check.id),
        "name": check.name,
        "revision": check.revision,
        "conclusion": check.conclusion,
        "title": check.title,
        "summary": check.summary,
        "url": check.url,
        "reporter": check.reporter,
        "updatedAt": check.updated_at,
    }


def deployment_json(deployment: ForgeDeployment) -> Json:
    """A deployment's state as the wire has it."""
    return {
        "id": str(deployment.id),
        "environment": deployment.environment,
        "revision": deployment.revision,
        "state": deployment.state,
        "url": deployment.url,
        "description": deployment.description,
        "reporter": deployment.reporter,
        "recordedAt": deployment.recorded_at,
    }


def job_json(ground: Ground, job: ForgeJob) -> Json:
    """A job as the wire has it; a failed one with the end of its log."""
    tail = log_text.tail(logs.text(ground, job, last=TAIL)) if job.status == "failed" else ""
    return {
        "name": job.name,
        "stage": job.stage,
        "status": job.status,
        "allowFailure": job.allow_failure,
        "durationS": job.duration_s,
        "failureReason": job.failure_reason,
        "logTail": tail,
    }


def pipeline_json(ground: Ground, pipeline: ForgePipeline, jobs: list[ForgeJob]) -> Json:
    """A pipeline run as the wire has it."""
    kind, _, name = pipeline.ref.removeprefix("refs/").partition("/")
    return {
        "id": str(pipeline.id),
        "branch" if kind == "heads" else "tag": name,
        "revision": pipeline.sha,
        "status": pipeline.status,
        "reason": pipeline.reason,
        "source": pipeline.source,
        "attempt": pipeline.attempt,
        "coverage": pipeline.coverage,
        "url": ground.pipeline_url(pipeline.repository, pipeline.id),
        "createdAt": pipeline.created_at,
        "startedAt": pipeline.started_at,
        "endedAt": pipeline.ended_at,
        "jobs": [job_json(ground, job) for job in jobs],
    }


def open_changes(session: Session, repository: str, source: str) -> list[ForgeChange]:
    """Open changes from a branch, oldest first."""
    return list(
        session.scalars(
            select(ForgeChange)
            .where(
                ForgeChange.repository == repository,
                ForgeChange.source == source,
                ForgeChange.state == "open",
            )
            .order_by(col(ForgeChange.number))
        )
    )
