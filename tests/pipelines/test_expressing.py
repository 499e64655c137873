"""What a CI system can not express: every sentence is said by some pipeline, and the page has a row for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.messages import pipelines as say
from bot.pipelines import systems
from bot.pipelines.written import CannotWrite
from tests.pipelines.test_gitlab_ci import EVERYTHING
from tests.pipelines.wide import WIDE, wide

PAGE = (
    (Path(__file__).parents[2] / "docs" / "pipelines.md")
    .read_text()
    .partition("## What a CI system can not express")[2]
)
EVENTS = WIDE["on"]
# The row of the page, and the beginning of the sentence, by the function that makes it.
ROWS = {
    "rounded_up": ("time limit in seconds", "time limits of"),
    "reports_kept": ("JUnit and Cobertura reports", "reports of"),
    "coverage_by_bot": ("coverage from a log", "GitHub Actions reads no coverage"),
    "coverage_by_report": ("coverage from a log", "Azure Pipelines reads no coverage"),
    "changes_by_policy": ("changes", "Azure Pipelines runs for changes"),
    "star_is_slash": ("branches and tags of the pipeline", "in Azure Pipelines `*` of"),
    "no_stages": ("stages", "Azure Pipelines shows no stages"),
    "schedule_by_hand": ("schedules", "GitLab CI has no schedules"),
    "schedule_on_default": ("schedules", "GitHub Actions runs schedules on the default branch only"),
    "inputs_by_hand": ("inputs of a run by hand", "GitLab CI asks nothing for a module in a folder"),
    "no_retries": ("retries", "GitHub Actions does not run a failed job again"),
    "rights_elsewhere": ("rights of a job", "GitLab CI takes rights from its settings"),
    "secrets_to_make": ("secrets", "make the secrets"),
    "approval_to_make": ("approval of an environment", "GitHub Actions keeps approvals in its settings"),
    "approver_to_make": ("approval of an environment", "in GitLab CI whoever may run jobs may agree"),
    "lock_to_make": ("one deployment at a time", "Azure Pipelines takes turns by a check"),
    "newest_waits": ("one deployment at a time", "of deployments that wait for"),
    "cache_of_protected": ("caches", "GitLab CI keeps caches of protected branches apart"),
    "no_cache_for_releases": ("caches", "GitHub Actions keeps no caches here"),
}
REFUSED: dict[str, tuple[str, str, Callable[[], Any]]] = {
    "cannot_limit": (
        "branches and tags of one job",
        "github",
        lambda: wide(jobs=[{"name": "a", "stage": "test", "steps": ["x"], "on": {"branches": ["a/*"]}}]),
    ),
    "read_as_variable": (
        "a text like `$(name)`",
        "azure",
        lambda: wide(jobs=[{"name": "a", "stage": "test", "steps": ["echo $(Build.Id)"]}]),
    ),
    "text_is_read": (
        "inputs of a run by hand",
        "azure",
        lambda: wide(on={**EVENTS, "manual": {"inputs": {"T": {"kind": "text", "default": "x"}}}}),
    ),
    "audience_is_fixed": (
        "identity token",
        "azure",
        lambda: wide(jobs=[{"name": "a", "stage": "test", "steps": ["x"], "identity": {"connection": "c", "audience": "sts.amazonaws.com"}}]),
    ),
}  # fmt: skip
# About files of a person's, not about what a system can say.
OF_FILES = {"file_in_the_way", "file_edited", "file_not_ours", "lock_unreadable"}


def notes() -> list[str]:
    everything = [wide(), wide(path="."), wide(jobs=EVERYTHING["jobs"], on=EVERYTHING["on"])]
    return [
        note
        for forge in ("github", "gitlab", "azure")
        for pipeline in everything
        if forge != "github" or pipeline.on.branches
        for note in systems.of(forge).written(pipeline, {}).notes
    ]


def test_every_sentence_is_accounted_for() -> None:
    functions = {
        name for name, one in inspect.getmembers(say, inspect.isfunction) if one.__module__ == say.__name__
    }
    assert functions == set(ROWS) | set(REFUSED) | OF_FILES


@pytest.mark.parametrize("name", ROWS)
def test_a_note_is_said_and_the_page_has_its_row(name: str) -> None:
    row, beginning = ROWS[name]
    assert any(note.startswith(beginning) for note in notes()), name
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {row} |")]
    assert "(note)" in line


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_raised_and_the_page_has_its_row(name: str) -> None:
    row, forge, make = REFUSED[name]
    pipeline = make()
    with pytest.raises(CannotWrite):
        systems.of(forge).written(pipeline, {})
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {row} |")]
    assert "refused" in line
