"""How much a change is: its files, lines, commits, and how far its branch is behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.domain.release import POLICY_FILE
from bot.forges.local import history
from bot.forges.local.git import ZERO, git, line

MOST_COMMITS = 250


def extent(folder: Path, target: str, head: str) -> dict[str, Any]:
    """As `FactsGathered.change` tells it, seen from where the change branched off, as a reviewer sees it."""
    base = history.branch_head(folder, target)
    start = (history.merge_base(folder, base, head) if base else None) or ZERO
    paths = history.paths(folder, start, head)
    own = history.commits(folder, head, *([f"^{base}"] if base else []), limit=MOST_COMMITS)
    return {
        "touchesPolicy": POLICY_FILE in paths,
        "paths": list(paths),
        "behind": int(line(folder, "rev-list", "--count", f"{head}..{base}")) if base else None,
        "commits": [{"sha": commit.sha, "message": commit.message} for commit in own],
        **_lines(folder, start, head),
    }


def _lines(folder: Path, start: str, head: str) -> dict[str, int]:
    """Lines added and removed; a binary file has none."""
    if start == ZERO:
        return {}
    printed = git(folder, "diff-tree", "-r", "-z", "--numstat", "--no-renames", start, head)
    counts = [entry.split("\t")[:2] for entry in printed.decode(errors="replace").split("\0") if entry]
    return {
        "additions": sum(int(added) for added, _ in counts if added != "-"),
        "deletions": sum(int(removed) for _, removed in counts if removed != "-"),
    }
