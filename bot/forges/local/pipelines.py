"""Pipeline runs: a row for each, executed by the web process through the runner, told as webhooks."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func
from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.forges.local.ground import Ground
from bot.forges.local.tables import ForgeJob, ForgePipeline

FILE = ".gitlab-ci.yml"


def queue(
    ground: Ground,
    session: Session,
    repository: str,
    ref: str,
    sha: str,
    *,
    actor: str,
    variables: Mapping[str, str] | None = None,
    again: str | None = None,
) -> ForgePipeline | None:
    """Queue a run of a revision on a full ref; None when it had one. `again`: the effect that asks for one more."""
    same = (ForgePipeline.repository == repository, ForgePipeline.ref == ref, ForgePipeline.sha == sha)
    last = session.scalar(select(func.max(col(ForgePipeline.attempt))).where(*same)) or 0
    if last and again is None:
        return None
    run = ForgePipeline(
        repository=repository,
        ref=ref,
        sha=sha,
        attempt=last + 1,
        source="again" if again else "push",
        actor=actor,
        variables=dict(variables or {}),
        effect_id=again,
        created_at=ground.moment(),
    )
    session.add(run)
    session.flush()
    return run


def jobs(session: Session, pipeline: ForgePipeline) -> list[ForgeJob]:
    """The jobs of a run, in order."""
    wanted = select(ForgeJob).where(ForgeJob.pipeline_id == pipeline.id).order_by(col(ForgeJob.position))
    return list(session.scalars(wanted))
