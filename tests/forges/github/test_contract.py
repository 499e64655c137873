"""The contract that every other test's requests are held against does see what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from graphql import parse, validate

from bot.forges.github import queries
from tests.forges.github.contract import Contract
from tests.forges.github.fake.graph import schema
from tests.forges.github.fake.server import Exchange

HERE = "/repos/acme/booking"
CONTRACT = Contract()
"""One of its own, which has looked at nothing yet."""


def asking(
    method: str, path: str, said: Any = None, status: int = 0, answer: Any = None, **query: str
) -> Exchange:
    body = json.dumps(said).encode() if said is not None else b""
    return Exchange(method, path, query, {"content-type": "application/json"}, body, status, answer)


@pytest.mark.parametrize(
    ("exchange", "word"),
    [
        (asking("PUT", f"{HERE}/pulls/1/merge", {"merge_method": "fast-forward"}), "merge_method"),
        (asking("POST", f"{HERE}/check-runs", {"name": "x"}), "head_sha"),
        (asking("POST", f"{HERE}/check-runs", {"name": "x", "head_sha": "y", "status": "done"}), "status"),
        (asking("POST", f"{HERE}/issues/comments/1/reactions", {"content": "tada"}), "content"),
        (asking("POST", f"{HERE}/deployments/1/statuses", {"state": "fine"}), "state"),
        (asking("GET", f"{HERE}/actions/runs", per_page="many"), "per_page"),
        (asking("POST", f"{HERE}/pulls/1/approve", {}), "GitHub has nothing of that kind"),
        (asking("PATCH", f"{HERE}/git/ref/heads/x", {"sha": "x"}), "GitHub has nothing of that kind"),
        (asking("GET", f"{HERE}/pulls/1", status=200, answer={"number": "one"}), "the fake: number"),
        (asking("GET", f"{HERE}/pulls/1", status=200, answer={"state": "merged"}), "the fake: state"),
    ],
)
def test_what_github_would_not_understand_is_a_violation(exchange: Exchange, word: str) -> None:
    (said,) = CONTRACT.violations([exchange])
    assert word in said


def test_what_it_understands_is_none() -> None:
    good = asking("PUT", f"{HERE}/pulls/1/merge", {"merge_method": "squash", "sha": "x"})
    assert CONTRACT.violations([good]) == []


@pytest.mark.parametrize("people", [0, 1, 3])
@pytest.mark.parametrize("paths", [0, 2])
@pytest.mark.parametrize("branch", [False, True])
@pytest.mark.parametrize("change", [False, True])
def test_every_query_is_one_of_githubs_schema(people: int, paths: int, branch: bool, change: bool) -> None:
    asked = queries.facts(queries.Wanted(["x"] * people, ["y"] * paths, branch=branch, change=change))
    assert validate(schema(), parse(asked)) == []


@pytest.mark.parametrize("field", ["commits", "files"])
def test_so_are_those_for_more(field: str) -> None:
    assert validate(schema(), parse(queries.more(field))) == []


def test_a_query_with_a_field_that_github_has_not_is_none() -> None:
    asked = queries.facts(queries.Wanted(change=True)).replace("headRefOid", "headRefSha")
    assert [error.message for error in validate(schema(), parse(asked))] == [
        "Cannot query field 'headRefSha' on type 'PullRequest'. Did you mean 'headRef', 'headRefOid', or 'headRefName'?"
    ]


def test_so_is_that_for_what_was_merged() -> None:
    assert validate(schema(), parse(queries.PAST)) == []


@pytest.mark.parametrize("change", [False, True])
def test_how_far_a_branch_is_behind_is_asked_where_it_is_known(change: bool) -> None:
    asked = queries.facts(queries.Wanted(change=True, source=change))
    assert ("behindBy" in asked) is change
    assert validate(schema(), parse(asked)) == []
