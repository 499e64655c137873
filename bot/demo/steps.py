"""The demo in order."""

from __future__ import annotations

from bot.demo.delivery import (
    approved,
    blocked,
    committed,
    deployed_to,
    merged,
    opened,
    piped,
    published,
    refused,
    submitted,
    unfrozen,
)
from bot.demo.recovery import killed, rolled_back, tampered, verified
from bot.demo.story import Step

STEPS: tuple[tuple[str, Step], ...] = (
    ("submit", submitted),
    ("commit", committed),
    ("change", opened),
    ("pipeline", piped),
    ("blocked", blocked),
    ("refused", refused),
    ("approved", approved),
    ("freeze-overridden", unfrozen),
    ("merged", merged),
    ("staging", deployed_to("staging")),
    ("production", deployed_to("production")),
    ("published", published),
    ("rolled-back", rolled_back),
    ("worker-killed", killed),
    ("verified", verified),
    ("tampering-found", tampered),
)
