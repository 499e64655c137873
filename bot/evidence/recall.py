"""What the log knows of a branch: the coverage of the change that was merged into it last."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.domain.effect import RecallCoverage
from bot.domain.trace import TraceState
from bot.log.tables import HEADS
from handlers.evidence_facts import coverage_of

LOOKED_AT = 50
"""So many of the repository's traces, the one that moved last first."""


def coverage(session: Session, tenant: str, asked: RecallCoverage) -> tuple[float | None, str]:
    """Per cent of the lines, and the merged revision; None when no merged change of the module told it."""
    query = (
        sa.select(HEADS.c.state)
        .where(
            HEADS.c.tenant_id == tenant,
            HEADS.c.forge == asked.forge,
            HEADS.c.repository == asked.repository,
            HEADS.c.module_id == asked.module_id,
        )
        .order_by(HEADS.c.updated_at.desc())
        .limit(LOOKED_AT)
    )
    states = (TraceState.model_validate_json(str(text)) for text in session.execute(query).scalars())
    merged = [state for state in states if state.merged_at and (state.change or {})["target"] == asked.branch]
    for state in sorted(merged, key=_merged_at, reverse=True):
        revision = state.head or ""
        covered = coverage_of(state, revision)
        if covered is not None:
            return covered, revision
    return None, ""


def _merged_at(state: TraceState) -> datetime:
    assert state.merged_at is not None  # they are the merged ones
    return state.merged_at
