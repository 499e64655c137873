"""`rules:changes`: does a path that the event changed match one of the patterns?

    changes: {paths: ["services/booking/**/*"], compare_to: $CI_DEFAULT_BRANCH}

What an event changed (GitLab's `Pipeline#modified_paths`, https://docs.gitlab.com/ci/yaml/#ruleschanges): a
change, what differs from where it left its target; a push to a branch that was there, what differs from
before; anything else (a new branch, a tag, a run asked for) is not known, and then the rule holds. With
`compare_to`: what differs from where the revision left that ref.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bot.forges.local.runner import patterns

Changed = Callable[[str | None], Sequence[str] | None]
"""`compare_to`, already expanded, or None -> changed paths, or None when they are not known. Raises
LookupError when there is no such ref.
"""
# GitLab stops comparing there and lets the rule hold.
MAX_COMPARISONS = 50_000


def unknown(_compare_to: str | None) -> None:
    """Of an event without a repository nothing is known."""


def check(pattern: str) -> str:
    """The pattern. Raises ValueError for what is not supported: the part of Ruby's `File.fnmatch` without
    sets.
    """
    if not pattern.strip() or pattern.startswith("/"):
        raise ValueError(f"`{pattern}` matches no path; write it relative to the repository")
    if set(pattern) & set("[]{}\\"):
        raise ValueError(
            f"`{pattern}` is a pattern that the embedded runner does not know; use only `*`, `**/` and `?`"
        )
    return pattern


def matches(globs: Sequence[str], paths: Sequence[str] | None) -> bool:
    """Whether a rule with these patterns holds for an event that changed these paths."""
    if paths is None:
        return True
    if len(globs) * len(paths) > MAX_COMPARISONS:
        return True
    return any(patterns.found(_expression(glob), path) for glob in globs for path in paths)


def _expression(glob: str) -> str:
    """`**/` is any number of folders, any other `*` anything but `/`; dots are nothing special."""
    wild = {"**/": "(?:[^/]+/)*", "?": "[^/]"}
    parts = re.split(r"((?:^|(?<=/))\*\*/|\*+|\?)", glob)
    body = "".join(wild.get(part) or ("[^/]*" if part.startswith("*") else re.escape(part)) for part in parts)
    return f"(?s)^{body}$"
