"""Reading for decisions: the facts that `GatherFacts` asks for, and the files of a revision."""

from __future__ import annotations

import base64
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from bot.domain import payloads as p
from bot.domain.effect import File, GatherFacts
from bot.domain.errors import Permanent
from bot.domain.release import POLICY_FILE
from bot.forges import pushed
from bot.forges.local import history, past, people, signing, webhooks
from bot.forges.local.extent import extent
from bot.forges.local.git import GitFailed, git
from bot.forges.local.ground import Ground, Missing
from bot.forges.local.tables import ForgeRepository, ForgeUser
from bot.forges.local.telling import get_change

TREE_FILES, TREE_BYTES = 20_000, 16 * 1024 * 1024


def gather(ground: Ground, effect: GatherFacts) -> p.FactsGathered:
    """Everything asked for, from one look at the tables and Git. Raises Missing, Permanent."""
    folder = ground.folder(effect.repository)
    with ground.read() as session:
        repository = session.get(ForgeRepository, effect.repository)
        if repository is None:
            raise Missing(f"there is no repository {effect.repository!r}")
        actors = {login: _actor(session, effect.repository, login) for login in effect.actors}
        change = _change(ground, session, folder, effect) if effect.change is not None else None
        bot = people.permission(session, effect.repository, ground.settings.bot_login)
        merged = past.merged(ground, session, effect.repository, effect.past) if effect.past else ()
    default_head = history.branch_head(folder, repository.default_branch)
    branch_head = history.branch_head(folder, effect.branch) if effect.branch else None
    files_at = branch_head or default_head
    return p.FactsGathered(
        correlation=effect.correlation,
        repository=effect.repository,
        purpose=effect.purpose,
        default_branch=repository.default_branch,
        default_head=default_head,
        branch_head=branch_head,
        change=change,
        policy_text=history.read(folder, default_head, POLICY_FILE) if default_head else None,
        # The revision the text was read at, also when the file is not there: "no policy" has a moment, too.
        policy_revision=default_head,
        actors=actors,
        files={path: history.read(folder, files_at, path) if files_at else None for path in effect.paths},
        past=merged,
        can_write=people.at_least(bot, "write"),
        protected_branches=tuple(rule["branch"] for rule in repository.protection),
        tree=pushed.checked(files(folder, effect.tree_of)) if effect.tree_of else (),
    )


def _actor(session: Session, repository: str, login: str) -> p.Actor:
    user = session.get(ForgeUser, login)
    return p.Actor(
        login=login,
        permission=people.permission(session, repository, login),
        teams=people.teams(session, login),
        bot=bool(user and user.is_bot),
    )


def _change(ground: Ground, session: Session, folder: Path, effect: GatherFacts) -> dict[str, Any]:
    assert effect.change is not None
    row = get_change(session, effect.repository, effect.change)
    known = webhooks.change_json(ground, session, row)
    wanted = p.Change.model_fields.keys() | {"state", "coAuthors", "mergeSha"}
    change = p.Change.model_validate({"repository": effect.repository, **known}).to_json()
    kept = {name: value for name, value in change.items() if name in wanted or name == "lastPusher"}
    told = kept | extent(folder, row.target, row.head) | {"tree": history.tree_of(folder, row.head)}
    if effect.signatures:
        signers = signing.signers(folder, [one["sha"] for one in told["commits"]], ground.settings.home)
        told["commits"] = [one | signers.get(one["sha"], {}) for one in told["commits"]]
    return told


def files(folder: Path, revision: str) -> tuple[File, ...]:
    """All files of a revision. Raises Permanent('SymlinkRefused') for anything that is no plain file."""
    entries = _listed(folder, revision)
    contents = _batch(
        git(folder, "cat-file", "--batch", stdin="".join(f"{entry.sha}\n" for entry in entries).encode())
    )
    return tuple(_file(entry, body) for entry, body in zip(entries, contents, strict=True))


@dataclass(frozen=True)
class Entry:
    """A line of `git ls-tree -r -l`."""

    mode: str
    sha: str
    size: int
    path: str


def _listed(folder: Path, revision: str) -> list[Entry]:
    try:
        listed = git(folder, "ls-tree", "-r", "-l", "-z", "--full-tree", f"{revision}^{{commit}}").decode()
    except UnicodeDecodeError as error:
        raise Permanent("InvalidPath", f"{revision[:12]} has a path that is not UTF-8") from error
    except GitFailed as error:
        raise Permanent("RevisionMissing", f"there is no revision {revision}") from error
    entries = [_entry(text, revision) for text in listed.split("\0") if text]
    if len(entries) > TREE_FILES or sum(entry.size for entry in entries) > TREE_BYTES:
        limits = f"{TREE_FILES} files and {TREE_BYTES // 1024 // 1024} MiB are read at most"
        raise Permanent("TreeTooLarge", f"{revision[:12]} has {len(entries)} files; {limits}")
    return entries


def _entry(text: str, revision: str) -> Entry:
    about, _, path = text.partition("\t")
    mode, _, sha, size = about.split()
    if mode not in {"100644", "100755"}:
        raise Permanent(
            "SymlinkRefused", f"{path!r} in {revision[:12]} is a symbolic link or a submodule, not a file"
        )
    return Entry(mode, sha, int(size), path)


def _batch(printed: bytes) -> list[bytes]:
    """The answers of `cat-file --batch`: a line with the size, the bytes, a newline."""
    found, at = [], 0
    while at < len(printed):
        end = printed.index(b"\n", at)
        size = int(printed[at:end].split()[2])
        found.append(printed[end + 1 : end + 1 + size])
        at = end + 1 + size + 1
    return found


def _file(entry: Entry, body: bytes) -> File:
    executable = entry.mode == "100755"
    try:
        return File(path=entry.path, content=body.decode(), executable=executable)
    except UnicodeDecodeError:
        encoded = base64.b64encode(body).decode()
        return File(path=entry.path, content=encoded, encoding="base64", executable=executable)


def export(ground: Ground, repository: str, revision: str, path: str, into: Path) -> None:
    """Write the files below `path` at a revision into `into`. Raises Permanent."""
    folder = ground.folder(repository)
    sha = history.resolve(folder, revision) if folder.is_dir() else None
    if sha is None:
        raise Permanent("RevisionMissing", f"there is no revision {revision} in {repository}")
    try:
        packed = git(folder, "archive", "--format=tar", f"{sha}:{path.strip('/')}")
    except GitFailed as error:
        raise Permanent("PathMissing", f"{revision[:12]} has no folder {path!r}") from error
    into.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        try:
            archive.extractall(into, filter="data")
        except tarfile.FilterError as error:  # a link or a name that leads out of the folder
            raise Permanent("SymlinkRefused", f"{revision[:12]} cannot be exported: {error}") from error
