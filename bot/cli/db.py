"""`pointsman db upgrade | check`: the tables of this release."""

from __future__ import annotations

import typer

from bot.cli.failure import Failure
from bot.cli.output import Format, OutputOption, answer
from bot.cli.place import at_home, opened

app = typer.Typer(no_args_is_help=True, help="Bring the database to this release's tables.")


@app.command()
def upgrade(output: OutputOption = Format.TEXT) -> None:
    """Create or migrate the tables. Safe to run again, and by several processes at once."""
    from bot.engine.prepare import WrongShards, prepare
    from bot.log.migrate import current

    said = at_home()
    before = current(said.database)
    try:
        prepare(said.database, said.shards)
    except WrongShards as error:
        raise Failure(
            f"{str(error)[:1].upper()}{str(error)[1:]}.", reason_code="WrongShards", path="POINTSMAN_SHARDS"
        ) from error
    after = current(said.database)
    changed = "was already there" if before == after else f"came from {before or 'an empty database'}"
    answer(
        output,
        {"ok": True, "from": before, "to": after},
        text=lambda out: out.print(f"The database is at {after} ({changed})."),
    )


@app.command()
def check(output: OutputOption = Format.TEXT) -> None:
    """Say whether the database answers and has this release's tables. Changes nothing."""
    from bot.api.health import newest
    from bot.log.migrate import current

    with opened() as store:
        found, wanted = current(store.url), newest()
    if found != wanted:
        raise Failure(
            f"The database is at {found or 'no revision'}, this release needs {wanted}: "
            "run `pointsman db upgrade`.",
            reason_code="DatabaseOutdated",
        )
    answer(
        output,
        {"ok": True, "revision": found},
        text=lambda out: out.print(f"The database is at {found}, as it should be."),
    )
