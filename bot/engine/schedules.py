"""What comes round.

A sweep for shards that nobody drains and work that nobody owns, and the tidying of finished work.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from dbos import DBOS

from bot.domain.event import Event, derived_id
from bot.domain.model import rfc3339
from bot.engine import missed, sweeps, takeover, unfinished
from bot.engine.purge import purge
from bot.engine.wiring import Wiring
from bot.intake.arrivals import event_arrival, insert
from bot.log.tables import INBOX, TAKEOVERS, WAITING
from bot.settings import Settings
from bot.telemetry import get_logger

log = get_logger(__name__)
SWEEP, TIDY, RECONCILE, OBSERVE = "sweep", "tidy", "reconcile", "observe"
CRON = {SWEEP: "*/10 * * * * *", TIDY: "17 * * * *", OBSERVE: "5-59/10 * * * * *"}
"""When each comes round. Fields: second minute hour day month weekday, in UTC."""
MINUTE, HOUR = 60, 3600
OVERDUE = timedelta(seconds=5)
FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
AT_ONCE = 500


def crons(settings: Settings) -> dict[str, str]:
    """All of them. Reconciliation comes round three times in the time that a change may be quiet."""
    return CRON | {RECONCILE: every(settings.reconcile_minutes * MINUTE / 3)}


def every(seconds: float) -> str:
    """A schedule of about this period, which must fit into an hour."""
    whole = max(1, min(int(seconds), HOUR))
    if whole < MINUTE:
        return f"*/{whole} * * * * *"
    return f"23 */{whole // MINUTE} * * * *" if whole < HOUR else "23 0 * * * *"


def sweep(wiring: Wiring, at: datetime) -> None:
    """Wake shards whose rows wait for longer than a drain takes. A drain too many finds nothing to do."""
    for executor_id in takeover.orphans(wiring):
        log.warning(
            "orphans_taken_over", executor_id=executor_id, workflows=takeover.take_over(wiring, executor_id)
        )
    unfinished.do_again(wiring)
    overdue = (
        sa.select(INBOX.c.shard)
        .distinct()
        .where(INBOX.c.done == WAITING, INBOX.c.received_at < rfc3339(at - OVERDUE))
    )
    with wiring.store.read() as session:
        shards = list(session.execute(overdue).scalars())
    for shard in shards:
        with wiring.store.begin() as session:
            # A name of its own: the drain of this generation may have ended without raising it (a full disk).
            wiring.bell.enqueue(session, shard, f"drain-{shard:03d}-sweep-{int(at.timestamp())}")


def tidy(wiring: Wiring, at: datetime) -> None:
    """Let go of what finished long ago: the library's records, and the bodies of what came in."""
    before = at - timedelta(hours=wiring.settings.retention_hours)
    _forget_workflows(wiring, before.astimezone(UTC).isoformat())
    purge(wiring, rfc3339(before))


def _forget_workflows(wiring: Wiring, before: str) -> None:
    while not wiring.activity.stopping:
        old = DBOS.list_workflows(
            status=FINISHED, completed_before=before, limit=AT_ONCE, load_input=False, load_output=False
        )
        if not old:
            return
        ids = [workflow.workflow_id for workflow in old]
        DBOS.delete_workflows(ids)
        with wiring.store.begin() as session:
            session.execute(sa.delete(TAKEOVERS).where(TAKEOVERS.c.workflow_id.in_(ids)))


def reconcile(wiring: Wiring, at: datetime) -> None:
    """Take in what forges could not deliver, and make quiet traces look at their forge again, so that a lost
    webhook leaves no stale answer.
    """
    missed.catch_up(wiring, at)
    since = rfc3339(at - timedelta(minutes=wiring.settings.reconcile_minutes))
    after: tuple[str, ...] = ()
    while not wiring.activity.stopping:
        with wiring.store.begin() as session:
            traces = sweeps.quiet(session, since, after)
            arrivals = [
                sweeps.reminder(tenant, trace, at, wiring.settings.shards) for tenant, trace in traces
            ]
            insert(session, arrivals)
            wiring.bell.ring(session, {arrival.shard for arrival in arrivals})
        if len(traces) < sweeps.AT_ONCE:
            return
        after = traces[-1]


def observe(wiring: Wiring, at: datetime) -> None:
    """Bring what was seen outside to its traces. Seen again under the same name it is the same fact."""
    arrivals = []
    for seen in wiring.observe():
        event = Event(
            **{name: value for name, value in seen.draft.model_dump().items() if value is not None},
            id=derived_id(seen.tenant, seen.trace_id, seen.name),
            source="observer",
            time=at,
            tenant_id=seen.tenant,
            trace_id=seen.trace_id,
        )
        arrivals.append(
            event_arrival(event, "observer", f"{seen.trace_id}/{seen.name}", wiring.settings.shards)
        )
    if arrivals:
        with wiring.store.begin() as session:
            insert(session, arrivals)
            wiring.bell.ring(session, {arrival.shard for arrival in arrivals})
