"""What a forge can be asked for, in words of no forge. Every forge answers each of them (docs/forges.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Feature(StrEnum):
    """One line of the compatibility table."""

    COMMIT_FILES = "commit files in one commit"
    EXECUTABLE_BIT = "executable bit"
    OPEN_CHANGE = "open, update, close a change"
    MERGE_CHANGE = "merge with the expected head"
    UPDATE_BRANCH = "bring a change up to date with its target"
    LABELS = "labels"
    COMMENTS = "comments, sticky ones edited in place"
    REACTIONS = "reactions to a comment"
    CHECKS = "checks with a Markdown summary"
    BUTTONS = "buttons on a check"
    TAGS = "tags"
    RUN_PIPELINE = "run a pipeline with variables"
    RUN_DETAILS = "jobs and coverage of a run"
    DEPLOYMENTS = "deployments and their states"
    ANSWER_DEPLOYMENT = "an answer to a deployment that asks whether it may go on"
    PERMISSIONS = "permission of a person"
    TEAMS = "teams or groups of a person"
    PROTECTION = "protected branches read"
    REVIEWS = "reviews"
    PAST = "the last merged changes"
    RELEASES = "releases with notes"
    ISSUES = "issues or work items, opened and linked"
    ENVIRONMENTS = "environments and their variables"
    REVERT = "a commit reverted"
    CREATE_REPOSITORY = "a repository made, protected, with its webhook"
    REPORTS = "reports of a run read: tests, coverage, findings, parts, signatures"
    MISSED_CALLS = "webhook calls that never arrived"
    SIGNED_COMMITS = "signed commits"


@dataclass(frozen=True)
class Support:
    """`note` says how, or why not; it may be empty for what simply works."""

    yes: bool
    note: str = ""


YES = Support(yes=True)
Capabilities = Mapping[Feature, Support]


def no(note: str) -> Support:
    """This forge cannot; `note` says what happens instead."""
    return Support(yes=False, note=note)


def so(note: str) -> Support:
    """This forge can, in its own way."""
    return Support(yes=True, note=note)
