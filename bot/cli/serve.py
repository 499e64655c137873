"""`pointsman serve`: web and worker in one process."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.output import line
from bot.cli.place import settings

app = typer.Typer()


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; POINTSMAN_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port, 0 for any free one; POINTSMAN_PORT.")
    ] = None,
    web_only: Annotated[
        bool, typer.Option("--web-only", help="Leave the work to `pointsman worker` processes.")
    ] = False,
) -> None:
    """Run the bot. One line of JSON on standard output says when it is ready, and where."""
    from bot.app import serve as run

    said = settings()
    address = said.host if host is None else host
    run(said, address, said.port if port is None else port, line, web_only=web_only)
