"""What is different on Azure DevOps: how effects look there, word for word."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.azure.perform import PERFORM
from bot.forges.local.git import git, line
from bot.messages import BOT
from tests.forges.azure.fake import objects, policies, talk
from tests.forges.azure.fake.calls import Reply
from tests.forges.azure.fake.repositories import record
from tests.forges.azure.fake.state import Person, Update
from tests.forges.conformance.stages.azure import AzureStage
from tests.forges.world import commit_all
from tests.forges.world import git as real_git


def do(stage: AzureStage, effect: e.Effect, effect_id: str = "trace-1.000007.0") -> Any:
    effect = effect.model_copy(update={"repository": stage.repository})
    return stage.forge.perform(effect_id, effect, EffectContext("acme", "trace-1", lambda _: None))


def commit(stage: AzureStage, *files: e.File, branch: str = "feature/x", effect_id: str = "c.1") -> str:
    files = files or (e.File(path="a.txt", content="a\n"),)
    return str(
        do(stage, e.CommitFiles(branch=branch, base="main", files=files, message="feat: a"), effect_id).sha
    )


def open_(stage: AzureStage, **more: Any) -> int:
    said = {"source": "feature/x", "target_branch": "main", "title": "feat: a", "body": "b"}
    return int(do(stage, e.OpenChange.model_validate(said | more), "o.1").number)


@pytest.fixture
def change(stage: AzureStage) -> int:
    commit(stage)
    return open_(stage)


def refused(stage: AzureStage, effect: e.Effect) -> tuple[str, str]:
    with pytest.raises(Permanent) as error:
        do(stage, effect)
    return error.value.reason_code, error.value.message


def test_a_file_that_can_be_executed_stays_so_when_it_is_edited(stage: AzureStage) -> None:
    stage.person("jane", "write")
    sha = stage.push("jane", "feature/x", {"run": "one\n"}, "feat: run")
    git(stage.repo.folder, "update-ref", "refs/heads/feature/x", _executable(stage, sha))
    after = commit(stage, e.File(path="run", content="two\n"))
    assert stage.executables(after) == {"run"}
    assert stage.files(after)["run"] == b"two\n"


def _executable(stage: AzureStage, sha: str) -> str:
    blob = line(stage.repo.folder, "rev-parse", f"{sha}:run")
    tree = line(stage.repo.folder, "mktree", stdin=f"100755 blob {blob}\trun\n".encode())
    env = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    made = git(stage.repo.folder, "commit-tree", tree, "-p", sha, "-m", "chore: mode", env=env)
    return made.decode().strip()


def test_a_branch_that_must_be_new_and_is_not(stage: AzureStage) -> None:
    files = (e.File(path="a.txt", content="a\n"),)
    wanted = e.CommitFiles(branch="feature/x", base="main", files=files, message="feat: a", fresh=True)
    first = do(stage, wanted)
    assert do(stage, wanted) == first, "its own is found again"
    with pytest.raises(Permanent) as error:
        do(stage, wanted, "trace-2.000001.0")
    assert error.value.reason_code == "BranchTaken"
    assert error.value.message == "feature/x is there already, made by somebody else"


def test_a_mark_under_the_bots_name_that_somebody_else_pushed_is_not_ours(stage: AzureStage) -> None:
    stage.person("jane", "write")
    before = stage.push("jane", "feature/x", {"b.txt": "b\n"}, "feat: b")
    tree = line(stage.repo.folder, "rev-parse", f"{before}^{{tree}}")
    names = {f"GIT_{who}_NAME": BOT for who in ("AUTHOR", "COMMITTER")}
    mails = {f"GIT_{who}_EMAIL": "pointsman@acme.example" for who in ("AUTHOR", "COMMITTER")}
    message = b"feat: a\n\nEffect-Id: c.1\n"
    forged = line(
        stage.repo.folder, "commit-tree", tree, "-p", before, "-F", "-", stdin=message, env=names | mails
    )
    git(stage.repo.folder, "update-ref", "refs/heads/feature/x", forged)
    record(stage.org, stage.repo, stage.org.people["jane"], [Update("refs/heads/feature/x", before, forged)])
    assert stage.parents(commit(stage)) == [forged]


def test_every_effect_of_a_forge_is_known() -> None:
    ours = {kind for kind, one in e.EFFECTS.items() if one.model_fields["target"].default == "local"}
    assert set(PERFORM) == ours


def test_a_commit_is_the_bots_by_name_and_by_who_pushed_it(stage: AzureStage) -> None:
    sha = commit(stage)
    push = stage.repo.pushed_by[sha]
    assert push.by is stage.account
    (one,) = push.commits
    assert (one.author_name, one.author) == (BOT, "pointsman@acme.example")


def test_a_link_is_not_written_over_and_its_tree_not_taken(stage: AzureStage, tmp_path: Any) -> None:
    stage.person("jane", "write")
    stage.push("jane", "feature/x", {"b.txt": "b\n"}, "feat: b")
    clone = stage._folder / "clone"
    (clone / "link").symlink_to("b.txt")
    sha = stage_commit(stage, "jane")
    link = e.File(path="link", content="x\n")
    wanted = e.CommitFiles(branch="feature/x", base="main", files=(link,), message="m")
    assert refused(stage, wanted) == ("InvalidPath", "'link' is a symbolic link or a submodule, not a file")
    said = f"'link' in {sha[:12]} is a symbolic link or a submodule, not a file"
    assert refused(stage, e.GatherFacts(correlation="c", tree_of=sha)) == ("SymlinkRefused", said)
    with pytest.raises(Permanent) as error:
        stage.forge.export(stage.repository, sha, "", tmp_path / "out")
    assert (error.value.reason_code, error.value.message) == ("SymlinkRefused", said)


def stage_commit(stage: AzureStage, login: str) -> str:
    """What lies in the clone, pushed."""
    clone, before = stage._folder / "clone", str(stage.head("feature/x"))
    sha = commit_all(clone, {}, "feat: link")
    real_git("push", "--quiet", "origin", "HEAD:refs/heads/feature/x", cwd=clone)
    record(stage.org, stage.repo, stage.org.people[login], [Update("refs/heads/feature/x", before, sha)])
    return sha


def test_a_tree_is_read_also_when_the_archive_is_none(
    stage: AzureStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "_archive", lambda *_: Reply(b"no archive", kind="application/zip"))
    sha = commit(
        stage, e.File(path="a.txt", content="a\n"), e.File(path="b/c.bin", content="AP8=", encoding="base64")
    )
    found = do(stage, e.GatherFacts(correlation="c", tree_of=sha))
    assert [(one.path, one.encoding) for one in found.tree] == [
        ("README.md", "utf-8"),
        ("a.txt", "utf-8"),
        ("b/c.bin", "base64"),
    ]


def test_a_long_description_is_cut_and_says_so(stage: AzureStage) -> None:
    commit(stage)
    number = open_(stage, body="x" * 5000)
    body = stage.repo.pulls[number].body
    assert len(body) == 4000
    assert body.endswith("x\n\n[...]")
    do(stage, e.UpdateChange(change=number, body="y" * 4001))
    assert stage.repo.pulls[number].body == "y" * 3993 + "\n\n[...]"


def test_nothing_to_merge_is_said(stage: AzureStage) -> None:
    do(stage, e.CommitFiles(branch="same", base="main", files=(), message="nothing"))
    wanted = e.OpenChange(source="same", target_branch="main", title="t", body="")
    assert refused(stage, wanted) == ("NothingToMerge", "same has nothing that main has not")


def test_a_change_that_is_as_it_should_be_is_not_written_again(stage: AzureStage, change: int) -> None:
    before = len(stage.org.asked)
    do(stage, e.UpdateChange(change=change, title="feat: a", body="b", state="open"))
    assert {method for method, _ in stage.org.asked[before:]} == {"GET"}


def test_what_cannot_be_done_to_a_change(stage: AzureStage, change: int) -> None:
    stage.person("jane", "write")
    do(stage, e.UpdateChange(change=change, state="closed"))
    stage.delete_branch("jane", "feature/x")
    wanted = e.UpdateChange(change=change, state="open")
    assert refused(stage, wanted) == ("BranchDeleted", "the branch feature/x of change 1 was deleted")


def test_a_merged_change_is_not_opened_again(stage: AzureStage, change: int) -> None:
    do(stage, e.MergeChange(change=change, expected_head=str(stage.head("feature/x")), message="m"))
    assert refused(stage, e.UpdateChange(change=change, state="open")) == (
        "ChangeMerged",
        "change 1 is merged",
    )
    wanted = e.MergeChange(change=change, expected_head="0" * 40, message="m")
    head = str(stage.head("feature/x"))[:12]
    assert refused(stage, wanted) == ("HeadMoved", f"change 1 was merged at {head}, not 000000000000")


def test_the_branch_of_a_merged_change_stays(stage: AzureStage, change: int) -> None:
    do(stage, e.MergeChange(change=change, expected_head=str(stage.head("feature/x")), message="m"))
    assert stage.head("feature/x")


def test_reviewers_that_the_branch_wants(stage: AzureStage, change: int) -> None:
    policies.policy(stage.repo, policies.REVIEWERS, stage.org, minimumApproverCount=1)
    wanted = e.MergeChange(change=change, expected_head=str(stage.head("feature/x")), message="m")
    said = "main is protected: Minimum number of reviewers is not satisfied"
    assert refused(stage, wanted) == ("ApprovalsMissing", said)
    stage.person("jane", "write")
    talk.vote(stage.org, stage.repo, stage.repo.pulls[change], stage.org.people["jane"], 10)
    assert do(stage, wanted)


def test_a_required_check_is_waited_for_by_its_name(stage: AzureStage, change: int) -> None:
    stage.require_check("pointsman/merge")
    head = str(stage.head("feature/x"))
    wanted = e.MergeChange(change=change, expected_head=head, message="m")
    with pytest.raises(Retryable, match=r"^main is protected: pointsman/merge has not succeeded yet$"):
        do(stage, wanted)
    do(stage, e.SetCheck(revision=head, name="pointsman/merge", title="no", conclusion="failure"), "s.1")
    said = "main is protected: pointsman/merge did not succeed"
    assert refused(stage, wanted) == ("RequiredCheckFailed", said)
    do(
        stage,
        e.SetCheck(revision=head, name="pointsman/merge", title="observed", conclusion="neutral"),
        "s.2",
    )
    assert do(stage, wanted), "an observing policy blocks nobody"


def test_a_check_speaks_for_its_iteration_and_for_no_later_one(stage: AzureStage, change: int) -> None:
    stage.require_check("pointsman/merge")
    stage.person("jane", "write")
    first = str(stage.head("feature/x"))
    do(stage, e.SetCheck(revision=first, name="pointsman/merge", title="yes", conclusion="success"), "s.1")
    second = stage.push("jane", "feature/x", {"b.txt": "b\n"}, "fix: b")
    (said,) = stage.repo.pulls[change].statuses
    assert (said["iterationId"], said["context"]) == (1, {"genre": "pointsman", "name": "merge"})
    with pytest.raises(Retryable):
        do(stage, e.MergeChange(change=change, expected_head=second, message="m"))


def test_what_a_check_says_fits_in_a_line(stage: AzureStage) -> None:
    sha = commit(stage)
    title = "delayed:\nwaiting for " + "x" * 500
    do(
        stage,
        e.SetCheck(
            revision=sha, name="pointsman/merge", title=title, summary="long", url="https://bot.example/t"
        ),
    )
    (said,) = stage.repo.statuses[sha]
    assert said["description"] == "delayed: waiting for " + "x" * 378 + "…"
    assert len(said["description"]) == 400
    assert said["targetUrl"] == "https://bot.example/t"


def test_a_check_without_a_genre_is_put_under_ours(stage: AzureStage) -> None:
    sha = commit(stage)
    do(stage, e.SetCheck(revision=sha, name="lint", title="t"))
    assert stage.checks(sha) == {"pointsman/lint": None}


def test_a_check_that_says_so_already_is_not_said_again(stage: AzureStage) -> None:
    sha = commit(stage)
    for effect_id in ("s.1", "s.2"):
        do(stage, e.SetCheck(revision=sha, name="pointsman/merge", title="t"), effect_id)
    do(stage, e.SetCheck(revision=sha, name="pointsman/merge", title="u"), "s.3")
    do(stage, e.SetCheck(revision=sha, name="pointsman/merge", title="t"), "s.4")
    assert [said["description"] for said in stage.repo.statuses[sha]] == ["t", "u", "t"]


def test_a_check_of_a_head_that_the_forge_has_not_looked_at_is_said_of_the_commit(
    stage: AzureStage, change: int
) -> None:
    stage.org.looks_at_pushes = False
    stage.person("jane", "write")
    sha = stage.push("jane", "feature/x", {"b.txt": "b\n"}, "fix: b")
    do(stage, e.SetCheck(revision=sha, name="pointsman/merge", title="t"))
    assert stage.checks(sha) == {"pointsman/merge": None}
    assert stage.repo.pulls[change].statuses == []
    assert do(stage, e.GatherFacts(correlation="c", change=change)).change["head"] == sha


def test_comments_are_written_into_threads_that_ask_for_nothing(stage: AzureStage, change: int) -> None:
    made = do(stage, e.PostComment(change=change, body="hello"))
    (thread,) = stage.repo.pulls[change].threads
    assert (made.comment_id, thread.status) == (f"{thread.id}.1", None)
    assert thread.comments[0].content == "hello\n\n<!-- pointsman:effect:trace-1.000007.0 -->"
    assert made.url == f"{stage.org.url}/demo/_git/booking/pullrequest/1?discussionId={thread.id}"


def test_an_answer_goes_into_the_thread_of_what_it_answers(stage: AzureStage, change: int) -> None:
    stage.person("jane", "write")
    asked = stage.comment("jane", change, "/help")
    made = do(stage, e.PostComment(change=change, body="like this", reply_to=asked))
    assert made.comment_id == asked.replace(".1", ".2")
    (thread,) = stage.repo.pulls[change].threads
    assert (thread.comments[1].parent, len(thread.comments)) == (1, 2)


def test_a_mark_that_somebody_else_wrote_is_not_ours(stage: AzureStage, change: int) -> None:
    stage.person("jane", "write")
    stage.comment("jane", change, "mine\n\n<!-- pointsman:sticky:status -->")
    do(stage, e.PostComment(change=change, body="waiting", sticky="status"))
    assert stage.comments(change) == [("jane", "mine"), (BOT, "waiting")]


def test_a_sticky_comment_that_was_deleted_is_written_anew(stage: AzureStage, change: int) -> None:
    first = do(stage, e.PostComment(change=change, body="waiting", sticky="status"))
    stage.repo.pulls[change].threads[0].comments[0].deleted = True
    assert do(stage, e.PostComment(change=change, body="waiting", sticky="status"), "p.2") != first


def test_a_comment_that_is_too_long(stage: AzureStage, change: int) -> None:
    wanted = e.PostComment(change=change, body="x" * 150_000)
    assert refused(stage, wanted) == ("TooLong", "a comment may have 150000 characters at most")


@pytest.mark.parametrize(("reaction", "status"), [("rocket", "fixed"), ("-1", "wontFix")])
def test_a_reaction_is_the_state_of_the_thread(
    stage: AzureStage, change: int, reaction: Any, status: str
) -> None:
    stage.person("jane", "write")
    said = stage.comment("jane", change, "/help")
    for _ in range(2):
        do(stage, e.React(change=change, comment_id=said, reaction=reaction))
    assert stage.repo.pulls[change].threads[0].status == status
    assert [method for method, _ in stage.org.asked].count("PATCH") == 1


@pytest.mark.parametrize("comment", ["x", "1", "1.2.3", "1.99", "99.1", "../1.1"])
def test_a_comment_that_is_not_there(stage: AzureStage, change: int, comment: str) -> None:
    stage.person("jane", "write")
    stage.comment("jane", change, "/help")
    assert refused(stage, e.React(change=change, comment_id=comment, reaction="eyes"))[0] == "NotFound"


def test_permissions_and_teams_come_from_groups_as_well(stage: AzureStage) -> None:
    for login, permission in (("m", "maintain"), ("a", "admin"), ("n", "none")):
        stage.person(login, permission)
    stage.person("jane", "none", ("demo/Contributors", "demo/Release managers"))
    stage.org.groups["demo/Contributors"].bits = 2 | 4
    actors = do(stage, e.GatherFacts(correlation="c", actors=("m", "a", "n", "jane", "who"))).actors
    assert {name: one.permission for name, one in actors.items()} == {
        "m": "maintain",
        "a": "admin",
        "n": "none",
        "jane": "write",
        "who": "none",
    }
    assert actors["jane"].teams == ("demo/Contributors", "demo/Release managers")


def test_nobody_borrows_permissions_by_a_display_name(stage: AzureStage) -> None:
    stage.person("boss@acme.example", "admin")
    stage.org.people["eve"] = Person("eve@acme.example", "eve@acme.example", "boss@acme.example")
    actor = do(stage, e.GatherFacts(correlation="c", actors=("boss@acme.example",))).actors[
        "boss@acme.example"
    ]
    assert actor.permission == "admin"
    stage.org.people["mallory"] = Person("mallory@acme.example", "m@acme.example", "victim")
    stage.org.people["mallory"].bits = 2 | 4
    assert do(stage, e.GatherFacts(correlation="c", actors=("victim",))).actors["victim"] == p.Actor(
        login="victim"
    )


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ({"refName": "refs/heads/release/", "matchKind": "Prefix"}, ("main", "release/*")),
        ({"refName": None, "matchKind": "DefaultBranch"}, ("main",)),
        ({"refName": "refs/heads/other", "matchKind": "Exact"}, ("main", "other")),
    ],
)
def test_protected_branches_are_told_by_their_scopes(
    stage: AzureStage, scope: dict[str, Any], told: tuple[str, ...]
) -> None:
    made = policies.policy(stage.repo, policies.REVIEWERS, stage.org, minimumApproverCount=1)
    made["settings"]["scope"] = [scope | {"repositoryId": stage.repo.id}]
    assert do(stage, e.GatherFacts(correlation="c")).protected_branches == told
    made["isEnabled"] = False
    assert do(stage, e.GatherFacts(correlation="c")).protected_branches == ("main",)


def test_a_merged_change_is_told_with_its_trees(stage: AzureStage, change: int) -> None:
    head = str(stage.head("feature/x"))
    merged = do(stage, e.MergeChange(change=change, expected_head=head, message="m"))
    told = do(stage, e.GatherFacts(correlation="c", change=change)).change
    assert (told["state"], told["mergeSha"], told["head"]) == ("merged", merged.sha, head)
    assert told["mergeTree"] == told["tree"] == merged.tree


def test_the_last_merged_changes_with_what_a_policy_asks_about(stage: AzureStage, change: int) -> None:
    stage.person("jane", "write")
    stage.person("kim", "write")
    head = stage.push(
        "jane", "feature/x", {"b.txt": "b\n", "azure-pipelines.yml": "trigger: none\n"}, "fix: b"
    )
    for login, vote in (("jane", 5), ("kim", -5)):
        talk.vote(stage.org, stage.repo, stage.repo.pulls[change], stage.org.people[login], vote)
    stage.finish_run(head, "failed")
    stage.finish_run(head, "success")
    do(stage, e.MergeChange(change=change, expected_head=head, message="m"))
    (told,) = do(stage, e.GatherFacts(correlation="c", past=10)).past
    assert told == p.PastChange(
        number=change,
        title="feat: a",
        author=BOT,
        merged_by=BOT,
        head=head,
        committers=("jane", BOT),
        approvers=("jane",),
        tests="passed",
    )


def test_a_merge_that_must_be_up_to_date(stage: AzureStage, change: int) -> None:
    stage.put({"main.txt": "x\n"})
    head = str(stage.head("feature/x"))
    wanted = e.MergeChange(change=change, expected_head=head, message="m", up_to_date=True)
    assert refused(stage, wanted) == ("BranchBehind", "feature/x is behind main")


def test_an_effect_that_is_unknown(stage: AzureStage) -> None:
    class Strange(e.Effect):
        kind = "Strange"

    assert refused(stage, Strange()) == ("UnknownEffect", "Azure DevOps does not know Strange")
