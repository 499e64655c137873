"""Facts find their traces; nobody speaks into a foreign one; a branch may begin anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.domain.event import Draft, Event
from bot.domain.trace import TraceState
from bot.forges.port import RepositoryFact
from bot.log import Store, upgrade
from bot.projections.trace_keys import TraceKeys, keys, owner
from tests.log.facts import fact

SHA, HEAD = "a" * 40, "b" * 40
STATE = TraceState(tenant_id="acme", trace_id="trace-1", forge="local")
CHANGE = {
    "repository": "acme/booking",
    "number": 7,
    "author": "ada",
    "source": "feature/x",
    "target": "main",
    "head": HEAD,
}


def event(type_: str, by: str = "pointsman", **data: Any) -> Event:
    return fact(1, type=type_, source=by, data={"repository": "acme/booking"} | data)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (event("CommitReady", branch="feature/x", sha=SHA), ("@feature/x", f"={SHA}")),
        (
            event("PullRequestCreated", number=7, source="feature/x", head=HEAD),
            ("#7", "@feature/x", f"={HEAD}"),
        ),
        (event("ChangeOpened", **CHANGE), ("#7", "@feature/x", f"={HEAD}")),
        (event("ChangeOpened", **CHANGE, fork=True), ("#7", f"={HEAD}")),
        (event("ChangeUpdated", **CHANGE, fork=True), ("#7", f"={HEAD}")),
        (event("ChangeMerged", **CHANGE, mergeSha=SHA), ("#7", f"={SHA}")),
        (event("Pushed", branch="feature/x", after=SHA, defaultBranch="main"), ("@feature/x", f"={SHA}")),
        (event("Pushed", branch="main", after=SHA, defaultBranch="main"), (f"={SHA}",)),
        (event("TestsPassed", revision=SHA), ()),
        (fact(1, type="SprintPlanned"), ()),
    ],
)
def test_the_keys_that_events_establish(said: Event, expected: tuple[str, ...]) -> None:
    assert keys(said, STATE) == tuple(f"local:acme/booking{suffix}" for suffix in expected)


def test_a_forge_s_own_fact_is_keyed_by_that_forge() -> None:
    said = event("ChangeOpened", "webhooks/github", **CHANGE)
    assert keys(said, STATE)[0] == "github:acme/booking#7"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    upgrade(database_url)
    made = Store(database_url)
    yield made
    made.close()


@contextmanager
def looking(store: Store) -> Iterator[TraceKeys]:
    with store.begin() as session:
        found = TraceKeys(session)
        yield found
        found.flush()


def asked(
    *hints: str,
    trace_id: str | None = None,
    new_trace: bool = False,
    by: str = "mallory",
    type_: str = "Pushed",
) -> RepositoryFact:
    return RepositoryFact(Draft(type=type_, actor=by), "acme/booking", hints, trace_id, new_trace)


def resolve(found: TraceKeys, fact_: RepositoryFact, tenant: str = "acme", where: str = "") -> str | None:
    return found.resolve(tenant, fact_, cause="c", repository=lambda _trace: where)


def test_the_first_known_hint_wins_then_a_new_trace_begins_or_none(store: Store) -> None:
    with looking(store) as found:
        found.establish("acme", "trace-1", ["k1"])
        found.establish("acme", "trace-2", ["k2"])
        assert resolve(found, asked("k0", "k2", "k1")) == "trace-2"
    with looking(store) as found:
        assert resolve(found, asked("k0", "k1")) == "trace-1"
        assert resolve(found, asked("k1"), tenant="umbrella") is None
        assert resolve(found, asked("k0")) is None
        begun = resolve(found, asked("k0", new_trace=True))
        assert begun == resolve(found, asked(new_trace=True))
        assert str(begun).startswith("trace-")


NUMBER, BRANCH, REVISION = "local:acme/booking#7", "local:acme/booking@hers", f"local:acme/booking={SHA}"
FOLLOWED_BY_A_RELEASE = (
    "Pushed",
    "ChangeOpened",
    "ChangeMerged",
    "CommentCreated",
    "ReviewSubmitted",
    "PipelineFinished",
)


@pytest.mark.parametrize("type_", FOLLOWED_BY_A_RELEASE)
@pytest.mark.parametrize("where", ["acme/booking", ""])
def test_nobody_speaks_into_a_trace_by_naming_it(store: Store, type_: str, where: str) -> None:
    with looking(store) as found:
        stranger = asked(BRANCH, trace_id="trace-9", new_trace=True, type_=type_)
        begun = resolve(found, stranger, where=where)
        assert begun == resolve(found, asked(new_trace=True))
        assert begun != "trace-9"


def test_the_bot_s_own_trailer_is_believed_but_not_in_another_repository(store: Store) -> None:
    with looking(store) as found:
        named = asked(BRANCH, trace_id="trace-9", by="pointsman[bot]")
        assert resolve(found, named, where="acme/booking") == "trace-9"
        assert resolve(found, named, where="umbrella/secret") is None


@pytest.mark.parametrize("by", ["mallory", "pointsman[bot]"])
@pytest.mark.parametrize("type_", FOLLOWED_BY_A_RELEASE)
def test_the_change_wins_over_the_branch_and_both_over_any_trailer(store: Store, by: str, type_: str) -> None:
    with looking(store) as found:
        found.establish("acme", "trace-1", [NUMBER])
        found.establish("acme", "trace-2", [BRANCH])
        found.establish("acme", "trace-3", [REVISION])
        said = {"trace_id": "trace-9", "by": by, "type_": type_}
        assert resolve(found, asked(NUMBER, BRANCH, REVISION, **said), where="acme/booking") == "trace-1"
        assert resolve(found, asked(BRANCH, REVISION, **said), where="acme/booking") == "trace-2"


def test_a_known_commit_pushed_as_a_branch_of_one_s_own_does_not_lead_into_its_trace(store: Store) -> None:
    with looking(store) as found:
        found.establish("acme", "trace-3", [REVISION])
        for type_ in ("Pushed", "ChangeOpened", "CommentCreated"):
            assert resolve(found, asked(NUMBER, BRANCH, REVISION, type_=type_)) is None
        assert resolve(found, asked(REVISION)) == "trace-3"
        assert resolve(found, asked(BRANCH, REVISION, type_="PipelineFinished")) == "trace-3"


def test_a_key_stays_with_its_owner_except_for_the_bot_s_own_work(store: Store) -> None:
    with looking(store) as found:
        found.establish("acme", "trace-1", ["k"])
    with looking(store) as found:
        found.establish("acme", "trace-2", ["k"])
        assert resolve(found, asked("k")) == "trace-1"
    with looking(store) as found:
        found.establish("acme", "trace-2", ["k"], take=True)
    with looking(store) as found:
        assert resolve(found, asked("k")) == "trace-2"


def test_a_deleted_branch_is_free_again(store: Store) -> None:
    with looking(store) as found:
        found.record(event("Pushed", branch="feature/x", after=SHA), STATE)
        found.record(event("BranchDeleted", branch="feature/x"), STATE)
    with looking(store) as found:
        assert resolve(found, asked("local:acme/booking@feature/x")) is None
        assert resolve(found, asked(f"local:acme/booking={SHA}")) == "trace-1"


@pytest.mark.parametrize(
    ("source", "owner"),
    [("webhooks/local", "trace-1"), ("pointsman", "trace-1"), ("urn:qa", None), ("pointsman-qa", None)],
)
def test_only_our_own_facts_say_whose_a_branch_is(store: Store, source: str, owner: str | None) -> None:
    with looking(store) as found:
        found.record(event("CommitReady", source, branch="feature/x", sha=SHA), STATE)
    with looking(store) as found:
        found.record(event("BranchDeleted", "urn:qa", branch="feature/x"), STATE)
        assert resolve(found, asked("local:acme/booking@feature/x")) == owner


def test_a_release_leads_to_the_first_trace_that_had_a_verdict_on_it(database_url: str) -> None:
    upgrade(database_url)
    store = Store(database_url)
    told = event("pointsman.VerdictChanged", environment="production").model_copy(
        update={"release_id": "release-1"}
    )
    other = told.model_copy(update={"trace_id": "trace-2"})
    foreign = told.model_copy(update={"source": "api", "release_id": "release-2"})
    for one in (told, other, foreign):
        with store.begin() as session:
            names = TraceKeys(session)
            names.record(one, STATE)
            names.flush()
    with store.read() as session:
        assert owner(session, told.tenant_id, "release:release-1") == told.trace_id
        assert owner(session, "other", "release:release-1") is None
        assert owner(session, told.tenant_id, "release:release-2") is None
    store.close()
