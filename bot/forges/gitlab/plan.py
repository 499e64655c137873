"""What a commit has to do to make a revision's files the wanted ones: the actions of the commits API."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bot.domain.effect import File
from bot.domain.errors import Permanent
from bot.forges import paths
from bot.forges.gitlab import files as repository_files
from bot.forges.gitlab.client import Api, Json, project, segment
from bot.forges.gitlab.objects import blob_id

EXECUTABLE = "100755"


@dataclass(frozen=True)
class Plan:
    """Actions, and the paths they touch, sorted."""

    actions: list[Json]

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(sorted({str(action["file_path"]) for action in self.actions}))


@dataclass
class Ground:
    """A revision, whose folders are asked for as they matter. `revision` None: nothing is there yet."""

    api: Api
    repository: str
    revision: str | None
    folders: dict[str, dict[str, Json]] = field(default_factory=dict)

    def folder(self, path: str) -> dict[str, Json]:
        """What lies in a folder, by name; nothing when it is not there."""
        if path not in self.folders:
            parent, name = _split(path)
            there = self.revision is not None and (
                not path or self.folder(parent).get(name, {}).get("type") == "tree"
            )
            listed = self._entries(path) if there else []
            self.folders[path] = {str(entry["name"]): entry for entry in listed}
        return self.folders[path]

    def entry(self, path: str) -> Json | None:
        """The file or folder at a path."""
        parent, name = _split(path)
        return self.folder(parent).get(name)

    def below(self, folder: str) -> dict[str, Json]:
        """All files below a folder, by path."""
        if self.revision is None or (folder and self.entry(folder) is None):
            return {}
        listed = repository_files.entries(self.api, self.repository, self.revision, folder, deep=True) or []
        return {str(entry["path"]): entry for entry in listed if entry["type"] != "tree"}

    def last_touched(self, path: str) -> str:
        """The commit that last changed a file."""
        where = f"{project(self.repository)}/repository/files/{segment(path)}"
        headers = self.api.head(where, ref=self.revision) or {}
        return headers.get("X-Gitlab-Last-Commit-Id", "")

    def _entries(self, path: str) -> list[Json]:
        assert self.revision is not None
        return repository_files.entries(self.api, self.repository, self.revision, path) or []


def planned(
    api: Api, repository: str, revision: str | None, wanted: Mapping[str, File], *, clean: str | None
) -> Plan:
    """The actions that make `wanted` of `revision`; other files below the folder `clean` ("": all) go.

    Raises Permanent('InvalidPath') for a file where a folder is, and the other way round.
    """
    ground = Ground(api, repository, revision)
    gone = {path for path, file in wanted.items() if file.delete and ground.entry(path)}
    if clean is not None:
        gone |= ground.below(clean).keys() - {path for path, file in wanted.items() if not file.delete}
    written = {path: file for path, file in wanted.items() if not file.delete}
    _side_by_side(ground, set(written), gone)
    actions = [_action(ground, "delete", path) for path in sorted(gone)]
    for path, file in sorted(written.items()):
        actions += _written(ground, path, file)
    return Plan(actions)


def _side_by_side(ground: Ground, written: set[str], gone: set[str]) -> None:
    folders = {str(parent) for path in written for parent in PurePosixPath(path).parents} - {"."}
    files = {path for path in folders - gone if (ground.entry(path) or {}).get("type") not in {None, "tree"}}
    covered = {path for path in written if (ground.entry(path) or {}).get("type") == "tree"}
    covered = {path for path in covered if ground.below(path).keys() - gone}
    if odd := sorted((written & folders) | files | covered):
        names = ", ".join(repr(path) for path in odd[:5])
        raise Permanent("InvalidPath", f"these paths cannot be written side by side: {names}")


def _written(ground: Ground, path: str, file: File) -> list[Json]:
    content, there = paths.content(file), ground.entry(path)
    actions = []
    if there is None or there["type"] == "tree" or there["id"] != blob_id(content):
        kind = "create" if there is None or there["type"] == "tree" else "update"
        encoded = {"encoding": "base64", "content": base64.b64encode(content).decode()}
        actions.append(_action(ground, kind, path) | encoded)
    was = bool(there and there["mode"] == EXECUTABLE)
    if file.executable != was:
        actions.append({"action": "chmod", "file_path": path, "execute_filemode": file.executable})
    return actions


def _action(ground: Ground, kind: str, path: str) -> Json:
    action: Json = {"action": kind, "file_path": path}
    touched = ground.last_touched(path) if kind != "create" else ""
    return action | ({"last_commit_id": touched} if touched else {})


def _split(path: str) -> tuple[str, str]:
    parent, _, name = path.rpartition("/")
    return parent, name
