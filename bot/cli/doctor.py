"""`pointsman doctor`: what is set up wrongly, before somebody finds out on a Friday."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.findings import tell
from bot.cli.output import Format, OutputOption
from bot.cli.place import opened, settings
from bot.forges.finding import Finding, broken, doubtful, fine

if TYPE_CHECKING:
    from bot.log.store import Store
    from bot.settings import Settings

app = typer.Typer()
HERE = "this bot"
OTHERS = 0o077
"""Permissions of a file for anybody but its owner."""


@app.command()
def doctor(
    repositories: Annotated[
        list[str] | None,
        typer.Option("--repository", help="Look at this one (FORGE:NAME); else at all that have a trace."),
    ] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Look at the database, the web address, and each forge: token, permissions, clock, webhooks, and whether
    nobody can merge past the bot. Changes nothing.
    """
    from bot.forges import configured

    said = settings()
    with opened() as store:
        found: dict[str, list[Finding]] = {HERE: [_database(store), *_address(said), _signing(said)]}
        forges = configured(said, store)
        known = _known(store) if repositories is None else _named(repositories)
        for name, forge in forges.items():
            found[name] = list(forge.examine(sorted(known.get(name, ()))))
        for name in sorted(set(known) - set(forges)):
            found[name] = [_unknown(name)]
    tell(found, output)


def _database(store: Store) -> Finding:
    from bot.api.health import newest
    from bot.log.migrate import current

    there, wanted = current(store.url), newest()
    if there == wanted:
        return fine("database", f"has the tables of this release ({there})")
    return broken("database", f"is at {there}, this release needs {wanted}", "Run `pointsman db upgrade`.")


def _address(said: Settings) -> list[Finding]:
    """Whether the bot answers where links and webhooks lead."""
    import httpx

    found = []
    url = said.base_url.rstrip("/")
    try:
        answer = httpx.get(f"{url}/readyz", timeout=5, verify=str(said.ca_bundle) if said.ca_bundle else True)
        checks = answer.json().get("checks", {})
        bad = [f"{name} {state}" for name, state in checks.items() if state != "ok"]
        found.append(
            fine("web", f"answers at {url}")
            if answer.status_code == httpx.codes.OK
            else broken("web", f"answers at {url}, but is not ready: {', '.join(bad)}", "Look at its log.")
        )
    except (httpx.HTTPError, ValueError) as error:
        why = f"does not answer at {url} ({type(error).__name__})"
        found.append(broken("web", why, "Start `pointsman serve`, or mend POINTSMAN_BASE_URL."))
    if (httpx.URL(url).host or "") in {"127.0.0.1", "localhost", "::1"} and _lives_elsewhere(said):
        found.append(
            doubtful(
                "address",
                f"{url} is this machine's own: no forge elsewhere can call it",
                "Set POINTSMAN_BASE_URL to the address that the forge can reach.",
            )
        )
    return found


def _signing(said: Settings) -> Finding:
    """Whether release summaries are signed, and with which key."""
    from bot.audit.keys import KeyFile, KeyUnusable

    if said.attestation_key is None:
        todo = "Make an Ed25519 key and set POINTSMAN_ATTESTATION_KEY (docs/operations.md)."
        return doubtful("signing", "there is no key: no release summary is signed", todo)
    try:
        key = KeyFile.read(said.attestation_key)
    except KeyUnusable as error:
        return broken("signing", str(error), "Mend POINTSMAN_ATTESTATION_KEY.")
    if said.attestation_key.stat().st_mode & OTHERS:
        todo = f"chmod 600 {said.attestation_key}"
        return doubtful("signing", "others on this machine may read the key", todo)
    return fine("signing", f"release summaries are signed with {key.key_id}")


def _lives_elsewhere(said: Settings) -> bool:
    return any(said.webhook_secrets(forge) for forge in ("github", "gitlab", "azure"))


def _known(store: Store) -> dict[str, set[str]]:
    """Repositories by forge, as the traces have them."""
    import sqlalchemy as sa

    from bot.log.tables import HEADS

    query = sa.select(HEADS.c.forge, HEADS.c.repository).where(HEADS.c.repository != "").distinct()
    known: dict[str, set[str]] = {}
    with store.read() as session:
        for forge, repository in session.execute(query):
            known.setdefault(forge, set()).add(repository)
    return known


def _named(repositories: list[str]) -> dict[str, set[str]]:
    known: dict[str, set[str]] = {}
    for one in repositories:
        forge, colon, name = one.partition(":")
        if not (colon and name):
            raise typer.BadParameter(f"{one!r} is not FORGE:NAME, such as github:acme/clock")
        known.setdefault(forge, set()).add(name)
    return known


def _unknown(forge: str) -> Finding:
    todo = f"Set the POINTSMAN_{forge.upper()}_ variables (docs/forges.md)."
    return broken("account", "traces live there, and the bot has no account", todo)
