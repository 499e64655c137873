"""`pointsman worker`: effects and drains without a web server."""

from __future__ import annotations

import typer

from bot.cli.output import line
from bot.cli.place import at_home

app = typer.Typer()


@app.command()
def worker() -> None:
    """Run a worker beside `pointsman serve`: any number of them on Postgres, one on SQLite."""
    from bot.app import work

    work(at_home(), line)
