"""`perform_effect`: one workflow is one try at one effect.

Its outcome comes back through the inbox, like everything else.

A retry is a new, delayed workflow by the schedule (0, 5, 15, 60 s): a sleeping one would hold a slot. When
the other side says when to come back (`Retryable.after`), that wait costs no attempt. After the last attempt
a person is asked, by what the handlers decide from `AgentSkillFailed{exhausted: true}`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.effect import EFFECTS, Effect
from bot.domain.errors import Permanent, Retryable
from bot.domain.event import Draft, Event, derived_id
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.engine.outbox import enqueue_attempt
from bot.engine.wiring import Wiring
from bot.intake.arrivals import event_arrival, insert, now
from bot.log.replay import find
from bot.log.tables import EFFECTS as TABLE
from bot.log.tables import HEADS
from bot.telemetry import get_logger, redact

log = get_logger(__name__)
SILENT = frozenset({"WriteMemory", "React"})
"""Nobody decides anything from these; recording them would only make the trace longer."""
MOST_TRIES = 100
"""However politely the other side asks to wait."""
WAITING = ("waiting", "retrying")


@dataclass(frozen=True)
class Outcome:
    """What became of one try: a result, or why not.

    `delay`: seconds until the next try, None when there is none.
    """

    status: str
    result: Model | None = None
    reason_code: str = ""
    message: str = ""
    delay: float | None = None
    free: bool = False
    """The failed try cost no attempt."""


def perform(wiring: Wiring, tenant: str, effect_id: str) -> None:
    """Try once and record what came of it. Safe to run again: performers look for their mark first."""
    row = _load(wiring, tenant, effect_id)
    if row is None or row.status not in WAITING:
        return
    effect = EFFECTS[row.kind].model_validate_json(row.request)
    outcome = Outcome("superseded") if _superseded(wiring, row, effect) else _try(wiring, row, effect)
    _record(wiring, row, effect, outcome)


def give_up(wiring: Wiring, tenant: str, effect_id: str, message: str) -> None:
    """Record that an effect is not tried again, because trying it kills workers."""
    row = _load(wiring, tenant, effect_id)
    if row is not None and row.status in WAITING:
        effect = EFFECTS[row.kind].model_validate_json(row.request)
        _record(wiring, row, effect, Outcome("failed", reason_code="WorkerLost", message=message))


def _load(wiring: Wiring, tenant: str, effect_id: str) -> Any:
    with wiring.store.read() as session:
        return session.execute(
            sa.select(TABLE).where(TABLE.c.tenant == tenant, TABLE.c.effect_id == effect_id)
        ).first()


def _superseded(wiring: Wiring, row: Any, effect: Effect) -> bool:
    """Whether a later effect says the same thing anew.

    A late retry must not overwrite it with something older.
    """
    if not row.subject or effect.task_id or (row.tries == 0 and row.kind != "WriteMemory"):
        return False
    later = sa.select(TABLE.c.effect_id).where(
        TABLE.c.tenant == row.tenant,
        TABLE.c.trace == row.trace,
        TABLE.c.subject == row.subject,
        TABLE.c.ordinal > row.ordinal,
    )
    with wiring.store.read() as session:
        return session.execute(later.limit(1)).first() is not None


def _try(wiring: Wiring, row: Any, effect: Effect) -> Outcome:
    performer = wiring.performers.get(row.target)
    if performer is None:
        return Outcome(
            "failed", reason_code="NoPerformer", message=f"nobody here performs effects for {row.target!r}"
        )
    context = EffectContext(row.tenant, row.trace, lambda event_id: _find(wiring, row, event_id), row.attempt)
    try:
        return Outcome("done", result=performer.perform(row.effect_id, effect, context))
    except Permanent as error:
        return Outcome("failed", reason_code=error.reason_code, message=redact(error.message))
    except Retryable as error:
        return _again(wiring, row, "Retryable", redact(error.message), error.after)
    except Exception as error:
        # An unforeseen failure is retried like an outage; then a person looks.
        log.exception("effect_raised", effect_id=row.effect_id, kind=row.kind)
        return _again(wiring, row, type(error).__name__, redact(str(error)) or type(error).__name__, None)


def _find(wiring: Wiring, row: Any, event_id: str) -> Event | None:
    with wiring.store.read() as session:
        return find(session, row.tenant, row.trace, event_id)


def _again(wiring: Wiring, row: Any, reason_code: str, message: str, after: float | None) -> Outcome:
    schedule = wiring.settings.retry_schedule
    if after is not None and row.tries + 1 < MOST_TRIES:
        return Outcome("retrying", reason_code=reason_code, message=message, delay=max(0.0, after), free=True)
    if row.attempt < len(schedule) and row.tries + 1 < MOST_TRIES:
        return Outcome("retrying", reason_code=reason_code, message=message, delay=schedule[row.attempt])
    return Outcome("failed", reason_code=reason_code, message=message)


def _record(wiring: Wiring, row: Any, effect: Effect, outcome: Outcome) -> None:
    """The outcome's inbox row, the effect's status and the next try, in one transaction."""
    said = _said(row, effect, outcome)
    tries = row.tries + 1
    attempt = row.attempt + (1 if outcome.status == "retrying" and not outcome.free else 0)
    with wiring.store.begin() as session:
        values = {
            "status": outcome.status,
            "tries": tries,
            "attempt": attempt,
            "message": outcome.message,
            "updated_at": now(),
        }
        updated = session.execute(
            sa.update(TABLE)
            .values(values)
            .where(
                TABLE.c.tenant == row.tenant, TABLE.c.effect_id == row.effect_id, TABLE.c.tries == row.tries
            )
        )
        if updated.rowcount != 1:  # type: ignore[attr-defined]
            return  # the same try ran twice (taken over from a process that was only slow)
        rung: dict[int, int] = {}
        if said is not None:
            module = session.execute(
                sa.select(HEADS.c.module_id).where(
                    HEADS.c.tenant_id == row.tenant, HEADS.c.trace_id == row.trace
                )
            ).scalar()
            event = _event(row, effect, said, tries, module or None)
            arrival = event_arrival(event, "effect", f"{row.effect_id}/{tries}", wiring.settings.shards)
            insert(session, [arrival])
            rung = wiring.bell.ring(session, [arrival.shard])
        if outcome.delay is not None:
            lane = (row.tenant, row.trace, row.target)
            enqueue_attempt(session, wiring, lane, row.effect_id, try_=tries + 1, delay=outcome.delay)
    wiring.bell.remember(rung)


def _said(row: Any, effect: Effect, outcome: Outcome) -> Draft | None:
    context = {"task_id": effect.task_id, "agent_id": effect.agent_id}
    if outcome.status == "superseded" or (outcome.status == "done" and row.kind in SILENT):
        return None
    if isinstance(outcome.result, p.FactsGathered):
        return draft("FactsGathered", outcome.result, **context)
    request = {name: value for name, value in json.loads(row.request).items() if name != "files"}
    common = {
        "effect_id": row.effect_id, "effect": row.kind, "purpose": effect.purpose, "task_id": effect.task_id,
        "attempt": row.attempt, "request": request,
    }  # fmt: skip
    if outcome.result is not None:
        return draft(
            "AgentActionCompleted", p.ActionCompleted(**common, result=outcome.result.to_json()), **context
        )
    failed = p.SkillFailed(
        **common,
        reason_code=outcome.reason_code,
        message=outcome.message,
        exhausted=outcome.delay is None,
        retry_in_s=outcome.delay,
    )
    return draft("AgentSkillFailed", failed, **context)


def _event(row: Any, effect: Effect, said: Draft, tries: int, module_id: str | None) -> Event:
    fields = {name: value for name, value in said.model_dump().items() if value is not None}
    return Event(
        **fields,
        id=derived_id(row.tenant, row.trace, "effect", row.effect_id, str(tries)),
        source=f"effects/{effect.target}",
        time=now(),  # type: ignore[arg-type]
        tenant_id=row.tenant,
        trace_id=row.trace,
        module_id=module_id,
        causation_id=row.cause,
    )
