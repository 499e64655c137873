"""A repository that has another name: keys lead to the same traces, and never from the old name again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from bot.domain import payloads as p
from bot.domain.deployment import Slot
from bot.domain.event import Event
from bot.domain.trace import TraceState, apply
from bot.log import Store, upgrade
from bot.projections import slots
from bot.projections.trace_keys import KEYS, TraceKeys
from tests.log.facts import fact

STATE = TraceState(tenant_id="acme", trace_id="trace-1", forge="github", repository="acme/shop")
MOVED = {"repository": "umbrella/store", "previous": "acme/shop"}
OLD = {
    "github:acme/shop#7": "trace-1",
    "github:acme/shop@feature/x": "trace-1",
    "github:acme/shop=abc": "trace-2",
    "github:acme/shop-web#7": "trace-3",
    "github:ACME/shop#8": "trace-4",
    "github:acme/shop_#1": "trace-5",
    "gitlab:acme/shop#7": "trace-6",
}
NEW = {
    "github:umbrella/store#7": "trace-1",
    "github:umbrella/store@feature/x": "trace-1",
    "github:umbrella/store=abc": "trace-2",
} | {key: OLD[key] for key in list(OLD)[3:]}


def renamed(by: str = "webhooks/github") -> Event:
    return fact(2, "trace-1", type="RepositoryRenamed", source=by, data=MOVED)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    upgrade(database_url)
    made = Store(database_url)
    with made.begin() as session:
        for key, trace in OLD.items():
            session.execute(sa.insert(KEYS).values(tenant="acme", key=key, trace=trace))
        session.execute(sa.insert(KEYS).values(tenant="other", key="github:acme/shop#7", trace="theirs"))
    yield made
    made.close()


def kept(store: Store, tenant: str = "acme") -> dict[str, str]:
    with store.read() as session:
        rows = session.execute(sa.select(KEYS.c.key, KEYS.c.trace).where(KEYS.c.tenant == tenant))
        return {row.key: row.trace for row in rows}


@pytest.mark.parametrize("times", [1, 2])
def test_all_its_keys_have_the_new_name_and_no_others(store: Store, times: int) -> None:
    with store.begin() as session:
        for _ in range(times):
            found = TraceKeys(session)
            found.record(renamed(), STATE)
            found.flush()
    assert kept(store) == NEW
    assert kept(store, "other") == {"github:acme/shop#7": "theirs"}


def test_what_one_transaction_has_looked_at_is_not_remembered_wrongly(store: Store) -> None:
    with store.begin() as session:
        found = TraceKeys(session)
        found.preload("acme", ["github:acme/shop#7", "github:umbrella/store#7"])
        found.rename("acme", "github", "umbrella/store", "acme/shop")
        found.establish("acme", "trace-9", ["github:acme/shop#7", "github:umbrella/store#7"])
        found.flush()
    assert kept(store)["github:acme/shop#7"] == "trace-9", "the old name is free for somebody else"
    assert kept(store)["github:umbrella/store#7"] == "trace-1"


def test_nobody_but_a_forge_renames(store: Store) -> None:
    with store.begin() as session:
        found = TraceKeys(session)
        found.record(renamed("/v1/events"), STATE)
        found.flush()
    assert kept(store) == OLD


def test_a_trace_lives_where_its_repository_is_now() -> None:
    change = {"repository": "acme/shop", "number": 7, "head": "a" * 40}
    asked = p.DeploymentRequested(
        repository="acme/shop", environment="production", revision="a" * 40, deployment_id="9"
    )
    state = STATE.model_copy(
        update={"change": change, "module": {"repository": "acme/shop"}, "asked_to_deploy": (asked,)}
    )
    after = apply(state, renamed())
    assert after.repository == "umbrella/store"
    assert after.change == change | {"repository": "umbrella/store"}
    assert after.module == {"repository": "umbrella/store"}
    assert after.asked_to_deploy[0].repository == "umbrella/store"
    assert apply(after, renamed()).repository == "umbrella/store"


def test_a_trace_of_another_repository_stays() -> None:
    other = STATE.model_copy(update={"repository": "acme/shop-web"})
    assert apply(other, renamed()).repository == "acme/shop-web"


def test_what_may_come_back_is_built_from_the_new_name() -> None:
    good = {"releaseId": "r1", "repository": "acme/shop"}
    slot = Slot(
        environment="staging", last_known_good=good, previous_good={"releaseId": "r0", "repository": "x/y"}
    )
    after = slots.apply(slot, renamed())
    assert after.last_known_good == {"releaseId": "r1", "repository": "umbrella/store"}
    assert after.previous_good == slot.previous_good


def test_every_environment_of_the_module_is_told(store: Store) -> None:
    good = {"releaseId": "r1", "version": "1.0.0", "revision": "a" * 40, "repository": "acme/shop"}
    with store.begin() as session:
        kept_slots = slots.Slots(session)
        for number, name in enumerate(("staging", "production"), 1):
            done = {"environment": name, "release": good, **good}
            kept_slots.record(fact(number, type="DeploymentCompleted", data=done), "shop")
        kept_slots.record(renamed(), "shop")
        kept_slots.flush()
        found = {name: slot.last_known_good for name, slot in kept_slots.of("acme", "shop").items()}
    assert {(slot or {})["repository"] for slot in found.values()} == {"umbrella/store"}
    assert set(found) == {"staging", "production"}
