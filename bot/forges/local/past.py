"""The last merged changes of a repository: what a policy could have asked about them."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.domain import payloads as p
from bot.forges.local import webhooks
from bot.forges.local.ground import Ground
from bot.forges.local.tables import ForgeChange, ForgePipeline, ForgeReview

RESULTS: dict[str, Literal["passed", "failed"]] = {"success": "passed", "failed": "failed"}


def merged(ground: Ground, session: Session, repository: str, most: int) -> tuple[p.PastChange, ...]:
    """The newest first."""
    wanted = (
        select(ForgeChange)
        .where(ForgeChange.repository == repository, ForgeChange.state == "merged")
        .order_by(col(ForgeChange.number).desc())
        .limit(most)
    )
    return tuple(_past(ground, session, change) for change in session.scalars(wanted))


def _past(ground: Ground, session: Session, change: ForgeChange) -> p.PastChange:
    said = webhooks.change_json(ground, session, change)
    return p.PastChange(
        number=change.number,
        title=change.title,
        author=change.author,
        merged_by=change.merged_by or "",
        head=change.head,
        labels=said["labels"],
        committers=said["committers"],
        approvers=_approvers(session, change),
        tests=_tests(session, change),
    )


def _approvers(session: Session, change: ForgeChange) -> tuple[str, ...]:
    """Whose last word on the head was yes."""
    wanted = select(ForgeReview).where(
        ForgeReview.change_id == change.id,
        ForgeReview.revision == change.head,
        ForgeReview.state != "commented",
    )
    last = {review.author: review.state for review in session.scalars(wanted.order_by(col(ForgeReview.id)))}
    return tuple(who for who, state in last.items() if state == "approved")


def _tests(session: Session, change: ForgeChange) -> Literal["passed", "failed", "unknown"]:
    wanted = select(ForgePipeline).where(
        ForgePipeline.repository == change.repository, ForgePipeline.sha == change.head
    )
    run = session.scalars(wanted.order_by(col(ForgePipeline.id).desc())).first()
    return RESULTS.get(run.status, "unknown") if run else "unknown"
