"""The engine of one process.

    runtime = Runtime(settings, forges={"local": forge}, performers={"local": forge, ...}, decide=decide)
    runtime.launch()                              # migrates, then drains, performs effects, fires timers
    app.include_router(webhook_router(runtime.inbox, runtime.forges, settings))
    app.include_router(events_router(runtime.store, runtime.inbox, settings))
    with runtime.store.read() as session: ...     # pages and commands read; only the engine appends
    runtime.submit(event, "cli", delivery_id)     # a fact of our own, durable when it returns
    runtime.retry(dead_letter_id)
    runtime.close()

`Runtime(..., work=False)` is a web process: it stores and enqueues, others work. `Runtime(..., alone=False)`
is a worker beside `serve` on SQLite, which gives way between transactions. One Runtime per process at a time.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dbos import DBOS, DBOSClient

from bot.domain.event import Event
from bot.domain.performer import Performer
from bot.engine import drain, effects, outbox, quarantine, schedules, timers
from bot.engine.pace import Pace
from bot.engine.prepare import prepare
from bot.engine.takeover import Keeper
from bot.engine.wiring import OTHER, Decide, Observe, Wiring
from bot.forges.port import Forge
from bot.intake.arrivals import DRAIN_QUEUE, DRAIN_WORKFLOW, Doorbell, event_arrival
from bot.intake.inbox import Inbox
from bot.log.store import Store
from bot.settings import Settings

NAME = "pointsman"
VERSION = "1"
"""Of the workflows' bodies.

Pinned: by default each release would leave the work of the one before pending for ever.
"""
LOOK_SECONDS = 0.05
"""Between two looks for work that somebody waits for. A look takes 3 ms of processor time, idle or not."""
PATIENCE = 10.0
"""Seconds that work in progress gets to end when the process does."""


class Runtime:
    """Owns the store, the inbox writer and the worker of this process."""

    def __init__(  # noqa: PLR0913 - the parts of a process, each by name
        self,
        settings: Settings,
        *,
        forges: Mapping[str, Forge],
        performers: Mapping[str, Performer],
        decide: Decide,
        work: bool = True,
        alone: bool = True,
        observe: Observe = lambda: (),
    ) -> None:
        self.settings = settings
        self.forges = forges
        self._performers = performers
        self._decide = decide
        self._work = work
        self._alone = alone
        self._observe = observe
        self.executor_id = uuid.uuid4().hex
        self.store = Store(settings.database)
        self._wiring: Wiring | None = None
        self._keeper: Keeper | None = None

    def launch(self) -> None:
        """Bring the database up to date and start. Raises WrongShards, or what the database raises."""
        prepare(self.settings.database, self.settings.shards)
        client = DBOSClient(system_database_engine=self.store.engine, application_name=NAME)
        bell = Doorbell(client)
        inbox = Inbox(self.store, bell)
        pause = self.settings.worker_pause if self.store.sqlite and not self._alone else 0.0
        self._wiring = Wiring(
            settings=self.settings,
            store=self.store,
            client=client,
            bell=bell,
            inbox=inbox,
            forges=self.forges,
            performers=self._performers,
            decide=self._decide,
            pace=Pace(inbox, pause),
            observe=self._observe,
        )
        inbox.start()
        if self._work:
            self._start_working(self._wiring)

    def close(self) -> None:
        """Stop taking work, let what is running end, and let go of the database."""
        if self._wiring is not None:
            self._wiring.activity.stop(PATIENCE if self._work else 0.0)
            if self._work:
                DBOS.destroy(destroy_registry=True)
            if self._keeper is not None:
                self._keeper.close()
            self._wiring.inbox.close()
            self._wiring.client.destroy()
            self._wiring = self._keeper = None
        self.store.close()

    @property
    def wiring(self) -> Wiring:
        """What `launch` made. Raises RuntimeError before that."""
        if self._wiring is None:
            raise RuntimeError("the runtime is not launched")
        return self._wiring

    @property
    def inbox(self) -> Inbox:
        """The writer that web routes store with."""
        return self.wiring.inbox

    def submit(self, event: Event, source: str, delivery_id: str) -> None:
        """Put a fact of our own (a command, a submission) on its way to its trace.

        Durable when this returns.
        """
        self.inbox.receive([event_arrival(event, source, delivery_id, self.settings.shards)])

    def retry(self, dead_letter_id: int) -> bool:
        """Apply a quarantined row again. False when there is no such letter in quarantine."""
        return quarantine.retry(self.store, self.wiring.bell, dead_letter_id)

    def _start_working(self, wiring: Wiring) -> None:
        config: Any = {
            "name": NAME,
            "application_version": VERSION,
            "executor_id": self.executor_id,
            "log_level": "CRITICAL",
            "max_executor_threads": self.settings.drain_workers
            + self.settings.effect_workers * (len(self._performers) + 1)
            + 8,
            "scheduler_polling_interval_sec": 1.0,
        }
        database = (
            {"system_database_engine": self.store.durable_engine()}
            if self.store.sqlite
            else {"system_database_url": self.store.durable_url}
        )
        DBOS(config=config | database)
        scheduled = _register(wiring)
        _register_queues(wiring)
        self._keeper = Keeper(wiring, self.executor_id)
        self._keeper.start()
        DBOS.launch()
        DBOS.apply_schedules(scheduled)


def _register(wiring: Wiring) -> list[Any]:
    """Name the workflows.

    Their bodies are one call each: what is durable is the inbox, not a position in a function.
    """

    @DBOS.workflow(name=DRAIN_WORKFLOW)
    def drain_shard(shard: int) -> None:
        with wiring.activity.one():
            drain.drain(wiring, shard, str(DBOS.workflow_id))

    @DBOS.workflow(name=outbox.PERFORM)
    def perform_effect(tenant: str, effect_id: str) -> None:
        with wiring.activity.one():
            effects.perform(wiring, tenant, effect_id)

    @DBOS.workflow(name=outbox.FIRE)
    def fire_timer(tenant: str, trace: str, name: str, draft: str) -> None:
        with wiring.activity.one():
            timers.fire(wiring, tenant, trace, name, draft)

    @DBOS.workflow(name=outbox.FIRE_SHARED)
    def fire_shared_timer(tenant: str, forge: str, repository: str, name: str, draft: str) -> None:
        with wiring.activity.one():
            timers.fire_shared(wiring, tenant, forge, repository, name, draft)

    return _register_schedules(wiring)


def _register_schedules(wiring: Wiring) -> list[Any]:
    """What comes round, and when."""

    @DBOS.workflow(name=schedules.SWEEP)
    def sweep(at: datetime, _context: Any) -> None:
        with wiring.activity.one():
            schedules.sweep(wiring, at)

    @DBOS.workflow(name=schedules.TIDY)
    def tidy(at: datetime, _context: Any) -> None:
        with wiring.activity.one():
            schedules.tidy(wiring, at)

    @DBOS.workflow(name=schedules.RECONCILE)
    def reconcile(at: datetime, _context: Any) -> None:
        with wiring.activity.one():
            schedules.reconcile(wiring, at)

    @DBOS.workflow(name=schedules.OBSERVE)
    def observe(at: datetime, _context: Any) -> None:
        with wiring.activity.one():
            schedules.observe(wiring, at)

    workflows = {
        schedules.SWEEP: sweep,
        schedules.TIDY: tidy,
        schedules.RECONCILE: reconcile,
        schedules.OBSERVE: observe,
    }
    return [
        {"schedule_name": name, "workflow_fn": workflows[name], "schedule": cron, "context": None}
        for name, cron in schedules.crons(wiring.settings).items()
    ]


def _register_queues(wiring: Wiring) -> None:
    """Before the launch: the library looks for new queues only once a second.

    Few, for each has a polling thread.
    """
    settings, client = wiring.settings, wiring.client
    # SQLite has one writer: more drains than that only fight over the interpreter's lock.
    drains = min(2, settings.drain_workers) if wiring.store.sqlite else settings.drain_workers
    client.register_queue(
        DRAIN_QUEUE, partition_concurrency=1, worker_concurrency=drains, polling_interval_sec=LOOK_SECONDS
    )
    client.register_queue(outbox.TIMER_QUEUE, worker_concurrency=4, polling_interval_sec=0.25)
    for target in (*wiring.performers, OTHER):
        client.register_queue(
            wiring.queue_of(target),
            partition_concurrency=1,
            worker_concurrency=settings.effect_workers,
            # People wait for a forge's effects; the others are looked at less often.
            polling_interval_sec=LOOK_SECONDS if target in wiring.forges else 0.1 if target != OTHER else 1.0,
        )
