"""What the commands of `pointsman policy` read: the policy and what it lies over, facts, calendars, times."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

import policies
from policies.load import extended
from policies.source import LARGEST

FAILED, USAGE, BLOCKED = 1, 2, 3
LARGEST_CALENDAR = 1024 * 1024


class Output(StrEnum):
    """How to answer."""

    TEXT = "text"
    JSON = "json"


File = Annotated[
    Path, typer.Argument(help="The policy file, usually .pointsman/policy.yaml.", exists=True, dir_okay=False)
]
Format = Annotated[Output, typer.Option("--output", help="Prose, or JSON on standard output.")]
Root = Annotated[
    Path | None,
    typer.Option(help="Where files and calendars are looked for; default: the policy's repository."),
]
Organisation = Annotated[
    Path | None,
    typer.Option(
        help="The policy that all repositories of the organisation lie over.", exists=True, dir_okay=False
    ),
]


def text_of(file: Path) -> str:
    """The text of a policy file."""
    # One byte over what a policy may have is enough for it to be refused as too large.
    with file.open("rb") as stream:
        return stream.read(LARGEST + 1).decode("utf-8", errors="surrogateescape")


def read_policy(file: Path, root: Path | None = None, organisation: Path | None = None) -> policies.Policy:
    """The policy with everything it lies over. Raises PolicyErrors."""
    over = text_of(organisation) if organisation else None
    from handlers.policy import command_names

    return policies.load(
        text_of(file), name=file.name, files=files_of(file, root), organisation=over, commands=command_names()
    )


def files_of(file: Path, root: Path | None) -> tuple[tuple[str, str], ...]:
    """Path and text of what a policy extends, and of what that extends, as far as it is there."""
    found: dict[str, str] = {}
    base = base_of(file, root)
    path = extended(text_of(file))
    while path and path not in found:
        real = (base / path).resolve()
        if not real.is_file() or not real.is_relative_to(base):
            break
        found[path] = text_of(real)
        path = extended(found[path])
    return tuple(sorted(found.items()))


def base_of(file: Path, root: Path | None) -> Path:
    """The top of the repository a policy file lies in."""
    here = file.resolve().parent
    return (root or (here.parent if here.name == ".pointsman" else here)).resolve()


def usable_policy(
    file: Path, output: Output, root: Path | None = None, organisation: Path | None = None
) -> policies.Policy:
    """As `read_policy`; a broken one is told, and ends the command."""
    try:
        return read_policy(file, root, organisation)
    except policies.PolicyErrors as broken:
        if output is Output.JSON:
            tell({"ok": False, "errors": [error.to_json() for error in broken.errors]})
        typer.echo("\n".join(f"{file}:{error}" for error in broken.errors), err=True)
        raise typer.Exit(FAILED) from None


def facts_of(file: Path | None) -> policies.ReleaseFacts:
    """The facts of a release from JSON; none without a file."""
    try:
        return (
            policies.ReleaseFacts.model_validate_json(file.read_bytes()) if file else policies.ReleaseFacts()
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        misused(f"{file}: {'.'.join(map(str, first['loc'])) or 'facts'}: {first['msg']}")


def calendars_of(policy: policies.Policy, file: Path, root: Path | None) -> dict[str, str]:
    """The calendars that the policy names and that are there; the policy closes what it can not read."""
    base, found = base_of(file, root), {}
    for path in {freeze.ics for freeze in policy.freezes if freeze.ics}:
        real = (base / path).resolve()
        if real.is_file() and real.is_relative_to(base) and real.stat().st_size <= LARGEST_CALENDAR:
            found[path] = real.read_text(encoding="utf-8", errors="replace")
    return found


def moment_of(text: str, option: str) -> datetime:
    """A moment as it is written on the command line; UTC when it does not say."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        misused(f"{option}: {text!r} is not a time: write it like 2026-11-20T18:00:00Z")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def tell(value: dict[str, Any]) -> None:
    """JSON on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def misused(message: str) -> NoReturn:
    """The command line can not be understood."""
    typer.echo(message, err=True)
    raise typer.Exit(USAGE)
