"""`pointsman`: the command line."""

from typing import Annotated

import typer

from bot import __version__

app = typer.Typer(name="pointsman", no_args_is_help=True)


def _print_version(wanted: bool) -> None:  # noqa: FBT001  typer calls it positionally
    if wanted:
        typer.echo(f"pointsman {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Takes every change from intent to production along one trace, under one policy file."""


main = app
