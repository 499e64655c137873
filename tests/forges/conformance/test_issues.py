"""Issues, or work items: opened once, and linked to the change that is about them."""

from __future__ import annotations

import re

import pytest

from bot.domain import effect as e
from bot.forges.capabilities import Feature
from tests.forges.conformance.ability import cannot, refused
from tests.forges.conformance.conftest import Do
from tests.forges.conformance.stage import Stage

OPENING = e.OpenIssue(
    title="booking 2.0.0 was rolled back in production",
    body="It never became ready.\n\n```text\nKeyError: 'DB'\n```\n\nFix it and submit 2.0.1.",
    labels=("rollback",),
)
BODY = "What it does."


@pytest.fixture
def change(do: Do) -> int:
    """An open change with words in its description."""
    files = (e.File(path="app.py", content="one\n"),)
    do(e.CommitFiles(branch="feature/booking", base="main", files=files, message="feat: add"), "t.000001.0")
    opened = do(
        e.OpenChange(source="feature/booking", target_branch="main", title="feat: add", body=BODY),
        "t.000002.0",
    )
    assert isinstance(opened, e.ChangeResult)
    return opened.number


def linking(change: int, *references: str, closes: bool = False) -> e.LinkIssues:
    return e.LinkIssues(change=change, references=references, closes=closes)


def test_an_issue_says_what_it_was_told(stage: Stage, do: Do) -> None:
    if cannot(stage, do, Feature.ISSUES, OPENING):
        return
    result = do(OPENING)
    assert isinstance(result, e.IssueResult)
    assert (bool(result.reference), bool(result.url), result.created) == (True, True, True)
    assert stage.issues() == [(OPENING.title, OPENING.body, ["rollback"])]


def test_one_effect_opens_one_issue_and_another_effect_another(stage: Stage, do: Do) -> None:
    if cannot(stage, do, Feature.ISSUES, OPENING):
        return
    first, again = do(OPENING), do(OPENING)
    assert isinstance(first, e.IssueResult)
    assert again == first.model_copy(update={"created": False})
    other = do(OPENING, "trace-1.000008.0")
    assert isinstance(other, e.IssueResult)
    assert other.created
    assert other.reference != first.reference
    assert len(stage.issues()) == 2


def test_somebody_elses_issue_of_the_same_title_is_not_ours(stage: Stage, do: Do) -> None:
    if cannot(stage, do, Feature.ISSUES, OPENING):
        return
    stage.person("jane", "write")
    hers = stage.open_issue("jane", OPENING.title)
    result = do(OPENING)
    assert isinstance(result, e.IssueResult)
    assert result.created
    assert result.reference != hers
    assert len(stage.issues()) == 2


@pytest.mark.parametrize("closes", [False, True])
def test_a_change_is_linked_to_its_issues(stage: Stage, do: Do, change: int, closes: bool) -> None:
    if cannot(stage, do, Feature.ISSUES, linking(change, "#1")):
        return
    stage.person("jane", "write")
    first, second = stage.open_issue("jane", "Move a booking"), stage.open_issue("jane", "Cancel a booking")
    stage.open_issue("jane", "Something else")
    assert stage.linked(change) == []

    do(linking(change, first, second, closes=closes))

    assert sorted(stage.linked(change)) == sorted([first, second])
    assert str(stage.change(change)["body"]).startswith(BODY)
    assert stage.change(change)["state"] == "open"


@pytest.mark.parametrize("closes", [False, True])
def test_linking_twice_is_once(stage: Stage, do: Do, change: int, closes: bool) -> None:
    if cannot(stage, do, Feature.ISSUES, linking(change, "#1")):
        return
    stage.person("jane", "write")
    issue = stage.open_issue("jane", "Move a booking")
    do(linking(change, issue, closes=closes))
    body = stage.change(change)["body"]

    do(linking(change, issue, closes=closes))
    do(linking(change, issue, closes=closes), "trace-1.000009.0")

    assert stage.linked(change) == [issue]
    assert stage.change(change)["body"] == body


def test_an_issue_of_the_bots_own_can_be_linked(stage: Stage, do: Do, change: int) -> None:
    if cannot(stage, do, Feature.ISSUES, OPENING):
        return
    opened = do(OPENING)
    assert isinstance(opened, e.IssueResult)
    do(linking(change, opened.reference), "trace-1.000008.0")
    assert stage.linked(change) == [opened.reference]


def test_an_issue_that_is_not_there_links_nothing(stage: Stage, do: Do, change: int) -> None:
    if cannot(stage, do, Feature.ISSUES, linking(change, "#1")):
        return
    stage.person("jane", "write")
    issue = stage.open_issue("jane", "Move a booking")
    missing = re.sub(r"\d+", "987654", issue)
    body = stage.change(change)["body"]

    assert refused(do, linking(change, issue, missing)) == "IssueMissing"

    assert stage.linked(change) == []
    assert stage.change(change)["body"] == body
