"""Reading Git: refs, commits, who had a part in them, files, differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.forges.local.git import ZERO, git, line, run
from bot.forges.trailers import CO_AUTHOR

COMMITS_READ = 500
"""Commits of one push or change that are looked at; more is a migration, not work."""
DIFF_LIMIT = 200_000
FORMAT = "%H%x00%an%x00%ae%x00%ce%x00%aI%x00%B%x00%x01"


@dataclass(frozen=True)
class Commit:
    """One commit. Addresses are e-mail addresses, lower case."""

    sha: str
    author_name: str
    author: str
    committer: str
    authored_at: str
    message: str

    @property
    def subject(self) -> str:
        return self.message.partition("\n")[0]

    @property
    def co_authors(self) -> tuple[str, ...]:
        return tuple(address.lower() for address in CO_AUTHOR.findall(self.message))


def refs(folder: Path) -> dict[str, str]:
    """Branches and tags by full name, as they are now. Annotated tags point to the commit."""
    found: dict[str, str] = {}
    form = "%(refname) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
    for text in (
        git(folder, "for-each-ref", f"--format={form}", "refs/heads", "refs/tags").decode().splitlines()
    ):
        ref, _, sha = text.partition(" ")
        found[ref] = sha
    return found


def resolve(folder: Path, revision: str) -> str | None:
    """The commit a name stands for, or None."""
    done = run(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return done.stdout.decode().strip() or None


def branch_head(folder: Path, branch: str) -> str | None:
    """The head of a branch, or None when there is no such branch."""
    # `rev-parse` would take `main~1` for a branch as well.
    done = run(folder, "show-ref", "--verify", "--hash", "--", f"refs/heads/{branch}")
    return done.stdout.decode().strip() or None


def tree_of(folder: Path, revision: str) -> str:
    """The tree of a commit. Raises GitFailed."""
    return line(folder, "rev-parse", "--verify", f"{revision}^{{tree}}")


def is_ancestor(folder: Path, older: str, newer: str) -> bool:
    """Whether `newer` contains `older`."""
    return run(folder, "merge-base", "--is-ancestor", older, newer).returncode == 0


def merge_base(folder: Path, one: str, other: str) -> str | None:
    """Where two histories part, or None."""
    return run(folder, "merge-base", one, other).stdout.decode().split("\n")[0] or None


def read(folder: Path, revision: str, path: str) -> str | None:
    """A text file at a revision, or None when there is none (or something else is there)."""
    done = run(folder, "cat-file", "blob", f"{revision}:{path}")
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


@dataclass(frozen=True)
class Tree(Mapping[str, str]):
    """The text files of a revision, by path; read when asked for."""

    folder: Path
    revision: str

    def __getitem__(self, path: str) -> str:
        text = read(self.folder, self.revision, path)
        if text is None:
            raise KeyError(path)
        return text

    def __iter__(self) -> Iterator[str]:
        return iter(paths(self.folder, ZERO, self.revision))

    def __len__(self) -> int:
        return len(list(iter(self)))


def commits(folder: Path, *revisions: str, limit: int = COMMITS_READ) -> list[Commit]:
    """Commits that `git log` selects by `revisions`, newest first."""
    printed = git(folder, "log", f"--max-count={limit}", f"--format={FORMAT}", *revisions, "--")
    return [_commit(entry) for entry in printed.decode(errors="replace").split("\x00\x01") if entry.strip()]


def _commit(entry: str) -> Commit:
    sha, name, author, committer, authored_at, message = entry.lstrip("\n").split("\x00", 5)
    return Commit(sha, name, author.lower(), committer.lower(), authored_at, message.strip())


def pushed_commits(folder: Path, before: str, after: str, others: list[str]) -> list[Commit]:
    """What a push brought: commits not in `before`; for a new branch, commits on none of `others`."""
    if after == ZERO:
        return []
    known = [before] if before != ZERO else others
    return commits(folder, after, *(f"^{sha}" for sha in known))


def paths(folder: Path, before: str, after: str) -> tuple[str, ...]:
    """Files that differ between two revisions; for a first push, all files."""
    if before == ZERO:
        printed = git(folder, "ls-tree", "-r", "-z", "--name-only", after)
    else:
        printed = git(folder, "diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after)
    return tuple(path for path in printed.decode(errors="replace").split("\0") if path)


def diff(folder: Path, base: str, head: str) -> tuple[str, bool]:
    """The difference as text, and whether it was cut."""
    printed = git(
        folder,
        "-c",
        "core.quotePath=false",
        "diff",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--find-renames",
        base,
        head,
    )
    return printed[:DIFF_LIMIT].decode(errors="replace"), len(printed) > DIFF_LIMIT


def find_effect(folder: Path, head: str, effect_id: str, committer: str) -> list[str]:
    """Commits of `committer` below `head` that carry `Effect-Id: effect_id`, of the newest 1,000."""
    form = "--format=%H %ce %(trailers:key=Effect-Id,valueonly,separator=%x20)"
    printed = git(folder, "log", "--max-count=1000", form, head, "--")
    words = [text.split() for text in printed.decode(errors="replace").splitlines()]
    return [sha for sha, email, *marks in words if email == committer and effect_id in marks]
