"""What stands in for releases, issues, environments and descriptions on Azure DevOps, word for word."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.azure import work_items
from bot.forges.local.git import git, line
from tests.forges.azure.fake import artefacts
from tests.forges.azure.fake.repositories import record
from tests.forges.azure.fake.state import Update
from tests.forges.conformance.stages.azure import UNIQUE, AzureStage


def do(stage: AzureStage, effect: e.Effect, effect_id: str = "trace-1.000007.0") -> Any:
    effect = effect.model_copy(update={"repository": effect.repository or stage.repository})
    return stage.forge.perform(effect_id, effect, EffectContext("acme", "trace-1", lambda _: None))


def refused(stage: AzureStage, effect: e.Effect) -> tuple[str, str]:
    with pytest.raises(Permanent) as error:
        do(stage, effect)
    return error.value.reason_code, error.value.message


@pytest.fixture
def change(stage: AzureStage) -> int:
    files = (e.File(path="a.txt", content="a\n"),)
    do(stage, e.CommitFiles(branch="feature/x", base="main", files=files, message="feat: a"), "c")
    opened = do(stage, e.OpenChange(source="feature/x", target_branch="main", title="feat: a", body=""), "o")
    return int(opened.number)


# -- work items


def test_a_work_item_is_of_the_projects_own_kind_and_its_text_is_html(stage: AzureStage) -> None:
    body = "It **broke**: <script>alert(1)</script>\n\n[see](javascript:alert(1))"
    made = do(stage, e.OpenIssue(title="booking\n broke", body=body, labels=("b", "a", "b")))
    (item,) = stage.org.work_items.values()
    assert item["fields"] | {"System.CreatedDate": "", "System.CreatedBy": ""} == {
        "System.AreaPath": "demo",
        "System.TeamProject": "demo",
        "System.WorkItemType": "Issue",
        "System.State": "To Do",
        "System.CreatedDate": "",
        "System.CreatedBy": "",
        "System.Title": "booking broke",
        "System.Tags": "a; b",
        "System.Description": (
            "<p>It <strong>broke</strong>: &lt;script&gt;alert(1)&lt;/script&gt;</p>\n"
            "<p>[see](javascript:alert(1))</p>\n"
        ),
    }
    assert made.reference == "#1"
    assert made.url == f"{stage.org.url}/demo/_workitems/edit/1"


def test_its_mark_is_the_comment_of_a_link_to_the_repository(stage: AzureStage) -> None:
    do(stage, e.OpenIssue(title="it broke", body="look"))
    ((link,),) = [one["relations"] for one in stage.org.work_items.values()]
    assert (link["rel"], link["url"]) == ("Hyperlink", f"{stage.org.url}/demo/_git/booking")
    assert link["attributes"]["comment"] == "pointsman:effect:trace-1.000007.0"


def test_a_title_that_is_too_long_is_cut(stage: AzureStage) -> None:
    do(stage, e.OpenIssue(title="x" * 300, body=""))
    (item,) = stage.org.work_items.values()
    assert item["fields"]["System.Title"] == "x" * 254 + "…"


@pytest.mark.parametrize("label", ["a;b", "a,b", " "])
def test_a_label_that_would_be_two_tags_or_none(stage: AzureStage, label: str) -> None:
    said = refused(stage, e.OpenIssue(title="t", body="", labels=(label,)))
    assert said == ("InvalidLabel", f"{label!r} cannot be a tag of a work item: leave out ; and ,")
    assert stage.org.work_items == {}


def test_its_own_is_found_among_many(stage: AzureStage, monkeypatch: pytest.MonkeyPatch) -> None:
    first = do(stage, e.OpenIssue(title="t", body=""), "first")
    for number in range(3):
        do(stage, e.OpenIssue(title="t", body=""), f"other.{number}")
    assert do(stage, e.OpenIssue(title="t", body=""), "first").reference == first.reference
    monkeypatch.setattr(work_items, "ITEMS_READ", 3)
    again = do(stage, e.OpenIssue(title="t", body=""), "first")
    assert again.created, "the search ends somewhere"


def test_without_permission_it_says_what_the_account_and_the_token_need(stage: AzureStage) -> None:
    stage.take_write_access()
    assert refused(stage, e.OpenIssue(title="t", body="")) == (
        "AccessDenied",
        (
            "the bot may not do this in demo/booking: TF237111: The current user does not have permissions to "
            "save work items under the specified area path. (give its account the permission, and its token the "
            "scopes code, build, identity, hooks, work items, wiki, variable groups, environments)"
        ),
    )


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("12", "'12' names no work item: write #12 or AB#12"),
        ("acme/other#3", "'acme/other#3' names no work item: write #12 or AB#12"),
        ("#77", "there is no work item 77, or the bot may not see it"),
    ],
)
def test_a_reference_to_nothing(stage: AzureStage, change: int, reference: str, message: str) -> None:
    assert refused(stage, e.LinkIssues(change=change, references=(reference,))) == ("IssueMissing", message)


def test_both_ways_to_write_a_work_item_are_the_same(stage: AzureStage, change: int) -> None:
    stage.person("jane", "write")
    stage.open_issue("jane", "Move a booking")
    do(stage, e.LinkIssues(change=change, references=("#1", "AB#1", "ab#1")))
    assert stage.linked(change) == ["#1"]


def test_a_link_that_somebody_makes_at_the_same_moment(
    stage: AzureStage, change: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.person("jane", "write")
    stage.open_issue("jane", "Move a booking")
    effect = e.LinkIssues(change=change, references=("#1",))
    do(stage, effect)
    monkeypatch.setattr("tests.forges.azure.fake.work.linked_to", lambda *_: [])
    do(stage, effect)
    assert len(stage.org.work_items[1]["relations"]) == 1


@pytest.mark.parametrize(("closes", "state"), [(True, "Done"), (False, "To Do")])
def test_merging_closes_what_was_to_be_closed(
    stage: AzureStage, change: int, closes: bool, state: str
) -> None:
    stage.person("jane", "write")
    stage.open_issue("jane", "Move a booking")
    do(stage, e.LinkIssues(change=change, references=("#1",), closes=closes))
    head = str(stage.head("feature/x"))
    do(stage, e.MergeChange(change=change, expected_head=head, message="feat: a"), "m")
    assert stage.org.work_items[1]["fields"]["System.State"] == state
    code = refused(stage, e.LinkIssues(change=change, references=("#1",), closes=True))
    assert code == ("ChangeMerged", f"change {change} is merged: nothing is closed by it any more")


# -- release pages


def test_a_release_page_says_title_and_notes_and_whether_it_is_to_be_relied_on(stage: AzureStage) -> None:
    head = str(stage.head("main"))
    said = {"tag": "clock/v1", "revision": head, "title": "Clock *1*", "notes": "- new\n"}
    done = do(stage, e.PublishRelease.model_validate(said | {"prerelease": True}))
    (wiki,) = stage.org.wikis
    pages = {path: page["content"] for (_, path), page in stage.org.pages.items()}
    assert (wiki["name"], wiki["type"]) == ("demo.wiki", "projectWiki")
    assert pages == {
        "/Releases": "",
        "/Releases/booking": "",
        "/Releases/booking/clock": "",
        "/Releases/booking/clock/v1": (
            "# Clock \\*1\\*\n\nPre-release: try it, do not rely on it.\n\n- new\n"
        ),
    }
    assert done.url.endswith("pagePath=/Releases/booking/clock/v1")


def test_what_people_wrote_above_a_release_stays(stage: AzureStage) -> None:
    effect = e.PublishRelease(tag="v1", revision=str(stage.head("main")), title="One", notes="new")
    do(stage, effect)
    wiki = stage.org.wikis[0]["id"]
    stage.org.pages[wiki, "/Releases"]["content"] = "All our releases"
    do(stage, effect.model_copy(update={"tag": "v2"}), "r.2")
    assert stage.org.pages[wiki, "/Releases"]["content"] == "All our releases"
    assert len(stage.org.wikis) == 1


def test_a_tag_that_no_page_can_have(stage: AzureStage) -> None:
    effect = e.PublishRelease(tag="v#1", revision=str(stage.head("main")), title="One", notes="new")
    assert refused(stage, effect) == ("InvalidTag", "'v#1' cannot name a page: leave out #")
    assert stage.tags() == {}


# -- environments


def test_an_environment_and_its_variables_are_two_things_here(stage: AzureStage) -> None:
    done = do(stage, e.PrepareEnvironment(environment="staging", variables={"A": "1"}))
    (group,) = stage.org.groups_of_variables.values()
    assert group["name"] == "booking.staging"
    assert [one["name"] for one in stage.org.environments] == ["staging"]
    assert done.url == f"{stage.org.url}/demo/_environments/1"


def test_an_environment_whose_name_begins_as_anothers(stage: AzureStage) -> None:
    for name in ("staging-eu", "staging", "Staging"):
        do(stage, e.PrepareEnvironment(environment=name), name)
    assert [one["name"] for one in stage.org.environments] == ["staging-eu", "staging"]


def test_names_of_variables_differ_by_more_than_case(stage: AzureStage) -> None:
    do(stage, e.PrepareEnvironment(environment="staging", variables={"Level": "1"}))
    do(stage, e.PrepareEnvironment(environment="staging", variables={"LEVEL": "2"}), "p.2")
    assert stage.variables("staging") == {"Level": "2"}


def test_a_secret_is_kept_and_never_replaced(stage: AzureStage) -> None:
    do(stage, e.PrepareEnvironment(environment="staging", variables={"A": "1"}))
    (group,) = stage.org.groups_of_variables.values()
    group["variables"]["Password"] = {"value": "s3cret-of-hers", "isSecret": True}
    do(stage, e.PrepareEnvironment(environment="staging", variables={"B": "2"}), "p.2")
    assert stage.variables("staging") == {"A": "1", "B": "2", "Password": "s3cret-of-hers"}
    said = refused(stage, e.PrepareEnvironment(environment="staging", variables={"PASSWORD": "@vault:x"}))
    assert said == (
        "VariableIsSecret",
        "Password is a secret in the variable group booking.staging and stays one",
    )


def test_a_group_that_a_key_vault_fills(stage: AzureStage) -> None:
    do(stage, e.PrepareEnvironment(environment="staging", variables={"A": "1"}))
    (group,) = stage.org.groups_of_variables.values()
    group["type"] = "AzureKeyVault"
    said = refused(stage, e.PrepareEnvironment(environment="staging", variables={"A": "2"}))
    assert said == (
        "NotSupported",
        "the variable group booking.staging is filled from elsewhere (AzureKeyVault)",
    )


def test_a_group_stays_shared_with_the_projects_that_it_is_shared_with(stage: AzureStage) -> None:
    do(stage, e.PrepareEnvironment(environment="staging", variables={"A": "1"}))
    (group,) = stage.org.groups_of_variables.values()
    other = {"name": "shared", "description": "", "projectReference": {"id": "p-2", "name": "other"}}
    group["variableGroupProjectReferences"].append(other)
    do(stage, e.PrepareEnvironment(environment="staging", variables={"A": "2"}), "p.2")
    (group,) = stage.org.groups_of_variables.values()
    assert [one["projectReference"]["name"] for one in group["variableGroupProjectReferences"]] == [
        "demo",
        "other",
    ]


@pytest.mark.parametrize("name", ["", " ", "a/b", "a*"])
def test_a_name_that_no_environment_can_have(stage: AzureStage, name: str) -> None:
    said = refused(stage, e.PrepareEnvironment(environment=name))
    assert said == ("InvalidEnvironment", f"{name.strip()!r} cannot be the name of an environment")


# -- reverts


def test_a_commit_that_changed_modes_alone_is_not_supported(stage: AzureStage) -> None:
    repo = stage.repo.folder
    head = str(stage.head("main"))
    blob = line(repo, "rev-parse", f"{head}:README.md")
    tree = line(repo, "mktree", stdin=f"100755 blob {blob}\tREADME.md\n".encode())
    env = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    sha = git(repo, "commit-tree", tree, "-p", head, "-m", "chore: mode", env=env).decode().strip()
    git(repo, "update-ref", "refs/heads/modes", sha)
    effect = e.RevertCommit(revision=sha, branch="modes", base="main", message="revert: modes")
    assert refused(stage, effect) == (
        "NotSupported",
        f"{sha[:12]} changed modes alone, which Azure DevOps' API cannot set",
    )


def test_a_revert_that_is_too_large(stage: AzureStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.forges.azure.reverting.MOST_FILES", 0)
    head = str(stage.head("main"))
    effect = e.RevertCommit(revision=head, branch="back", base="main", message="revert: all")
    assert refused(stage, effect) == (
        "TooLarge",
        f"{head[:12]} touched 1 files; 0 files and 16 MiB are reverted at most",
    )


def test_a_revert_on_a_protected_branch_needs_a_change(stage: AzureStage) -> None:
    head = str(stage.head("main"))
    effect = e.RevertCommit(revision=head, branch="main", base="main", message="revert: all")
    assert refused(stage, effect) == (
        "ProtectedBranch",
        "main of demo/booking is protected: a change is needed",
    )


# -- new repositories


FOUNDING = e.CreateRepository(
    repository="demo/new",
    description="Bookings",
    mark="pointsman:1",
    required_check="pointsman/merge",
    webhook_url="https://bot.example/webhooks/azure",
)


def test_its_first_commit_bears_the_mark_and_its_policy_asks_the_bot_alone(stage: AzureStage) -> None:
    done = do(stage, FOUNDING)
    repo = stage.org.repositories["demo/new"]
    (push,) = repo.pushes
    (commit,) = push.commits
    assert commit.message.strip() == "docs: begin\n\nRepository-Mark: pointsman:1"
    assert repo.default == "main"
    (policy,) = repo.policies
    assert policy["settings"] == {
        "statusGenre": "pointsman",
        "statusName": "merge",
        "authorId": stage.account.id,
        "invalidateOnSourceUpdate": True,
        "scope": [{"refName": "refs/heads/main", "matchKind": "Exact", "repositoryId": repo.id}],
    }
    assert done.url == f"{stage.org.url}/demo/_git/new"


def test_its_hooks_show_the_secret_that_the_door_knows(stage: AzureStage) -> None:
    do(stage, FOUNDING)
    repo = stage.org.repositories["demo/new"]
    mine = [one for one in stage.org.subscriptions if one["publisherInputs"].get("repository") == repo.id]
    assert {one["consumerInputs"]["basicAuthPassword"] for one in mine} == {"an-older-one"}


def test_a_mark_that_somebody_else_wrote_makes_nothing_ours(stage: AzureStage) -> None:
    do(stage, FOUNDING)
    repo = stage.org.repositories["demo/new"]
    jane = stage.org.person("jane", "admin")
    repo.pushes.clear()
    repo.pushed_by.clear()
    record(stage.org, repo, jane, [Update("refs/heads/main", "0" * 40, repo.head("refs/heads/main"))])
    assert refused(stage, FOUNDING) == ("RepositoryTaken", "demo/new is there already, made by somebody else")


def test_without_permission_none_is_made(stage: AzureStage) -> None:
    stage.org.person(UNIQUE, "write")
    assert refused(stage, FOUNDING) == (
        "NoCreateAccess",
        "the bot may not create repositories in demo: give its account Create repository there",
    )
    assert stage.repositories() == {"demo/booking"}


def test_in_a_public_project_none_is_private(stage: AzureStage) -> None:
    stage.org.public.add("demo")
    assert refused(stage, FOUNDING) == (
        "NotSupported",
        "every repository of demo is public, as the project is: take a private one",
    )
    assert stage.repositories() == {"demo/booking"}


def test_without_a_secret_no_hook_is_promised(stage: AzureStage) -> None:
    client = stage.forge._account()
    client.hook_secret = ""
    assert refused(stage, FOUNDING) == (
        "NoWebhookSecret",
        "the hooks need a secret: set POINTSMAN_AZURE_WEBHOOK_SECRET",
    )
    assert stage.repositories() == {"demo/booking"}


def test_a_project_that_is_not_there(stage: AzureStage) -> None:
    said = refused(stage, FOUNDING.model_copy(update={"repository": "nowhere/new"}))
    assert said == ("NotFound", "nowhere/new: TF200016: The following project does not exist: nowhere.")


# -- reports


def test_files_of_one_name_in_two_artefacts_are_told_apart(stage: AzureStage) -> None:
    run = stage.keep_reports(str(stage.head("main")), {"junit.xml": b"1"})
    artefacts.keep(stage.org.builds[int(run)], "unit-reports", {"junit.xml": b"2"})
    told = {one.path: one.content for one in stage.forge.reports(stage.repository, run)}
    assert told == {"junit.xml": b"1", "unit-reports/junit.xml": b"2"}


def test_an_artefact_that_is_too_large_is_named_and_not_read(
    stage: AzureStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.forges.azure.reports.ARTEFACT_CAP", 10)
    run = stage.keep_reports(str(stage.head("main")), {"junit.xml": b"1"})
    assert [(one.path, one.content) for one in stage.forge.reports(stage.repository, run)] == [
        ("test-reports", None)
    ]


def test_the_token_goes_to_no_strange_address(stage: AzureStage) -> None:
    run = stage.keep_reports(str(stage.head("main")), {"junit.xml": b"1"})
    stage.org.builds[int(run)]["fakeAddress"] = "http://127.0.0.1:9/steal"
    with pytest.raises(Permanent) as error:
        list(stage.forge.reports(stage.repository, run))
    assert (error.value.reason_code, error.value.message) == (
        "ForeignAddress",
        "Azure DevOps names an address that is not its own",
    )


def test_a_run_that_is_no_number(stage: AzureStage) -> None:
    with pytest.raises(Permanent) as error:
        list(stage.forge.reports(stage.repository, "../1"))
    assert (error.value.reason_code, error.value.message) == (
        "NotFound",
        "there is no run ../1 in demo/booking",
    )
