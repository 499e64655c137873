"""Run the demo: set the place, start the processes, tell the story, leave evidence (contract in docs:
`pointsman demo`).
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bot.demo import place, processes, steps, story
from bot.demo.asking import TENANT, Asking
from bot.deploy.services import census
from bot.log.store import Store
from bot.studio import sessions

Narrate = Callable[[str, str], None]


@contextmanager
def staged(home: Path) -> Iterator[story.Story]:
    """Everything running; stopped at the end, the deployed services too."""
    where = place.prepare(home)
    web = processes.start("web", ["serve", "--web-only", "--port", str(where.port)], where.environment, home)
    store = Store(where.database)
    told = None
    try:
        worker = processes.start("worker", ["worker"], where.environment, home)
        with httpx.Client(base_url=where.base_url, timeout=20) as http:
            told = story.Story(where, Asking(where, store, http), web, worker)
            yield told
    finally:
        if told is not None:
            told.worker.stop()
        web.stop()
        store.close()
        census.stop_all(home)


def once(
    home: Path | None, *, keep: bool, narrate: Narrate, stay: Callable[[list[str]], None] | None = None
) -> dict[str, Any]:
    """Tell the whole story. The document says per step what happened; `ok` only if all of it did."""
    begun = time.monotonic()
    folder = home.absolute() if home else Path(tempfile.mkdtemp(prefix="pointsman-demo-"))
    document: dict[str, Any] = {"ok": False, "home": str(folder), "traceId": "", "steps": []}
    try:
        with staged(folder) as told:
            document["steps"] = done = [_start(begun)]
            if stay:
                narrate("studio", f"Watch it live (the link works once): {studio_link(told)}")
            document["ok"] = _tell(told, done, narrate)
            document["traceId"] = told.trace
            document["repositories"] = {place.REPOSITORY: str(told.place.repository)}
            document["database"] = told.place.database
            if stay:
                stay(_around(told))
    except Exception as error:  # noqa: BLE001 - whatever is in the way of the demo is its answer
        said = str(error) or type(error).__name__
        document["steps"].append({"name": "start", "ok": False, "events": [], "detail": {"error": said}})
        narrate("start", said)
    if document["steps"][0]["ok"]:
        _checkpoint(folder / "pointsman.db")
    document["duration_s"] = round(time.monotonic() - begun, 2)
    if not keep and home is None:
        shutil.rmtree(folder, ignore_errors=True)
    return document


def studio_link(told: story.Story) -> str:
    """An address that signs ada in to Studio, once."""
    with told.ask.store.begin() as session:
        return sessions.link(session, tenant=TENANT, actor="ada", base_url=told.place.base_url)


def _around(told: story.Story) -> list[str]:
    """What a visitor may want to look at while everything is still running."""
    place_ = told.place
    change = f"{place_.base_url}/forge/{place.REPOSITORY}/changes/{told.change}"
    return [
        f"Studio    {studio_link(told)}",
        f"Change    {change} (sign in with the token {place_.people['jane.doe']} to be jane.doe)",
        *(f"Service   {url}/bookings ({name})" for name, url in told.urls.items()),
        f"Git       git clone {place_.repository}",
        f"Database  {place_.database}",
    ]


def _start(begun: float) -> dict[str, Any]:
    return {
        "name": "start",
        "ok": True,
        "events": [],
        "detail": {"duration_s": round(time.monotonic() - begun, 2)},
    }


def _tell(told: story.Story, done: list[dict[str, Any]], narrate: Narrate) -> bool:
    for name, step in steps.STEPS:
        started = time.monotonic()
        try:
            answer = step(told)
        except Exception as error:  # noqa: BLE001 - whatever a step meets is the step's answer
            done.append(
                {
                    "name": name,
                    "ok": False,
                    "events": [],
                    "detail": {"error": f"{type(error).__name__}: {error}"},
                }
            )
            narrate(name, f"FAILED: {error}")
            return False
        took = {"duration_s": round(time.monotonic() - started, 2)}
        done.append(
            {
                "name": name,
                "ok": True,
                "events": [event.id for event in answer.events],
                "detail": answer.detail | took,
            }
        )
        narrate(name, answer.said)
    return True


def _checkpoint(database: Path) -> None:
    """Bring everything into the one database file, so that anyone can open or copy it."""
    if database.exists():
        with sqlite3.connect(database) as connection:
            connection.execute("pragma wal_checkpoint(truncate)")
