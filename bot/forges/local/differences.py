"""What an event changed, for `rules:changes` of the runner: the same comparisons as GitLab's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.forges.local import history
from bot.forges.local.git import ZERO


@dataclass(frozen=True)
class Differences:
    """Of a revision in a bare repository. `before` is where its branch was, `target` the branch that its
    change goes to; None when there is none.
    """

    folder: Path
    sha: str
    before: str | None = None
    target: str | None = None

    def __call__(self, compare_to: str | None) -> tuple[str, ...] | None:
        """Changed paths, or None when there is nothing to compare with. Raises LookupError for no such
        ref.
        """
        if compare_to is not None:
            return self._since(self._named(compare_to))
        if self.target:
            return self._since(self._named(self.target))
        if self.before in {None, ZERO} or history.resolve(self.folder, self.before) is None:
            return None
        return history.paths(self.folder, self.before, self.sha)

    def _since(self, other: str) -> tuple[str, ...]:
        base = history.merge_base(self.folder, other, self.sha)
        return history.paths(self.folder, base or ZERO, self.sha)

    def _named(self, ref: str) -> str:
        branch = history.branch_head(self.folder, ref.removeprefix("refs/heads/"))
        found = branch or history.resolve(self.folder, ref)
        if found is None:
            raise LookupError(ref)
        return found
