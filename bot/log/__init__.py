"""The truth: an append-only, hash-chained log of events per trace, on SQLite or Postgres.

store = Store("sqlite:///pointsman.db"); upgrade(store.url)
with store.begin() as session:
    append(session, [event])
    state = load(session, tenant, trace)
with store.read() as session:
    events(session, tenant, trace); replay(session, tenant, trace, until=7); verify(session)
"""

from bot.log.append import append
from bot.log.fold import load
from bot.log.migrate import current, upgrade
from bot.log.replay import events, find, replay
from bot.log.store import Store
from bot.log.verify import verify

__all__ = ["Store", "append", "current", "events", "find", "load", "replay", "upgrade", "verify"]
