"""Whatever goes wrong on the way, an effect happens once, or somebody is told why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.forges.local import git as real
from tests.forges.gitlab.conftest import Desk
from tests.forges.gitlab.fake import git
from tests.forges.gitlab.fake.world import TOKEN


def on_a_branch(desk: Desk) -> str:
    return desk.commit()


def on_a_change(desk: Desk) -> str:
    head = desk.commit()
    desk.change(labels=("old",))
    return head


def behind(desk: Desk) -> str:
    head = on_a_change(desk)
    desk.stage.put({"other.txt": "other\n"})
    return head


def with_a_pipeline(desk: Desk) -> str:
    desk.stage.put({".gitlab-ci.yml": "test: {script: [make]}\n"})
    return on_a_change(desk)


def commented(desk: Desk) -> str:
    """The comment's id."""
    on_a_change(desk)
    return str(desk.world.deeds.note(desk.world.project, desk.world.owner, desk.world.change(1), "/help").id)


def nothing(_desk: Desk) -> str:
    return ""


FILES = (e.File(path="app.py", content="one\n"), e.File(path="run", content="#!\n", executable=True))
EFFECTS: dict[str, tuple[Callable[[Desk], str], Callable[[str], e.Effect]]] = {
    "CommitFiles": (nothing, lambda _: e.CommitFiles(branch="feature/x", base="main", files=FILES, message="feat: x")),
    "CommitFiles again": (
        on_a_branch,
        lambda head: e.CommitFiles(
            branch="feature/x", base="main", message="fix: x", expected_head=head,
            files=(e.File(path="app.py", content="two\n"), e.File(path="README.md", delete=True)),
        ),
    ),
    "OpenChange": (on_a_branch, lambda _: e.OpenChange(source="feature/x", target_branch="main", title="feat: x", body="B", labels=("a",))),
    "UpdateChange": (on_a_change, lambda _: e.UpdateChange(change=1, title="feat: y", add_labels=("b",), remove_labels=("old",), state="closed")),
    "UpdateBranch": (behind, lambda head: e.UpdateBranch(change=1, expected_head=head)),
    "PostComment": (on_a_change, lambda _: e.PostComment(change=1, body="Once.")),
    "PostComment sticky": (on_a_change, lambda _: e.PostComment(change=1, body="Status.", sticky="status")),
    "React": (commented, lambda note: e.React(change=1, comment_id=note, reaction="rocket")),
    "SetCheck": (on_a_change, lambda head: e.SetCheck(revision=head, name="pointsman/release: x", title="Waiting", conclusion="success")),
    "MergeChange": (on_a_change, lambda head: e.MergeChange(change=1, expected_head=head, message="feat: x (#1)")),
    "CreateTag": (on_a_branch, lambda head: e.CreateTag(name="v1.0.0", revision=head, message="One")),
    "RunPipeline": (with_a_pipeline, lambda head: e.RunPipeline(branch="feature/x", revision=head, variables={"A": "b"})),
    "RecordDeployment": (on_a_branch, lambda head: e.RecordDeployment(environment="staging", revision=head, state="in_progress", url="https://x.test")),
}  # fmt: skip
LIMITED = {"Retry-After": "7"}
FAULTS: dict[str, dict[str, Any]] = {
    "429": {"status": 429, "headers": LIMITED},
    "403 with Retry-After": {"status": 403, "headers": LIMITED},
    "500": {"status": 500},
    "503 with Retry-After": {"status": 503, "headers": LIMITED},
    "timeout": {"kind": "timeout"},
    "reset": {"kind": "reset"},
    "done but the answer lost": {"kind": "lost"},
    "done but the answer cut short": {"kind": "truncated"},
    "locked": {"status": 409, "body": {"message": "409 Resource lock"}},
}


def seen(desk: Desk) -> dict[str, Any]:
    """Everything an effect may leave behind, without what differs from run to run."""
    project, repo = desk.world.project, desk.world.project.repo
    branches = repo.branches()
    return {
        "branches": {
            # By descent: Git lists commits of one second in another order than those of two.
            name: [one["message"].partition("\n")[0] for one in repo.commits(name, "--topo-order")]
            for name in branches
        },
        "files": {name: desk.stage.files(name) for name in branches},
        "executable": {name: desk.stage.executables(name) for name in branches},
        "changes": [
            (one.title, one.description, one.state, one.labels, len(one.versions)) for one in project.changes
        ],
        "notes": [[note.body for note in one.notes if not note.system] for one in project.changes],
        "emoji": [[name for note in one.notes for _, name, _ in note.emoji] for one in project.changes],
        "statuses": [[(one.name, one.status) for one in run.external] for run in project.pipelines],
        "pipelines": [(run.source, run.ref, run.variables) for run in project.pipelines],
        "tags": sorted(desk.stage.tags()),
        "deployed": [(name, status) for name, _, status in project.deployed],
    }


def test_what_is_seen_does_not_hang_on_the_second_it_happened_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A squashed commit and its merge, dated as the commit below them: by date, that one comes in between."""
    prepare, make = EFFECTS["MergeChange"]
    effect = make(prepare(desk))
    begun = desk.world.project.repo.commits("main")[0]["committed_date"]

    def line(folder: Path, *arguments: str, env: Mapping[str, str] | None = None, **more: Any) -> str:
        return real.line(folder, *arguments, env={**(env or {}), "GIT_COMMITTER_DATE": begun}, **more)

    monkeypatch.setattr(git, "line", line)
    desk.insist(effect)
    assert seen(desk)["branches"]["main"] == ["feat: x (#1)", "feat: x (#1)", "chore: begin"]


@pytest.fixture(scope="module")
def right() -> dict[str, dict[str, Any]]:
    """What each effect leaves behind when nothing goes wrong."""
    return {}


def expected(name: str, desk: Desk, right: dict[str, dict[str, Any]], effect: e.Effect) -> dict[str, Any]:
    """The effect done once more is done already: so the state after two is the state after one."""
    desk.insist(effect)
    right.setdefault(name, seen(desk))
    return right[name]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", EFFECTS)
def test_a_write_that_goes_wrong_is_done_once(
    desk: Desk, right: dict[str, dict[str, Any]], name: str, fault: str
) -> None:
    prepare, make = EFFECTS[name]
    effect = make(prepare(desk))
    before = seen(desk)
    wrong = desk.fault("WRITE", ".", **FAULTS[fault])

    desk.insist(effect)

    assert wrong.times == 0, "the effect writes"
    after = seen(desk)
    assert after != before
    assert expected(name, desk, right, effect) == after
    assert len(desk.waits) <= 1 or fault == "timeout"
    if "headers" in FAULTS[fault]:
        assert desk.waits == [7.0]


READ_FAULTS = ("429", "reset", "done but the answer cut short")


@pytest.mark.parametrize("fault", READ_FAULTS)
@pytest.mark.parametrize("name", EFFECTS)
def test_a_read_that_goes_wrong_changes_nothing(
    desk: Desk, right: dict[str, dict[str, Any]], name: str, fault: str
) -> None:
    prepare, make = EFFECTS[name]
    effect = make(prepare(desk))
    before = seen(desk)
    desk.fault("GET", r"/projects/", **FAULTS[fault])

    with pytest.raises(Retryable):
        desk.do(effect)

    assert seen(desk) == before
    desk.insist(effect)
    assert expected(name, desk, right, effect) == seen(desk)


@pytest.mark.parametrize("name", EFFECTS)
def test_what_is_not_there_yet_just_after_the_call_is_done_once_or_refused(desk: Desk, name: str) -> None:
    prepare, make = EFFECTS[name]
    effect = make(prepare(desk))
    before = seen(desk)
    desk.fault("GET", r"/projects/", status=404, body={"message": "404 Not Found"})
    code = ""
    try:
        desk.do(effect)
    except Permanent as refused:
        code = refused.reason_code
    after = seen(desk)
    if code:
        assert code in {"NotFound", "BranchDeleted", "RevisionMissing"}
        assert after == before
    else:
        desk.insist(effect)
        assert seen(desk) == after


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize(
    ("status", "code"),
    [(401, {"BadToken", "NoMergeAccess"}), (403, {"Forbidden", "NoMergeAccess", "ProtectedBranch"})],
)
def test_what_the_token_may_not_is_told_with_what_to_mend(
    desk: Desk, name: str, status: int, code: set[str]
) -> None:
    prepare, make = EFFECTS[name]
    effect = make(prepare(desk))
    before = seen(desk)
    desk.fault("WRITE", ".", status=status, body={"message": f"{status} for {TOKEN}"})
    with pytest.raises(Permanent) as refused:
        desk.do(effect)
    assert refused.value.reason_code in code
    assert TOKEN not in refused.value.message
    assert seen(desk) == before
