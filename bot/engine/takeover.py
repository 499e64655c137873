"""A process that dies leaves work in progress; a survivor takes it over within seconds.

Each process renews a lease every second. One whose lease is older than three is dead: one survivor claims the
lease, puts the dead one's work back into its queues, and deletes the lease. A survivor that dies meanwhile
loses its claim, too. Work that was taken over too often is given up: it is probably what kills the workers.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from dbos import DBOS
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.engine import effects
from bot.engine.outbox import PERFORM
from bot.engine.wiring import Wiring
from bot.log.tables import LEASES, TAKEOVERS
from bot.telemetry import get_logger

log = get_logger(__name__)
RENEWAL = 1.0
CLAIM_SECONDS = 15.0
"""A claim older than this belongs to a survivor that died over it."""
MOST_TAKEOVERS = 3


class Keeper:
    """Renews this process's lease and looks after the others'."""

    def __init__(self, wiring: Wiring, executor_id: str) -> None:
        self._wiring = wiring
        self._me = executor_id
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        """The lease is there before any work is."""
        self._renew()
        self._thread.start()

    def close(self) -> None:
        """End in order: nobody has to wait for the lease to run out."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        with self._wiring.store.begin() as session:
            session.execute(sa.delete(LEASES).where(LEASES.c.executor_id == self._me))

    def _run(self) -> None:
        while not self._stop.wait(RENEWAL):
            try:
                self._renew()
                for executor_id in self._claim_the_dead():
                    self._take_over(executor_id)
            except SQLAlchemyError as error:
                log.warning("lease_not_renewed", error=str(error))

    def _renew(self) -> None:
        insert = (sqlite if self._wiring.store.sqlite else postgresql).insert(LEASES)
        with self._wiring.store.begin(urgent=True) as session:
            values = {
                "executor_id": self._me, "host": socket.gethostname(), "pid": os.getpid(),
                "renewed_at": self._clock(session), "claimed_by": "", "claimed_at": 0.0,
            }  # fmt: skip
            renewed = {"renewed_at": insert.excluded.renewed_at, "claimed_by": "", "claimed_at": 0.0}
            session.execute(
                insert.on_conflict_do_update(index_elements=["executor_id"], set_=renewed), values
            )

    def _clock(self, session: Session) -> float:
        """Seconds by the clock all share.

        The database's, or the machine's when the database is a file on it.
        """
        if self._wiring.store.sqlite:
            return time.time()
        return float(session.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())

    def _claim_the_dead(self) -> list[str]:
        with self._wiring.store.read() as session:
            now = self._clock(session)
            if not session.execute(sa.select(LEASES.c.executor_id).where(*self._dead(now))).first():
                return []
        with self._wiring.store.begin() as session:
            now = self._clock(session)
            claim = sa.update(LEASES).where(*self._dead(now)).values(claimed_by=self._me, claimed_at=now)
            return list(session.execute(claim.returning(LEASES.c.executor_id)).scalars())

    def _dead(self, now: float) -> tuple[Any, ...]:
        return (
            LEASES.c.executor_id != self._me,
            LEASES.c.renewed_at < now - self._wiring.settings.lease_seconds,
            sa.or_(LEASES.c.claimed_by == "", LEASES.c.claimed_at < now - CLAIM_SECONDS),
        )

    def _take_over(self, executor_id: str) -> None:
        count = take_over(self._wiring, executor_id)
        log.warning("taken_over", executor_id=executor_id, workflows=count)
        with self._wiring.store.begin() as session:
            session.execute(
                sa.delete(LEASES).where(LEASES.c.executor_id == executor_id, LEASES.c.claimed_by == self._me)
            )


def take_over(wiring: Wiring, executor_id: str) -> int:
    """Put a dead process's work back into its queues. Returns how many pieces."""
    pending = DBOS.list_workflows(
        status="PENDING", executor_id=executor_id, load_input=False, load_output=False
    )
    by_queue: defaultdict[str | None, list[str]] = defaultdict(list)
    for workflow in pending:
        if _attempts(wiring, workflow.workflow_id) > MOST_TAKEOVERS and workflow.name == PERFORM:
            DBOS.cancel_workflow(workflow.workflow_id)
            tenant, effect_id = workflow.workflow_id.split("/")[:2]
            effects.give_up(
                wiring, tenant, effect_id, f"{MOST_TAKEOVERS} workers died while this was being done"
            )
        else:
            by_queue[workflow.queue_name].append(workflow.workflow_id)
    for queue, ids in by_queue.items():
        DBOS.resume_workflows(ids, queue_name=queue)
    return len(pending)


def orphans(wiring: Wiring) -> list[str]:
    """Processes that have work in progress and no lease: they ended between the two."""
    with wiring.store.read() as session:
        living = set(session.execute(sa.select(LEASES.c.executor_id)).scalars())
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    return sorted({str(workflow.executor_id) for workflow in pending if workflow.executor_id not in living})


def _attempts(wiring: Wiring, workflow_id: str) -> int:
    insert = (
        (sqlite if wiring.store.sqlite else postgresql)
        .insert(TAKEOVERS)
        .values(workflow_id=workflow_id, attempts=1)
    )
    again = insert.on_conflict_do_update(
        index_elements=["workflow_id"], set_={"attempts": TAKEOVERS.c.attempts + 1}
    )
    with wiring.store.begin() as session:
        return int(session.execute(again.returning(TAKEOVERS.c.attempts)).scalar_one())
