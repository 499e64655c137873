"""A worker is killed with SIGKILL in the middle of an effect: done again it is done once, and told once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, delete, select

from bot.domain import effect as e
from bot.forges.local import LocalForge, history, telling
from bot.forges.local.git import ZERO, line
from bot.forges.local.tables import ForgeDelivery, ForgePipeline, ForgeRef
from tests.forges.dying import EFFECT_ID
from tests.forges.world import README, REPOSITORY, World, git, make, opened

ROOT = Path(__file__).parents[3]


def killed(world: World, point: str, effect: e.Effect) -> None:
    said = json.dumps({"kind": effect.kind, "effect": effect.to_json()})
    done = subprocess.run(
        [sys.executable, "-m", "tests.forges.dying", str(world.home), world.store.url, point, said],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.fixture(params=["sqlite", "postgres"])
def quiet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A forge whose threads do not run, so that what was told stays to be counted."""
    url = request.getfixturevalue(f"migrated_{request.param}")
    with opened(tmp_path / "home", url, start=False) as world:
        world.repository()
        yield world


def told(world: World) -> list[tuple[str, str]]:
    with world.store.read() as session:
        rows = session.scalars(select(ForgeDelivery).order_by(col(ForgeDelivery.seq))).all()
        said = [json.loads(row.body) for row in rows]
    return [(one["event"], str(one.get("action") or one.get("branch"))) for one in said]


COMMIT = e.CommitFiles(
    repository=REPOSITORY,
    branch="feature/x",
    base="main",
    message="feat: x",
    files=(e.File(path=".gitlab-ci.yml", content="unit: {script: ['true']}\n"),),
)


@pytest.mark.parametrize("point", ["before", "after", "telling"])
def test_a_commit(quiet: World, point: str) -> None:
    killed(quiet, point, COMMIT)
    result = quiet.perform(COMMIT, EFFECT_ID)
    assert isinstance(result, e.CommitResult)
    assert quiet.perform(COMMIT, EFFECT_ID) == result
    folder = quiet.forge.ground.folder(REPOSITORY)
    assert history.branch_head(folder, "feature/x") == result.sha
    assert git("rev-list", "--count", "main..feature/x", cwd=folder).stdout.strip() == "1"
    assert told(quiet) == [("push", "main"), ("push", "feature/x")]
    with quiet.store.read() as session:
        assert len(session.scalars(select(ForgePipeline)).all()) == 1


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
@pytest.mark.parametrize("point", ["before", "after", "telling"])
def test_a_merge(quiet: World, point: str, method: str) -> None:
    head = quiet.perform(COMMIT, "trace-1.000001.0")
    assert isinstance(head, e.CommitResult)
    opening = e.OpenChange(
        repository=REPOSITORY, source="feature/x", target_branch="main", title="t", body=""
    )
    quiet.perform(opening, "trace-1.000002.0")
    merging = e.MergeChange.model_validate(
        {
            "repository": REPOSITORY,
            "change": 1,
            "expectedHead": head.sha,
            "method": method,
            "message": "feat: x (#1)",
        }
    )
    killed(quiet, point, merging)
    result = quiet.perform(merging, EFFECT_ID)
    assert isinstance(result, e.MergeResult)
    assert quiet.perform(merging, EFFECT_ID) == result
    folder = quiet.forge.ground.folder(REPOSITORY)
    assert history.branch_head(folder, "main") == result.sha
    assert (result.tree, result.head_tree) == (head.tree, head.tree)
    count = git("rev-list", "--count", "--first-parent", "main", cwd=folder).stdout.strip()
    assert count == "2"
    assert told(quiet) == [
        ("push", "main"),
        ("push", "feature/x"),
        ("change", "opened"),
        ("push", "main"),
        ("change", "merged"),
    ]


class Death(Exception):
    """Stands for the kill in a property test, where a process for each would take minutes."""


writes = st.lists(
    st.tuples(
        st.sampled_from(["one", "two", "three"]),
        st.sampled_from(["commit", "delete", "rewind"]),
        st.sampled_from(["lives", "dies"]),
        st.sampled_from(["jane", "sam"]),
    ),
    max_size=8,
)


def chain_holds(forge: LocalForge) -> None:
    """What was told of each ref links up without a gap, from nothing to where Git has it now."""
    with forge.ground.read() as session:
        rows = session.scalars(select(ForgeDelivery).order_by(col(ForgeDelivery.seq))).all()
        known = {row.ref: row.sha for row in session.scalars(select(ForgeRef))}
    at: dict[str, str] = {}
    for said in (json.loads(row.body) for row in rows):
        assert said["before"] == at.get(said["ref"], ZERO)
        assert said["after"] != said["before"]
        at[said["ref"]] = said["after"]
    assert (
        {ref: sha for ref, sha in at.items() if sha != ZERO}
        == known
        == history.refs(forge.ground.folder(REPOSITORY))
    )


def write(forge: LocalForge, branch: str, what: str, fate: str, login: str) -> None:
    with suppress(Death), telling.writing(forge.ground, REPOSITORY, login) as folder:
        _move(folder, f"refs/heads/{branch}", what)
        if fate == "dies":
            raise Death


def _move(folder: Path, ref: str, what: str) -> None:
    head, main = history.resolve(folder, ref), line(folder, "rev-parse", "refs/heads/main")
    if what == "delete" and head:
        line(folder, "update-ref", "-d", ref)
    elif what == "rewind":
        line(folder, "update-ref", ref, main)
    elif what == "commit":
        env = {
            f"GIT_{who}_{key}": "j@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for key in ("NAME", "EMAIL")
        }
        sha = line(folder, "commit-tree", f"{main}^{{tree}}", "-p", head or main, "-m", f"on {head}", env=env)
        line(folder, "update-ref", ref, sha)


@pytest.fixture
def still(migrated_sqlite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalForge:
    """A forge with nothing running, in which a death skips the telling as a kill does."""
    forge = make(tmp_path / "home", migrated_sqlite)
    forge.create_repository(REPOSITORY, files=(README,))
    real = telling.tell

    def tell(*arguments: object) -> None:
        if not isinstance(sys.exc_info()[1], Death):
            real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(telling, "tell", tell)
    return forge


def reset(forge: LocalForge) -> None:
    folder = forge.ground.folder(REPOSITORY)
    for ref in history.refs(folder):
        if ref != "refs/heads/main":
            line(folder, "update-ref", "-d", ref)
    with forge.ground.write() as session:
        session.execute(delete(ForgeDelivery))
        session.execute(delete(ForgeRef))


once = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@once
@given(done=writes)
def test_whoever_dies_every_move_is_told_in_order(
    still: LocalForge, done: list[tuple[str, str, str, str]]
) -> None:
    reset(still)
    for one in done:
        write(still, *one)
    write(still, "last", "commit", "lives", "jane")
    chain_holds(still)


def test_the_property_sees_a_planted_bug(still: LocalForge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: deletions are noted and not told."""
    real = telling._record

    def forgetful(
        ground: object, session: object, repository: str, movement: telling.Movement, pusher: str
    ) -> None:
        if movement.after == ZERO:
            session.delete(session.get_one(ForgeRef, (repository, movement.ref)))  # type: ignore[attr-defined]
        else:
            real(ground, session, repository, movement, pusher)  # type: ignore[arg-type]

    monkeypatch.setattr(telling, "_record", forgetful)
    reset(still)
    write(still, "one", "commit", "lives", "jane")
    write(still, "one", "delete", "dies", "jane")
    write(still, "last", "commit", "lives", "jane")
    with pytest.raises(AssertionError):
        chain_holds(still)
