"""The files that a commit is to have: given with the effect, or kept once in the event that brought them."""

from __future__ import annotations

from datetime import datetime

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.paths import checked_path


def wanted(effect: e.CommitFiles, context: EffectContext) -> tuple[dict[str, e.File], datetime | None]:
    """The files by their path in the repository, and the moment of the event that brought them; None for
    files of the effect's own. Raises Permanent('EventMissing'), and what `checked_path` raises.
    """
    if effect.files_from is None:
        return {checked_path("", file.path): file for file in effect.files}, None
    event = context.find(effect.files_from)
    if event is None:
        raise Permanent(
            "EventMissing", f"there is no event {effect.files_from} whose files could be committed"
        )
    module = read(event, p.ModuleGenerated)
    return {checked_path(effect.prefix, file.path): file for file in module.files}, event.time
