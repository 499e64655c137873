"""The files of a revision: all of them for a submission, a folder of them for a deployment.

Both come as one archive. Archives leave out what `.gitattributes` says and may write into files, so for a
submission each file is held against Git's own listing, and read by itself where the two differ.
"""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from bot.domain.effect import File
from bot.domain.errors import Permanent
from bot.forges import pushed
from bot.forges.github.asking import Ask
from bot.forges.github.errors import Answered
from bot.forges.github.ground import GONE, Entry, Ground, blob_sha, listing, tree_of

TREE_FILES, TREE_BYTES = 20_000, 16 * 1024 * 1024
LARGEST_ARCHIVE = 512 * 1024 * 1024


def files_of(ground: Ground, repository: str, revision: str) -> tuple[File, ...]:
    """All files of a revision, fit to be submitted. Raises Permanent."""
    tree = tree_of(ground, repository, revision)
    if tree is None:
        raise Permanent("RevisionMissing", f"there is no revision {revision} in {repository}")
    entries = listing(ground, repository, tree)
    for path, entry in entries.items():
        if entry.mode not in {"100644", "100755"}:
            raise Permanent(
                "SymlinkRefused", f"{path!r} in {revision[:12]} is a symbolic link or a submodule, not a file"
            )
    if len(entries) > TREE_FILES or sum(entry.size for entry in entries.values()) > TREE_BYTES:
        limits = f"{TREE_FILES} files and {TREE_BYTES // 1024 // 1024} MiB are read at most"
        raise Permanent("TreeTooLarge", f"{revision[:12]} has {len(entries)} files; {limits}")
    contents = _contents(ground, repository, revision, entries)
    listed = sorted(entries, key=lambda path: path.encode())
    return pushed.checked([_file(path, entries[path], contents[path]) for path in listed])


def _contents(
    ground: Ground, repository: str, revision: str, entries: Mapping[str, Entry]
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with _archive(ground, repository, revision) as archive:
        for member in archive:
            path = member.name.partition("/")[2]
            opened = archive.extractfile(member) if member.isreg() and path in entries else None
            if opened is not None and member.size <= TREE_BYTES:
                found[path] = opened.read()
    for path, entry in entries.items():
        if path not in found or blob_sha(found[path]) != entry.sha:
            ask = Ask(
                "GET",
                f"/repos/{repository}/git/blobs/{entry.sha}",
                repository,
                accept="application/vnd.github.raw+json",
            )
            found[path] = ground.client.download(ask, TREE_BYTES)
    return found


def _file(path: str, entry: Entry, body: bytes) -> File:
    executable = entry.mode == "100755"
    try:
        return File(path=path, content=body.decode(), executable=executable)
    except UnicodeDecodeError:
        encoded = base64.b64encode(body).decode()
        return File(path=path, content=encoded, encoding="base64", executable=executable)


def _archive(ground: Ground, repository: str, revision: str) -> tarfile.TarFile:
    path = f"/repos/{repository}/tarball/{quote(revision, safe='')}"
    try:
        packed = ground.client.download(Ask("GET", path, repository), LARGEST_ARCHIVE)
    except Answered as error:
        if error.status in GONE:
            raise Permanent("RevisionMissing", f"there is no revision {revision} in {repository}") from error
        raise
    return tarfile.open(fileobj=io.BytesIO(packed), mode="r:*")


def export(ground: Ground, repository: str, revision: str, path: str, into: Path) -> None:
    """Write the files below `path` at a revision into `into`. Raises Permanent."""
    wanted = [part for part in path.split("/") if part]
    with _archive(ground, repository, revision) as archive:
        below = []
        for member in archive:
            inside = member.name.split("/")[1:]  # the first folder is the archive's own
            if inside[: len(wanted)] == wanted and len(inside) > len(wanted):
                below.append(member.replace(name="/".join(inside[len(wanted) :]), deep=False))
        if wanted and not below:
            raise Permanent("PathMissing", f"{revision[:12]} has no folder {path!r}")
        into.mkdir(parents=True, exist_ok=True)
        try:
            archive.extractall(into, members=below, filter="data")
        except tarfile.FilterError as error:  # a link or a name that leads out of the folder
            raise Permanent("SymlinkRefused", f"{revision[:12]} cannot be exported: {error}") from error
