"""`pointsman evidence add FILE --repo R --revision SHA`: hand a report in, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.client import URL, Client, TokenFileOption, UrlOption
from bot.cli.failure import Code, Failure
from bot.cli.output import Format, OutputOption, answer, clean

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(no_args_is_help=True, help="Hand in reports: tests, coverage, findings, parts, signatures.")
KINDS = "junit, cobertura, sarif, cyclonedx, dsse or sigstore; seen from the content when left out."


@app.callback()
def evidence() -> None:
    """Hand in reports: tests, coverage, findings, parts, signatures."""


@app.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The report, as the tool wrote it.")],
    repo: Annotated[str, typer.Option("--repo", help="Repository that it is about.")],
    revision: Annotated[str, typer.Option("--revision", help="The full commit that it is about.")],
    kind: Annotated[str, typer.Option("--kind", help=KINDS)] = "",
    forge: Annotated[str, typer.Option("--forge", help="Where the repository lives.")] = "local",
    url: UrlOption = URL,
    token_file: TokenFileOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Add a report about a revision. The token needs the scope `evidence:write`."""
    content = file.read_bytes()
    if not content:
        raise Failure(f"{file} is empty.", Code.USAGE, reason_code="EmptyFile", path="FILE")
    about = {"repository": repo, "revision": revision, "forge": forge, "kind": kind, "path": file.as_posix()}
    with Client(url, token_file) as client:
        said = {name: value for name, value in about.items() if value}
        accepted = client.send("/v1/evidence", content, **said)
    answer(output, accepted, text=lambda out: _told(out, accepted))


def _told(out: Console, accepted: dict[str, Any]) -> None:
    summary: dict[str, Any] = accepted["summary"]
    plain = {name: value for name, value in summary.items() if not isinstance(value, (list, dict))}
    said = ", ".join(f"{name} {value}" for name, value in plain.items())
    out.print(clean(f"{accepted['kind']}: {said}"), markup=False)
    out.print(f"{accepted['traceId']}: {accepted['url']}", markup=False)
