"""What the bot's own database knows: where traces live, and which processes work on them."""

from __future__ import annotations

import sqlalchemy as sa

from bot.log.store import Store
from bot.log.tables import HEADS, LEASES


def repositories(store: Store, tenant: str, forge: str) -> list[str]:
    """Their names, sorted."""
    wanted = (
        sa.select(HEADS.c.repository).where(HEADS.c.tenant_id == tenant, HEADS.c.forge == forge).distinct()
    )
    with store.read() as session:
        return sorted(name for name in session.execute(wanted).scalars() if name)


def processes(store: Store) -> int:
    """How many processes do effects. One that died counts until it is found dead, seconds later."""
    with store.read() as session:
        return int(session.execute(sa.select(sa.func.count()).select_from(LEASES)).scalar_one())
