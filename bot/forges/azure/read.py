"""Reading for decisions: the facts that `GatherFacts` asks for, and the files of a revision."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.domain import payloads as p
from bot.domain.effect import File, GatherFacts
from bot.domain.errors import Permanent
from bot.domain.release import POLICY_FILE
from bot.forges import pushed
from bot.forges.azure import accounts, changes, parts, past, pipelines
from bot.forges.azure.names import HEADS
from bot.forges.azure.place import Commit, Entry, Place, plain_files

TREE_FILES, TREE_BYTES = 20_000, 16 * 1024 * 1024


def gather(place: Place, effect: GatherFacts) -> p.FactsGathered:
    """Everything asked for. Raises Refusal, Permanent."""
    default = place.default_branch
    default_head = place.head(default)
    branch_head = place.head(effect.branch) if effect.branch else None
    files_at = branch_head or default_head
    return p.FactsGathered(
        correlation=effect.correlation,
        repository=effect.repository,
        purpose=effect.purpose,
        default_branch=default,
        default_head=default_head,
        branch_head=branch_head,
        change=_change(place, effect.change) if effect.change is not None else None,
        policy_text=place.read(default_head, POLICY_FILE) if default_head else None,
        # The revision the text was read at, also when the file is not there: "no policy" has a moment, too.
        policy_revision=default_head,
        actors=accounts.actors(place, effect.actors),
        files={path: place.read(files_at, path) if files_at else None for path in effect.paths},
        can_write=accounts.can_write(place),
        protected_branches=_protected(place),
        tree=pushed.checked(_files(place, effect.tree_of)) if effect.tree_of else (),
        past=past.merged(place, effect.past) if effect.past else (),
        run=pipelines.run_of(place, effect.run) if effect.run else None,
    )


def _protected(place: Place) -> tuple[str, ...]:
    """Branches with a policy that blocks: nobody pushes to them."""
    scopes = [scope for one in place.policies() for scope in (one.settings or {}).get("scope") or ()]
    return tuple(sorted({name for scope in scopes if (name := _scope(place, scope))}))


def _scope(place: Place, scope: Mapping[str, Any]) -> str:
    kind, ref = str(scope.get("matchKind") or "").casefold(), scope.get("refName") or ""
    if kind == "defaultbranch":
        return place.default_branch
    branch = ref.removeprefix(HEADS)
    return f"{branch.rstrip('/')}/*" if kind == "prefix" else branch


def _change(place: Place, number: int) -> dict[str, Any]:
    change = changes.get(place, number)
    head = changes.head(place, change)
    people = parts.of(place, change, head)
    data = p.Change.model_validate(
        {
            "repository": str(place.repository),
            "number": number,
            "title": change.title,
            "url": place.url(number),
            "author": place.client.people.login(change.created_by.unique_name),
            "source": change.source_ref_name.removeprefix(HEADS),
            "target": change.target_ref_name.removeprefix(HEADS),
            "head": head,
            "labels": sorted(one.name for one in change.labels or () if one.active),
            "draft": bool(change.is_draft),
            "fork": bool(change.fork_source),
            "committers": people["committers"],
            "lastPusher": people["lastPusher"],
        }
    )
    at_head = place.commit(head)
    facts = data.to_json() | {
        "state": changes.state(change),
        "coAuthors": people["coAuthors"],
        "touchesPolicy": _touches_policy(place, change, head),
        "tree": at_head.tree if at_head else "",
    }
    return facts | (_merged(place, change) if changes.state(change) == "merged" else {})


def _merged(place: Place, change: Any) -> dict[str, Any]:
    """What was merged, and the tree of it: the forge's own event tells no trees."""
    sha = change.last_merge_commit.commit_id if change.last_merge_commit else ""
    commit = place.commit(sha)
    return {"mergeSha": sha, "mergeTree": commit.tree if commit else ""}


def _touches_policy(place: Place, change: Any, head: str) -> bool:
    """Whether the change edits the policy file: seen from where it branched off, as a reviewer sees it."""
    seen = change.last_merge_target_commit.commit_id if change.last_merge_target_commit else None
    target = change.target_ref_name.removeprefix(HEADS)
    base = place.head(target) if changes.state(change) == "open" else seen
    return bool(base) and POLICY_FILE in place.changed(base or "", head, since_parting=True)


def _files(place: Place, revision: str) -> tuple[File, ...]:
    """All files of a revision. Raises Permanent('SymlinkRefused') for anything that is no plain file."""
    commit = place.commit(revision)
    if commit is None:
        raise Permanent("RevisionMissing", f"there is no revision {revision}")
    entries = plain_files(place.tree(commit.tree), revision)
    if len(entries) > TREE_FILES or sum(entry.size for entry in entries.values()) > TREE_BYTES:
        limits = f"{TREE_FILES} files and {TREE_BYTES // 1024 // 1024} MiB are read at most"
        raise Permanent("TreeTooLarge", f"{revision[:12]} has {len(entries)} files; {limits}")
    contents = place.contents(commit.tree, entries)
    return tuple(_file(path, entry, contents[entry.sha]) for path, entry in sorted(entries.items()))


def _file(path: str, entry: Entry, data: bytes) -> File:
    executable = entry.mode == "100755"
    try:
        return File(path=path, content=data.decode(), executable=executable)
    except UnicodeDecodeError:
        encoded = base64.b64encode(data).decode()
        return File(path=path, content=encoded, encoding="base64", executable=executable)


def export(place: Place, revision: str, path: str, into: Path) -> None:
    """Write the files below `path` at a revision into `into`. Raises Permanent."""
    commit = place.commit(revision)
    if commit is None:
        raise Permanent("RevisionMissing", f"there is no revision {revision} in {place.repository}")
    tree = _below(place, commit, path)
    entries = plain_files(place.tree(tree), revision)
    contents = place.contents(tree, entries)
    into.mkdir(parents=True, exist_ok=True)
    for name, entry in entries.items():
        _write(into, name, entry, contents[entry.sha])


def _below(place: Place, commit: Commit, path: str) -> str:
    """The tree of a folder. Raises Permanent('PathMissing')."""
    tree = commit.tree
    for part in filter(None, path.split("/")):
        found = place.git("get_tree", sha1=tree, recursive=False).tree_entries or ()
        folders = {one.relative_path: one.object_id for one in found if one.git_object_type == "tree"}
        if part not in folders:
            raise Permanent("PathMissing", f"{commit.sha[:12]} has no folder {path!r}")
        tree = folders[part]
    return tree


def _write(into: Path, name: str, entry: Entry, data: bytes) -> None:
    file = (into / name).resolve()
    if not file.is_relative_to(into.resolve()):
        raise Permanent("SymlinkRefused", f"{name!r} leads out of the folder that it is exported to")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    file.chmod(0o755 if entry.mode == "100755" else 0o644)
