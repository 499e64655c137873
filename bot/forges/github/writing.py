"""Writing Git objects: entries of a tree, the commit on top of them, the branch that is moved to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.model import rfc3339
from bot.forges.github.account import Needs
from bot.forges.github.errors import Answered
from bot.forges.github.ground import CONTENTS, MISSING, Entry, Ground, ref_path, tree_of

Json = dict[str, Any]
WORKFLOWS = ".github/workflows/"
PROTECTED = (
    "protected",
    "rule violations",
    "through a pull request",
    "required status check",
    "approving review",
)
"""Parts of what GitHub answers when a branch takes changes only."""


def needs_of(paths: Sequence[str]) -> Needs:
    """What a commit of these files needs: workflow files are a permission of their own."""
    workflows: Needs = {"workflows": "write"} if any(path.startswith(WORKFLOWS) for path in paths) else {}
    return {**CONTENTS, **workflows}


def same_as(path: str, entry: Entry) -> Json:
    """An entry of a tree that is there already, elsewhere or before."""
    return {"path": path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha}


def gone(path: str, entry: Entry) -> Json:
    """The end of an entry."""
    return same_as(path, entry) | {"sha": None}


@dataclass(frozen=True)
class Writing:
    """Work on one branch of a repository, with a token for just that."""

    ground: Ground
    repository: str
    branch: str
    needs: Needs

    def commit(self, message: str, parent: str, entries: list[Json]) -> Json:
        """The commit object; no branch points to it yet."""
        base = tree_of(self.ground, self.repository, parent)
        tree = self.send("POST", "/git/trees", {"base_tree": base, "tree": entries})["sha"]
        said = {"message": message, "tree": tree, "parents": [parent]}
        made: Json = self.send("POST", "/git/commits", said)
        return made

    def point(self, sha: str, head: str | None) -> None:
        """Move the branch, or make it. Raises Retryable when somebody else moved it meanwhile."""
        try:
            if head is None:
                self.send("POST", "/git/refs", {"ref": f"refs/heads/{self.branch}", "sha": sha})
            else:
                path = f"/git/refs/{ref_path('heads', self.branch)}"
                self.send("PATCH", path, {"sha": sha, "force": False})
        except Answered as error:
            if error.says(*PROTECTED):
                where = f"{self.branch} of {self.repository}"
                raise Permanent("ProtectedBranch", f"{where} is protected: a change is needed") from error
            raise Retryable(f"{self.branch} moved while it was being committed to") from error

    def send(self, method: str, path: str, json: Json) -> Any:
        """Raises Permanent('NoWriteAccess') where something is not found that could be read a moment ago."""
        try:
            return self.ground.client.send(method, self.repository, path, json, needs=self.needs).json
        except Answered as error:
            if error.status == MISSING:
                login = self.ground.login
                raise Permanent("NoWriteAccess", f"{login} may not push to {self.repository}") from error
            raise


def committed(branch: str, made: Json, files: tuple[str, ...]) -> e.CommitResult:
    """What a commit is: the same answer the first time and after a lost reply."""
    return e.CommitResult(
        sha=made["sha"],
        tree=made["tree"]["sha"],
        branch=branch,
        parent=made["parents"][0]["sha"] if made["parents"] else None,
        signed=bool((made.get("verification") or {}).get("verified")),
        files=files,
        committed_at=rfc3339(datetime.fromisoformat(made["committer"]["date"])),
    )
