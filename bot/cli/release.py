"""`pointsman release list | approve | reject | override-freeze | rollback | delay | deploy | ...`.

The comment commands, from a terminal.

Exit 0: done; 3: the policy is against it; 4: it is not yours to say.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.client import URL, Client, TokenFileOption, UrlOption
from bot.cli.output import Format, OutputOption, answer, clean
from bot.cli.release_verbs import add_verbs
from bot.cli.saying import WAIT, TimeoutOption, TraceArgument, say

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True, help="List, approve, reject and roll back releases; override a freeze."
)
EnvironmentArgument = Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="Such as production.")]
ReasonArgument = Annotated[list[str], typer.Argument(metavar="REASON", help="Why, in a few words.")]


@app.command("list")
def list_(
    environment: Annotated[str | None, typer.Option("--environment", help="Only this one.")] = None,
    url: UrlOption = URL,
    token_file: TokenFileOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """List what waits: per environment, why, who can help, when it changes."""
    with Client(url, token_file) as client:
        found = client.get("/v1/releases", environment=environment)
    answer(output, found, text=lambda out: _table(out, found["releases"]))


@app.command()
def approve(
    trace: TraceArgument,
    environment: EnvironmentArgument,
    reason: Annotated[
        list[str] | None, typer.Argument(metavar="[REASON]", help="Why; `cancel` takes it back.")
    ] = None,
    timeout: TimeoutOption = WAIT,
    url: UrlOption = URL,
    token_file: TokenFileOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Approve exactly the revision under review, as the token's person."""
    say(Client(url, token_file), trace, _line("approve-release", environment, reason), timeout, output)


@app.command()
def reject(
    trace: TraceArgument,
    environment: EnvironmentArgument,
    reason: ReasonArgument,
    timeout: TimeoutOption = WAIT,
    url: UrlOption = URL,
    token_file: TokenFileOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Reject the revision under review."""
    say(Client(url, token_file), trace, _line("reject-release", environment, reason), timeout, output)


@app.command("override-freeze")
def override_freeze(
    trace: TraceArgument,
    environment: EnvironmentArgument,
    reason: ReasonArgument,
    timeout: TimeoutOption = WAIT,
    url: UrlOption = URL,
    token_file: TokenFileOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Lift the active freeze for this release only."""
    say(Client(url, token_file), trace, _line("override-freeze", environment, reason), timeout, output)


@app.command()
def rollback(
    trace: TraceArgument,
    environment: EnvironmentArgument,
    reason: ReasonArgument,
    to: Annotated[str | None, typer.Option("--to", help="Version that ran before, to be sure which.")] = None,
    timeout: TimeoutOption = WAIT,
    url: UrlOption = URL,
    token_file: TokenFileOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Go back to the version that ran before."""
    words = ["to", to, *reason] if to else reason
    say(Client(url, token_file), trace, _line("request-rollback", environment, words), timeout, output)


add_verbs(app)


def _line(command: str, environment: str, reason: list[str] | None) -> str:
    """The comment line that says the same. `--` keeps words that look like options in the reason."""
    words = " ".join(" ".join(reason or []).split())
    return f"/{command} {shlex.quote(environment)}" + (f" -- {shlex.quote(words)}" if words else "")


def _table(out: Console, releases: list[dict[str, Any]]) -> None:
    from rich.text import Text

    if not releases:
        out.print("Nothing waits.")
    for one in releases:
        head = (
            f"{one['moduleId']} {one['version']} -> {one['environment']}: {one['state']}  [{one['traceId']}]"
        )
        out.print(Text(clean(head), style="bold"))
        for said in (one["message"], _help(one), _when(one)):
            if said:
                out.print(Text(clean(f"  {said}")))


def _help(one: dict[str, Any]) -> str:
    return f"Can help: {', '.join(one['whoCan'])}." if one["whoCan"] else ""


def _when(one: dict[str, Any]) -> str:
    return f"Changes at {one['nextChangeAt']}." if one["nextChangeAt"] else ""
