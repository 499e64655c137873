"""`MergeChange`: completing a pull request, which the forge does some time after it was asked."""

from __future__ import annotations

import time
from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.forges.azure import changes
from bot.forges.azure.names import HEADS
from bot.forges.azure.place import Place
from bot.forges.azure.speech import Refusal
from bot.forges.port import same_target
from bot.forges.trailers import message_with

STRATEGY = {"merge": "noFastForward", "squash": "squash", "rebase": "rebase"}
STALE = ("GitPullRequestStaleException", "TF401192")
BY_POLICY = ("GitPullRequestUpdateRejectedByPolicyException", "GitRefUpdateRejectedByPolicyException")
WAITS_S = (0.2, 0.3, 0.5, 1.0, 1.0, 2.0, 2.0, 3.0)
APPROVALS = {
    "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd",  # minimum number of reviewers
    "fd2167ab-b0be-447a-8ec8-39368250530e",  # required reviewers
}
UNDECIDED = {"queued", "running"}
SATISFIED = {"approved", "notApplicable"}


def merge_change(place: Place, effect_id: str, effect: e.MergeChange) -> e.MergeResult:
    """Merge the change while its head is the one that was agreed on; once."""
    change = changes.get(place, effect.change)
    if changes.state(change) == "merged":
        return _same(place, change, effect)
    _allowed(place, change, effect)
    same_target(effect, change.target_ref_name.removeprefix(HEADS))
    if effect.up_to_date:
        _contains_target(place, change, effect)
    if change.completion_queue_time is None or str(change.merge_status) != "queued":
        _policies(place, change)
        _complete(place, effect_id, effect, change)
    return _result(place, _wait(place, effect))


def _same(place: Place, change: Any, effect: e.MergeChange) -> e.MergeResult:
    seen = change.last_merge_source_commit.commit_id
    if seen != effect.expected_head:
        raise Permanent(
            "HeadMoved", f"change {effect.change} was merged at {seen[:12]}, not {effect.expected_head[:12]}"
        )
    return _result(place, change)


def _allowed(place: Place, change: Any, effect: e.MergeChange) -> None:
    number = effect.change
    if changes.state(change) == "closed":
        raise Permanent("ChangeClosed", f"change {number} is closed")
    if not change.fork_source:
        source = change.source_ref_name.removeprefix(HEADS)
        if place.head(source) is None:
            raise Permanent("BranchDeleted", f"the branch {source} of change {number} was deleted")
    target = change.target_ref_name.removeprefix(HEADS)
    if place.head(target) is None:
        raise Permanent("BranchDeleted", f"the target branch {target} was deleted")
    seen = changes.head(place, change)
    if seen != effect.expected_head:
        raise Permanent(
            "HeadMoved", f"the head of change {number} is {seen[:12]}, not {effect.expected_head[:12]}"
        )


def _contains_target(place: Place, change: Any, effect: e.MergeChange) -> None:
    """Looked at just before; if the target moves in between, the merged tree will tell."""
    target = change.target_ref_name.removeprefix(HEADS)
    onto = place.head(target)
    if onto and place.parted(onto, effect.expected_head) != onto:
        source = change.source_ref_name.removeprefix(HEADS)
        raise Permanent("BranchBehind", f"{source} is behind {target}")


def _policies(place: Place, change: Any) -> None:
    """What the branch policies still want. The forge would refuse as well, and say less."""
    project = place.about.project.id
    artifact = f"vstfs:///CodeReview/CodeReviewId/{project}/{change.pull_request_id}"
    found = place.client.policy.get_policy_evaluations(project=project, artifact_id=artifact)
    open_ = [one for one in found or () if _blocks(one)]
    branch = change.target_ref_name.removeprefix(HEADS)
    approvals = [one for one in open_ if one.configuration.type.id in APPROVALS]
    others = [one for one in open_ if one.configuration.type.id not in APPROVALS]
    if failed := [one for one in others if str(one.status) not in UNDECIDED]:
        raise Permanent("RequiredCheckFailed", f"{branch} is protected: {_names(failed)} did not succeed")
    if approvals:
        raise Permanent("ApprovalsMissing", f"{branch} is protected: {_names(approvals)} is not satisfied")
    if others:
        raise Retryable(f"{branch} is protected: {_names(others)} has not succeeded yet")


def _blocks(evaluation: Any) -> bool:
    configuration = evaluation.configuration
    return bool(
        configuration.is_enabled and configuration.is_blocking and str(evaluation.status) not in SATISFIED
    )


def _names(evaluations: list[Any]) -> str:
    return ", ".join(sorted(_name(one.configuration) for one in evaluations))


def _name(configuration: Any) -> str:
    """A policy by what it waits for: a status by its own name, else the kind of policy."""
    settings = configuration.settings or {}
    genre, status = settings.get("statusGenre"), settings.get("statusName")
    return "/".join(filter(None, (genre, status))) or str(configuration.type.display_name)


def _complete(place: Place, effect_id: str, effect: e.MergeChange, change: Any) -> None:
    message = message_with(effect.message, {**effect.trailers, "Effect-Id": effect_id})
    asked = change.completion_options
    options = place.model(
        "GitPullRequestCompletionOptions",
        merge_strategy=STRATEGY[effect.method],
        merge_commit_message=message.rstrip("\n"),
        delete_source_branch=False,
        transition_work_items=bool(asked and asked.transition_work_items),
    )
    wanted = place.model(
        "GitPullRequest",
        status="completed",
        last_merge_source_commit=place.model("GitCommitRef", commit_id=effect.expected_head),
        completion_options=options,
    )
    try:
        place.git("update_pull_request", git_pull_request_to_update=wanted, pull_request_id=effect.change)
    except Refusal as refusal:
        if refusal.is_about(*STALE):
            raise _stale(place, effect) from refusal
        if refusal.is_about(*BY_POLICY):
            raise Retryable(f"change {effect.change} was refused by a policy: {refusal.message}") from refusal
        raise


def _stale(place: Place, effect: e.MergeChange) -> Exception:
    """The forge has another head than we gave, or has not looked at ours yet."""
    seen = changes.head(place, changes.get(place, effect.change))
    if seen == effect.expected_head:
        return Retryable(f"Azure DevOps has not looked at the head of change {effect.change} yet")
    return Permanent(
        "HeadMoved", f"the head of change {effect.change} is {seen[:12]}, not {effect.expected_head[:12]}"
    )


def _wait(place: Place, effect: e.MergeChange) -> Any:
    """The merged change. What does not end soon is looked for again by the engine's schedule."""
    for pause in (0.0, *WAITS_S):
        time.sleep(pause)
        change = changes.get(place, effect.change)
        if changes.state(change) == "merged" and change.last_merge_commit:
            return change
        status = str(change.merge_status)
        if status == "conflicts":
            raise conflict(place, change)
        if status == "rejectedByPolicy":
            raise Retryable(f"change {effect.change} was refused by a policy")
        if status == "failure":
            reason = change.merge_failure_message or "no reason given"
            raise Retryable(f"Azure DevOps could not merge change {effect.change}: {reason}")
    raise Retryable(f"Azure DevOps is still merging change {effect.change}")


def conflict(place: Place, change: Any) -> Permanent:
    """The files that both sides changed since they parted: the SDK has no list of the conflicts."""
    target = change.target_ref_name.removeprefix(HEADS)
    head, onto = change.last_merge_source_commit.commit_id, place.head(target) or ""
    theirs = set(place.changed(onto, head, since_parting=True))
    ours = set(place.changed(head, onto, since_parting=True))
    files = ", ".join(sorted(theirs & ours))
    return Permanent(
        "MergeConflict", f"change {change.pull_request_id} conflicts with {target} in {files or 'its files'}"
    )


def _result(place: Place, change: Any) -> e.MergeResult:
    sha, head = change.last_merge_commit.commit_id, change.last_merge_source_commit.commit_id
    merged, agreed = place.commit(sha), place.commit(head)
    if merged is None or agreed is None:
        raise Retryable(f"change {change.pull_request_id} is merged as {sha[:12]}, which cannot be read yet")
    return e.MergeResult(sha=sha, tree=merged.tree, head_tree=agreed.tree)
