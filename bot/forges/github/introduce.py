"""Serve the introduction on this machine until GitHub has made the App."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import uvicorn

from bot.forges.github.introduction import Exchange, Made, Refused, Wanted, application

ACCEPT = {"Accept": "application/vnd.github+json"}
PATIENCE = 3600.0
"""Seconds that GitHub's code can be exchanged for the key."""


def exchanger(api_url: str, verify: bool | str = True) -> Exchange:  # noqa: FBT001, FBT002 - httpx's own type
    """Asks GitHub. No account is needed: the code is the proof."""

    def exchange(code: str) -> dict[str, Any]:
        url = f"{api_url.rstrip('/')}/app-manifests/{quote(code, safe='')}/conversions"
        try:
            answer = httpx.post(url, headers=ACCEPT, verify=verify, timeout=30)
        except httpx.HTTPError as error:
            raise Refused(f"GitHub does not answer ({type(error).__name__}). Reload this page.") from error
        if answer.status_code != httpx.codes.CREATED:
            raise Refused(f"GitHub no longer knows this code ({answer.status_code}). Begin again.")
        said: dict[str, Any] = answer.json()
        return said

    return exchange


def introduce(
    wanted: Wanted, exchange: Exchange, announce: Callable[[str], None], port: int = 0
) -> Made | None:
    """Serve the pages; `announce` is told where. Returns the App, or None when nobody made one in time."""
    made: list[Made] = []
    told = threading.Event()

    def done(app: Made) -> None:
        made.append(app)
        told.set()

    with socket.create_server(("127.0.0.1", port)) as listener:
        here = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = application(wanted, here, exchange, done)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        announce(here)
        told.wait(PATIENCE)
        server.should_exit = True  # after the answer that says so is on its way
        thread.join(timeout=10)
    return made[0] if made else None
