"""Releases, environments and reverts: what is GitHub's own about them."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent
from tests.forges.conformance.stages.github import GitHubStage
from tests.forges.github.conftest import Do
from tests.forges.github.deeds import BRANCH, committed

READY = e.PrepareEnvironment(environment="a b/ü", variables={"region": "eu"})


def refusal(do: Do, effect: e.Effect) -> tuple[str, str]:
    with pytest.raises(Permanent) as refused:
        do(effect)
    return refused.value.reason_code, refused.value.message


def asked(stage: GitHubStage) -> list[dict[str, str]]:
    return [one.answer["permissions"] for one in stage.server.asked("access_tokens")]


def test_github_finds_out_itself_which_release_is_the_latest(stage: GitHubStage, do: Do) -> None:
    sha = str(stage.head("main"))
    do(e.PublishRelease(tag="v1", revision=sha, title="One", notes="x", prerelease=True))
    (made,) = stage.server.asked("^POST .*/releases$")
    assert b'"make_latest":"legacy"' in made.body.replace(b": ", b":")
    assert [(one["prerelease"], one["draft"]) for one in stage.repo.releases] == [(True, False)]


def test_a_prerelease_becomes_a_release(stage: GitHubStage, do: Do) -> None:
    release = e.PublishRelease(
        tag="v1", revision=str(stage.head("main")), title="One", notes="x", prerelease=True
    )
    do(release)
    do(release.model_copy(update={"prerelease": False}))
    assert [one["prerelease"] for one in stage.repo.releases] == [False]
    before = len(stage.server.exchanges)
    do(release.model_copy(update={"prerelease": False}))
    assert {one.method for one in stage.server.exchanges[before:]} == {"GET"}, "nothing is said twice"


def test_notes_that_are_too_long_are_cut_once(stage: GitHubStage, do: Do) -> None:
    release = e.PublishRelease(tag="v1", revision=str(stage.head("main")), title="One", notes="ü" * 100_000)
    do(release)
    do(release)
    body = stage.releases()["v1"][1]
    assert len(body.encode()) <= 125_000
    assert body.endswith("[see all of it](http://127.0.0.1:8080/traces/trace-1).\n")
    assert stage.server.asked("^PATCH .*/releases/") == []


@pytest.mark.parametrize(
    ("tag", "code"), [("a..b", "InvalidTag"), ("-x", "InvalidTag"), ("", "InvalidTag"), ("v 1", "InvalidTag")]
)
def test_what_cannot_be_a_tag(stage: GitHubStage, do: Do, tag: str, code: str) -> None:
    release = e.PublishRelease(tag=tag, revision=str(stage.head("main")), title="x", notes="")
    assert refusal(do, release)[0] == code
    assert refusal(do, release.model_copy(update={"tag": "v1", "revision": "0" * 40}))[0] == "RevisionMissing"
    assert (stage.tags(), stage.releases()) == ({}, {})


def test_a_tag_with_a_slash_has_a_page(stage: GitHubStage, do: Do) -> None:
    release = e.PublishRelease(tag="booking/v1", revision=str(stage.head("main")), title="One", notes="x")
    assert do(release) == do(release)
    assert list(stage.releases()) == ["booking/v1"]


def test_environments_have_any_name_and_variables_capitals(stage: GitHubStage, do: Do) -> None:
    do(READY)
    do(READY)
    assert stage.variables("a b/ü") == {"REGION": "eu"}
    assert len(stage.server.asked("^POST .*/variables$")) == 1


def test_each_step_has_a_token_for_just_that(stage: GitHubStage, do: Do) -> None:
    do(READY)
    assert asked(stage) == [
        {"actions": "read", "metadata": "read"},
        {"administration": "write", "metadata": "read"},
        {"environments": "write", "metadata": "read"},
    ]


def test_more_variables_than_github_lists_at_a_time(stage: GitHubStage, do: Do) -> None:
    many = {f"V{number}": str(number) for number in range(35)}
    do(READY.model_copy(update={"variables": many}))
    writes = len(stage.server.asked("^(POST|PATCH) .*/variables"))
    do(READY.model_copy(update={"variables": many | {"V34": "new"}}))
    assert stage.variables("a b/ü") == many | {"V34": "new"}
    assert len(stage.server.asked("^(POST|PATCH) .*/variables")) == writes + 1


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"1st": "x"},
            "'1st' cannot be a variable on GitHub: letters, digits and _, no digit first, not GITHUB_",
        ),
        (
            {"github_token": "x"},
            "'github_token' cannot be a variable on GitHub: letters, digits and _, no digit first, not GITHUB_",
        ),
        ({"a": "1", "A": "2"}, "two variables differ in small letters and capitals alone"),
        ({"BIG": "x" * 50_000}, "the value of BIG is larger than 48 KiB"),
    ],
)
def test_variables_that_cannot_be(
    stage: GitHubStage, do: Do, variables: dict[str, str], message: str
) -> None:
    assert refusal(do, READY.model_copy(update={"variables": variables})) == ("InvalidVariable", message)
    assert stage.repo.environments == {}


def test_an_app_that_may_make_no_environment_uses_the_one_that_is_there(stage: GitHubStage, do: Do) -> None:
    assert stage.hub.installation
    stage.hub.installation.permissions["administration"] = "read"
    assert refusal(do, READY) == (
        "NoWriteAccess",
        "the App may not write administration in acme/booking: give it that permission, and accept it in the installation",
    )
    stage.repo.environments["a b/ü"] = {"id": 1, "variables": {}, "reviewers": ["jane"]}
    do(READY)
    assert stage.variables("a b/ü") == {"REGION": "eu"}


def reverting(revision: str, **more: Any) -> e.RevertCommit:
    said = {"revision": revision, "branch": BRANCH, "base": "main", "message": "revert: x"}
    return e.RevertCommit.model_validate(said | more)


def commit(do: Do, number: int, *files: e.File) -> str:
    made = do(
        e.CommitFiles(branch=BRANCH, base="main", files=files, message=f"feat: {number}"),
        f"t.00010{number}.0",
    )
    assert isinstance(made, e.CommitResult)
    return made.sha


def test_taking_back_sends_no_bytes_and_is_signed(stage: GitHubStage, do: Do) -> None:
    sha = committed(stage)
    before = len(stage.server.asked("^POST .*/git/blobs$"))
    result = do(reverting(sha))
    assert isinstance(result, e.CommitResult)
    assert result.signed
    assert len(stage.server.asked("^POST .*/git/blobs$")) == before


def test_workflow_files_are_taken_back_with_their_own_permission(stage: GitHubStage, do: Do) -> None:
    sha = commit(do, 1, e.File(path=".github/workflows/x.yml", content="on: push\n"))
    assert stage.hub.installation
    del stage.hub.installation.permissions["workflows"]
    stage.forget()
    assert refusal(do, reverting(sha))[0] == "NoWriteAccess"
    assert stage.head(BRANCH) == sha


def test_a_folder_in_the_place_of_a_file_is_not_lost(stage: GitHubStage, do: Do) -> None:
    commit(do, 1, e.File(path="a", content="file\n"))
    sha = commit(do, 2, e.File(path="a", delete=True))
    third = commit(do, 3, e.File(path="a/b", content="hers\n"))
    assert refusal(do, reverting(sha)) == (
        "RevertConflict",
        f"{sha[:12]} cannot be taken back on {BRANCH}: a changed since",
    )
    assert stage.head(BRANCH) == third


def test_a_file_that_became_a_folder_becomes_a_file_again(stage: GitHubStage, do: Do) -> None:
    commit(do, 1, e.File(path="a", content="file\n"))
    sha = commit(do, 2, e.File(path="a", delete=True), e.File(path="a/b", content="x\n"))
    result = do(reverting(sha))
    assert isinstance(result, e.CommitResult)
    assert stage.files(result.sha)["a"] == b"file\n"
    assert "a/b" not in stage.files(result.sha)


def test_what_is_taken_back_already_is_no_commit(stage: GitHubStage, do: Do) -> None:
    sha = committed(stage)
    first = do(reverting(sha))
    assert isinstance(first, e.CommitResult)
    again = do(reverting(sha), "t.000020.0")
    assert isinstance(again, e.CommitResult)
    assert (again.sha, again.files) == (first.sha, ())


def test_a_part_that_is_taken_back_already_is_left(stage: GitHubStage, do: Do) -> None:
    commit(do, 1, e.File(path="a", content="1\n"), e.File(path="b", content="1\n"))
    sha = commit(do, 2, e.File(path="a", content="2\n"), e.File(path="b", content="2\n"))
    commit(do, 3, e.File(path="a", content="1\n"))
    result = do(reverting(sha))
    assert isinstance(result, e.CommitResult)
    assert result.files == ("b",)
    assert stage.files(result.sha)["b"] == b"1\n"
