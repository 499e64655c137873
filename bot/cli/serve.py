"""`pointsman serve`: web and worker in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.failure import Failure
from bot.cli.output import line
from bot.cli.place import at_home

if TYPE_CHECKING:
    from bot.settings import Settings

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
    from bot.app import CannotListen
    from bot.app import serve as run

    said = at_home()
    address = said.host if host is None else host
    number = said.port if port is None else port
    try:
        run(linked(said, address, number), address, number, line, web_only=web_only)
    except CannotListen as error:
        where = f"{address}:{number}"
        message = (
            f"Port {number} is taken: something listens on {where} already, perhaps another bot. "
            "Choose a free one with --port NUMBER."
            if error.taken
            else f"The bot can not listen on {where}: {error}."
        )
        raise Failure(message, reason_code="PortTaken" if error.taken else "CanNotListen") from error
    except SystemExit as ended:  # the web server's own code for a start that failed means "blocked" here
        if not ended.code:
            raise
        raise Failure("The bot did not start; the reason stands above.", reason_code="DidNotStart") from ended


def linked(said: Settings, host: str, port: int) -> Settings:
    """Links lead to where we listen, unless POINTSMAN_BASE_URL says where people reach us."""
    if "base_url" in said.model_fields_set or port == 0:
        return said
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what was asked for, not what we ask for
    name = anywhere.get(host, f"[{host}]" if ":" in host else host)
    return said.model_copy(update={"base_url": f"http://{name}:{port}"})
