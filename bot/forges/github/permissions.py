"""What a GitHub App of ours may do, why, and what it is told. Each tier has all of the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tier = Literal["observe", "deliver", "pipelines"]
TIERS: dict[Tier, str] = {
    "observe": "Say what the policy would decide. Changes nothing but its own check.",
    "deliver": "Commit generated code, open and merge changes, answer comments, deploy and roll back.",
    "pipelines": "Also write and run GitHub Actions workflows, make environments and repositories.",
}


@dataclass(frozen=True)
class Permission:
    """One permission of the App, in GitHub's words, and what the bot needs it for."""

    name: str
    access: Literal["read", "write"]
    tier: Tier
    reason: str


PERMISSIONS = (
    Permission("metadata", "read", "observe", "Names, collaborators, permissions; GitHub demands it."),
    Permission("contents", "read", "observe", "Read the policy file on the base branch."),
    Permission("pull_requests", "read", "observe", "See changes and reviews."),
    Permission("checks", "write", "observe", "Put the verdict on the change as a check."),
    Permission("actions", "read", "observe", "See how workflow runs ended, and why."),
    Permission("statuses", "read", "observe", "See what other CI systems say of a revision."),
    Permission("merge_queues", "read", "observe", "Judge what waits in a merge queue."),
    Permission("members", "read", "observe", "Know who is in a team that may approve."),
    Permission("administration", "read", "observe", "See whether branch protection requires the check."),
    Permission("contents", "write", "deliver", "Commit, branch, tag and merge."),
    Permission("pull_requests", "write", "deliver", "Open, label, comment on and merge changes."),
    Permission(
        "issues", "write", "deliver", "Open issues; react to comments, which GitHub counts as an issue's."
    ),
    Permission("deployments", "write", "deliver", "Show what runs where, and answer protected environments."),
    Permission("environments", "write", "deliver", "Tell an environment's variables where things are."),
    Permission("actions", "write", "pipelines", "Run a workflow again."),
    Permission("workflows", "write", "pipelines", "Commit files below .github/workflows."),
    Permission(
        "administration", "write", "pipelines", "Make environments, and repositories with their rules."
    ),
)
EVENTS = (
    "check_run",
    "check_suite",
    "commit_comment",
    "create",
    "delete",
    "deployment",
    "deployment_protection_rule",
    "deployment_status",
    "issue_comment",
    "member",
    "membership",
    "merge_group",
    "organization",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "push",
    "release",
    "repository",
    "status",
    "team",
    "workflow_job",
    "workflow_run",
)
NEEDS = {
    "deployment": "deployments",
    "deployment_protection_rule": "deployments",
    "deployment_status": "deployments",
    "issue_comment": "issues",
    "merge_group": "merge_queues",
    "status": "statuses",
}
"""Events that GitHub sells only together with a permission beyond those that every tier has."""


def of_tier(tier: Tier) -> tuple[Permission, ...]:
    """The permissions of a tier, each with its widest access."""
    order = list(TIERS)
    widest: dict[str, Permission] = {}
    for permission in PERMISSIONS:
        if order.index(permission.tier) <= order.index(tier):
            widest[permission.name] = permission
    return tuple(widest.values())


def events_of(tier: Tier) -> tuple[str, ...]:
    """What an App with this tier's permissions can be told."""
    held = {permission.name for permission in of_tier(tier)}
    return tuple(event for event in EVENTS if NEEDS.get(event, "metadata") in held)
