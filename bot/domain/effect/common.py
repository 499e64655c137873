"""What all effects have in common, and the files that some of them carry."""

from __future__ import annotations

from typing import ClassVar, Literal

from bot.domain.model import Model


class File(Model):
    """One file of a commit: text as `utf-8` or bytes as `base64`; `delete` removes the path."""

    path: str
    content: str = ""
    encoding: Literal["utf-8", "base64"] = "utf-8"
    executable: bool = False
    delete: bool = False


class Effect(Model):
    """Common to all effects. `target` picks the performer: a forge's name, `deploy`, `memory` or `policy`."""

    kind: ClassVar[str]
    target: str = "local"
    repository: str = ""
    purpose: str = ""
    """Why, for the handler that goes on: `module`, `pipeline`, `reply`, ..."""
    task_id: str | None = None
    agent_id: str | None = None
