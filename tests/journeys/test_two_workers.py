"""Two workers and one shard, on Postgres: in order, once, and both of them at work."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from bot.log import verify
from tests.journeys import modules
from tests.journeys.house import House, git, living
from tests.journeys.rules import APPROVED
from tests.support import postgres

MODULES = 6


@pytest.fixture
def crowded(postgres_server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A web and two workers on a database with a single shard."""
    home = tmp_path_factory.mktemp("house") / "home"
    with postgres_server.database() as url, living(home, url, start=False, shards="1") as made:
        made.serve("--web-only")
        made.start("worker-1", "worker")
        made.start("worker-2", "worker")
        yield made


def test_two_workers_on_one_shard_keep_order_and_do_everything_once(crowded: House) -> None:
    house = crowded
    names = [f"crowd-{n}" for n in range(MODULES)]
    bares = {name: house.repository(f"acme/{name}", APPROVED) for name in names}

    traces = {name: house.submit(f"acme/{name}", name, modules.files()) for name in names}
    for trace in traces.values():
        house.tested(trace)

    with house.store.read() as session:
        assert verify(session)["ok"]
        done = session.execute(
            sa.text("SELECT DISTINCT name, executor_id FROM dbos.workflow_status WHERE executor_id <> ''")
        ).all()
    assert {count for _, count in Counter(name for name, _ in done).items()} >= {2}, done
    assert len({executor for name, executor in done if name == "perform_effect"}) == 2
    for name, trace in traces.items():
        events = house.log(trace)
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert all(
            one.time <= other.time
            for one, other in itertools.pairwise(e for e in events if e.source == "pointsman")
        )
        once = Counter(
            e.type
            for e in events
            if e.type in {"ModuleGenerated", "CommitReady", "PullRequestCreated", "PipelineReady"}
        )
        assert set(once.values()) == {1}, once
        marks = git(
            bares[name],
            "log",
            "--format=%(trailers:key=Effect-Id,valueonly)",
            f"main..feature/{name}/{trace}",
        ).split()
        assert len(marks) == len(set(marks)) == 2
