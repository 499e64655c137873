"""The last merged changes of a repository: what a policy could have asked about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bot.domain import payloads as p
from bot.forges.azure import parts
from bot.forges.azure.pipelines import HOME
from bot.forges.azure.place import Place
from bot.forges.azure.said_changes import SUGGESTIONS
from bot.forges.azure.said_runs import OUTCOMES, ran_on

RUNS_READ = 500
Tests = Literal["passed", "failed"]
RESULTS: dict[str, Tests] = {"success": "passed", "failed": "failed"}


def merged(place: Place, most: int) -> tuple[p.PastChange, ...]:
    """The newest first."""
    criteria = place.model("GitPullRequestSearchCriteria", status="completed")
    found = place.git("get_pull_requests", search_criteria=criteria, top=most) or ()
    tests = _tests(place) if found else {}
    return tuple(_past(place, change, tests) for change in found)


def _past(place: Place, change: Any, tests: Mapping[str, Tests]) -> p.PastChange:
    people, head = place.client.people, change.last_merge_source_commit.commit_id
    voters = [one for one in change.reviewers or () if not one.is_container]
    return p.PastChange(
        number=change.pull_request_id,
        title=change.title or "",
        author=people.login(change.created_by.unique_name),
        merged_by=people.login(change.closed_by.unique_name if change.closed_by else None),
        head=head,
        labels=tuple(sorted(one.name for one in change.labels or () if one.active)),
        committers=tuple(parts.of(place, change, head)["committers"]),
        approvers=tuple(people.login(one.unique_name) for one in voters if (one.vote or 0) >= SUGGESTIONS),
        tests=tests.get(head, "unknown"),
    )


def _tests(place: Place) -> dict[str, Tests]:
    """How the last run of each revision ended, of the newest runs."""
    found = place.client.build.get_builds(
        project=place.repository.project,
        repository_id=place.about.id,
        repository_type=HOME,
        status_filter="completed",
        query_order="finishTimeDescending",
        top=RUNS_READ,
    )
    ended: dict[str, Tests] = {}
    for run in found or ():
        where = {"sourceBranch": run.source_branch, "sourceVersion": run.source_version}
        outcome = RESULTS.get(OUTCOMES.get(str(run.result or ""), ""))
        if outcome:
            ended.setdefault(ran_on(where | {"triggerInfo": run.trigger_info})["revision"], outcome)
    return ended
