"""Issues on GitHub: whose a mark is, what a text links, and what happens to it afterwards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.forges.github.linked import linked_in, names, with_links
from tests.forges.conformance.stages.github import GitHubStage
from tests.forges.github.conftest import Do
from tests.forges.github.deeds import proposed
from tests.forges.github.fake.hub import Issue

OPENING = e.OpenIssue(title="Broken", body="It broke.")


def reference(result: object) -> str:
    assert isinstance(result, e.IssueResult)
    return result.reference


def test_a_mark_that_somebody_else_wrote_is_not_ours(stage: GitHubStage, do: Do) -> None:
    mark = "It broke.\n\n<!-- pointsman:effect:trace-1.000007.0 -->"
    stage.repo.issues[1] = Issue(1, "Broken", mark, stage.hub.account("mallory").login)
    assert reference(do(OPENING)) == "#2"
    assert reference(do(OPENING)) == "#2"


def test_a_mark_in_the_middle_of_a_text_is_none(stage: GitHubStage, do: Do) -> None:
    quoted = OPENING.model_copy(
        update={"body": "<!-- pointsman:effect:trace-1.000007.0 -->\n\nsaid the other one"}
    )
    do(quoted, "trace-1.000006.0")
    assert reference(do(OPENING)) == "#2"


def test_it_is_found_among_many(stage: GitHubStage, do: Do) -> None:
    do(OPENING)
    for number in range(2, 252):
        stage.repo.issues[number] = Issue(number, "x", None, "acme")
    assert reference(do(OPENING)) == "#1"
    assert [one.query["page"] for one in stage.server.asked("^GET .*/issues$")][-3:] == ["1", "2", "3"]


def test_changes_are_counted_with_issues(stage: GitHubStage, do: Do) -> None:
    proposed(stage)
    assert reference(do(OPENING)) == "#2"


def test_what_is_too_long_is_cut(stage: GitHubStage, do: Do) -> None:
    long = e.OpenIssue(title="t" * 300, body="b" * 70_000)
    for _ in range(2):
        do(long)
    ((title, body, _),) = stage.issues()
    assert (len(title), title[-1]) == (256, "…")
    assert body.endswith("[see all of it](http://127.0.0.1:8080/traces/trace-1).")


def test_a_repository_without_issues_says_so(stage: GitHubStage, do: Do) -> None:
    stage.repo.has_issues = False
    with pytest.raises(Permanent) as refused:
        do(OPENING)
    assert (refused.value.reason_code, refused.value.message) == (
        "NotSupported",
        "issues are turned off in acme/booking: turn them on in its settings",
    )


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_what_closes_is_closed_by_the_merge(stage: GitHubStage, do: Do, method: str) -> None:
    head = proposed(stage)
    wanted, other = stage.open_issue("jane", "Wanted"), stage.open_issue("jane", "Other")
    do(e.LinkIssues(change=1, references=(wanted,), closes=True))
    do(e.LinkIssues(change=1, references=(other,)))
    do(
        e.MergeChange.model_validate(
            {"change": 1, "expected_head": head, "message": "feat: x", "method": method}
        )
    )
    assert [(one.number, one.state) for one in stage.repo.issues.values()] == [(2, "closed"), (3, "open")]


def test_the_bots_next_text_of_a_change_keeps_its_links(stage: GitHubStage, do: Do) -> None:
    proposed(stage)
    issue = stage.open_issue("jane", "Wanted")
    do(e.LinkIssues(change=1, references=(issue,), closes=True))
    for text in ("New words.", "Newer words."):
        do(e.UpdateChange(change=1, body=text))
        assert stage.linked(1) == [issue]
        assert str(stage.change(1)["body"]).startswith(f"{text}\n\n<!--")
    do(e.UpdateChange(change=1, body="x" * 70_000))
    assert stage.linked(1) == [issue]
    assert len(str(stage.change(1)["body"]).encode()) <= 65_535


def test_there_must_be_room_for_a_link(stage: GitHubStage, do: Do) -> None:
    proposed(stage)
    issue = stage.open_issue("jane", "Wanted")
    stage.repo.pulls[1].body = "x" * 65_500
    with pytest.raises(Permanent) as refused:
        do(e.LinkIssues(change=1, references=(issue,)))
    assert refused.value.message == "the text of change 1 has no room for its issues: shorten it"


def test_facts_tell_what_was_linked(stage: GitHubStage, do: Do) -> None:
    proposed(stage)
    issue = stage.open_issue("jane", "Wanted")
    do(e.LinkIssues(change=1, references=(issue,), closes=True))
    facts = do(e.GatherFacts(correlation="c", change=1))
    assert facts.to_json()["change"]["workItems"] == [issue]


def refusal(do: Do, *references: str) -> str:
    with pytest.raises(Permanent) as refused:
        do(e.LinkIssues(change=1, references=references))
    assert refused.value.reason_code == "IssueMissing"
    return refused.value.message


def test_references_that_are_none(stage: GitHubStage, do: Do) -> None:
    proposed(stage)
    stage.repo.deleted_issues.add(9)
    how = "write `#12`, `owner/name#12` or `AB#12`"
    assert refusal(do, "12") == f"'12' names no issue: {how}"
    assert refusal(do, "#0") == f"'#0' names no issue: {how}"
    assert refusal(do, "#1 <!--") == f"'#1 <!--' names no issue: {how}"
    assert refusal(do, "#9") == "there is no issue #9, or the bot may not see it"
    assert refusal(do, "acme/other#3") == "there is no issue acme/other#3, or the bot may not see it"
    assert stage.change(1)["body"] == ""


def test_work_items_are_named_for_azure_boards(stage: GitHubStage, do: Do) -> None:
    proposed(stage)
    for _ in range(2):
        do(e.LinkIssues(change=1, references=("AB#12",), closes=True))
    assert stage.change(1)["body"] == "<!-- pointsman:issues -->\nCloses AB#12\n<!-- pointsman:issues-end -->"
    assert stage.server.asked("/issues/12$") == []


def test_an_issue_of_another_repository_is_looked_for_there(stage: GitHubStage, do: Do) -> None:
    proposed(stage)
    other = stage.hub.repository("acme/other")
    other.issues[3] = Issue(3, "There", None, "acme")
    do(e.LinkIssues(change=1, references=("acme/other#3",)))
    assert "About acme/other#3" in str(stage.change(1)["body"])


@pytest.mark.parametrize(
    ("text", "said", "closes", "named"),
    [
        ("Closes #12", "#12", True, True),
        ("fixes: #12.", "#12", True, True),
        ("Resolved\n#12", "#12", True, True),
        ("About #12", "#12", True, False),
        ("About #12", "#12", False, True),
        ("Closes #123", "#12", True, False),
        ("Closes #123", "#12", False, False),
        ("acme/other#12", "#12", False, False),
        ("AB#12", "#12", False, False),
        ("discloses #12", "#12", True, False),
        ("closes AB#12", "AB#12", True, True),
        ("see https://x/y#12", "#12", False, False),
    ],
)
def test_what_a_text_names(text: str, said: str, *, closes: bool, named: bool) -> None:
    assert names(text, said, closes=closes) is named


TEXTS = st.text(alphabet="ab #12\n<!->", max_size=40)
REFERENCES = st.lists(st.sampled_from(["#1", "#2", "#12", "AB#1", "a/b#1"]), max_size=4)


@given(text=TEXTS, first=REFERENCES, second=REFERENCES, closes=st.booleans())
def test_links_are_put_in_once_and_the_text_stays(
    text: str, first: list[str], second: list[str], closes: bool
) -> None:
    once = with_links(text, first, closes=closes)
    both = with_links(once, second, closes=closes)
    assert once.startswith(text.rstrip())
    assert both.startswith(text.rstrip())
    assert all(names(both, one, closes=closes) for one in (*first, *second))
    assert with_links(both, [*first, *second], closes=closes) == both
    assert both.endswith(linked_in(both).strip())
    assert both.count("pointsman:issues -->") <= 1
