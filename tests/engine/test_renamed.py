"""A forge's call about a new name reaches every trace of the repository, also those that are over."""

from __future__ import annotations

import json
from collections.abc import Mapping

import sqlalchemy as sa

from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import NOTHING, Decision
from bot.domain.event import Event
from bot.domain.view import View
from bot.engine.runtime import Runtime
from bot.forges.port import RepositoryFact, change_key
from bot.intake.arrivals import Arrival, shard_of
from bot.log.tables import HEADS
from handlers.on_push import on_sweep_goes_on
from handlers.on_renamed import tell_the_others
from tests.engine.rig import TestForge, count, running, signed, wait_for
from tests.log.facts import fact

CHANGE = {"number": 7, "author": "ada", "source": "feature/x", "target": "main", "head": "b" * 40}


class Renaming(TestForge):
    """Its calls tell of a rename, or of a comment on change 7."""

    def normalise(self, headers: Mapping[str, str], body: bytes) -> list[RepositoryFact]:
        said = json.loads(body)
        if "previous" in said:
            moved = p.RepositoryRenamed.model_validate(said)
            return [RepositoryFact(draft("RepositoryRenamed", moved), moved.repository)]
        key = change_key("local", said["repository"], 7)
        about = {"repository": said["repository"], **CHANGE}
        opened = draft("ChangeOpened", p.Change.model_validate(about))
        return [RepositoryFact(opened, said["repository"], (key,), new_trace=said["begins"])]


def decide(event: Event, view: View) -> Decision:
    if event.type == "RepositoryRenamed":
        return tell_the_others(event, view)
    return on_sweep_goes_on(event, view) if event.type == "TriggerRequested" else NOTHING


def repositories(runtime: Runtime) -> dict[str, str]:
    with runtime.store.read() as session:
        rows = session.execute(sa.select(HEADS.c.trace_id, HEADS.c.repository))
        return {row.trace_id: row.repository for row in rows}


def call(runtime: Runtime, delivery: str, **said: object) -> None:
    body = json.dumps(said).encode()
    headers = json.dumps(signed(body, delivery))
    shard = shard_of("acme/booking", runtime.settings.shards)
    runtime.inbox.receive([Arrival("acme", "webhooks/local", "delivery", delivery, body, shard, headers)])


def test_every_trace_follows_its_repository(database_url: str) -> None:
    with running(database_url, decide, forges={"local": Renaming()}) as runtime:
        call(runtime, "d1", repository="acme/booking", begins=True)
        wait_for(lambda: count(runtime.store, "events") == 1)
        (mine,) = repositories(runtime)
        for trace in ("trace-a", "trace-b"):
            said = {"repository": "acme/booking", "moduleId": "booking", "version": "1.0.0"}
            began = fact(0, trace).model_copy(update={"type": "ModuleGenerated", "data": said})
            runtime.submit(began, "tests", trace)
        other = fact(0, "trace-c").model_copy(
            update={"type": "ModuleGenerated", "data": {**said, "repository": "acme/shop"}}
        )
        runtime.submit(other, "tests", "trace-c")
        wait_for(lambda: count(runtime.store, "events") == 4)

        call(runtime, "d2", repository="umbrella/bookings", previous="acme/booking")

        moved = {mine, "trace-a", "trace-b"}
        wait_for(lambda: {t for t, r in repositories(runtime).items() if r == "umbrella/bookings"} == moved)
        assert repositories(runtime)["trace-c"] == "acme/shop"
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)
        assert count(runtime.store, "events") == 7, "each is told once"

        call(runtime, "d3", repository="umbrella/bookings", begins=False)
        wait_for(lambda: count(runtime.store, "events") == 8)
        call(runtime, "d4", repository="acme/booking", begins=False)
        call(runtime, "d5", repository="acme/booking", begins=True)
        wait_for(lambda: count(runtime.store, "events") == 9)
        assert len(repositories(runtime)) == 5, "the old name is somebody else's"


def test_a_rename_of_what_nobody_knows_is_nobodys(database_url: str) -> None:
    with running(database_url, decide, forges={"local": Renaming()}) as runtime:
        call(runtime, "d1", repository="umbrella/bookings", previous="acme/booking")
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)
        assert count(runtime.store, "events") == 0
