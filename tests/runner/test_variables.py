"""Predefined variables, and variables inside variables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.forges.local.runner import PipelineError, RunContext
from bot.forges.local.runner.variables import expand, predefined


def test_predefined_on_a_branch() -> None:
    context = RunContext(branch="feature/x", sha="0123456789abcdef", pipeline_id="12", project="booking")
    assert predefined(context) == {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_DEFAULT_BRANCH": "main",
        "CI_PIPELINE_SOURCE": "push",
        "CI_PIPELINE_ID": "12",
        "CI_PROJECT_NAME": "booking",
        "CI_COMMIT_REF_NAME": "feature/x",
        "CI_COMMIT_SHA": "0123456789abcdef",
        "CI_COMMIT_SHORT_SHA": "01234567",
        "CI_COMMIT_BRANCH": "feature/x",
    }


def test_a_tag_has_no_branch() -> None:
    found = predefined(RunContext(tag="v1"))
    assert (found["CI_COMMIT_TAG"], found["CI_COMMIT_REF_NAME"]) == ("v1", "v1")
    assert "CI_COMMIT_BRANCH" not in found


def test_a_change_has_a_number_and_no_commit_branch() -> None:
    found = predefined(
        RunContext(branch="agent/x", source="merge_request_event", change=7, target_branch="next")
    )
    assert found["CI_MERGE_REQUEST_IID"] == "7"
    assert found["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"] == "agent/x"
    assert found["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] == "next"
    assert "CI_COMMIT_BRANCH" not in found


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"A": "$B", "B": "x"}, "x"),
        ({"A": "${B}y", "B": "$C", "C": "z"}, "zy"),
        ({"A": "$UNKNOWN!"}, "!"),
        ({"A": "$$B", "B": "x"}, "$B"),
        ({"A": "$$$B", "B": "x"}, "$x"),
        ({"A": "costs 5$"}, "costs 5$"),
        ({"A": "$B", "B": "$$C", "C": "no"}, "$C"),
    ],
)
def test_expansion(variables: dict[str, str], expected: str) -> None:
    assert expand(variables)["A"] == expected


def test_a_circle_is_refused() -> None:
    with pytest.raises(PipelineError, match="variables refer to each other: A -> B -> A"):
        expand({"A": "$B", "B": "$A"})


def test_growth_is_refused() -> None:
    doubling = {f"V{index}": f"$V{index + 1}$V{index + 1}" for index in range(60)} | {"V60": "boom"}
    with pytest.raises(PipelineError, match="grows beyond 65536 characters"):
        expand(doubling)


def test_a_long_chain_is_refused() -> None:
    chain = {f"V{index}": f"$V{index + 1}" for index in range(500)} | {"V500": "x"}
    with pytest.raises(PipelineError, match="reached through more than 100 others"):
        expand(chain)


@given(st.dictionaries(st.sampled_from("ABCDE"), st.text(alphabet="xy ", max_size=5)))
def test_plain_values_stay_as_they_are(variables: dict[str, str]) -> None:
    assert expand(variables) == variables


def test_a_commit_message_is_nobodys_reference() -> None:
    said = "feat: $HOME $$ ${CI_COMMIT_MESSAGE}\n\nTrace-Id: trace-1"
    found = expand(predefined(RunContext(branch="main", message=said)) | {"QUOTED": "<$CI_COMMIT_MESSAGE>"})
    assert found["CI_COMMIT_MESSAGE"] == said
    assert found["QUOTED"] == f"<{said}>"


def test_a_commit_message_is_cut_where_gitlab_cuts_it() -> None:
    found = predefined(RunContext(branch="main", message="é" * 60_000))
    assert found["CI_COMMIT_MESSAGE"] == "é" * 50_000
    assert expand(found)["CI_COMMIT_MESSAGE"] == "é" * 50_000
