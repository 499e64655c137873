"""`pointsman demo`: see it work, here and now."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.output import Format, OutputOption

app = typer.Typer()


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Run unattended and end.")] = False,
    output: OutputOption = Format.TEXT,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the home with all it holds.")] = False,
    home: Annotated[Path | None, typer.Option(help="Work in this folder and keep it.")] = None,
) -> None:
    """Take generated code from submission to production and back, on this machine, offline."""
    from bot.demo import run

    stay = not once and sys.stdout.isatty()
    document = run.once(home, keep=keep or home is not None, narrate=_narrate, stay=_stay if stay else None)
    if output is Format.JSON:
        typer.echo(json.dumps(document, indent=2))
    raise typer.Exit(0 if document["ok"] else 1)


def _narrate(step: str, said: str) -> None:
    typer.echo(f"{step:>18}  {said}", err=True)


def _stay(around: list[str]) -> None:
    lines = "\n".join(f"  {line}" for line in around)
    typer.echo(f"\nEverything is still running:\n{lines}\n\nPress Enter to end it.", err=True)
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        input()
