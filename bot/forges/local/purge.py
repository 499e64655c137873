"""Webhook calls that were delivered long ago, and reports of old runs.

Of a call the row stays, with its id and its answer; the body goes.

Of a push stays who pushed what: that makes a person a committer of a change that is opened later
(webhooks.branch_pushers), and four eyes must not become two because a week went by.
"""

from __future__ import annotations

import json

from sqlmodel import col, select

from bot.forges.local import kept, webhooks
from bot.forges.local.ground import Ground
from bot.forges.local.tables import ForgeDelivery

AT_ONCE = 50
WHOLE = '{"event":%'
"""How every body begins that was not purged."""


def purge(ground: Ground, before: str) -> None:
    """Let go of what was delivered before this moment (RFC 3339 in UTC), never of what was not, and of the
    reports of runs that ended before it: whoever asked for them has them in the log by then.
    """
    kept.let_go(ground, before)
    while True:
        with ground.write() as session:
            old = session.scalars(
                select(ForgeDelivery)
                .where(col(ForgeDelivery.delivered_at) < before, col(ForgeDelivery.body).like(WHOLE))
                .order_by(col(ForgeDelivery.seq))
                .limit(AT_ONCE)
            ).all()
            for delivery in old:
                delivery.body = _left(delivery)
        if len(old) < AT_ONCE:
            return


def _left(delivery: ForgeDelivery) -> str:
    if delivery.event != "push":
        return ""
    said = json.loads(delivery.body)
    kept = {name: said[name] for name in ("ref", "before")} | {"sender": {"login": said["sender"]["login"]}}
    return webhooks.written(kept)
