"""`RevertCommit`: one commit that takes back what another did, file by file, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.local import commit, history, signing
from bot.forges.local.commit_files import committed, done_before, may_commit
from bot.forges.local.git import ZERO, git, line
from bot.forges.local.ground import Ground
from bot.forges.local.merge import author
from bot.forges.local.telling import writing
from bot.forges.local.tree import Index

NAMED = 5
"""Files of a conflict that are named."""


@dataclass(frozen=True)
class Touched:
    """What a commit did to one file: mode and blob before and after; mode `000000` for no file."""

    path: bytes
    before: tuple[str, str]
    after: tuple[str, str]


def revert_commit(
    ground: Ground, effect_id: str, effect: e.RevertCommit, _context: EffectContext
) -> e.CommitResult:
    """One commit on the branch, marked by the effect's id."""
    bot = ground.settings.bot_login
    may_commit(ground, effect.repository, effect.branch, bot)
    with writing(ground, effect.repository, bot) as folder:
        head = history.branch_head(folder, effect.branch)
        if head and (done := done_before(ground, folder, head, effect_id)):
            return committed(folder, effect.branch, done)
        onto = head or history.branch_head(folder, effect.base)
        if onto is None:
            about = f"there is no branch {effect.base} to start {effect.branch} from"
            raise Permanent("BranchDeleted", about)
        tree = _taken_back(folder, onto, effect)
        if tree == history.tree_of(folder, onto):
            if head is None:
                commit.move(folder, f"refs/heads/{effect.branch}", onto, ZERO)
            return committed(folder, effect.branch, onto, files=())
        message = commit.message_with(effect.message, {**effect.trailers, "Effect-Id": effect_id})
        sign = signing.options(ground.settings.home)
        sha = commit.write_commit(folder, tree, [onto], message, author(ground, bot), signing=sign)
        if not commit.move(folder, f"refs/heads/{effect.branch}", sha, head or ZERO):
            raise Retryable(f"{effect.branch} moved while {effect.revision[:12]} was being taken back")
        return committed(folder, effect.branch, sha)


def _taken_back(folder: Path, onto: str, effect: e.RevertCommit) -> str:
    """The tree of `onto` without what the revision did. Raises Permanent."""
    revision = history.resolve(folder, effect.revision)
    if revision is None:
        raise Permanent("RevisionMissing", f"there is no revision {effect.revision} in {effect.repository}")
    touched = _touched(folder, revision)
    there = _entries(folder, onto)
    gone = ("000000", ZERO)
    _unless(revision, [one.path for one in touched if there.get(one.path, gone) != one.after])
    with TemporaryDirectory(prefix="pointsman-revert-") as scratch:
        index = Index(folder, Path(scratch))
        git(folder, "read-tree", onto, env=index.env)
        index.restore({one.path: one.before for one in touched})
        wanted = there.keys() - {one.path for one in touched}
        wanted |= {one.path for one in touched if one.before != gone}
        _unless(revision, sorted(wanted ^ index.paths()))  # a file now stands where a folder was, or a folder
        return line(folder, "write-tree", env=index.env)


def _unless(revision: str, moved_on: list[bytes]) -> None:
    if moved_on:
        names = ", ".join(path.decode(errors="replace") for path in moved_on[:NAMED])
        raise Permanent(
            "RevertConflict",
            f"{names} changed since {revision[:12]}: take it back by hand, in a change of your own",
        )


def _touched(folder: Path, revision: str) -> list[Touched]:
    """Relative to the first parent; a first commit is compared with nothing."""
    parent = history.resolve(folder, f"{revision}^1")
    two = [parent, revision] if parent else ["--root", "--no-commit-id", revision]
    printed = git(folder, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", *two)
    parts = printed.split(b"\0")
    return [_one(about.decode(), path) for about, path in zip(parts[::2], parts[1::2], strict=False)]


def _one(about: str, path: bytes) -> Touched:
    """A pair of `diff-tree --raw -z`: `:mode mode sha sha status`, the path."""
    old_mode, new_mode, old, new, _status = about.removeprefix(":").split()
    return Touched(path, (old_mode, old), (new_mode, new))


def _entries(folder: Path, revision: str) -> dict[bytes, tuple[str, str]]:
    """Path -> mode and blob of every file of a revision."""
    listed = git(folder, "ls-tree", "-r", "-z", "--full-tree", revision)
    lines = [entry.partition(b"\t") for entry in listed.split(b"\0") if entry]
    return {
        path: (mode.decode(), sha.decode()) for about, _, path in lines for mode, _, sha in [about.split()]
    }
