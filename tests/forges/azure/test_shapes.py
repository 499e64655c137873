"""The fake says nothing that Azure DevOps does not say: every answer fits the SDK's models, key by key."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.performer import EffectContext
from tests.forges.azure.corpora import body, cassette
from tests.forges.azure.fake import runs, talk
from tests.forges.conformance.stages.azure import AzureStage

MODELS = {
    ("GET", "repositories"): "git.GitRepository",
    ("GET", "refs"): "git.[GitRef]",
    ("POST", "refs"): "git.[GitRefUpdateResult]",
    ("POST", "pushes"): "git.GitPush",
    ("GET", "pushes"): "git.[GitPush]",
    ("GET", "commits"): "git.[GitCommit]",
    ("GET", "changes"): "git.GitCommitChanges",
    ("GET", "commitDiffs"): "git.GitCommitDiffs",
    ("GET", "trees"): "git.GitTreeRef",
    ("POST", "annotatedTags"): "git.GitAnnotatedTag",
    ("GET", "statuses"): "git.[GitStatus]",
    ("POST", "statuses"): "git.GitStatus",
    ("GET", "policyConfigurations"): "policy.[PolicyConfiguration]",
    ("POST", "merges"): "git.GitMerge",
    ("GET", "merges"): "git.GitMerge",
    ("GET", "pullRequests"): "git.[GitPullRequest]",
    ("POST", "pullRequests"): "git.GitPullRequest",
    ("PATCH", "pullRequests"): "git.GitPullRequest",
    ("GET", "pullRequestLabels"): "git.[WebApiTagDefinition]",
    ("POST", "pullRequestLabels"): "git.WebApiTagDefinition",
    ("GET", "pullRequestCommits"): "git.[GitCommitRef]",
    ("GET", "pullRequestIterations"): "git.[GitPullRequestIteration]",
    ("GET", "pullRequestThreads"): "git.[GitPullRequestCommentThread]",
    ("POST", "pullRequestThreads"): "git.GitPullRequestCommentThread",
    ("PATCH", "pullRequestThreads"): "git.GitPullRequestCommentThread",
    ("POST", "pullRequestThreadComments"): "git.Comment",
    ("PATCH", "pullRequestThreadComments"): "git.Comment",
    ("GET", "pullRequestCommentLikes"): "git.[IdentityRef]",
    ("GET", "pullRequestStatuses"): "git.[GitPullRequestStatus]",
    ("POST", "pullRequestStatuses"): "git.GitPullRequestStatus",
    ("GET", "ResourceAreas"): "location.[ResourceAreaInfo]",
    ("GET", "ConnectionData"): "location.ConnectionData",
    ("GET", "Identities"): "identity.[Identity]",
    ("GET", "AccessControlLists"): "security.[AccessControlList]",
    ("GET", "evaluations"): "policy.[PolicyEvaluationRecord]",
    ("GET", "subscriptions"): "service_hooks.[Subscription]",
    ("POST", "subscriptions"): "service_hooks.Subscription",
    ("POST", "notificationsQuery"): "service_hooks.NotificationsQuery",
    ("GET", "Definitions"): "build.[BuildDefinition]",
    ("POST", "Definitions"): "build.BuildDefinition",
    ("GET", "Builds"): "build.[Build]",
    ("POST", "Builds"): "build.Build",
    ("GET", "Timeline"): "build.Timeline",
    ("GET", "queues"): "task_agent.[TaskAgentQueue]",
    ("GET", "CodeCoverage"): "test.CodeCoverageSummary",
    ("POST", "repositories"): "git.GitRepository",
    ("PATCH", "repositories"): "git.GitRepository",
    ("GET", "projects"): "core.TeamProject",
    ("POST", "configurations"): "policy.PolicyConfiguration",
    ("GET", "pullRequestWorkItems"): "git.[ResourceRef]",
    ("POST", "workItems"): "work_item_tracking.WorkItem",
    ("GET", "workItems"): "work_item_tracking.[WorkItem]",
    ("PATCH", "workItems"): "work_item_tracking.WorkItem",
    ("GET", "workItemTypeCategories"): "work_item_tracking.WorkItemTypeCategory",
    ("POST", "wiql"): "work_item_tracking.WorkItemQueryResult",
    ("GET", "wikis"): "wiki.[WikiV2]",
    ("POST", "wikis"): "wiki.WikiV2",
    ("GET", "pages"): "wiki.WikiPage",
    ("PUT", "pages"): "wiki.WikiPage",
    ("GET", "environments"): "task_agent.[EnvironmentInstance]",
    ("POST", "environments"): "task_agent.EnvironmentInstance",
    ("GET", "variablegroups"): "task_agent.[VariableGroup]",
    ("POST", "variablegroups"): "task_agent.VariableGroup",
    ("PUT", "variablegroups"): "task_agent.VariableGroup",
    ("GET", "artifacts"): "build.[BuildArtifact]",
}
BARE = {
    ("GET", "Permissions"),
    ("GET", "logs"),
    ("DELETE", "pullRequestLabels"),
    ("POST", "pullRequestCommentLikes"),
}
"""Answers that are no model: plain values, or nothing."""
PLAIN = {
    "str",
    "int",
    "bool",
    "float",
    "long",
    "iso-8601",
    "object",
    "date",
    "decimal",
    "duration",
    "ReferenceLinks",
}


def unknown(kind: str, said: Any, models: dict[str, Any], where: str = "") -> Iterator[str]:
    """Keys that a model does not have, by their path."""
    if said is None or kind in PLAIN:
        return
    if kind[0] in "[{":
        for one in said if isinstance(said, list) else said.values():
            yield from unknown(kind[1:-1], one, models, where)
        return
    known = {
        about["key"].replace("\\.", "."): about["type"] for about in models[kind]._attribute_map.values()
    }
    for key, value in said.items():
        if key in known:
            yield from unknown(known[key], value, models, f"{where}.{key}")
        else:
            yield f"{where}.{key}"


def models_of(area: str) -> dict[str, Any]:
    module = import_module(f"azure.devops.v7_1.{area}.models")
    return dict(inspect.getmembers(module, inspect.isclass))


Do = Callable[[e.Effect, str], Any]


def live(stage: AzureStage) -> None:
    """Something of everything that the bot does."""

    def do(effect: e.Effect, effect_id: str) -> Any:
        effect = effect.model_copy(update={"repository": effect.repository or stage.repository})
        return stage.forge.perform(effect_id, effect, EffectContext("acme", "trace-1", lambda _: None))

    stage.person("jane", "write", ("demo/team",))
    files = (
        e.File(path="azure-pipelines.yml", content="trigger: none\n"),
        e.File(path="a/b.txt", content="b\n"),
    )
    made = do(e.CommitFiles(branch="feature/x", base="main", files=files, message="feat: x\n\nmore"), "1")
    do(e.CommitFiles(branch="feature/x", base="main", files=files, message="feat: x\n\nmore"), "1")
    do(e.CommitFiles(branch="empty", base="main", files=(), message="nothing"), "1b")
    change = do(
        e.OpenChange(source="feature/x", target_branch="main", title="t", body="b", labels=("l",)), "2"
    ).number
    do(e.UpdateChange(change=change, title="u", add_labels=("m",), remove_labels=("l",)), "3")
    do(e.UpdateChange(change=change, state="closed"), "3b")
    do(e.UpdateChange(change=change, state="open"), "3c")
    _talk(stage, do, change)
    _judge(stage, do, change, made.sha)
    _beside(stage, do, change, made.sha)
    _merge(stage, do, change, made.sha)
    list(stage.forge.missed(stage.since))
    list(stage.forge.connect(stage.repository, "https://bot.example/webhooks/azure"))


def _talk(stage: AzureStage, do: Do, change: int) -> None:
    said = stage.comment("jane", change, "/help")
    for number, reaction in enumerate(("eyes", "eyes", "rocket")):
        do(e.React(change=change, comment_id=said, reaction=reaction), f"4{number}")
    do(e.PostComment(change=change, body="reply", reply_to=said, sticky="s"), "5")
    do(e.PostComment(change=change, body="changed", reply_to=said, sticky="s"), "6")
    do(e.PostComment(change=change, body="single"), "6b")


def _judge(stage: AzureStage, do: Do, change: int, head: str) -> None:
    stage.require_check("pointsman/merge")
    for state in (None, "success"):
        do(e.SetCheck(revision=head, name="pointsman/merge", title="t", conclusion=state), "7")
    do(e.RecordDeployment(environment="staging", revision=head, state="success"), "8")
    do(e.CreateTag(name="v1", revision=head, message="one"), "9")
    do(e.CreateTag(name="plain", revision=head), "9b")
    run = do(e.RunPipeline(branch="feature/x", revision=head, variables={}), "10")
    runs.end(stage.org, stage.org.builds[int(run.pipeline_id)], "failed", 80.0, [("unit", "failed")])
    do(
        e.GatherFacts(correlation="c", change=change, actors=("jane",), run=run.pipeline_id, tree_of=head),
        "11",
    )


def _beside(stage: AzureStage, do: Do, change: int, head: str) -> None:
    for number, words in enumerate(("new", "newer")):
        do(e.PublishRelease(tag="r1", revision=head, title="One", notes=words), f"20.{number}")
        do(e.PrepareEnvironment(environment="staging", variables={"A": words}), f"21.{number}")
        do(e.OpenIssue(title="broken", body="*look*", labels=("a", "b")), f"22.{number}")
    do(e.LinkIssues(change=change, references=("#1", "AB#2"), closes=True), "23")
    do(e.RevertCommit(revision=head, branch="feature/back", base="feature/x", message="revert: x"), "24")
    founding = e.CreateRepository(
        repository="demo/new", mark="m", required_check="pointsman/merge", webhook_url="https://bot.example/h"
    )
    do(founding, "25")
    stage.org.repositories["demo/new"].default = "other"
    do(founding, "25")
    run = stage.keep_reports(head, {"junit.xml": b"<testsuite/>"})
    assert [one.path for one in stage.forge.reports(stage.repository, run)] == ["junit.xml"]


def _merge(stage: AzureStage, do: Do, change: int, head: str) -> None:
    talk.vote(stage.org, stage.repo, stage.repo.pulls[change], stage.org.people["jane"], 10)
    stage.person("jane", "write")
    stage.push("jane", "feature/y", {"y.txt": "y\n"}, "feat: y\n\nmore")
    other = do(e.OpenChange(source="feature/y", target_branch="main", title="y", body=""), "12")
    stage.repo.policies.clear()
    do(e.MergeChange(change=other.number, expected_head=other.head, message="y"), "13")
    up = do(e.UpdateBranch(change=change, expected_head=head), "14")
    do(e.MergeChange(change=change, expected_head=up.head, message="x", method="merge"), "15")


@pytest.fixture
def answers(stage: AzureStage) -> dict[tuple[str, str], list[Any]]:
    """Everything the fake answered while the bot lived on it."""
    live(stage)
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for method, resource, said in stage.org.answers:
        found[method, resource].append(said)
    return found


def test_every_answer_fits_a_model_of_the_sdk(answers: dict[tuple[str, str], list[Any]]) -> None:
    assert set(answers) - BARE == set(MODELS), "what is asked for has a model, and every model is proven"
    strange: set[str] = set()
    for asked, model in MODELS.items():
        area, _, kind = model.partition(".")
        models = models_of("git") | models_of(area)
        for said in answers[asked]:
            listed = isinstance(said, dict) and set(said) <= {"count", "value"}
            inner = kind.strip("[]")
            values = said["value"] if listed else [said]
            strange |= {f"{asked} {key}" for one in values for key in unknown(inner, one, models)}
    assert strange == set()


def test_a_key_that_is_none_is_found_out() -> None:
    models = models_of("git")
    assert list(unknown("GitPullRequest", {"pullRequestId": 1, "createdBy": {"login": "x"}}, models)) == [
        ".createdBy.login"
    ]


RECORDED = {
    ("POST", "pullRequests"): (
        "test_pull_request_createUpdateVoteListAbandonReactivateCompleteReviewers",
        "POST",
        "/pullRequests",
    ),
    ("PATCH", "pullRequests"): (
        "test_pull_request_createUpdateVoteListAbandonReactivateCompleteReviewers",
        "PATCH",
        "/pullRequests/",
    ),
    ("GET", "refs"): ("test_ref_createDeleteFlow", "GET", "/refs"),
    ("POST", "refs"): ("test_ref_createDeleteFlow", "POST", "/refs"),
    ("GET", "Identities"): ("test_devops_security_permission_tests", "GET", "/_apis/Identities"),
    ("GET", "AccessControlLists"): (
        "test_devops_security_permission_tests",
        "GET",
        "/_apis/AccessControlLists",
    ),
    ("POST", "Definitions"): ("test_pipeline_create_and_variables_test", "POST", "/_apis/build/Definitions"),
    ("POST", "Builds"): ("test_build_listQueueShow", "POST", "/_apis/build/Builds"),
    ("POST", "repositories"): ("test_repos_createListShowDelete", "POST", "/git/repositories"),
    ("PATCH", "repositories"): ("test_repos_createListShowDelete", "PATCH", "/git/repositories"),
    ("POST", "configurations"): (
        "test_repos_policies_createUpdateShowListDelete",
        "POST",
        "/policy/configurations",
    ),
    ("POST", "workItems"): ("test_boards_releations_create_remove", "POST", "/wit/workItems"),
    ("PATCH", "workItems"): ("test_boards_releations_create_remove", "PATCH", "/wit/workItems"),
    ("POST", "wiql"): ("test_boards_releations_create_remove", "POST", "/wit/wiql"),
    ("GET", "wikis"): ("test_wiki_and_page_createListShowDelete", "GET", "/wiki/wikis"),
    ("POST", "wikis"): ("test_wiki_and_page_createListShowDelete", "POST", "/wiki/wikis"),
    ("GET", "pages"): ("test_wiki_and_page_createListShowDelete", "GET", "/pages"),
    ("PUT", "pages"): ("test_wiki_and_page_createListShowDelete", "PUT", "/pages"),
    ("GET", "variablegroups"): ("test_variable_group", "GET", "/variablegroups"),
    ("POST", "variablegroups"): ("test_variable_group", "POST", "/variablegroups"),
    ("PUT", "variablegroups"): ("test_variable_group", "PUT", "/variablegroups"),
}
NOT_RECORDED = {
    ("POST", "pullRequests"): {".labels.active", ".labels.id", ".labels.name"},
    ("PATCH", "pullRequests"): {
        ".labels",
        ".labels.active",
        ".labels.id",
        ".labels.name",
        ".completionOptions.mergeCommitMessage",
        ".completionOptions.deleteSourceBranch",
        ".completionOptions.transitionWorkItems",
    },
    ("GET", "refs"): {".peeledObjectId"},
    ("POST", "refs"): set[str](),
    ("GET", "Identities"): {".isContainer"},
    ("GET", "AccessControlLists"): {
        ".acesDictionary.*.extendedInfo.effectiveAllow",
        ".acesDictionary.*.extendedInfo.inheritedAllow",
    },
    ("POST", "Definitions"): {
        ".variables",
        ".variables.*",
        ".variables.*.allowOverride",
        ".variables.*.value",
    },
    ("POST", "Builds"): {".parameters"},
    ("POST", "repositories"): set[str](),
    ("PATCH", "repositories"): {".defaultBranch"},
    ("POST", "configurations"): {
        ".settings.authorId",
        ".settings.invalidateOnSourceUpdate",
        ".settings.statusGenre",
        ".settings.statusName",
    },
    ("POST", "workItems"): {
        # Of a work item that is made with a link; the recorded one got its link by PATCH.
        ".relations",
        ".relations.rel",
        ".relations.url",
        ".relations.attributes",
        ".fields.System.Description",
        ".fields.System.Tags",
        ".relations.attributes.comment",
    },
    ("PATCH", "workItems"): {
        ".fields.System.Description",
        ".fields.System.Tags",
        ".relations.attributes.comment",
    },
    ("POST", "wiql"): set[str](),
    ("GET", "wikis"): set[str](),
    ("POST", "wikis"): set[str](),
    ("GET", "pages"): set[str](),
    ("PUT", "pages"): set[str](),
    ("GET", "variablegroups"): set[str](),
    ("POST", "variablegroups"): set[str](),
    ("PUT", "variablegroups"): set[str](),
}
"""What we rely on and nobody recorded: it stands in the SDK's models, and in docs/forges.md as unproven."""


def paths(said: Any, where: str = "") -> set[str]:
    if isinstance(said, list):
        return {path for one in said for path in paths(one, where)}
    if not isinstance(said, dict) or where.endswith(("_links", ".properties", ".triggers", ".process")):
        return set()
    keys = {key: "*" if where.endswith(("acesDictionary", ".variables")) else key for key in said}
    return {
        path
        for key, value in said.items()
        for path in {f"{where}.{keys[key]}", *paths(value, f"{where}.{keys[key]}")}
    }


@pytest.mark.parametrize("asked", list(RECORDED), ids=str)
def test_the_fake_has_no_field_that_was_not_recorded(
    asked: tuple[str, str], answers: dict[tuple[str, str], list[Any]]
) -> None:
    name, method, part = RECORDED[asked]
    tape = [one["request"] | {"said": body(one)} for one in cassette(name)]
    real = [one["said"] for one in tape if one["method"] == method and part in one["uri"] and one["said"]]
    if not tape:
        return
    assert real, f"{name} has no such answer"
    unwrapped = [one["value"] if set(one) <= {"count", "value"} else one for one in real]
    faked = [one["value"] if set(one) <= {"count", "value"} else one for one in answers[asked]]
    assert paths(faked) - paths(unwrapped) - NOT_RECORDED[asked] == set()
