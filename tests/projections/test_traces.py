"""Lists of traces and the feed that pages follow; neither crosses a tenant, and the feed never skips a late commit."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from bot.log import Store, append, upgrade
from bot.projections.sentence import sentence
from bot.projections.traces import events_after, traces
from tests.log.facts import fact


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    upgrade(database_url)
    made = Store(database_url)
    yield made
    made.close()


def test_traces_come_latest_first_and_page_by_page(store: Store) -> None:
    with store.begin() as session:
        append(session, [fact(n, f"trace-{n}") for n in range(1, 4)] + [fact(1, "trace-9", "umbrella")])
    with store.read() as session:
        lines = traces(session, "acme")
        assert [line.trace_id for line in lines] == ["trace-3", "trace-2", "trace-1"]
        assert (lines[0].sequence, lines[0].sentence, lines[0].updated_at) == (
            1, "Tests executed (ada)", "2026-11-20T08:00:03.000Z",
        )  # fmt: skip
        assert [line.trace_id for line in traces(session, "acme", limit=1, before=lines[0].updated_at)] == [
            "trace-2"
        ]
        assert [line.trace_id for line in traces(session, "umbrella")] == ["trace-9"]


def test_the_feed_goes_on_from_its_cursor(store: Store) -> None:
    with store.begin() as session:
        append(session, [fact(1), fact(1, "trace-2"), fact(1, tenant="umbrella")])
    with store.read() as session:
        cursor, first = events_after(session, 0, tenant="acme")
        assert [event.trace_id for event in first] == ["trace-1", "trace-2"]
        assert events_after(session, cursor, tenant="acme") == (cursor, [])
    with store.begin() as session:
        append(session, [fact(2), fact(2, "trace-2")])
    with store.read() as session:
        _, more = events_after(session, cursor, tenant="acme", trace="trace-2")
        assert [(event.trace_id, event.sequence) for event in more] == [("trace-2", 2)]


def test_a_transaction_that_commits_late_is_not_skipped(store: Store) -> None:
    if store.sqlite:
        return  # one writer: positions are committed in order
    written, go_on = threading.Event(), threading.Event()

    def late() -> None:
        with store.begin() as session:
            append(session, [fact(1, "late")])
            written.set()
            assert go_on.wait(10)

    thread = threading.Thread(target=late)
    thread.start()
    assert written.wait(10)
    with store.begin() as session:
        append(session, [fact(1, "quick")])
    with store.read() as session:
        cursor, seen = events_after(session, 0, tenant="acme")
    go_on.set()
    thread.join()
    with store.read() as session:
        _, rest = events_after(session, cursor, tenant="acme")
    assert sorted(event.trace_id for event in seen + rest) == ["late", "quick"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"type": "DeploymentCompleted", "environment": "staging", "actor": None, "data": {}},
            "Deployment completed: staging",
        ),
        (
            {"type": "pointsman.VerdictChanged", "data": {"environment": "production"}},
            "Verdict changed: production (ada)",
        ),
        ({"type": "QAVerified", "data": {}}, "Qa verified (ada)"),
    ],
)
def test_sentences(fields: dict[str, object], expected: str) -> None:
    assert sentence(fact(1, **fields)) == expected
