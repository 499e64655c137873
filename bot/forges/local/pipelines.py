"""Pipeline runs: a row for each, executed by the web process through the runner, told as webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.forges.local.ground import Ground, Missing
from bot.forges.local.tables import ForgeJob, ForgePipeline

FILE = ".gitlab-ci.yml"


def queue(  # noqa: PLR0913 - what a push says
    ground: Ground,
    session: Session,
    repository: str,
    ref: str,
    sha: str,
    *,
    actor: str,
    before: str | None = None,
) -> None:
    """Queue a run of a revision on a full ref that was at `before`, unless it had one.

    A run that was skipped may have waited for a change of its branch: it is looked at again.
    """
    last = _last(session, repository, ref, sha)
    if last is None:
        row = ForgePipeline(
            repository=repository, ref=ref, sha=sha, before=before, actor=actor, created_at=ground.moment()
        )
        session.add(row)
    elif last.status == "skipped":
        last.status, last.ended_at = "queued", None


@dataclass(frozen=True)
class Asked:
    """A run that somebody asks for, of a revision on a full ref."""

    ref: str
    sha: str
    actor: str
    variables: Mapping[str, str] = field(default_factory=dict)
    effect_id: str | None = None


def queue_again(ground: Ground, session: Session, repository: str, asked: Asked) -> ForgePipeline:
    """Queue one more run, because somebody asks for it."""
    last = _last(session, repository, asked.ref, asked.sha)
    run = ForgePipeline(
        repository=repository,
        ref=asked.ref,
        sha=asked.sha,
        attempt=last.attempt + 1 if last else 1,
        source="again",
        actor=asked.actor,
        variables=dict(asked.variables),
        effect_id=asked.effect_id,
        created_at=ground.moment(),
    )
    session.add(run)
    session.flush()
    return run


def _last(session: Session, repository: str, ref: str, sha: str) -> ForgePipeline | None:
    same = (ForgePipeline.repository == repository, ForgePipeline.ref == ref, ForgePipeline.sha == sha)
    return session.scalars(
        select(ForgePipeline).where(*same).order_by(col(ForgePipeline.attempt).desc())
    ).first()


def get(session: Session, repository: str, pipeline: int) -> ForgePipeline:
    """A run by its number. Raises Missing."""
    run = session.get(ForgePipeline, pipeline)
    if run is None or run.repository != repository:
        raise Missing(f"there is no pipeline {pipeline} in {repository}")
    return run


def jobs(session: Session, pipeline: ForgePipeline) -> list[ForgeJob]:
    """The jobs of a run, in order."""
    wanted = select(ForgeJob).where(ForgeJob.pipeline_id == pipeline.id).order_by(col(ForgeJob.position))
    return list(session.scalars(wanted))
