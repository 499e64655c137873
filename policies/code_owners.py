"""Who owns the files that a change touches, by the repository's CODEOWNERS file on the base branch.

The last line that matches a path decides, in each section by itself. An e-mail address is nobody's login, so
it can not approve. Patterns are read by the library `codeowners`, which knows GitHub's and GitLab's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from codeowners import CodeOwners

from policies.facts import ReleaseFacts
from policies.verdict import Verdict, blocking, everyone, fold_all

PLACES = (".github/CODEOWNERS", ".gitlab/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where forges look, the first that is there counts."""
NAME = "code owners"
NOBODY = "nobody"
"""Owns what only addresses own; no forge has such a login with rights."""


class Owners(tuple[str, ...]):
    """Names without `@`: a login, a team `acme/sre`, or an e-mail address."""

    __slots__ = ()

    @property
    def people(self) -> tuple[str, ...]:
        """Those who can be told apart by a forge."""
        return tuple(name for name in self if "@" not in name)


def owners_of(text: str, paths: Iterable[str]) -> dict[Owners, list[str]]:
    """Each set of owners -> the touched paths that are theirs. Raises ValueError for a text that is none."""
    parsed, found = _parsed(text), dict[Owners, list[str]]()
    for path in paths:
        for owners in _sections(parsed, path):
            found.setdefault(owners, []).append(path)
    return found


def look_up(facts: ReleaseFacts) -> list[tuple[Owners, list[str]]] | Verdict:
    """Who owns what is touched; or the verdict, when nothing is owned or nothing is known."""
    if facts.paths is None or facts.code_owners is None:
        message = "Waits for the forge to say which files are touched and who owns them."
        return Verdict(NAME, "delayed", "CodeOwnersUnknown", message, need=NAME)
    try:
        owned = owners_of(facts.code_owners, facts.paths)
    except ValueError as error:
        message = f"CODEOWNERS can not be read ({error}): put it right on {facts.base_branch}."
        return Verdict(NAME, "rejected", "CodeOwnersUnusable", message, need=NAME)
    nothing = Verdict(NAME, "skipped", "NothingOwned", "Nobody owns a file that is touched.")
    return list(owned.items()) if owned else nothing


def together(judged: Iterable[tuple[list[str], Verdict]]) -> Verdict:
    """Touched paths and the verdict of their owners, as one."""
    children = tuple(replace(verdict, name=f"owners of {_some(paths)}") for paths, verdict in judged)
    stopped = blocking(children)
    given = ", ".join(dict.fromkeys(child.have for child in children if child.have))
    if not stopped:
        message = f"Approved by {given}, who own every file that is touched."
        return Verdict(NAME, fold_all(children), "ApprovalsGiven", message, given, NAME, children=children)
    need = " and ".join(dict.fromkeys(child.need for child in stopped))
    message = f"{stopped[0].name.capitalize()}: {stopped[0].message}"
    return Verdict(
        NAME, fold_all(children), stopped[0].reason_code, message,
        given, need, who_can=everyone(stopped), children=children,
    )  # fmt: skip


def _some(paths: list[str]) -> str:
    return f"{paths[0]} and {len(paths) - 1} more" if len(paths) > 1 else paths[0]


def _sections(parsed: CodeOwners, path: str) -> Iterable[Owners]:
    """The last line of each section that matches; a line without owners takes ownership away."""
    decided: dict[str | None, Owners] = {}
    lines: Iterable[Any] = parsed.matching_lines(path)
    for owners, _, _, section in lines:
        decided.setdefault(section, Owners(name.lstrip("@") for _, name in owners))
    return [owners for owners in decided.values() if owners]


@lru_cache(maxsize=64)
def _parsed(text: str) -> CodeOwners:
    return CodeOwners(text)
