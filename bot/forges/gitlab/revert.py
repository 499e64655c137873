"""`RevertCommit`: the files that a commit touched, put back as they were before it, in one commit of ours.

GitLab's own revert (https://docs.gitlab.com/api/commits/#revert-a-commit) writes a message of its own,
without the trailers by which a trace is known and a lost answer is found again.
"""

from __future__ import annotations

import base64

from bot.domain import effect as e
from bot.domain.effect import File
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges import paths
from bot.forges.gitlab.access import get_branch, get_project, head_of, require_write
from bot.forges.gitlab.client import Api, Json, project
from bot.forges.gitlab.commits import commit, committed, may_push, result
from bot.forges.gitlab.files import PLAIN, TREE_BYTES, entries, paths_between
from bot.forges.gitlab.marks import done_before
from bot.forges.gitlab.plan import EXECUTABLE, Ground, planned
from bot.forges.gitlab.tags import target_of


def revert_commit(
    api: Api, effect_id: str, effect: e.RevertCommit, _context: EffectContext
) -> e.CommitResult:
    """One commit that takes back what a revision did. Raises Permanent('RevertConflict')."""
    name = paths.checked_branch(effect.branch)
    require_write(get_project(api, effect.repository), api)
    revision = target_of(api, effect)
    branch = get_branch(api, effect.repository, name)
    head = head_of(branch)
    if head and (done := done_before(api, effect.repository, name, effect_id)):
        return committed(api, effect, done)
    may_push(branch, effect)
    onto = head or _start(api, effect)
    plan = planned(api, effect.repository, onto, _as_before(api, effect, revision, onto), clean=None)
    if not plan.actions:
        raise Permanent("NothingToRevert", f"{revision[:12]} changed no file")
    made = commit(api, effect_id, effect, plan, start=None if head else onto)
    return result(api, effect, made, plan.paths)


def _start(api: Api, effect: e.RevertCommit) -> str:
    base = head_of(get_branch(api, effect.repository, effect.base))
    if base is None:
        raise Permanent("BranchDeleted", f"there is no branch {effect.base} to start {effect.branch} from")
    return base


def _as_before(api: Api, effect: e.RevertCommit, revision: str, onto: str) -> dict[str, File]:
    """The touched files as they were before; relative to the first parent, as a merge is taken back."""
    repository = effect.repository
    known = api.get(f"{project(repository)}/repository/commits/{revision}", stats="false")
    parent = known["parent_ids"][0] if known["parent_ids"] else None
    before, after, now = (Ground(api, repository, one) for one in (parent, revision, onto))
    touched = _touched(api, repository, parent, revision)
    if other := [path for path in touched if _blob(now, path) != _blob(after, path)]:
        said = f"{', '.join(other[:5])} of {effect.branch} went on since {revision[:12]}: revert by hand"
        raise Permanent("RevertConflict", said)
    return _files(api, repository, {path: before.entry(path) for path in touched})


def _touched(api: Api, repository: str, parent: str | None, revision: str) -> list[str]:
    if parent is None:
        listed = entries(api, repository, revision, deep=True) or []
        return sorted(str(entry["path"]) for entry in listed if entry["type"] != "tree")
    found = paths_between(api, repository, parent, revision)
    if found is None:
        said = f"{revision[:12]} changed more files than GitLab tells: revert it by hand"
        raise Permanent("RevertConflict", said)
    return sorted(found)


def _blob(ground: Ground, path: str) -> tuple[str, str] | None:
    """Name and mode of a file; None where none is, or a folder."""
    entry = ground.entry(path)
    return (entry["id"], entry["mode"]) if entry and entry["type"] != "tree" else None


def _files(api: Api, repository: str, wanted: dict[str, Json | None]) -> dict[str, File]:
    left, found = TREE_BYTES, {}
    for path, entry in wanted.items():
        if entry is None or entry["type"] == "tree":
            found[path] = File(path=path, delete=True)
            continue
        if entry["mode"] not in PLAIN:
            raise Permanent("SymlinkRefused", f"{path!r} was a symbolic link or a submodule, not a file")
        content = api.raw(f"{project(repository)}/repository/blobs/{entry['id']}/raw")
        left -= len(content)
        if left < 0:
            raise Permanent("TreeTooLarge", f"more than {TREE_BYTES // 1024 // 1024} MiB are to be put back")
        text = base64.b64encode(content).decode()
        executable = entry["mode"] == EXECUTABLE
        found[path] = File(path=path, content=text, encoding="base64", executable=executable)
    return found
