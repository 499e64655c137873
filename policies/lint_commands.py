"""What is wrong with `commands` in a policy: names of no command, aliases that are taken."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.command import FORGES_OWN
from policies.complaint import Complaint
from policies.errors import did_you_mean
from policies.model import Commands


def said(section: Commands, known: frozenset[str] | None) -> Iterator[Complaint]:
    """Everything that is wrong. Without `known` names, only what can be said without them."""
    for index, name in enumerate(section.disable):
        if known is not None and name not in known:
            yield _unknown(("commands", "disable", index), name, known)
    for alias, line in section.aliases.items():
        path = ("commands", "aliases", alias)
        if alias in FORGES_OWN:
            yield Complaint(path, f"/{alias} is a command of the forges themselves: choose another name")
        elif known is not None and alias in known:
            yield Complaint(path, f"/{alias} is a command already: choose another name")
        name = line.split()[0] if line.split() else ""
        if known is not None and name not in known:
            yield _unknown(path, name, known)


def _unknown(path: tuple[str | int, ...], name: str, known: frozenset[str]) -> Complaint:
    return Complaint(path, f"there is no command {name!r}", did_you_mean(name, known))
