"""Effects on the artefact files of a trace."""

from __future__ import annotations

from typing import ClassVar

from bot.domain.effect.common import Effect


class WriteMemory(Effect):
    """Write the trace's artefact files again from its events."""

    kind: ClassVar[str] = "WriteMemory"
    target: str = "memory"
