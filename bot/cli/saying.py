"""A command said to a trace over HTTP, and the answer waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.client import Client, wait_for
from bot.cli.failure import Code, Failure
from bot.cli.output import Format, answer, clean

if TYPE_CHECKING:
    from rich.console import Console

TraceArgument = Annotated[str, typer.Argument(metavar="TRACE", help="Id of the trace.")]
TimeoutOption = Annotated[float, typer.Option("--timeout", min=1, help="Seconds to wait for the answer.")]
NOT_YOURS = {"NotAuthorised", "UnauthorizedApprover", "UnauthorizedOverride"}
WRONG = {
    "InvalidAnswer", "InvalidArguments", "InvalidDuration", "InvalidMoment", "UnknownCommand",
    "UnknownEnvironment", "UnknownTask", "UnknownTemplate", "EnvironmentRequired", "MomentPassed",
    "NotACommand",
}  # fmt: skip
WAIT = 60.0


def say(client: Client, trace: str, line: str, timeout: float, output: Format) -> None:
    """Say it, and print the answer; a refusal is a Failure with its exit code."""
    with client:
        issued = _issued(client, trace, line)
        where = f"/v1/traces/{trace}/commands/{issued['correlation']}"

        def look() -> dict[str, Any] | None:
            found = client.get(where)
            return None if found["state"] == "pending" else found

        said = wait_for(look, seconds=timeout, what=f"{line} was taken, its answer will be in trace {trace}")
    if said["state"] != "done":
        raise Failure(said["message"], _code(said), reason_code=said["reasonCode"])
    answer(output, said, text=lambda out: _reply(out, said["reply"]))


def _issued(client: Client, trace: str, line: str) -> dict[str, Any]:
    try:
        answered: dict[str, Any] = client.post(f"/v1/traces/{trace}/commands", {"line": line, "via": "cli"})
    except Failure as failure:
        # What the API refuses at once is as wrong as what a command refuses later.
        wrong = Code.USAGE if failure.reason_code in WRONG else failure.code
        raise Failure(failure.message, wrong, reason_code=failure.reason_code, path=failure.path) from None
    return answered


def _code(said: dict[str, Any]) -> Code:
    if said["state"] == "failed":
        return Code.FAILED
    if said["reasonCode"] in NOT_YOURS:
        return Code.NOT_AUTHORISED
    return Code.USAGE if said["reasonCode"] in WRONG else Code.BLOCKED


def _reply(out: Console, reply: str) -> None:
    from rich.markdown import Markdown

    out.print(Markdown(clean(reply)))
