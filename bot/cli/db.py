"""`pointsman db upgrade | check | rebuild`: the tables of this release, and what they say."""

from __future__ import annotations

import typer

from bot.cli.failure import Failure
from bot.cli.output import Format, OutputOption, answer
from bot.cli.place import at_home, opened, settings

app = typer.Typer(
    no_args_is_help=True, help="Bring the database to this release's tables; rebuild read models."
)


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


@app.command()
def rebuild(output: OutputOption = Format.TEXT) -> None:
    """Make the read models anew from the log: where traces stand, environments, whose a branch is.

    All in one transaction, so it may be done while the bot runs. Refused when the log is not sound.
    """
    from bot.forges import configured
    from bot.projections.rebuild import Unsound
    from bot.projections.rebuild import rebuild as make

    with opened() as store:
        forges = configured(settings(), store)  # writes when it is new, so not within ours
        try:
            with store.begin() as session:
                made = make(session, forges)
        except Unsound as error:
            raise Failure(f"Nothing was rebuilt: {error}.", reason_code="LogUnsound") from error
    answer(
        output,
        {"ok": True} | made,
        text=lambda out: out.print(
            f"Rebuilt from {made['events']} events: {made['traces']} traces, {made['slots']} environments, "
            f"{made['keys']} trace keys."
        ),
    )
