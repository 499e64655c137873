"""Where a trace stands: the fold of its events, kept in its `head` row.

The head is a cache: when it is missing, or was folded by other code, the state is folded from the events
again.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.domain import deployment, flow_state, release, trace, trace_branch, trace_release, trace_state
from bot.domain.event import Event
from bot.domain.model import rfc3339
from bot.domain.payloads import delivery, people, repository, tasks
from bot.domain.payloads import release as verdicts
from bot.domain.trace import TraceState, apply
from bot.log.tables import EVENTS, HEADS
from bot.projections.sentence import sentence

FOLDING = (
    trace,
    trace_branch,
    trace_release,
    trace_state,
    flow_state,
    deployment,
    release,
    delivery,
    people,
    repository,
    tasks,
    verdicts,
)
FOLD = hashlib.sha256("".join(inspect.getsource(module) for module in FOLDING).encode()).hexdigest()[:16]
"""Changes whenever the code that folds changes, so that no state outlives the code that made it."""


def fold(tenant: str, trace_id: str, rows: Iterable[tuple[bytes, str]]) -> TraceState:
    """The state after `rows` (body, hash), which are one trace's events in order."""
    state = TraceState(tenant_id=tenant, trace_id=trace_id)
    for body, digest in rows:
        state = apply(state, Event.model_validate_json(body), digest)
    return state


def load(session: Session, tenant: str, trace_id: str) -> TraceState:
    """The state of a trace now; an unknown trace has sequence 0."""
    head = session.execute(
        sa.select(HEADS.c.fold, HEADS.c.state).where(
            HEADS.c.tenant_id == tenant, HEADS.c.trace_id == trace_id
        )
    ).first()
    if head is not None and head.fold == FOLD:
        return TraceState.model_validate_json(head.state)
    return refold(session, tenant, trace_id)


def refold(session: Session, tenant: str, trace_id: str) -> TraceState:
    """The state folded from the events, whatever the head says."""
    query = (
        sa.select(EVENTS.c.body, EVENTS.c.hash)
        .where(EVENTS.c.tenant_id == tenant, EVENTS.c.trace_id == trace_id)
        .order_by(EVENTS.c.sequence)
    )
    return fold(tenant, trace_id, ((bytes(body), digest) for body, digest in session.execute(query)))


def head_values(state: TraceState, last: Event) -> dict[str, Any]:
    """The head row of `state`, whose last event is `last`."""
    return {
        "tenant_id": state.tenant_id,
        "trace_id": state.trace_id,
        "sequence": state.sequence,
        "hash": state.hash,
        "fold": FOLD,
        "state": state_text(state),
        "forge": state.forge,
        "repository": state.repository,
        "module_id": state.module_id,
        "version": state.version,
        "flow_state": state.flow.state,
        "change_url": str((state.change or {}).get("url", "")),
        "sentence": sentence(last),
        "updated_at": rfc3339(last.time),
    }


def state_text(state: TraceState) -> str:
    """JSON with sorted keys: equal states have equal text."""
    return json.dumps(state.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
