"""`pointsman connect FORGE [REPOSITORY...]`: the forge calls the bot from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.client import URL, Client, TokenFileOption, UrlOption
from bot.cli.failure import Code, Failure
from bot.cli.findings import tell
from bot.cli.output import Format, OutputOption, answer, say
from bot.cli.place import at_home, opened, settings
from bot.forges.finding import fine

if TYPE_CHECKING:
    from bot.forges.port import Forge
    from bot.log.store import Store
    from bot.settings import Settings

app = typer.Typer()


@app.command()
def connect(
    forge: Annotated[str, typer.Argument(metavar="FORGE", help="github, gitlab, azure or local.")],
    repositories: Annotated[
        list[str] | None, typer.Argument(metavar="[REPOSITORY...]", help="As the forge names them.")
    ] = None,
    url: Annotated[
        str, typer.Option("--webhook-url", help="Where the forge calls; else below POINTSMAN_BASE_URL.")
    ] = "",
    organisation: Annotated[
        str, typer.Option("--organisation", help="GitHub: whose the App is; else yours.")
    ] = "",
    port: Annotated[int, typer.Option("--port", help="GitHub: of the page on this machine.")] = 0,
    propose: Annotated[
        bool, typer.Option("--propose-policy", help="Have a change opened that proposes a policy.")
    ] = False,
    server: UrlOption = URL,
    token_file: TokenFileOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Make the webhooks of repositories and look whether the bot may work there. Safe to run again.

    `pointsman connect github` without a repository makes the bot a GitHub App: it serves a page on this
    machine that shows what the App may do and why, and keeps the key that GitHub gives.
    """
    from bot.forges import registry

    if forge not in registry():
        raise Failure(f"There is no forge {forge!r}; there are: {', '.join(registry())}.", Code.USAGE)
    if forge == "github" and not repositories:
        _become_an_app(at_home(), organisation, port, output)
        return
    if not repositories:
        raise Failure(f"Say which repositories: `pointsman connect {forge} REPOSITORY...`.", Code.USAGE)
    with opened(create=True) as store:
        known = _account(forge, settings(), store)
        address = url or f"{settings().base_url.rstrip('/')}/webhooks/{forge}"
        found = {name: list(known.connect(name, address)) for name in repositories}
    if propose:
        with Client(server, token_file) as client:
            for name in repositories:
                asked = client.post("/v1/onboarding", {"forge": forge, "repository": name})
                found[name].append(fine("policy", f"is being proposed: {asked['url']}"))
    tell(found, output)


def _account(forge: str, said: Settings, store: Store) -> Forge:
    from bot.forges import configured

    known = configured(said, store).get(forge)
    if known is None:
        raise Failure(
            f"The bot has no account at {forge}: set POINTSMAN_{forge.upper()}_TOKEN and "
            f"POINTSMAN_{forge.upper()}_WEBHOOK_SECRET (docs/forges.md).",
            Code.USAGE,
            reason_code="NoAccount",
        )
    return known


def _become_an_app(said: Settings, organisation: str, port: int, output: Format) -> None:
    from bot.forges.github.introduce import exchanger, introduce
    from bot.forges.github.introduction import Wanted

    api = said.github_api_url.rstrip("/")
    wanted = Wanted(said.home, said.base_url, organisation, _web(api), api)
    exchange = exchanger(api, str(said.ca_bundle) if said.ca_bundle else True)
    made = introduce(wanted, exchange, lambda here: say(f"Open {here} in a browser and choose."), port)
    if made is None:
        raise Failure("Nobody made an App within an hour. Begin again.", reason_code="TimedOut")
    document = {"appId": made.app_id, "slug": made.slug, "installUrl": made.install_url}
    sentence = f"{made.slug} is there. Install it: {made.install_url}"
    answer(output, document, text=lambda out: out.print(sentence, markup=False))


def _web(api: str) -> str:
    """Where people see the GitHub whose API this is."""
    return "https://github.com" if api == "https://api.github.com" else api.removesuffix("/api/v3")
