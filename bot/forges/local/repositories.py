"""Making a repository: the bare Git one, its settings, its row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.domain.effect import File
from bot.domain.errors import Permanent
from bot.forges.local import commit, people, signing, telling, tree
from bot.forges.local.git import ZERO, git
from bot.forges.local.ground import Ground, Missing
from bot.forges.local.protection import Rule, install_hooks
from bot.forges.local.tables import ForgeMember, ForgeRepository

MAIN = "main"


@dataclass(frozen=True)
class Origin:
    """Of a repository that the bot made: what it is for, and the mark by which it is found again."""

    description: str
    mark: str


def create(  # noqa: PLR0913 - what a repository may begin with
    ground: Ground,
    name: str,
    *,
    default_branch: str = MAIN,
    protection: tuple[Rule, ...] | None = None,
    files: tuple[File, ...] = (),
    by: str | None = None,
    origin: Origin | None = None,
) -> Path:
    """A repository with `files` as its first commit; `protection` absent: the default branch is protected.

    The bot gets write permission, `by` becomes admin. Raises Missing for a bad name, people.Taken.
    """
    folder = ground.folder(name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with ground.read() as session:
        if session.get(ForgeRepository, name) is not None:
            raise people.Taken(f"there is a repository {name!r} already")
    install_hooks(ground.settings.home)
    _initialise(ground, folder, default_branch)
    rules = protection if protection is not None else (Rule(branch=default_branch),)
    with ground.write() as session:
        session.add(
            ForgeRepository(
                name=name,
                default_branch=default_branch,
                protection=[rule.to_json() for rule in rules],
                description=origin.description if origin else None,
                mark=origin.mark if origin else None,
                created_at=ground.moment(),
            )
        )
        session.add(ForgeMember(repository=name, login=ground.settings.bot_login, permission="write"))
        if by:
            session.add(ForgeMember(repository=name, login=by, permission="admin"))
    if files:
        begin(ground, name, files=files, default_branch=default_branch, by=by)
    return folder


def begin(
    ground: Ground, name: str, *, files: tuple[File, ...], default_branch: str = MAIN, by: str | None = None
) -> None:
    """The first commit of a repository."""
    with telling.writing(ground, name, by or ground.settings.bot_login) as folder:
        _first_commit(ground, folder, default_branch, files)


def _initialise(ground: Ground, folder: Path, default_branch: str) -> None:
    """`git init` may run twice: a process may have died between this and the row."""
    git(folder.parent, "init", "--bare", "--quiet", f"--initial-branch={default_branch}", folder.name)
    settings = {
        "core.hooksPath": str((ground.settings.home / "hooks").resolve()),
        "receive.fsckObjects": "true",
        "receive.autogc": "false",  # in the middle of a push it would cost seconds
        "gc.auto": "0",
    }
    for key, value in settings.items():
        git(folder, "config", key, value)


def _first_commit(ground: Ground, folder: Path, branch: str, files: tuple[File, ...]) -> None:
    settings = ground.settings
    built = tree.build_tree(folder, None, {tree.checked_path("", file.path): file for file in files})
    author = commit.Author("Pointsman", settings.bot_email, ground.moment())
    sha = commit.write_commit(
        folder, built, [], "chore: begin\n", author, signing=signing.options(settings.home)
    )
    commit.move(folder, f"refs/heads/{branch}", sha, ZERO)


def protect(ground: Ground, repository: str, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Replace the rules of a repository. Raises Missing, Permanent('InvalidRule')."""
    try:
        checked = [Rule.model_validate(rule).to_json() for rule in rules]
    except ValidationError as error:
        raise Permanent(
            "InvalidRule", f"not a rule of branch protection: {error.errors()[0]['msg']}"
        ) from error
    with ground.write() as session:
        row = session.get(ForgeRepository, repository)
        if row is None:
            raise Missing(f"there is no repository {repository!r}")
        row.protection = checked
    return checked
