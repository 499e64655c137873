"""Ways into and through a repository: pushes of agents and people, several modules, several repositories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.journeys import modules
from tests.journeys.house import House, git
from tests.journeys.rules import APPROVED


def push(
    house: House, repository: str, branch: str, into: Path, files: dict[str, str], login: str = "ada"
) -> str:
    """A person's commit on a branch, made when it is not there. Returns its sha."""
    clone = house.clone(repository, login, into)
    known = git(clone, "ls-remote", "--heads", "origin", branch)
    git(clone, "checkout", "-q", *(["-b"] if not known else []), branch)
    for name, text in files.items():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text(text)
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "chore: by hand")
    git(clone, "push", "-q", "origin", branch)
    return git(clone, "rev-parse", "HEAD")


def test_a_push_to_an_agents_branch_goes_the_same_way(house: House, tmp_path: Path) -> None:
    bare = house.repository("acme/pushed")
    files = {f["path"]: f["content"] for f in modules.files("1.2.0")}
    files = {
        "pushed_clock/__init__.py": "",
        "pushed_clock/__main__.py": "import app\n\napp.main()\n",
        **files,
    }

    sha = push(house, "acme/pushed", "agent/pushed-clock/1.2.0", tmp_path / "clone", files)

    (trace,) = house.wait(lambda: house.traces(module_id="pushed-clock"), "the trace of the push")
    generated = house.event(trace, "ModuleGenerated")
    assert (generated.actor, generated.data["revision"], generated.data["version"]) == ("ada", sha, "1.2.0")
    running = house.event(trace, "DeploymentCompleted", environment="staging")
    assert house.answers(running.data["url"]) == "1.2.0"
    assert git(bare, "rev-parse", "agent/pushed-clock/1.2.0") == sha, "the agent's branch is left alone"
    committed = house.event(trace, "CommitReady").data
    assert committed["branch"] == f"feature/pushed-clock/{trace}"
    assert git(bare, "diff", "--name-only", sha, committed["sha"]) == ""


def test_two_modules_of_one_repository_keep_to_their_folders(house: House) -> None:
    bare = house.repository("acme/mono", **{"services/left/old.py": "gone = True\n", "shared.txt": "ours\n"})
    first = git(bare, "rev-parse", "main")

    left = house.submit("acme/mono", "left", modules.files())
    house.event(left, "ReleasePublished")
    right = house.submit("acme/mono", "right", modules.files())
    house.event(right, "ReleasePublished")

    for trace, module in ((left, "left"), (right, "right")):
        commit = house.event(trace, "CommitReady").data["sha"]
        touched = git(bare, "show", "--format=", "--name-only", commit).splitlines()
        assert touched
        assert all(name.startswith(f"services/{module}/") for name in touched), touched
    files = set(git(bare, "ls-tree", "-r", "--name-only", "main").splitlines())
    assert {"services/left/app.py", "services/right/app.py"} <= files
    assert "services/left/old.py" not in files, "the module's own folder is a clean tree"
    for outside in ("shared.txt", "README.md", ".pointsman/policy.yaml"):
        assert git(bare, "rev-parse", f"main:{outside}") == git(bare, "rev-parse", f"{first}:{outside}")
    urls = {house.event(t, "DeploymentCompleted").data["url"] for t in (left, right)}
    assert [house.answers(url) for url in sorted(urls)] == ["1.0.0", "1.0.0"]
    assert len(urls) == 2


def test_one_module_name_in_two_repositories_is_two_traces(house: House) -> None:
    bares = [house.repository(f"acme/multi-{n}", APPROVED) for n in (1, 2)]
    traces = [house.submit(f"acme/multi-{n}", "multi", modules.files(), path="") for n in (1, 2)]

    assert len(set(traces)) == 2
    for bare, trace, n in zip(bares, traces, (1, 2), strict=True):
        created = house.event(trace, "PullRequestCreated").data
        assert (created["repository"], created["number"]) == (f"acme/multi-{n}", 1)
        assert git(bare, "branch", "--list", "--format=%(refname:short)").split() == [
            f"feature/multi/{trace}",
            "main",
        ]
        files = git(
            bare, "ls-tree", "-r", "--name-only", house.event(trace, "CommitReady").data["sha"]
        ).splitlines()
        assert {"app.py", "README.md"} <= set(files), "the repository's own files stay"


def test_the_same_submission_twice_is_one_trace_and_one_change(house: House) -> None:
    bare = house.repository("acme/twice", APPROVED)
    first = house.submit("acme/twice", "twice", modules.files())
    again = house.submit("acme/twice", "twice", modules.files())
    house.event(first, "PipelineReady")
    late = house.submit("acme/twice", "twice", modules.files())
    house.tested(first)

    assert first == again == late
    assert house.types(first, "ModuleGenerated", "CommitReady", "PullRequestCreated", "PipelineReady") == [
        "ModuleGenerated", "CommitReady", "PullRequestCreated", "PipelineReady",
    ]  # fmt: skip
    assert [c["number"] for c in house.forge_says("GET", "acme/twice/changes")] == [1]
    assert len(git(bare, "log", "--format=%H", f"main..feature/twice/{first}").split()) == 2


def test_a_persons_push_ends_the_approvals_of_what_was_there(house: House, tmp_path: Path) -> None:
    two = APPROVED.replace("{role: ProductOwner}", "{role: ProductOwner, count: 2}")
    bare = house.repository("acme/touched", two)
    trace = house.submit("acme/touched", "touched", modules.files())
    head = house.tested(trace).data["revision"]
    house.event(trace, "pointsman.VerdictChanged", reasonCode="ApprovalMissing", revision=head)
    house.comment("acme/touched", 1, "/approve-release production fine", "jane.doe")
    house.event(trace, "ApprovalGranted", approver="jane.doe", revision=head)

    sha = push(
        house,
        "acme/touched",
        f"feature/touched/{trace}",
        tmp_path / "clone",
        {"services/touched/more.py": "x = 1\n"},
    )

    ended = house.event(trace, "ApprovalInvalidated", approver="jane.doe", newRevision=sha)
    assert ended.data["revision"] == head
    house.event(trace, "TestsPassed", revision=sha)
    house.comment("acme/touched", 1, "/approve-release production fine", "joe")
    house.event(trace, "ApprovalGranted", approver="joe", revision=sha)
    assert "ChangeMerged" not in house.types(trace), "one of the two approvals was for another revision"
    house.comment("acme/touched", 1, "/approve-release production still fine", "jane.doe")
    merged = house.event(trace, "ChangeMerged").data
    assert merged["head"] == sha
    assert git(bare, "show", "main:services/touched/more.py") == "x = 1"
    house.event(trace, "ReleasePublished")


def test_a_person_may_merge_by_hand_and_the_release_still_needs_its_approval(house: House) -> None:
    house.repository("acme/by-hand", APPROVED)
    trace = house.submit("acme/by-hand", "by-hand", modules.files())
    head = house.tested(trace).data["revision"]

    house.forge_says("POST", "acme/by-hand/changes/1/merge", "dana", json={"head": head, "method": "merge"})

    merged = house.event(trace, "ChangeMerged").data
    assert merged["mergedBy"] == "dana"
    house.event(trace, "pointsman.VerdictChanged", phase="deployment", reasonCode="ApprovalMissing")
    assert "DeploymentStarted" not in house.types(trace)
    house.comment("acme/by-hand", 1, "/approve-release production afterwards", "jane.doe")
    running = house.event(trace, "DeploymentCompleted", environment="production")
    assert house.answers(running.data["url"]) == "1.0.0"
    assert house.types(trace, "AutoMergeOnApprove", "ChangeMerged") == ["ChangeMerged"]


def test_a_failing_test_blocks_until_a_fix_on_the_same_trace(house: House) -> None:
    house.repository("acme/broken")
    trace = house.submit("acme/broken", "broken", modules.files("1.0.0", expected="9.9.9"))
    failed = house.event(trace, "TestsFailed")
    assert failed.data["failedJobs"] == ["broken:test"]
    head = failed.data["revision"]

    def conclusion() -> str | None:
        checks = house.forge_says("GET", f"acme/broken/checks?revision={head}")
        return next((c["conclusion"] for c in checks if c["name"] == "pointsman/pipeline"), None)

    assert house.wait(conclusion, "the pipeline's check") == "failure"
    house.event(
        trace, "pointsman.VerdictChanged", environment="staging", state="rejected", reasonCode="TestsFailed"
    )
    assert house.types(trace, "ChangeMerged", "DeploymentStarted", "ReleaseApproved") == []

    fixed = house.submit(
        "acme/broken", "broken", modules.files("1.0.0"), traceId=trace, summary="mend the clock"
    )
    assert fixed == trace
    house.event(trace, "TestsPassed")
    running = house.event(trace, "DeploymentCompleted", environment="staging")
    assert house.answers(running.data["url"]) == "1.0.0"
    assert [c["number"] for c in house.forge_says("GET", "acme/broken/changes")] == [1], (
        "still the one change"
    )


def test_a_manual_rollback_by_comment_brings_the_version_before_back(house: House) -> None:
    house.repository("acme/back")
    first = house.submit("acme/back", "back", modules.files("1.0.0"))
    house.event(first, "ReleasePublished")
    second = house.submit("acme/back", "back", modules.files("1.1.0"), version="1.1.0")
    url = house.event(second, "DeploymentCompleted").data["url"]
    house.event(second, "ReleasePublished")
    assert house.answers(url) == "1.1.0"

    house.comment("acme/back", 2, "/request-rollback staging to 1.0.0 customers see errors", "mallory")
    assert house.event(second, "CommandRefused").data["reasonCode"] == "NotAuthorised"
    house.comment("acme/back", 2, "/request-rollback staging to 1.0.0 customers see errors", "dana")

    triggered = house.event(second, "RollbackTriggered").data
    assert (triggered["by"], triggered["toVersion"], triggered["trigger"]) == ("dana", "1.0.0", "manual")
    house.event(second, "DeploymentFailed", rolledBackTo="1.0.0")
    assert house.answers(url) == "1.0.0"


def test_a_freeze_that_ends_lets_the_release_go_by_itself(house: House) -> None:
    for attempt, seconds in enumerate((15, 40, 120)):  # the approval must come before the end, on any machine
        trace, ends = _frozen(house, f"acme/frozen-{attempt}", seconds)
        if house.event(trace, "ApprovalGranted").time < ends - timedelta(seconds=1):
            break

    woken = house.event(trace, "TriggerRequested", after=house.event(trace, "ApprovalGranted").sequence)
    assert woken.data["timer"].startswith("freeze-")
    assert woken.time >= ends
    assert house.event(trace, "AutoMergeOnApprove").sequence > woken.sequence
    house.event(trace, "ReleasePublished")
    assert "FreezeOverridden" not in house.types(trace)


def _frozen(house: House, repository: str, seconds: float) -> tuple[str, datetime]:
    """A tested and approved release of a repository that is frozen for so long."""
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
    window = f'{{name: fair, environments: [production], from: 2020-01-01, to: "{ends.isoformat()}", timezone: UTC}}'
    house.repository(repository, f"{APPROVED}freezes:\n  - {window}\n")
    trace = house.submit(repository, "frozen", modules.files())
    head = house.tested(trace).data["revision"]
    house.event(trace, "pointsman.VerdictChanged", revision=head)
    house.comment(repository, 1, "/approve-release production when the fair is over", "jane.doe")
    return trace, ends
