"""What nobody gets around: the bot's checks, the gates before a merge, four eyes, one tenant."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import col, select

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.local.protection import gated
from bot.forges.local.tables import ForgeDelivery
from bot.messages import BOT
from bot.projections.trace_keys import TraceKeys
from tests.forges.world import REPOSITORY, World, git

GATE = "pointsman/merge"
HERE = f"/repositories/{REPOSITORY}"


@pytest.fixture
def guarded(world: World) -> World:
    """main is guarded by the bot; jane has opened change 1 from her branch."""
    world.repository(protection=(gated("main"),))
    for login in ("jane", "mallory"):
        world.person(login, "write")
    return world


def push(world: World, login: str, folder: Path, path: str, message: str = "feat: x", **env: str) -> str:
    """A commit on `feature/x`, pushed by `login`; `env` are names and addresses that the commit claims."""
    clone = folder / f"{login}-{path}"
    git("clone", "--quiet", world.clone_url(login), str(clone), cwd=folder)
    known = git("branch", "--remotes", cwd=clone).stdout
    git("switch", "--quiet", *([] if "origin/feature/x" in known else ["-c"]), "feature/x", cwd=clone)
    (clone / path).write_text("x\n")
    git("add", "--all", cwd=clone)
    git("commit", "--quiet", "-m", message, cwd=clone, **env)
    git("push", "--quiet", "origin", "feature/x", cwd=clone)
    return git("rev-parse", "HEAD", cwd=clone).stdout.strip()


def propose(world: World, login: str) -> None:
    with world.api(login) as api:
        assert api.post(f"{HERE}/changes", json={"source": "feature/x", "title": "feat: x"}).is_success


def set_check(world: World, head: str, name: str, conclusion: str | None = "success") -> None:
    said = e.SetCheck(
        target="local", repository=REPOSITORY, revision=head, name=name, title="t", conclusion=conclusion
    )
    world.perform(said, f"trace-1.000009.{name}")


def merge_by_hand(world: World, head: str) -> tuple[int, str]:
    with world.api("jane") as api:
        answer = api.post(f"{HERE}/changes/1/merge", json={"head": head})
    return answer.status_code, answer.json().get("detail", "")


def bot_merge(head: str) -> e.MergeChange:
    return e.MergeChange(
        target="local", repository=REPOSITORY, change=1, expected_head=head, message="feat: x"
    )


@pytest.mark.parametrize(
    "name", [GATE, "pointsman/release: staging", "pointsman/pipeline", "pointsman/anything"]
)
def test_only_the_bot_sets_the_bot_s_checks(guarded: World, tmp_path: Path, name: str) -> None:
    head = push(guarded, "jane", tmp_path, "a.txt")
    said = {"revision": head, "name": name, "title": "ok", "conclusion": "success"}
    with guarded.api("jane") as api:
        refused = api.post(f"{HERE}/checks", json=said)
        assert api.get(f"{HERE}/checks", params={"revision": head}).json() == []
        assert api.post(f"{HERE}/checks", json=said | {"name": "my/pointsman/x"}).status_code == 201
    assert refused.status_code == 403
    assert refused.json()["detail"] == (
        "checks named pointsman/* are the bot's own; report yours by another name"
    )


def test_nobody_merges_by_hand_before_every_gate_is_open(guarded: World, tmp_path: Path) -> None:
    head = push(guarded, "jane", tmp_path, "a.txt")
    propose(guarded, "jane")
    waiting = f"main is protected: {GATE} has not succeeded yet"
    assert merge_by_hand(guarded, head) == (409, waiting)

    set_check(guarded, head, GATE.upper())  # another name, if only by its case
    set_check(guarded, head, "pointsman/release: staging")  # one environment is not all of them
    assert merge_by_hand(guarded, head) == (409, waiting)
    with pytest.raises(Retryable) as pending:
        guarded.perform(bot_merge(head))
    assert str(pending.value) == waiting

    set_check(guarded, head, GATE, "failure")
    assert merge_by_hand(guarded, head) == (409, f"main is protected: {GATE} did not succeed")

    set_check(guarded, head, GATE)
    assert merge_by_hand(guarded, head) == (200, "")


@pytest.mark.parametrize("conclusion", ["success", "neutral"])
def test_the_bot_merges_when_its_checks_have_passed_or_only_observe(
    guarded: World, tmp_path: Path, conclusion: str
) -> None:
    head = push(guarded, "jane", tmp_path, "a.txt")
    propose(guarded, "jane")
    set_check(guarded, head, GATE, conclusion)
    assert isinstance(guarded.perform(bot_merge(head)), e.MergeResult)


def committers(world: World) -> list[str]:
    with world.api("jane") as api:
        told: list[str] = api.get(f"{HERE}/changes/1").json()["committers"]
    asked = e.GatherFacts(target="local", repository=REPOSITORY, correlation="c", purpose="p", change=1)
    change = world.perform(asked).to_json()["change"]
    assert change["committers"] == told
    return told


JANES = {"GIT_AUTHOR_EMAIL": "jane@example.org", "GIT_COMMITTER_EMAIL": "jane@example.org"}


def test_who_pushed_is_a_committer_whatever_address_the_commit_claims(guarded: World, tmp_path: Path) -> None:
    push(guarded, "jane", tmp_path, "a.txt")
    propose(guarded, "jane")
    push(guarded, "mallory", tmp_path, "b.txt", **JANES)
    push(guarded, "jane", tmp_path, "c.txt")  # the last push is not mallory's
    assert committers(guarded) == ["jane", "mallory"]


def test_who_pushed_before_the_change_was_opened_is_a_committer(guarded: World, tmp_path: Path) -> None:
    push(guarded, "mallory", tmp_path, "a.txt", **JANES)
    propose(guarded, "jane")
    assert committers(guarded) == ["jane", "mallory"]


def test_who_pushed_long_before_the_change_was_opened_is_a_committer(guarded: World, tmp_path: Path) -> None:
    push(guarded, "mallory", tmp_path, "a.txt", **JANES)
    waiting = select(ForgeDelivery).where(col(ForgeDelivery.delivered_at).is_(None))

    def delivered() -> bool:
        with guarded.store.read() as session:
            return not session.scalars(waiting).all()

    guarded.until(delivered)
    guarded.forge.tidy("9999-01-01T00:00:00.000Z")
    propose(guarded, "jane")
    assert committers(guarded) == ["jane", "mallory"]


def test_who_pushed_while_the_change_was_closed_is_a_committer(guarded: World, tmp_path: Path) -> None:
    push(guarded, "jane", tmp_path, "a.txt")
    propose(guarded, "jane")
    with guarded.api("jane") as api:
        assert api.patch(f"{HERE}/changes/1", json={"state": "closed"}).is_success
        push(guarded, "mallory", tmp_path, "b.txt", **JANES)
        assert api.patch(f"{HERE}/changes/1", json={"state": "open"}).is_success
    assert committers(guarded) == ["jane", "mallory"]


def test_a_branch_of_the_same_name_made_anew_is_nobody_else_s(guarded: World, tmp_path: Path) -> None:
    push(guarded, "mallory", tmp_path, "a.txt")
    git("push", "--quiet", "origin", ":feature/x", cwd=tmp_path / "mallory-a.txt")
    push(guarded, "jane", tmp_path, "b.txt")
    propose(guarded, "jane")
    assert committers(guarded) == ["jane"]


def test_another_tenant_s_effect_does_nothing_here(guarded: World, tmp_path: Path) -> None:
    head = push(guarded, "jane", tmp_path, "a.txt")
    tag = e.CreateTag(target="local", repository=REPOSITORY, name="v1", revision=head, message="v1")
    with pytest.raises(Permanent) as refused:
        guarded.forge.perform("t.1.0", tag, EffectContext("umbrella", "t", lambda _id: None))
    assert (refused.value.reason_code, refused.value.message) == (
        "NotFound",
        f"there is no repository {REPOSITORY!r}",
    )
    assert git("ls-remote", "--tags", guarded.clone_url("jane"), cwd=tmp_path).stdout == ""
    guarded.perform(tag)
    assert "refs/tags/v1" in git("ls-remote", "--tags", guarded.clone_url("jane"), cwd=tmp_path).stdout


def test_a_trailer_in_a_pushed_commit_puts_nothing_into_the_trace_it_names(
    guarded: World, tmp_path: Path
) -> None:
    push(guarded, "mallory", tmp_path, "a.txt", "feat: x\n\nTrace-Id: trace-of-jane")
    propose(guarded, "mallory")
    with guarded.api("mallory") as api:
        assert api.post(f"{HERE}/changes/1/comments", json={"body": "/approve"}).is_success
    spoken = guarded.until(lambda: [fact for fact in guarded.facts() if fact.draft.actor == "mallory"][2:])
    assert spoken
    with guarded.store.begin() as session:
        keys = TraceKeys(session)
        found = {
            keys.resolve("acme", fact, cause="c", repository=lambda _trace: REPOSITORY)
            for fact in guarded.facts()
            if fact.draft.actor != BOT
        }
    assert len(found) == 1
    assert "trace-of-jane" not in found


@pytest.mark.parametrize("moved", [False, True])
def test_a_rebase_by_the_bot_is_the_bot_s_whatever_its_commits_say_of_traces(
    guarded: World, tmp_path: Path, *, moved: bool
) -> None:
    head = push(guarded, "mallory", tmp_path, "a.txt", "feat: x [trace:inline]\n\nTrace-Id: trace-of-jane")
    propose(guarded, "mallory")
    if moved:
        kept = e.File(path="b.txt", content="b\n")
        guarded.perform(
            e.CommitFiles(
                target="local", repository=REPOSITORY, branch="other", base="main", files=(kept,), message="b"
            ),
            "t.000001.0",
        )
        other = e.OpenChange(
            target="local", repository=REPOSITORY, source="other", target_branch="main", title="b", body=""
        )
        made = guarded.perform(other, "t.000002.0")
        assert isinstance(made, e.ChangeResult)
        set_check(guarded, made.head, GATE)
        guarded.perform(bot_merge(made.head).model_copy(update={"change": 2}), "t.000003.0")
    set_check(guarded, head, GATE)
    merge = bot_merge(head).model_copy(update={"method": "rebase", "trailers": {"Trace-Id": "trace-own"}})

    merged = guarded.perform(merge, "trace-own.000009.0")

    assert isinstance(merged, e.MergeResult)
    told = guarded.until(
        lambda: [
            fact
            for fact in guarded.facts()
            if fact.draft.type in {"Pushed", "ChangeMerged"} and merged.sha in str(fact.draft.data)
        ][1:]
    )
    assert {fact.trace_id for fact in told} == {"trace-own"}
    bare = guarded.home / "repositories" / f"{REPOSITORY}.git"
    shown = git("show", "-s", "--format=%an%n%B", merged.sha, cwd=bare).stdout.strip().split("\n")
    assert shown == [
        "Jane", "feat: x [trace:inline]", "", "Trace-Id: trace-of-jane", "",
        "Trace-Id: trace-own", "Effect-Id: trace-own.000009.0",
    ]  # fmt: skip
