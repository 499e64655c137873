"""The exposition, read by Prometheus' own parser, on both databases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from bot.domain.model import rfc3339
from bot.forges.allowance import Allowance
from bot.log import Store
from bot.log.migrate import upgrade
from bot.log.tables import DONE, EFFECTS, EVENTS, INBOX, LETTERS, WAITING
from bot.metrics.page import FRESH_S, metrics_router

BEGAN = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
TENANT, TRACE, PERSON = "vetclinic-001", "trace-of-a-secret-plan", "jane.doe"
Labels = tuple[tuple[str, str], ...]


class Limited:
    """A forge that has said what is left."""

    def allowances(self) -> Iterable[Allowance]:
        yield Allowance("installation 12", "core", 5000, 4321, 1_790_000_000.0)
        yield Allowance("token", "api", None, 7)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    upgrade(database_url)
    made = Store(database_url)
    yield made
    made.close()


class Watch:
    """A clock that is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def client(store: Store, watch: Watch | None = None, forges: Mapping[str, Any] | None = None) -> TestClient:
    app = FastAPI()
    app.include_router(metrics_router(store, forges or {}, watch or Watch()))
    return TestClient(app)


def samples(page: TestClient) -> dict[tuple[str, Labels], float]:
    """Every sample by its name and labels; no two have the same."""
    answer = page.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    read = [one for family in text_string_to_metric_families(answer.text) for one in family.samples]
    found = {(one.name, tuple(sorted(one.labels.items()))): one.value for one in read}
    assert len(found) == len(read)
    return found


def tell(store: Store, *events: tuple[str, int], trace: str = TRACE, first: int = 1) -> None:
    """Events of a trace: type, and seconds after the beginning."""
    with store.begin() as session:
        for sequence, (type_, seconds) in enumerate(events, first):
            row = {
                "tenant_id": TENANT, "trace_id": trace, "sequence": sequence, "id": f"{trace}-{sequence}", "type": type_,
                "time": rfc3339(BEGAN + timedelta(seconds=seconds)), "source": "test", "actor": PERSON, "body": b"{}",
                "prev_hash": "", "hash": "",
            }  # fmt: skip
            session.execute(sa.insert(EVENTS).values(row))


def come_in(store: Store, source: str, kind: str, count: int, done: int = DONE) -> None:
    with store.begin() as session:
        for number in range(count):
            row = {
                "tenant": TENANT, "source": source, "kind": kind, "delivery_id": f"{source}-{done}-{number}", "headers": "",
                "body": b"", "trace": TRACE, "shard": 1, "received_at": rfc3339(BEGAN), "done": done, "attempts": 0,
            }  # fmt: skip
            session.execute(sa.insert(INBOX).values(row))


def want(store: Store, kind: str, target: str, *statuses: str) -> None:
    with store.begin() as session:
        for number, status in enumerate(statuses):
            row = {
                "tenant": TENANT, "effect_id": f"{kind}.{target}.{number}", "trace": TRACE, "ordinal": number, "kind": kind,
                "target": target, "subject": "", "cause": "x", "request": "{}", "status": status, "attempt": 1,
                "tries": 1, "message": "", "updated_at": rfc3339(BEGAN),
            }  # fmt: skip
            session.execute(sa.insert(EFFECTS).values(row))


def test_an_empty_bot_says_zero(store: Store) -> None:
    said = samples(client(store))
    assert said[("release_approved_total", ())] == 0
    assert said[("orchestrations_started_total", ())] == 0
    assert said[("command_queue_length", (("kind", "delivery"),))] == 0
    assert said[("approval_wait_time_seconds_count", ())] == 0
    assert all(value == 0 for value in said.values())


def test_events_are_counted_by_what_they_say(store: Store) -> None:
    tell(store, ("ModuleGenerated", 0), ("ReleaseDelayed", 1), ("ReleaseApproved", 2), ("ReleaseApproved", 3))
    tell(store, ("ModuleGenerated", 0), ("ReleaseRejected", 1), ("RollbackTriggered", 2), trace="another")
    said = samples(client(store))
    wanted = {
        "orchestrations_started_total": 2, "release_approved_total": 2, "release_delayed_total": 1,
        "release_rejected_total": 1, "rollback_triggered_total": 1, "deployment_failed_total": 0,
    }  # fmt: skip
    assert {name: said[(name, ())] for name in wanted} == wanted


def test_a_deployment_lasts_from_its_start_to_its_end(store: Store) -> None:
    tell(
        store, ("ModuleGenerated", 0), ("DeploymentStarted", 10), ("DeploymentCompleted", 14), ("DeploymentStarted", 20),
        ("DeploymentFailed", 90), ("DeploymentFailed", 91),
    )  # fmt: skip
    tell(store, ("DeploymentCompleted", 5), trace="without a start")
    said = samples(client(store))

    def of(outcome: str, part: str, end: str = "") -> float:
        labels = {"outcome": outcome} | ({"le": end} if end else {})
        return said[(f"deployment_duration_seconds_{part}", tuple(sorted(labels.items())))]

    assert (of("completed", "count"), of("completed", "sum")) == (1, 4)
    assert [of("completed", "bucket", end) for end in ("1.0", "5.0", "+Inf")] == [0, 1, 1]
    assert (of("failed", "count"), of("failed", "sum")) == (2, 141)
    assert [of("failed", "bucket", end) for end in ("60.0", "120.0", "+Inf")] == [0, 2, 2]


def test_an_approval_waits_since_the_intent_else_since_the_beginning(store: Store) -> None:
    tell(store, ("ModuleGenerated", 0), ("ReleaseIntentDeclared", 100), ("ApprovalGranted", 130))
    tell(store, ("ModuleGenerated", 0), ("ApprovalGranted", 7200), trace="no intent")
    said = samples(client(store))
    assert said[("approval_wait_time_seconds_sum", ())] == 7230
    assert said[("approval_wait_time_seconds_count", ())] == 2
    ends = ("60.0", "3600.0", "14400.0")
    assert [said[("approval_wait_time_seconds_bucket", (("le", end),))] for end in ends] == [1, 1, 2]


def test_calls_are_counted_by_forge_and_what_waits_by_kind(store: Store) -> None:
    come_in(store, "webhooks/gitlab", "delivery", 3)
    come_in(store, "webhooks/gitlab", "delivery", 2, WAITING)
    come_in(store, "api", "event", 4, WAITING)
    said = samples(client(store))
    assert said[("pointsman_deliveries_accepted_total", (("forge", "gitlab"),))] == 5
    assert said[("command_queue_length", (("kind", "delivery"),))] == 2
    assert said[("command_queue_length", (("kind", "event"),))] == 4
    assert ("pointsman_deliveries_accepted_total", (("forge", "api"),)) not in said


def test_quarantined_rows_are_told_by_what_became_of_them(store: Store) -> None:
    with store.begin() as session:
        for seq, status in enumerate(("quarantined", "quarantined", "retried")):
            row = {
                "seq": seq, "tenant": TENANT, "source": "webhooks/github", "kind": "delivery", "delivery_id": str(seq),
                "trace": TRACE, "error": "KeyError", "message": PERSON, "traceback": "", "at": rfc3339(BEGAN), "status": status,
            }  # fmt: skip
            session.execute(sa.insert(LETTERS).values(row))
    said = samples(client(store))
    about = (("kind", "delivery"), ("source", "webhooks/github"))
    assert said[("pointsman_quarantined", (*about, ("status", "quarantined")))] == 2
    assert said[("pointsman_quarantined", (*about, ("status", "retried")))] == 1


def test_effects_are_told_by_kind_target_and_outcome(store: Store) -> None:
    want(store, "MergeChange", "gitlab", "done", "done", "failed", "retrying")
    want(store, "MergeChange", "github", "done")
    want(store, "WriteMemory", "memory", "superseded", "waiting")
    said = samples(client(store))
    told = {
        (*dict(labels).values(),): value
        for (name, labels), value in said.items()
        if "pointsman_effects" in name
    }
    assert told == {
        ("MergeChange", "done", "gitlab"): 2, ("MergeChange", "failed", "gitlab"): 1, ("MergeChange", "done", "github"): 1,
        ("WriteMemory", "superseded", "memory"): 1, ("MergeChange", "retrying", "gitlab"): 1,
        ("WriteMemory", "waiting", "memory"): 1,
    }  # fmt: skip
    assert (
        "pointsman_effects_total",
        (("kind", "WriteMemory"), ("outcome", "waiting"), ("target", "memory")),
    ) not in said


def test_limits_are_told_as_the_forge_said_them(store: Store) -> None:
    said = samples(client(store, forges={"github": Limited()}))
    core = (("account", "installation 12"), ("forge", "github"), ("resource", "core"))
    api = (("account", "token"), ("forge", "github"), ("resource", "api"))
    told = {key: value for key, value in said.items() if key[0].startswith("pointsman_forge")}
    assert told == {
        ("pointsman_forge_rate_limit_limit", core): 5000, ("pointsman_forge_rate_limit_remaining", core): 4321,
        ("pointsman_forge_rate_limit_reset_timestamp_seconds", core): 1_790_000_000,
        ("pointsman_forge_rate_limit_remaining", api): 7,
    }  # fmt: skip


def test_two_processes_on_one_database_say_the_same(store: Store) -> None:
    """One has asked before, and one comes new."""
    tell(store, ("ModuleGenerated", 0), ("DeploymentStarted", 1), ("DeploymentCompleted", 3))
    watch = Watch()
    old = client(store, watch)
    old.get("/metrics")
    tell(store, ("ReleaseApproved", 5), ("ApprovalGranted", 6), first=4)
    come_in(store, "webhooks/local", "delivery", 2)
    watch.now += FRESH_S
    assert old.get("/metrics").text == client(store).get("/metrics").text


def test_the_page_is_made_once_in_five_seconds(store: Store) -> None:
    watch = Watch()
    page = client(store, watch)
    assert samples(page)[("orchestrations_started_total", ())] == 0
    tell(store, ("ModuleGenerated", 0))
    watch.now += FRESH_S - 0.1
    assert samples(page)[("orchestrations_started_total", ())] == 0
    watch.now += 0.1
    assert samples(page)[("orchestrations_started_total", ())] == 1


def test_nobody_is_named(store: Store) -> None:
    tell(
        store,
        ("ModuleGenerated", 0),
        ("DeploymentStarted", 1),
        ("DeploymentFailed", 2),
        ("CommandRefused", 3),
    )
    come_in(store, "webhooks/gitlab", "delivery", 1, WAITING)
    want(store, "CommitFiles", "gitlab", "failed")
    text = client(store, forges={"github": Limited()}).get("/metrics").text
    assert [word for word in (TENANT, TRACE, PERSON) if word in text] == []


def test_a_database_that_does_not_answer_is_a_503_without_its_address(store: Store) -> None:
    with store.begin() as session:
        session.execute(sa.text("DROP TABLE events"))
    answer = client(store).get("/metrics")
    assert (answer.status_code, answer.text) == (503, "The database does not answer. See /readyz.\n")
