"""Events applied per second: the bot's drains against a bare loop over the same deliveries.

`python -m benchmarks.applied {bot|bare} URL COUNT` prints `{"applied_per_s": ...}`. The deliveries are stored
first; the clock runs from the moment the work may begin until the last event is in the log.
`cpu_us` is the processor time of an event: on a machine that others use as well it says more than the clock.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time

import sqlalchemy as sa

from benchmarks.bare_loop import BareLoop
from benchmarks.delivery import body_of
from benchmarks.subject import BenchForge
from bot.app import settle
from bot.domain.decision import NOTHING, Decision
from bot.domain.trace import TraceState
from bot.engine.runtime import Runtime
from bot.engine.wiring import Decide
from bot.intake.arrivals import DELIVERY, Arrival, shard_of
from bot.log.fold import state_text
from bot.log.store import Store
from bot.settings import Settings

REPOSITORIES = 50
Clocks = tuple[float, float]
HEADERS = json.dumps({"x-delivery": "x", "x-repository": "x", "content-type": "application/json"})


def arrivals(count: int, shards: int) -> list[Arrival]:
    """`count` deliveries of 50 repositories."""
    made = []
    for number in range(count):
        repository = number % REPOSITORIES
        shard = shard_of(f"local:repo-{repository}", shards)
        body = body_of(repository, number)
        made.append(Arrival("default", "webhooks/local", DELIVERY, f"d{number}", body, shard, HEADERS))
    return made


def runtime(settings: Settings, *, work: bool, decide: Decide = lambda *_: NOTHING) -> Runtime:
    """The bot, deciding nothing."""
    return Runtime(settings, forges={"local": BenchForge()}, performers={}, decide=decide, work=work)


def applied(store: Store) -> int:
    """Events in the log."""
    with store.read() as session:
        return int(session.execute(sa.text("SELECT count(*) FROM events")).scalar_one())


def main(kind: str, url: str, count: int) -> None:
    """Fill the inbox, then let one of the two work."""
    settings = Settings(database_url=url)
    web = runtime(settings, work=False)
    web.launch()
    stored = arrivals(count, settings.shards)
    for start in range(0, count, 200):
        web.inbox.receive(stored[start : start + 200])
    web.close()
    settle()  # as `work` does, for both sides
    began, ended = (bare if kind == "bare" else bot)(settings, count)
    took, cpu = ended[0] - began[0], ended[1] - began[1]
    print(json.dumps({"applied_per_s": count / took, "cpu_us": cpu / count * 1e6}))


def clocks() -> Clocks:
    """The time, and the processor's time of this process, in seconds."""
    return time.perf_counter(), time.process_time()


def bare(settings: Settings, count: int) -> tuple[Clocks, Clocks]:
    """Clocks before and after the loop."""
    store = Store(settings.database)
    loop = BareLoop(store, settings.shards, state_text(TraceState(tenant_id="t", trace_id="t")))
    began = clocks()
    loop.run()
    ended = clocks()
    assert applied(store) == count
    return began, ended


def bot(settings: Settings, count: int) -> tuple[Clocks, Clocks]:
    """Clocks from the moment that the drains may begin until all is in the log."""
    decided = itertools.count(1)
    done = threading.Event()

    def decide(*_: object) -> Decision:
        if next(decided) >= count:
            done.set()
        return NOTHING

    worker = runtime(settings, work=True, decide=decide)
    worker.launch()  # its drains begin as soon as the queues are looked at
    began = clocks()
    done.wait()  # looking at the log all the time would take a tenth of the processor
    while applied(worker.store) < count:
        time.sleep(0.001)
    ended = clocks()
    worker.close()
    return began, ended


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
