"""`pointsman inbox list | retry`: what came in and could not be applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.client import URL, Client, TokenFileOption, UrlOption
from bot.cli.output import Format, OutputOption, answer, clean

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(no_args_is_help=True, help="Look at what could not be applied, and try it again.")


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many, the latest first.")] = 100,
    url: UrlOption = URL,
    token_file: TokenFileOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """List dead letters with what went wrong."""
    with Client(url, token_file) as client:
        found = client.get("/v1/dead-letters", limit=limit)
    answer(output, found, text=lambda out: _table(out, found["deadLetters"]))


@app.command()
def retry(
    letter: Annotated[int, typer.Argument(min=1, metavar="ID", help="As listed.")],
    url: UrlOption = URL,
    token_file: TokenFileOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Apply one again, after what was wrong has been mended."""
    with Client(url, token_file) as client:
        said = client.post(f"/v1/dead-letters/{letter}/retry")
    answer(output, said, text=lambda out: out.print(f"Dead letter {letter} is tried again."))


def _table(out: Console, letters: list[dict[str, Any]]) -> None:
    from rich.text import Text

    if not letters:
        out.print("No dead letters.")
    for one in letters:
        where = f" trace {one['traceId']}" if one["traceId"] else ""
        out.print(
            Text(
                clean(
                    f"{one['id']:>6} {one['at']} {one['status']} {one['source']} {one['deliveryId']}{where}"
                )
            )
        )
        out.print(Text(clean(f"       {one['error']}: {one['message']}"), style="red"))
