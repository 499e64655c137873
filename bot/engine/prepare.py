"""`pointsman db upgrade`.

Our tables by Alembic, the durable-execution library's by its own migrations, and the shards.
"""

from __future__ import annotations

import sqlalchemy as sa
from dbos import DBOS

from bot.log.migrate import upgrade
from bot.log.store import Store
from bot.log.tables import GENERATIONS


class WrongShards(Exception):
    """The database was made with another number of shards: traces would change lanes and lose their order."""


def prepare(url: str, shards: int) -> None:
    """Bring a database to this release. Safe to run again, and by several processes. Raises WrongShards."""
    upgrade(url)
    store = Store(url)
    try:
        DBOS.migrate(store.durable_url)
        with store.begin() as session:
            if not store.sqlite:
                session.execute(sa.text("LOCK TABLE shard_generation IN EXCLUSIVE MODE"))
            found = session.execute(sa.select(sa.func.count()).select_from(GENERATIONS)).scalar_one()
            if not found:
                session.execute(
                    sa.insert(GENERATIONS), [{"shard": shard, "generation": 0} for shard in range(shards)]
                )
            elif found != shards:
                raise WrongShards(
                    f"the database has {found} shards, the settings say {shards} (POINTSMAN_SHARDS)"
                )
    finally:
        store.close()
