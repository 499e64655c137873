"""`pointsman release list | approve | reject | override-freeze | rollback`.

The comment commands, from a terminal.

Exit 0: done; 3: the policy is against it; 4: it is not yours to say.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.client import URL, Client, TokenFileOption, UrlOption, wait_for
from bot.cli.failure import Code, Failure
from bot.cli.output import Format, OutputOption, answer, clean

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True, help="List, approve, reject and roll back releases; override a freeze."
)
TraceArgument = Annotated[str, typer.Argument(metavar="TRACE", help="Id of the trace.")]
EnvironmentArgument = Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="Such as production.")]
ReasonArgument = Annotated[list[str], typer.Argument(metavar="REASON", help="Why, in a few words.")]
TimeoutOption = Annotated[float, typer.Option("--timeout", min=1, help="Seconds to wait for the answer.")]
NOT_YOURS = {"NotAuthorised", "UnauthorizedApprover", "UnauthorizedOverride"}
WRONG = {"InvalidArguments", "UnknownCommand", "UnknownEnvironment", "EnvironmentRequired", "NotACommand"}
WAIT = 60.0


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
    _say(Client(url, token_file), trace, _line("approve-release", environment, reason), timeout, output)


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
    _say(Client(url, token_file), trace, _line("reject-release", environment, reason), timeout, output)


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
    _say(Client(url, token_file), trace, _line("override-freeze", environment, reason), timeout, output)


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
    _say(Client(url, token_file), trace, _line("request-rollback", environment, words), timeout, output)


def _line(command: str, environment: str, reason: list[str] | None) -> str:
    """The comment line that says the same. `--` keeps words that look like options in the reason."""
    words = " ".join(" ".join(reason or []).split())
    return f"/{command} {shlex.quote(environment)}" + (f" -- {shlex.quote(words)}" if words else "")


def _say(client: Client, trace: str, line: str, timeout: float, output: Format) -> None:
    with client:
        issued = client.post(f"/v1/traces/{trace}/commands", {"line": line, "via": "cli"})
        where = f"/v1/traces/{trace}/commands/{issued['correlation']}"

        def look() -> dict[str, Any] | None:
            found = client.get(where)
            return None if found["state"] == "pending" else found

        said = wait_for(look, seconds=timeout, what=f"{line} was taken, its answer will be in trace {trace}")
    if said["state"] != "done":
        raise Failure(said["message"], _code(said), reason_code=said["reasonCode"])
    answer(output, said, text=lambda out: _reply(out, said["reply"]))


def _code(said: dict[str, Any]) -> Code:
    if said["state"] == "failed":
        return Code.FAILED
    if said["reasonCode"] in NOT_YOURS:
        return Code.NOT_AUTHORISED
    return Code.USAGE if said["reasonCode"] in WRONG else Code.BLOCKED


def _reply(out: Console, reply: str) -> None:
    from rich.markdown import Markdown

    out.print(Markdown(clean(reply)))


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
