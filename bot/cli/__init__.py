"""`pointsman`: the command line.

One file per noun; each is imported only when its noun is used, so `--help` stays quick.

Exit codes: 0 ok, 1 failure, 2 usage, 3 blocked by policy, 4 not authorised. Answers go to standard
output, as text or as JSON with `--output json`; everything said to a person on the way goes to standard
error.
"""

from __future__ import annotations

from typing import Annotated

import typer

from bot import __version__
from bot.cli.lazy import LazyGroup

app = typer.Typer(
    name="pointsman",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
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
