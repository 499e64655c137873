"""Effects and timers leave a decision.

Their rows and enqueued workflows are part of the transaction that records the decision.

Order: the effects of one trace at one target run one after the other, in the order of their ids (queue
partition = trace). A change's checks and comments must not overtake each other, while other traces go on.
Targets have queues of their own, so a deployment that takes minutes holds up neither the comments of its own
trace nor anybody else's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.domain.decision import Timer
from bot.domain.effect import Effect, PostComment, RecordDeployment, SetCheck, UpdateChange, WriteMemory
from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.engine.wiring import Wiring
from bot.intake.arrivals import now
from bot.log.tables import EFFECTS

PERFORM, FIRE, FIRE_SHARED = "perform_effect", "fire_timer", "fire_shared_timer"
TIMER_QUEUE = "timers"
PER_EVENT = 1000
TOO_SOON = 5.0
"""Seconds. A shared timer reaches the traces that are in the database when it fires; what is decided so
shortly before may not be, and gets a timer of its own."""


@dataclass(frozen=True)
class Wanted:
    """The `index`-th effect decided on from `cause`."""

    cause: Event
    index: int
    effect: Effect

    @property
    def effect_id(self) -> str:
        """Sorts in the order of decisions; the forge keeps it as the mark of what is done."""
        return f"{self.cause.trace_id}.{self.cause.sequence:06d}.{self.index}"


def subject(effect: Effect) -> str:
    """What a later effect of the same subject overwrites; empty when effects add up."""
    match effect:
        case SetCheck():
            return f"check {effect.repository} {effect.revision} {effect.name}"
        case PostComment() if effect.sticky:
            return f"comment {effect.repository} {effect.change} {effect.sticky}"
        case UpdateChange() if not effect.add_labels and not effect.remove_labels:
            return f"change {effect.repository} {effect.change}"
        case RecordDeployment():
            return f"deployment {effect.repository} {effect.environment}"
        case WriteMemory():
            return "memory"
        case _:
            return ""


def write(session: Session, wiring: Wiring, wanted: Sequence[Wanted]) -> None:
    """Store effects and enqueue their first attempts."""
    if not wanted:
        return
    session.execute(sa.insert(EFFECTS), [_row(want) for want in wanted])
    for want in wanted:
        tenant, trace, target = want.cause.tenant_id, want.cause.trace_id, want.effect.target
        delay = wiring.settings.retry_schedule[0]
        enqueue_attempt(session, wiring, (tenant, trace, target), want.effect_id, try_=1, delay=delay)


def enqueue_attempt(
    session: Session, wiring: Wiring, lane: tuple[str, str, str], effect_id: str, *, try_: int, delay: float
) -> None:
    """Enqueue the `try_`-th try. `lane` is tenant, trace, target."""
    tenant, trace, target = lane
    workflow_id = f"{tenant}/{effect_id}" if try_ == 1 else f"{tenant}/{effect_id}/{try_:03d}"
    wiring.enqueue(
        session,
        PERFORM,
        workflow_id,
        tenant,
        effect_id,
        queue=wiring.queue_of(target),
        partition=f"{tenant}/{trace}",
        delay=delay,
    )


def is_shared(timer: Timer, state: TraceState) -> bool:
    """Whether one timer wakes all traces of the repository, this one among them."""
    return timer.shared and bool(state.repository) and _until(timer) > TOO_SOON


def _until(timer: Timer) -> float:
    return max(0.0, timer.at.timestamp() - time.time())


def set_timer(session: Session, wiring: Wiring, event: Event, timer: Timer, state: TraceState) -> None:
    """A timer of that name in that trace is set once; a shared one once in its repository."""
    tenant, trace = event.tenant_id, event.trace_id
    draft = json.dumps(timer.draft.to_json())
    delay = _until(timer)
    if is_shared(timer, state):
        where = (state.forge, state.repository)
        workflow_id = f"timer/{tenant}/{state.forge}:{state.repository}/{timer.name}"
        wiring.enqueue(
            session,
            FIRE_SHARED,
            workflow_id,
            tenant,
            *where,
            timer.name,
            draft,
            queue=TIMER_QUEUE,
            delay=delay,
        )
        return
    workflow_id = f"timer/{tenant}/{trace}/{timer.name}"
    wiring.enqueue(
        session, FIRE, workflow_id, tenant, trace, timer.name, draft, queue=TIMER_QUEUE, delay=delay
    )


def _row(want: Wanted) -> dict[str, Any]:
    return {
        "tenant": want.cause.tenant_id,
        "effect_id": want.effect_id,
        "trace": want.cause.trace_id,
        "ordinal": want.cause.sequence * PER_EVENT + want.index,
        "kind": want.effect.kind,
        "target": want.effect.target,
        "subject": subject(want.effect),
        "cause": want.cause.id,
        "request": json.dumps(want.effect.to_json()),
        "status": "waiting",
        "attempt": 1,
        "tries": 0,
        "message": "",
        "updated_at": now(),
    }
