"""`pointsman policy`: check a policy file, explain a verdict, show when an environment is closed.

Works without a server.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

import policies
from bot.cli import policy_try
from bot.cli.policy_reading import (
    FAILED,
    File,
    Format,
    Organisation,
    Output,
    Root,
    calendars_of,
    misused,
    moment_of,
    read_policy,
    tell,
    usable_policy,
)
from bot.domain.model import rfc3339
from policies import freezes, json_schema, resolved
from policies.spans import CalendarError, Span

app = typer.Typer(no_args_is_help=True, help="Check, explain and plan with a policy file.")


@app.command()
def check(
    file: File,
    show_resolved: Annotated[
        bool, typer.Option("--resolved", help="Also say every value in force, and where it was written.")
    ] = False,
    tenant: Annotated[str | None, typer.Option(help="With --resolved: as it is for this tenant.")] = None,
    organisation: Organisation = None,
    root: Root = None,
    output: Format = Output.TEXT,
) -> None:
    """Say what is wrong with a policy file, with line, column and what was perhaps meant.

    Exit 0: nothing, 1: something.
    """
    values: tuple[resolved.Value, ...] = ()
    try:
        policy = read_policy(file, root, organisation)
        errors = _unreadable(policy, file, root)
        values = tuple(resolved.values(policy.of(tenant or ""))) if show_resolved else ()
    except policies.PolicyErrors as broken:
        errors = broken.errors
    if output is Output.JSON:
        shown = {"resolved": [value.to_json() for value in values]} if show_resolved else {}
        tell({"ok": not errors, "errors": [error.to_json() for error in errors], **shown})
    else:
        _say(file, errors, values)
    raise typer.Exit(FAILED if errors else 0)


def _say(file: Path, errors: tuple[policies.PolicyError, ...], values: tuple[resolved.Value, ...]) -> None:
    for error in errors:
        typer.echo(f"{file}:{error}")
    if not errors:
        typer.echo(f"{file}: ok")
    for value in values:
        typer.echo(str(value))


@app.command()
def schema() -> None:
    """Print the JSON Schema (draft-07) of a policy file, for editors."""
    tell(json_schema.document())


@app.command()
def calendar(
    file: File,
    environment: Annotated[str, typer.Option()],
    begin: Annotated[str, typer.Option("--from", help="ISO 8601; a date is its midnight in UTC.")],
    end: Annotated[str, typer.Option("--to", help="As --from; not included.")],
    tenant: Annotated[str | None, typer.Option(help="Also freezes of this tenant alone.")] = None,
    module: Annotated[str | None, typer.Option(help="Also freezes of this module alone.")] = None,
    organisation: Organisation = None,
    root: Root = None,
    output: Format = Output.TEXT,
) -> None:
    """List when an environment is closed: merged, in UTC, from each start until just before its end."""
    policy = usable_policy(file, output, root, organisation).of(tenant or "")
    if environment not in policy.environments:
        misused(f"There is no environment {environment!r} in the policy: {', '.join(policy.environments)}.")
    first, last = moment_of(begin, "--from"), moment_of(end, "--to")
    texts = calendars_of(policy, file, root)
    try:
        closed = freezes.closed(
            policy.freezes, first, last, freezes.Scope(environment, tenant, module), texts
        )
    except CalendarError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from None
    if output is Output.JSON:
        tell({"closed": [_span(span) for span in closed]})
    for span in closed if output is Output.TEXT else ():
        typer.echo(f"{rfc3339(span.start)} - {rfc3339(span.end)}  {', '.join(span.names)}")
    if output is Output.TEXT and not closed:
        typer.echo(f"{environment} is open all the time.")


def _span(span: Span) -> dict[str, Any]:
    return {"start": rfc3339(span.start), "end": rfc3339(span.end), "names": list(span.names)}


def _unreadable(policy: policies.Policy, file: Path, root: Path | None) -> tuple[policies.PolicyError, ...]:
    """Complaints about the calendars that a policy names."""
    texts, errors = calendars_of(policy, file, root), []
    for index, freeze in enumerate(policy.freezes):
        try:
            next(freeze.pieces(datetime.now(UTC), texts), None)
        except CalendarError as error:
            path = f"freezes[{index}].ics"
            place = policy.origins[path]
            errors.append(policies.PolicyError(place.line, place.column, path, str(error)))
    return tuple(errors)


app.command("explain")(policy_try.explain)
app.command("test")(policy_try.try_cases)
app.command("backtest")(policy_try.backtest)
