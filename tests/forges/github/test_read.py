"""What is read of changes, files and runs, beyond what every forge must tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent, Retryable
from tests.forges.conformance.stages.github import GitHubStage
from tests.forges.github.conftest import Do, doing
from tests.forges.github.deeds import BRANCH, committed, outdated, proposed
from tests.forges.github.fake.routes_reports import end_run


def told(do: Do, **wanted: Any) -> p.FactsGathered:
    facts = do(e.GatherFacts.model_validate({"correlation": "c", **wanted}))
    assert isinstance(facts, p.FactsGathered)
    return facts


def change(do: Do) -> dict[str, Any]:
    known = told(do, change=1).change
    assert known is not None
    return known


def test_how_much_a_change_is(stage: GitHubStage, do: Do) -> None:
    first = outdated(stage)
    second = stage.push("jane", BRANCH, {"docs/b.md": "b\n"}, "docs: hers")
    stage.repo.pulls[1].closes = [("acme/booking", 12), ("acme/other", 3)]
    for _ in range(2):  # with the request that is made once, and by the query from then on
        known = change(do)
        assert known["paths"] == ["app.py", "docs/b.md"]
        assert (known["additions"], known["deletions"], known["behind"]) == (2, 0, 1)
        assert known["commits"] == [
            {
                "sha": first,
                "message": "feat: add\n\nEffect-Id: t.000001.0",
                "signed": True,
                "signer": "github",
            },
            {"sha": second, "message": "docs: hers", "signed": False},
        ]
        assert known["workItems"] == ["#12", "acme/other#3"]
    assert len(stage.server.asked("/compare/")) == 1


def test_a_change_with_more_commits_and_files_than_one_page(stage: GitHubStage, do: Do) -> None:
    proposed(stage)
    for number in range(101):
        stage.push("jane", BRANCH, {f"f{number}.txt": "x\n"}, f"docs: {number}")
    known = change(do)
    assert len(known["commits"]) == len(known["paths"]) == 102
    assert known["committers"] == ["jane", stage.bot]


def test_who_pushed_counts_whatever_the_commits_say(stage: GitHubStage, do: Do) -> None:
    proposed(stage)
    stage.person("mallory", "write")
    repo, us = stage.repo, stage.hub.signature(stage.hub.bot)
    head = str(repo.head(BRANCH))
    tree = repo.git.write_tree(repo.git.tree(head), [("100644", repo.git.blob(b"evil\n"), "app.py")])
    repo.move(BRANCH, repo.git.commit(tree, [head], "fix: as the bot", us, us), "mallory")
    known = change(do)
    assert known["lastPusher"] == "mallory"
    assert known["committers"] == ["mallory", stage.bot]


def test_a_branch_of_that_name_that_was_there_before_is_another(stage: GitHubStage, do: Do) -> None:
    stage.person("mallory", "write")
    stage.push("mallory", BRANCH, {"x": "x"}, "old")
    stage.delete_branch("mallory", BRANCH)
    proposed(stage)
    assert change(do)["committers"] == [stage.bot]


def test_a_policy_file_taken_away_under_another_name_is_touched(stage: GitHubStage, do: Do) -> None:
    stage.put({".pointsman/policy.yaml": "version: 1\n" * 20})
    proposed(stage)
    repo, jane = stage.repo, stage.hub.signature("jane")
    head = str(repo.head(BRANCH))
    kept = repo.git.blob(b"version: 1\n" * 20)
    moves = [("100644", None, ".pointsman/policy.yaml"), ("100644", kept, "old-policy.yaml")]
    tree = repo.git.write_tree(repo.git.tree(head), list(moves))
    repo.move(BRANCH, repo.git.commit(tree, [head], "chore: tidy", jane, jane), "jane")
    assert change(do)["touchesPolicy"] is True


def test_what_was_merged_with_its_reviews_and_tests(stage: GitHubStage, do: Do) -> None:
    head = proposed(stage)
    stage.person("sam", "write")
    stage.repo.pulls[1].reviews = [
        ("jane", "APPROVED", head),
        ("sam", "CHANGES_REQUESTED", head),
        ("acme", "APPROVED", str(stage.head("main"))),
    ]
    end_run(stage.repo, stage.start_run(head), "success", None)
    do(e.MergeChange(change=1, expected_head=head, message="feat: add"))
    (past,) = told(do, past=3).past
    assert past.approvers == ("jane",)
    assert (past.tests, past.committers) == ("passed", (stage.bot,))


def test_large_and_binary_files_are_read_by_themselves(stage: GitHubStage, do: Do) -> None:
    large = "a" * 600_000
    stage.put({"large.txt": large, "odd.bin": "a\0b"})
    facts = told(do, paths=("large.txt", "odd.bin"))
    assert facts.files == {"large.txt": large, "odd.bin": "a\0b"}


def test_archives_that_leave_something_out_are_made_whole(stage: GitHubStage, do: Do) -> None:
    """`.gitattributes` says what an archive has; what is submitted is what Git has."""
    stage.put(
        {
            ".gitattributes": "secret.txt export-ignore\nversion.txt export-subst\n",
            "secret.txt": "s\n",
            "version.txt": "$Format:%H$\n",
        }
    )
    found = {file.path: file.content for file in told(do, tree_of=stage.head("main")).tree}
    assert found["secret.txt"] == "s\n"
    assert found["version.txt"] == "$Format:%H$\n"
    assert len(stage.server.asked("/git/blobs/")) == 2


def test_links_are_refused(stage: GitHubStage, do: Do, tmp_path: Path) -> None:
    repo = stage.repo
    owner = stage.hub.account("acme")
    who = stage.hub.signature(owner.login)
    tree = repo.git.write_tree(repo.git.tree("main"), [("120000", repo.git.blob(b"/etc/passwd"), "link")])
    sha = repo.git.commit(tree, [str(repo.head("main"))], "feat: link", who, who)
    repo.move("main", sha, "acme")
    with pytest.raises(Permanent) as refused:
        told(do, tree_of=sha)
    assert refused.value.reason_code == "SymlinkRefused"
    with pytest.raises(Permanent) as refused:
        stage.forge.export(stage.repository, sha, "", tmp_path / "out")
    assert refused.value.reason_code == "SymlinkRefused"


def test_a_run_with_its_jobs_coverage_and_the_end_of_a_failed_log(stage: GitHubStage, do: Do) -> None:
    head = proposed(stage)
    run = stage.start_run(head)
    number = str(run["id"])
    with pytest.raises(Retryable) as early:
        told(do, run=number)
    assert early.value.message == f"run {number} is queued"
    end_run(stage.repo, run, "failure", 81.5, ("build", "test"))
    found = told(do, run=number).run
    assert found is not None
    assert (found.told, found.status, found.reason, found.coverage) == ("all", "failed", "failure", 81.5)
    assert (found.revision, found.branch, found.path) == (head, BRANCH, ".github/workflows/pointsman.yml")
    assert [(job.name, job.status, job.duration_s, job.failure_reason) for job in found.jobs] == [
        ("build", "success", 30.0, ""),
        ("test", "failed", 30.0, "Run the tests"),
    ]
    assert found.jobs[1].log_tail == "ok\nTOTAL coverage: 81.5%"


def test_logs_that_are_gone_tell_no_coverage(stage: GitHubStage, do: Do) -> None:
    head = proposed(stage)
    run = stage.start_run(head)
    end_run(stage.repo, run, "success", 90.0)
    stage.server.fail("/actions/jobs/", status=410)
    found = told(do, run=str(run["id"])).run
    assert found is not None
    assert (found.status, found.coverage) == ("success", None)


def test_a_run_that_is_not_there(do: Do) -> None:
    with pytest.raises(Permanent) as refused:
        told(do, run="7")
    assert refused.value.reason_code == "NotFound"


@pytest.mark.parametrize(("permission", "sees"), [("members", False), ("administration", True)])
def test_without_a_permission_less_is_seen_and_nobody_is_let_in_by_it(
    stage: GitHubStage, permission: str, sees: bool
) -> None:
    stage.person("jane", "write", ("acme/release",))
    assert stage.hub.installation
    del stage.hub.installation.permissions[permission]
    facts = told(doing(stage), actors=("jane",))
    assert facts.actors["jane"] == p.Actor(
        login="jane", permission="write", teams=("acme/release",) if sees else ()
    )


def test_what_is_there_a_moment_after_its_webhook_is_found(stage: GitHubStage, do: Do) -> None:
    committed(stage)
    stage.forge.ground.patience = 0.01
    stage.server.fail("/issues/1/comments", status=404)
    proposed(stage)
    do(e.PostComment(change=1, body="here"), "t.000009.0")
    assert stage.comments(1)[-1] == (stage.bot, "here")


def test_the_run_of_the_modules_file_is_run_again(stage: GitHubStage, do: Do) -> None:
    head = proposed(stage)
    paths = [
        f".github/workflows/{name}.yml" for name in ("ci", "pointsman-clock", "pointsman-booking", "lint")
    ]
    runs = {path: stage.start_run(head, path) for path in paths}
    for run in runs.values():
        end_run(stage.repo, run, "failure", None)
    wanted = e.RunPipeline(branch=BRANCH, revision=head, path=".github/workflows/pointsman-clock.yml")
    made = do(wanted)
    assert isinstance(made, e.PipelineResult)
    assert made.pipeline_id == str(runs[wanted.path]["id"])
    assert [run["run_attempt"] for run in runs.values()] == [1, 2, 1, 1]
    again = do(wanted.model_copy(update={"path": ""}))
    assert isinstance(again, e.PipelineResult)
    assert again.pipeline_id == str(runs[".github/workflows/pointsman-booking.yml"]["id"])


def test_variables_make_a_new_run_of_the_branch(stage: GitHubStage, do: Do) -> None:
    head = proposed(stage)
    end_run(stage.repo, stage.start_run(head), "failure", None)
    made = do(e.RunPipeline(branch=BRANCH, revision=head, variables={"TRACE_ID": "trace-1"}))
    assert isinstance(made, e.PipelineResult)
    newest = stage.repo.runs[-1]
    said = (made.pipeline_id, newest["inputs"], newest["head_sha"])
    assert said == (str(newest["id"]), {"TRACE_ID": "trace-1"}, head)


@pytest.mark.parametrize(("revision", "code"), [("0" * 39 + "1", "RevisionMissing"), ("", "NoPipeline")])
def test_what_cannot_be_run_again(stage: GitHubStage, do: Do, revision: str, code: str) -> None:
    head = proposed(stage)
    with pytest.raises(Permanent) as refused:
        do(e.RunPipeline(branch=BRANCH, revision=revision or head))
    assert refused.value.reason_code == code
