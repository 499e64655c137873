"""Folders and files of a revision, and all of them at once."""

from __future__ import annotations

import base64
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bot.domain.effect import File
from bot.domain.errors import Permanent, Retryable
from bot.forges.gitlab.client import NOT_FOUND, Answered, Api, Json, project, segment
from bot.forges.gitlab.objects import blob_id, tree_id

TREE_FILES, TREE_BYTES = 20_000, 16 * 1024 * 1024
"""As much as a submission may be; what is exported goes to a disk and may be more."""
EXPORT_BYTES = 1024 * 1024 * 1024
PLAIN = {"100644", "100755"}


def entries(
    api: Api, repository: str, revision: str, folder: str = "", *, deep: bool = False
) -> list[Json] | None:
    """What lies in a folder; None when there is no such folder. Raises Permanent for an unknown revision."""
    query = {"ref": revision, "pagination": "keyset"} | ({"path": folder} if folder else {})
    query |= {"recursive": "true"} if deep else {}
    try:
        return list(api.list(f"{project(repository)}/repository/tree", **query))
    except Answered as answer:
        if answer.status == NOT_FOUND:
            return None
        raise


def tree_of(api: Api, repository: str, revision: str) -> str:
    """The name of a commit's tree."""
    return tree_id(entries(api, repository, revision) or [])


def read(api: Api, repository: str, revision: str, path: str) -> str | None:
    """A text file at a revision, or None when there is none."""
    try:
        content = api.raw(f"{project(repository)}/repository/files/{segment(path)}/raw", ref=revision)
    except Answered as answer:
        if answer.status == NOT_FOUND:
            return None
        raise
    return content.decode(errors="replace")


def resolve(api: Api, repository: str, revision: str) -> str | None:
    """The commit that a name stands for, or None."""
    found = api.find(f"{project(repository)}/repository/commits/{segment(revision)}", stats="false")
    return str(found["id"]) if found else None


def paths_between(api: Api, repository: str, older: str, newer: str) -> set[str] | None:
    """Files that differ between two revisions; None when GitLab cannot tell them all."""
    diffs = diffs_between(api, repository, older, newer)
    return None if diffs is None else {diff[side] for diff in diffs for side in ("old_path", "new_path")}


def diffs_between(api: Api, repository: str, older: str, newer: str) -> list[Json] | None:
    """The difference of each file between two revisions; None when GitLab cannot tell them all."""
    query = {"from": older, "to": newer, "straight": "true"}
    compared = api.get(f"{project(repository)}/repository/compare", **query)
    diffs: list[Json] = compared["diffs"]
    cut = compared.get("compare_timeout") or any(diff.get("overflow") for diff in diffs)
    return None if cut or len(diffs) >= MOST_DIFFS else diffs


MOST_DIFFS = 1000
"""https://docs.gitlab.com/administration/diff_limits/: of more files than this a part may be left out."""


def files(api: Api, repository: str, revision: str) -> tuple[File, ...]:
    """All files of a revision, for the log. Raises Permanent('SymlinkRefused', 'TreeTooLarge', ...)."""
    listed = _listed(api, repository, revision, "")
    if len(listed) > TREE_FILES:
        raise Permanent(
            "TreeTooLarge", f"{revision[:12]} has {len(listed)} files; {TREE_FILES} are read at most"
        )
    found = _contents(api, repository, revision, listed, TREE_BYTES)
    return tuple(
        _file(entry, content) for entry, content in sorted(found, key=lambda one: str(one[0]["path"]))
    )


def export(api: Api, repository: str, revision: str, path: str, into: Path) -> None:
    """Write the files below `path` into `into`. Raises Permanent('RevisionMissing', 'PathMissing', ...)."""
    sha = resolve(api, repository, revision)
    if sha is None:
        raise Permanent("RevisionMissing", f"there is no revision {revision} in {repository}")
    folder = path.strip("/")
    listed = _listed(api, repository, sha, folder)
    into.mkdir(parents=True, exist_ok=True)
    for entry, content in _contents(api, repository, sha, listed, EXPORT_BYTES):
        target = into / str(entry["path"])[len(folder) :].lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(0o755 if entry["mode"] == "100755" else 0o644)


def _listed(api: Api, repository: str, revision: str, folder: str) -> list[Json]:
    found = entries(api, repository, revision, folder, deep=True)
    if found is None:
        if resolve(api, repository, revision) is None:
            raise Permanent("RevisionMissing", f"there is no revision {revision}")
        raise Permanent("PathMissing", f"{revision[:12]} has no folder {folder!r}")
    odd = [entry["path"] for entry in found if entry["type"] != "tree" and entry["mode"] not in PLAIN]
    if odd:
        what = "is a symbolic link or a submodule, not a file"
        raise Permanent("SymlinkRefused", f"{odd[0]!r} in {revision[:12]} {what}")
    outside = [
        entry["path"] for entry in found if {"..", ".git"} & set(str(entry["path"]).lower().split("/"))
    ]
    if outside:
        raise Permanent(
            "InvalidPath", f"{outside[0]!r} in {revision[:12]} is not a path inside the repository"
        )
    return [entry for entry in found if entry["type"] == "blob"]


def _contents(
    api: Api, repository: str, revision: str, listed: list[Json], most: int
) -> Iterator[tuple[Json, bytes]]:
    """Each file with its bytes: from one archive, and singly where the archive has something else.

    An archive leaves out what `.gitattributes` calls `export-ignore` and rewrites `export-subst`.
    """
    wanted = {str(entry["path"]): entry for entry in listed}
    with tempfile.TemporaryFile() as packed:
        _download(api, repository, revision, packed, most)
        for path, content in _unpacked(packed, revision, most):
            entry = wanted.get(path)
            if entry and blob_id(content) == entry["id"]:
                yield wanted.pop(path), content
    for path, entry in wanted.items():
        content = api.raw(f"{project(repository)}/repository/blobs/{entry['id']}/raw")
        if blob_id(content) != entry["id"]:
            raise Retryable(f"GitLab gave other bytes for {path} than the tree of {revision[:12]} names")
        yield entry, content


def _download(api: Api, repository: str, revision: str, into: IO[bytes], most: int) -> None:
    query = {"sha": revision, "include_lfs_blobs": "false"}
    size = 0
    for piece in api.stream(f"{project(repository)}/repository/archive.tar.gz", **query):
        size += len(piece)
        if size > most:
            raise _too_large(revision, most)
        into.write(piece)
    into.seek(0)


def _unpacked(packed: IO[bytes], revision: str, most: int) -> Iterator[tuple[str, bytes]]:
    """Paths below the folder that an archive begins with."""
    left = most
    try:
        with tarfile.open(fileobj=packed, mode="r:gz") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                left -= member.size
                if left < 0:
                    raise _too_large(revision, most)
                content = archive.extractfile(member)
                assert content is not None
                yield member.name.partition("/")[2], content.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Retryable(f"GitLab's archive of {revision[:12]} was cut short") from error


def _too_large(revision: str, most: int) -> Permanent:
    return Permanent("TreeTooLarge", f"{revision[:12]} is larger than {most // 1024 // 1024} MiB")


def _file(entry: Json, content: bytes) -> File:
    path, executable = str(entry["path"]), entry["mode"] == "100755"
    try:
        # A NUL is UTF-8, and yet no text.
        text = None if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        text = None
    if text is not None:
        return File(path=path, content=text, executable=executable)
    encoded = base64.b64encode(content).decode()
    return File(path=path, content=encoded, encoding="base64", executable=executable)
