"""Webhook calls that never arrived: each forge is asked for them, and they enter as if they had.

How far a forge was asked is kept, so that what came while the bot was away is found as well. A call that did
arrive after all has the same delivery id and is stored once.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.domain.errors import Permanent, Retryable
from bot.domain.model import rfc3339
from bot.engine.wiring import Wiring
from bot.forges.port import Forge, Missed
from bot.intake.arrivals import DELIVERY, Arrival, insert, shard_of
from bot.log.tables import CAUGHT_UP
from bot.telemetry import get_logger

log = get_logger(__name__)
OVERLAP = timedelta(minutes=10)
"""Asked for again each time: a call may fail a while after what it tells of."""
FIRST = timedelta(days=1)
AT_ONCE = 100


def catch_up(wiring: Wiring, at: datetime) -> None:
    """Ask every forge. One that does not answer is asked for the same time again, when this comes round."""
    for name, forge in wiring.forges.items():
        if _asked(wiring, name, forge, _since(wiring, name, at)):
            with wiring.store.begin() as session:
                session.execute(sa.delete(CAUGHT_UP).where(CAUGHT_UP.c.forge == name))
                session.execute(sa.insert(CAUGHT_UP).values(forge=name, until=rfc3339(at)))


def _asked(wiring: Wiring, name: str, forge: Forge, since: datetime) -> bool:
    """Whether the forge has told everything. What it tells before it stops answering is taken."""
    waiting: list[Arrival] = []
    try:
        for missed in forge.missed(since):
            waiting.append(_arrival(wiring, name, missed))
            if len(waiting) == AT_ONCE:
                _take(wiring, waiting)
                waiting = []
    except (Retryable, Permanent) as error:
        log.warning("missed_calls_not_known", forge=name, error=str(error))
        return False
    except Exception as error:  # noqa: BLE001 - whatever one forge says, the others must be asked
        log.warning("missed_calls_unreadable", forge=name, error=type(error).__name__)
        return False
    finally:
        _take(wiring, waiting)
    return True


def _since(wiring: Wiring, forge: str, at: datetime) -> datetime:
    with wiring.store.read() as session:
        until = session.execute(sa.select(CAUGHT_UP.c.until).where(CAUGHT_UP.c.forge == forge)).scalar()
    return (datetime.fromisoformat(until) - OVERLAP) if until else at - FIRST


def _arrival(wiring: Wiring, forge: str, missed: Missed) -> Arrival:
    return Arrival(
        tenant=wiring.settings.tenant,
        source=f"webhooks/{forge}",
        kind=DELIVERY,
        delivery_id=missed.delivery.delivery_id,
        body=missed.body,
        shard=shard_of(f"{forge}:{missed.delivery.shard_key}", wiring.settings.shards),
        headers=json.dumps(dict(missed.headers)),
    )


def _take(wiring: Wiring, arrivals: list[Arrival]) -> None:
    with wiring.store.begin() as session:
        insert(session, arrivals)
        wiring.bell.ring(session, {arrival.shard for arrival in arrivals})
