"""`pointsman policy`: check a policy file, explain a verdict, show when an environment is closed.

Works without a server.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

import policies
from bot.domain.errors import Refused
from bot.domain.model import rfc3339
from policies import freezes
from policies.explain import lines
from policies.source import LARGEST
from policies.spans import CalendarError, Span

FAILED, USAGE, BLOCKED = 1, 2, 3
LARGEST_CALENDAR = 1024 * 1024

app = typer.Typer(no_args_is_help=True, help="Check, explain and plan with a policy file.")


class Output(StrEnum):
    """How to answer."""

    TEXT = "text"
    JSON = "json"


File = Annotated[
    Path, typer.Argument(help="The policy file, usually .pointsman/policy.yaml.", exists=True, dir_okay=False)
]
Format = Annotated[Output, typer.Option("--output", help="Prose, or JSON on standard output.")]
Root = Annotated[
    Path | None, typer.Option(help="Where calendars are looked for; default: the policy's repository.")
]


@app.command()
def check(file: File, root: Root = None, output: Format = Output.TEXT) -> None:
    """Say what is wrong with a policy file, with line, column and what was perhaps meant.

    Exit 0: nothing, 1: something.
    """
    try:
        errors = _unreadable(policies.load(_text(file), name=file.name), file, root)
    except policies.PolicyErrors as broken:
        errors = broken.errors
    if output is Output.JSON:
        _json({"ok": not errors, "errors": [error.to_json() for error in errors]})
    for error in errors if output is Output.TEXT else ():
        typer.echo(f"{file}:{error}")
    if output is Output.TEXT and not errors:
        typer.echo(f"{file}: ok")
    raise typer.Exit(FAILED if errors else 0)


@app.command()
def explain(
    file: File,
    facts: Annotated[
        Path | None, typer.Option(help="Facts of the release, as JSON.", exists=True, dir_okay=False)
    ] = None,
    environment: Annotated[str | None, typer.Option(help="Needed when the policy has more than one.")] = None,
    at: Annotated[str | None, typer.Option(help="The moment, ISO 8601; default: now.")] = None,
    root: Root = None,
    output: Format = Output.TEXT,
) -> None:
    """Say what the policy answers for a release, and why. Exit 0: approved, 3: blocked."""
    policy = _load(file, output)
    known = _facts(facts)
    moment = _moment(at, "--at") if at else datetime.now(UTC)
    try:
        where = policies.environment_of(policy.of(known.tenant), environment or known.environment or None)
    except Refused as refused:
        _usage(refused.message)
    calendars = _calendars(policy.of(known.tenant), file, root) | known.calendars
    known = known.model_copy(update={"environment": where, "calendars": calendars})
    verdict = policies.evaluate(policy, known, moment)
    if output is Output.JSON:
        _json(verdict.to_json())
    else:
        typer.echo("\n".join(lines(verdict)))
    raise typer.Exit(BLOCKED if verdict.blocks else 0)


@app.command()
def calendar(
    file: File,
    environment: Annotated[str, typer.Option()],
    begin: Annotated[str, typer.Option("--from", help="ISO 8601; a date is its midnight in UTC.")],
    end: Annotated[str, typer.Option("--to", help="As --from; not included.")],
    tenant: Annotated[str | None, typer.Option(help="Also freezes of this tenant alone.")] = None,
    module: Annotated[str | None, typer.Option(help="Also freezes of this module alone.")] = None,
    root: Root = None,
    output: Format = Output.TEXT,
) -> None:
    """List when an environment is closed: merged, in UTC, from each start until just before its end."""
    policy = _load(file, output).of(tenant or "")
    if environment not in policy.environments:
        _usage(f"There is no environment {environment!r} in the policy: {', '.join(policy.environments)}.")
    first, last = _moment(begin, "--from"), _moment(end, "--to")
    texts = _calendars(policy, file, root)
    try:
        closed = freezes.closed(
            policy.freezes, first, last, freezes.Scope(environment, tenant, module), texts
        )
    except CalendarError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from None
    if output is Output.JSON:
        _json({"closed": [_span(span) for span in closed]})
    for span in closed if output is Output.TEXT else ():
        typer.echo(f"{rfc3339(span.start)} - {rfc3339(span.end)}  {', '.join(span.names)}")
    if output is Output.TEXT and not closed:
        typer.echo(f"{environment} is open all the time.")


def _span(span: Span) -> dict[str, Any]:
    return {"start": rfc3339(span.start), "end": rfc3339(span.end), "names": list(span.names)}


def _text(file: Path) -> str:
    # One byte over what a policy may have is enough for it to be refused as too large.
    with file.open("rb") as stream:
        return stream.read(LARGEST + 1).decode("utf-8", errors="surrogateescape")


def _load(file: Path, output: Output) -> policies.Policy:
    try:
        return policies.load(_text(file), name=file.name)
    except policies.PolicyErrors as broken:
        if output is Output.JSON:
            _json({"ok": False, "errors": [error.to_json() for error in broken.errors]})
        typer.echo("\n".join(f"{file}:{error}" for error in broken.errors), err=True)
        raise typer.Exit(FAILED) from None


def _facts(file: Path | None) -> policies.ReleaseFacts:
    try:
        return (
            policies.ReleaseFacts.model_validate_json(file.read_bytes()) if file else policies.ReleaseFacts()
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        _usage(f"{file}: {'.'.join(map(str, first['loc'])) or 'facts'}: {first['msg']}")


def _calendars(policy: policies.Policy, file: Path, root: Path | None) -> dict[str, str]:
    """The calendars that the policy names and that are there; the policy closes what it can not read."""
    here = file.resolve().parent
    base = (root or (here.parent if here.name == ".pointsman" else here)).resolve()
    found = {}
    for path in {freeze.ics for freeze in policy.freezes if freeze.ics}:
        real = (base / path).resolve()
        if real.is_file() and real.is_relative_to(base) and real.stat().st_size <= LARGEST_CALENDAR:
            found[path] = real.read_text(encoding="utf-8", errors="replace")
    return found


def _unreadable(policy: policies.Policy, file: Path, root: Path | None) -> tuple[policies.PolicyError, ...]:
    """Complaints about the calendars that a policy names."""
    texts, errors = _calendars(policy, file, root), []
    for index, freeze in enumerate(policy.freezes):
        try:
            next(freeze.pieces(datetime.now(UTC), texts), None)
        except CalendarError as error:
            path = f"freezes[{index}].ics"
            place = policy.origins[path]
            errors.append(policies.PolicyError(place.line, place.column, path, str(error)))
    return tuple(errors)


def _moment(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        _usage(f"{option}: {text!r} is not a time: write it like 2026-11-20T18:00:00Z")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _usage(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(USAGE)
