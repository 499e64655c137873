"""`pointsman forge user | repository | member | team`: the embedded forge's people and repositories, on the
server itself.

A forge of one's own begins with these; everything later is done over Git, the pages and `/forge/api`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli.failure import Code, Failure
from bot.cli.output import Format, OutputOption, answer, say
from bot.cli.place import at_home, opened, settings

if TYPE_CHECKING:
    from bot.forges.local.forge import LocalForge

app = typer.Typer(no_args_is_help=True, help="Make users and repositories of the embedded forge.")
Repository = Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository.")]
Login = Annotated[str, typer.Argument(metavar="LOGIN", help="The user.")]


@contextmanager
def _forge() -> Iterator[LocalForge]:
    from bot.engine.prepare import prepare
    from bot.forges.local.forge import LocalForge

    said = at_home()
    prepare(said.database, said.shards)
    with opened() as store:
        yield LocalForge(said, store)


@contextmanager
def _explained() -> Iterator[None]:
    from bot.forges.local.ground import Missing
    from bot.forges.local.people import Taken
    from policies import PolicyErrors

    try:
        yield
    except PolicyErrors as broken:
        message = f"The policy can not be used.\n{broken}"
        raise Failure(message, Code.FAILED, reason_code="PolicyInvalid", path="policy") from broken
    except (Taken, Missing, LookupError) as error:
        sentence = str(error.args[0])
        raise Failure(f"{sentence[:1].upper()}{sentence[1:]}.", Code.FAILED, reason_code="Refused") from error


@app.command()
def user(
    login: Login,
    email: Annotated[str, typer.Option("--email", help="For commits.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="May make users and repositories.")] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Make a user. Standard output has the token, for Git, the pages and the API, this once."""
    with _explained(), _forge() as forge:
        token = forge.create_user(login, email, admin=admin)
    say(f"A token of the embedded forge for {login}. It is shown this once.")
    answer(output, {"login": login, "token": token}, text=lambda out: out.print(token, markup=False))


@app.command()
def repository(
    name: Repository,
    owner: Annotated[str | None, typer.Option("--owner", help="User who may do everything in it.")] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", exists=True, dir_okay=False, help="Becomes .pointsman/policy.yaml."),
    ] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Make a repository with a first commit; its main branch is protected. With a policy nobody merges past
    it: the bot's check over all its environments is required.
    """
    import policies
    from bot.domain.effect import File
    from bot.domain.release import POLICY_FILE
    from bot.forges.local.protection import gated
    from handlers.policy import command_names

    files, rules = [File(path="README.md", content=f"# {name}\n")], None
    with _explained(), _forge() as forge:
        if policy is not None:
            text = policy.read_text(encoding="utf-8")
            files.append(File(path=POLICY_FILE, content=text))
            policies.load(text, commands=command_names())
            rules = (gated("main"),)
        folder = forge.create_repository(name, by=owner, files=tuple(files), protection=rules)
    said = {"repository": name, "folder": str(folder), "cloneUrl": f"{settings().base_url}/git/{name}.git"}
    answer(output, said, text=lambda out: out.print(said["cloneUrl"], markup=False))


@app.command()
def member(
    name: Repository,
    login: Login,
    permission: Annotated[
        Literal["none", "read", "write", "maintain", "admin"], typer.Argument(help="What they may do.")
    ],
    output: OutputOption = Format.TEXT,
) -> None:
    """Give a user a permission in a repository."""
    with _explained(), _forge() as forge:
        forge.set_member(name, login, permission)
    said = {"repository": name, "login": login, "permission": permission}
    answer(output, said, text=lambda out: out.print(f"{login}: {permission} in {name}", markup=False))


@app.command()
def team(
    name: Annotated[str, typer.Argument(metavar="ORG/TEAM", help="The team.")],
    logins: Annotated[list[str], typer.Argument(metavar="LOGIN...", help="Everyone who is in it.")],
    output: OutputOption = Format.TEXT,
) -> None:
    """Say who is in a team."""
    with _explained(), _forge() as forge:
        forge.set_team(name, tuple(logins))
    said = {"team": name, "members": sorted(set(logins))}
    answer(
        output, said, text=lambda out: out.print(f"{name}: {', '.join(sorted(set(logins)))}", markup=False)
    )
