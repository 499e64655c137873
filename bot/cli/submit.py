"""`pointsman submit DIR --repo R --module M --version V`: hand generated code in, over HTTP."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from bot.cli.client import URL, Client, TokenFileOption, UrlOption, wait_for
from bot.cli.failure import Code, Failure
from bot.cli.output import Format, OutputOption, answer, count, say
from bot.cli.standing import shown, standing

app = typer.Typer()


@app.command()
def submit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the module's files.")],
    repo: Annotated[str, typer.Option("--repo", help="Repository to commit to.")],
    module: Annotated[str, typer.Option("--module", help="Name of the module.")],
    version: Annotated[str, typer.Option("--version", help="Version, such as 1.2.0.")],
    path: Annotated[str, typer.Option("--path", help="Folder of the module in a mono-repo.")] = "",
    summary: Annotated[str, typer.Option("--summary", help="One line: what it does.")] = "",
    changelog: Annotated[
        list[str] | None, typer.Option("--changelog", help="One entry; may be repeated.")
    ] = None,
    trace: Annotated[str | None, typer.Option("--trace", help="Continue this trace.")] = None,
    forge: Annotated[str, typer.Option("--forge", help="Where the repository lives.")] = "local",
    command: Annotated[str, typer.Option("--command", help="How the service is started.")] = "",
    issue: Annotated[
        list[str] | None, typer.Option("--issue", help="What it is about, such as '#12'; may be repeated.")
    ] = None,
    close_issues: Annotated[
        bool, typer.Option("--close-issues", help="Merging the change closes these issues.")
    ] = False,
    create_repository: Annotated[
        bool,
        typer.Option("--create-repository", help="Make the repository if it is not there and may be made."),
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Until it is released, blocked or failed.")] = False,
    timeout: Annotated[float, typer.Option("--timeout", min=1, help="Seconds that --wait waits.")] = 600,
    url: UrlOption = URL,
    token_file: TokenFileOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Submit a folder of generated code; commit, change and pipeline follow by themselves.

    With --wait the exit code is 0 released, 1 failed, 3 blocked by policy.
    """
    from bot.cli.folder import read_folder

    found = read_folder(folder)
    for notice in found.notices:
        say(notice)
    said: dict[str, Any] = {
        "repository": repo, "moduleId": module, "version": version, "path": path, "summary": summary,
        "forge": forge, "changelog": changelog or [], "files": found.files,
    }  # fmt: skip
    said |= {"issues": issue} if issue else {}
    said |= {"closeIssues": True} if close_issues else {}
    said |= {"createRepository": True} if create_repository else {}
    said |= {"traceId": trace} if trace else {}
    said |= {"service": {"command": _words(command)}} if command else {}
    with Client(url, token_file) as client:
        accepted = client.post("/v1/modules", said)
        say(
            f"Accepted {count(len(found.files), 'file')} ({count(found.size, 'byte')}) as "
            f"{accepted['traceId']}: {accepted['url']}"
        )
        if not wait:
            answer(output, accepted, text=lambda out: out.print(accepted["traceId"], markup=False))
            return
        reached = _reached(client, accepted, timeout)
    _tell_outcome(accepted, reached["state"], output)


def _tell_outcome(accepted: dict[str, Any], state: dict[str, Any], output: Format) -> NoReturn:
    ended = standing(state)
    said = accepted | {"outcome": ended.name, "state": state}
    answer(output, said, text=lambda out: shown(out, state))
    raise typer.Exit(ended.code)


def _reached(client: Client, accepted: dict[str, Any], timeout: float) -> dict[str, Any]:
    trace, event = accepted["traceId"], accepted["eventId"]

    def look() -> dict[str, Any] | None:
        try:
            found = client.get(f"/v1/traces/{trace}")
        except Failure as failure:
            if failure.reason_code == "NotFound":
                return None  # accepted, but not drained yet
            raise
        if not any(said["id"] == event for said in found["events"]):
            return None
        return found if standing(found["state"]).settled else None

    return wait_for(
        look, seconds=timeout, what=f"trace {trace} goes on by itself, only this command stops waiting"
    )


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise Failure(
            f"--command: {str(error).lower()}.", Code.USAGE, reason_code="InvalidCommand"
        ) from error
