"""The repositories that traces live in."""

from __future__ import annotations

import sqlalchemy as sa

from bot.log.store import Store
from bot.log.tables import HEADS


def repositories(store: Store, tenant: str, forge: str) -> list[str]:
    """Their names, sorted."""
    wanted = (
        sa.select(HEADS.c.repository).where(HEADS.c.tenant_id == tenant, HEADS.c.forge == forge).distinct()
    )
    with store.read() as session:
        return sorted(name for name in session.execute(wanted).scalars() if name)
