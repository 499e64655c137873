"""Events applied per second: the bot's drains against a bare loop over the same deliveries.

`python -m benchmarks.applied {bot|bare} URL COUNT` prints `{"applied_per_s": ...}`. The deliveries are stored
first; the clock runs from the moment the work may begin until the last event is in the log.
"""

from __future__ import annotations

import json
import sys
import time

import sqlalchemy as sa

from benchmarks.bare_loop import BareLoop
from benchmarks.subject import BenchForge, body_of
from bot.domain.decision import NOTHING
from bot.domain.trace import TraceState
from bot.engine.runtime import Runtime
from bot.intake.arrivals import DELIVERY, Arrival, shard_of
from bot.log.fold import state_text
from bot.log.store import Store
from bot.settings import Settings

REPOSITORIES = 50
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


def runtime(settings: Settings, *, work: bool) -> Runtime:
    """The bot, deciding nothing."""
    forges = {"local": BenchForge()}
    return Runtime(settings, forges=forges, performers={}, decide=lambda *_: NOTHING, work=work)


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
    if kind == "bare":
        store = Store(url)
        began = time.perf_counter()
        BareLoop(store, settings.shards, state_text(TraceState(tenant_id="t", trace_id="t"))).run()
        took = time.perf_counter() - began
    else:
        worker = runtime(settings, work=True)
        worker.launch()  # its drains begin as soon as the queues are looked at
        began = time.perf_counter()
        store = worker.store
        while applied(store) < count:
            time.sleep(0.02)
        took = time.perf_counter() - began
    assert applied(store) == count
    print(json.dumps({"applied_per_s": count / took}))
    if kind == "bot":
        worker.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
