"""How the bot becomes a GitHub App: a page on this machine, GitHub's own form, and the key in the home.

GitHub calls it the manifest flow:
https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
The page shows what the App may do and why. GitHub makes the App, sends the browser back with a code, and the
code is exchanged for the key once. The key is on disk before anything says so.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from bot import kept_settings
from bot.forges.github.permissions import TIERS, Tier, events_of, of_tier

PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
)
KEY_FILE = "github-app.pem"
CLOSED = "default-src 'none'; style-src 'unsafe-inline'; form-action {github}; frame-ancestors 'none'"


class Refused(Exception):
    """GitHub would not exchange the code; the message is what to do."""


@dataclass(frozen=True)
class Wanted:
    """The App to be made. `organisation` empty: it belongs to the user who makes it."""

    home: Path
    bot_url: str
    organisation: str = ""
    github_url: str = "https://github.com"
    api_url: str = "https://api.github.com"
    name: str = "Pointsman"


@dataclass(frozen=True)
class Made:
    """The App there is now."""

    app_id: str
    slug: str
    url: str

    @property
    def install_url(self) -> str:
        """Where repositories are chosen."""
        return f"{self.url}/installations/new"


Exchange = Callable[[str], dict[str, Any]]
"""Gets what GitHub says of a new App for its code (`POST /app-manifests/{code}/conversions`)."""


def manifest(wanted: Wanted, tier: Tier, back_to: str) -> dict[str, Any]:
    """What GitHub is asked to make."""
    hook = f"{wanted.bot_url.rstrip('/')}/webhooks/github"
    return {
        "name": wanted.name,
        "url": wanted.bot_url,
        "description": "Takes every change from intent to production along one trace, under one policy file.",
        "hook_attributes": {"url": hook, "active": True},
        "redirect_url": back_to,
        "public": False,
        "default_permissions": {one.name: one.access for one in of_tier(tier)},
        "default_events": list(events_of(tier)),
    }


def keep(wanted: Wanted, said: dict[str, Any]) -> Made:
    """Put the key and the secret into the home. Raises KeyError for an answer that is not GitHub's."""
    made = Made(str(said["id"]), said["slug"], said["html_url"])
    key = wanted.home.absolute() / KEY_FILE
    _write(key, said["pem"])
    kept_settings.keep(
        wanted.home,
        {
            "POINTSMAN_GITHUB_APP_ID": made.app_id,
            "POINTSMAN_GITHUB_APP_KEY_FILE": str(key),
            "POINTSMAN_GITHUB_LOGIN": f"{made.slug}[bot]",
            "POINTSMAN_GITHUB_WEBHOOK_SECRET": said["webhook_secret"],
            "POINTSMAN_GITHUB_API_URL": wanted.api_url,
        },
    )
    return made


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def application(wanted: Wanted, here: str, exchange: Exchange, done: Callable[[Made], None]) -> FastAPI:
    """The pages of the flow, at the address `here`. `done` is told when the key is kept."""
    app = FastAPI(openapi_url=None)
    expected = secrets.token_urlsafe(32)

    @app.get("/")
    def choose() -> HTMLResponse:
        """What the App may do, in three sizes."""
        tiers = [
            (tier, says, of_tier(tier), json.dumps(manifest(wanted, tier, f"{here}/made")))
            for tier, says in TIERS.items()
        ]
        return _page(wanted, form=_form(wanted, expected), tiers=tiers)

    @app.get("/made")
    def made(code: str = "", state: str = "") -> HTMLResponse:
        """GitHub sends the browser back; only from the form that this page made."""
        if not hmac.compare_digest(state.encode(), expected.encode()):
            return _page(wanted, 403, problem="This answer is not to the form of this page. Begin again.")
        try:
            app_made = keep(wanted, exchange(code))
        except Refused as error:
            return _page(wanted, 502, problem=str(error))
        done(app_made)
        return _page(wanted, made=app_made)

    return app


def _form(wanted: Wanted, state: str) -> str:
    owner = f"organizations/{wanted.organisation}/settings" if wanted.organisation else "settings"
    return f"{wanted.github_url.rstrip('/')}/{owner}/apps/new?{urlencode({'state': state})}"


def _page(wanted: Wanted, status: int = 200, **said: Any) -> HTMLResponse:
    blank = {"made": None, "problem": "", "tiers": (), "form": ""}
    text = PAGES.get_template("introduction.html").render(blank | said)
    policy = CLOSED.format(github=wanted.github_url)
    return HTMLResponse(text, status, {"Content-Security-Policy": policy, "Cache-Control": "no-store"})
