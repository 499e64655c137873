"""Webhooks arrive: signed, in order, again after a refusal, again after a crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlmodel import col, select
from structlog.testing import capture_logs

from bot.domain import effect as e
from bot.forges.local.tables import ForgeDelivery
from bot.forges.local.verify import sign
from tests.forges.world import README, REPOSITORY, SECRET, Receiver, World, make, opened


def commit(world: World, number: int, repository: str = REPOSITORY) -> None:
    effect = e.CommitFiles(
        repository=repository,
        branch="b",
        base="main",
        message=f"feat: {number}",
        files=(e.File(path=f"{number}.txt", content="x\n"),),
    )
    world.perform(effect, f"trace-1.{number:06d}.0")


def undelivered(world: World) -> int:
    with world.store.read() as session:
        return len(
            session.scalars(select(ForgeDelivery).where(col(ForgeDelivery.delivered_at).is_(None))).all()
        )


def messages(receiver: Receiver) -> list[str]:
    """The head commit's message of each push, in the order of arrival."""
    return [json.loads(one.body)["headCommit"]["message"].partition("\n")[0] for one in receiver.received]


def test_they_arrive_signed_and_in_order(any_world: World) -> None:
    world = any_world
    world.repository()
    for number in range(1, 6):
        commit(world, number)
    world.until(lambda: len(world.receiver.received) == 6)
    assert messages(world.receiver) == ["chore: begin", *(f"feat: {number}" for number in range(1, 6))]
    for one in world.receiver.received:
        assert one.headers["x-pointsman-signature-256"] == sign(SECRET, one.body)
        assert one.headers["x-pointsman-event"] == "push"
        assert one.headers["x-pointsman-repository"] == REPOSITORY
    world.until(lambda: undelivered(world) == 0)


def test_a_refused_one_is_tried_again_and_holds_back_only_its_own_repository(world: World) -> None:
    world.receiver.refuse = 3
    world.repository()
    world.repository("demo/other")
    commit(world, 1)
    world.until(lambda: undelivered(world) == 0)
    of_booking = [
        one for one in world.receiver.received if one.headers["x-pointsman-repository"] == REPOSITORY
    ]
    assert [json.loads(one.body).get("branch") for one in of_booking] == ["main", "b"]
    with world.store.read() as session:
        attempts = session.scalars(select(ForgeDelivery.attempts)).all()
        assert sum(attempts) == 3 + 3


def test_deliveries_that_fail_are_logged_once_with_the_address_and_without_the_secret(world: World) -> None:
    world.receiver.refuse = 3
    with capture_logs() as logs:
        world.repository()
        world.until(lambda: undelivered(world) == 0)
        world.until(lambda: len(logs) == 2)
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("webhook_not_delivered", "warning"),
        ("webhooks_arrive_again", "info"),
    ]
    assert logs[0]["error"] == "503"
    assert (logs[0]["url"], logs[0]["repository"]) == (f"{world.url}/webhooks/local", REPOSITORY)
    assert "first-secret" not in str(logs)


def test_an_attempt_is_the_same_delivery(world: World) -> None:
    world.receiver.refuse = 2
    world.repository()
    world.until(lambda: undelivered(world) == 0)
    with world.store.read() as session:
        row = session.scalars(select(ForgeDelivery)).one()
    assert (row.attempts, row.last_answer) == (3, "202")
    assert [one.headers["x-pointsman-delivery"] for one in world.receiver.received] == [row.delivery_id]


def test_what_a_crash_left_undelivered_is_delivered_at_the_next_start(
    migrated_sqlite: str, tmp_path: Path
) -> None:
    dead = make(tmp_path / "home", migrated_sqlite)  # its threads never run: it died before they did
    dead.create_repository(REPOSITORY, files=(README,))
    with opened(tmp_path / "home", migrated_sqlite) as world:
        world.until(lambda: undelivered(world) == 0)
        assert messages(world.receiver) == ["chore: begin"]


def test_a_delivery_made_but_not_noted_comes_again_under_the_same_id(world: World) -> None:
    world.repository()
    world.until(lambda: undelivered(world) == 0)
    with world.store.begin() as session:
        session.scalars(select(ForgeDelivery)).one().delivered_at = None
    world.until(lambda: len(world.receiver.received) == 2)
    first, second = world.receiver.received
    assert (first.body, first.headers["x-pointsman-delivery"]) == (
        second.body,
        second.headers["x-pointsman-delivery"],
    )


def test_a_push_whose_process_was_killed_is_told_at_the_next_start(
    migrated_sqlite: str, tmp_path: Path
) -> None:
    from bot.forges.local import telling
    from bot.forges.local.git import line

    dead = make(tmp_path / "home", migrated_sqlite)
    folder = dead.create_repository(REPOSITORY, files=(README,))
    line(folder, "update-ref", "refs/heads/hers", line(folder, "rev-parse", "main"))
    (folder / telling.LOCK).write_text("jane")
    with opened(tmp_path / "home", migrated_sqlite) as world:
        world.until(lambda: len(world.receiver.received) == 2)
        assert [(fact.draft.data["branch"], fact.draft.actor) for fact in world.facts()] == [
            ("main", "pointsman[bot]"),
            ("hers", "jane"),
        ]


@pytest.mark.parametrize("killed", ["before", "after"])
def test_a_ref_moved_by_a_writer_that_died_is_told_by_the_next_one(
    world: World, killed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the ref moved and before anything was told, and once more before the next one told it."""
    from bot.forges.local import telling

    folder = world.repository()
    world.person("jane", "write")
    (folder / telling.LOCK).write_text("jane")
    from bot.forges.local.git import line

    tree = line(folder, "rev-parse", "main^{tree}")
    env = {
        f"GIT_{who}_{what}": "jane@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    sha = line(folder, "commit-tree", tree, "-p", "main", "-m", "feat: hers", env=env)
    line(folder, "update-ref", "refs/heads/hers", sha)
    if killed == "before":
        with monkeypatch.context() as patch:
            patch.setattr(telling, "_record", _die)
            with pytest.raises(RuntimeError, match="killed"):
                commit(world, 1)
    commit(world, 1)
    world.until(lambda: len(world.receiver.received) == 3)
    assert [(fact.draft.data["branch"], fact.draft.actor) for fact in world.facts()] == [
        ("main", "pointsman[bot]"),
        ("hers", "jane"),
        ("b", "pointsman[bot]"),
    ]


def _die(*_arguments: object) -> None:
    raise RuntimeError("killed")


def test_a_huge_push_makes_a_delivery_that_a_receiver_takes(world: World) -> None:
    from bot.forges.local.git import ZERO, line
    from bot.forges.local.telling import writing

    folder = world.repository()
    env = {
        f"GIT_{who}_{what}": "j@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    blob = line(folder, "hash-object", "-w", "--stdin", stdin=b"x")
    paths = sorted(f"{'long' * 60}-{number:05d}" for number in range(3000))
    tree = line(folder, "mktree", stdin="".join(f"100644 blob {blob}\t{path}\n" for path in paths).encode())
    message = f"feat: big\n\n{'ü' * 2_000_000}\n\nTrace-Id: trace-big\n".encode()
    with writing(world.forge.ground, REPOSITORY, "jane"):
        sha = line(folder, "commit-tree", tree, "-p", "main", "-F", "-", stdin=message, env=env)
        line(folder, "update-ref", "refs/heads/big", sha, ZERO)
    world.until(lambda: len(world.receiver.received) == 2)
    body = world.receiver.received[1].body
    assert len(body) < 600_000
    assert json.loads(body)["cut"]
    fact = world.facts()[1]
    assert fact.trace_id == "trace-big"
    assert 700 < len(fact.draft.data["paths"]) < 3000
    assert fact.draft.data["messages"][0].startswith("feat: big\n\nüüü")


def rows(world: World) -> list[ForgeDelivery]:
    with world.store.read() as session:
        session.expire_on_commit = False
        return list(session.scalars(select(ForgeDelivery).order_by(col(ForgeDelivery.seq))))


def test_what_was_delivered_long_ago_keeps_its_row_and_loses_its_body(any_world: World) -> None:
    world = any_world
    world.repository()
    commit(world, 1)
    world.until(lambda: undelivered(world) == 0)
    world.receiver.refuse = 10_000
    commit(world, 2)
    ids = [row.delivery_id for row in rows(world)]
    whole = rows(world)[-1].body

    world.forge.tidy("2020-01-01T00:00:00.000Z")
    assert all(len(row.body) > 200 for row in rows(world))
    for _ in range(2):
        world.forge.tidy("9999-01-01T00:00:00.000Z")

    after = rows(world)
    assert [row.delivery_id for row in after] == ids
    zero = "0" * 40
    assert [row.body for row in after[:-1]] == [
        f'{{"ref":"refs/heads/{branch}","before":"{zero}","sender":{{"login":"pointsman[bot]"}}}}'
        for branch in ("main", "b")
    ]
    assert after[-1].body == whole, "what was not delivered yet"
    received = len(world.receiver.received)
    world.receiver.refuse = 0
    world.until(lambda: undelivered(world) == 0)
    assert len(world.receiver.received) == received + 1
