"""Suppositions: the same evaluator over facts with something added."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import policies
from bot.cli.policy import app
from bot.domain.errors import Invalid
from policies import unit
from policies.what_if import suppose
from tests.policies.builders import HEAD, NOON, TEXT, approval, facts, of_gates, people, policy

OWNER = "approvals: {role: ProductOwner, exclude: [author]}"
HELD = "{ProductOwner: {users: [jane, bob]}}"


def state(gate: str, *words: str, roles: str = "", **said: Any) -> str:
    known = of_gates(gate, roles=roles)
    return policies.evaluate(known, suppose(known, facts(**said), words, NOON), NOON).state


@pytest.mark.parametrize(
    ("gate", "words", "expected"),
    [
        (OWNER, (), "delayed"),
        (OWNER, ("approval:jane",), "approved"),
        (OWNER, ("approval:jane:production",), "approved"),
        (OWNER, ("approval:bob",), "delayed"),
        (OWNER, ("approval:jane", "pushed"), "delayed"),
        (OWNER, ("pushed", "approval:jane", "tests:passed"), "approved"),
        ("approvals: {user: jane, accept: reviews}", ("review:jane",), "approved"),
        ("required-labels: hotfix", ("label:hotfix",), "approved"),
        ("tests-passed", ("tests:failed",), "rejected"),
        ("manual", ("merged",), "delayed"),
        ("manual", ("merged", "start"), "approved"),
    ],
)
def test_what_would_be(gate: str, words: tuple[str, ...], expected: str) -> None:
    assert state(gate, *words, roles=HELD if "ProductOwner" in gate else "") == expected


def test_an_approval_of_a_team_member_is_supposed_in_his_role() -> None:
    known = of_gates("approvals: {team: acme/sre}")
    with_ann = suppose(known, facts(actors=people(ann="acme/sre")), ["approval:ann"], NOON)
    assert policies.evaluate(known, with_ann, NOON).approved
    assert not policies.evaluate(known, suppose(known, facts(), ["approval:ann"], NOON), NOON).approved


def test_a_lifted_freeze() -> None:
    saturday = NOON + timedelta(days=3)
    frozen = policies.evaluate(policy(), facts(), saturday)
    lifted = policies.evaluate(policy(), suppose(policy(), facts(), ["override:weekend"], saturday), saturday)
    assert (frozen.children[0].reason_code, lifted.children[0].reason_code) == (
        "FreezeActive",
        "FreezeOverridden",
    )


@pytest.mark.parametrize(
    "word", ["approve:jane", "approval", "pushed:x", "tests:perhaps", "approval:jane:prod", ""]
)
def test_what_can_not_be_supposed(word: str) -> None:
    with pytest.raises(Invalid):
        suppose(policy(), facts(), [word], NOON)


def test_supposing_changes_nothing_that_is() -> None:
    known = facts(approvals=(approval("jane.doe"),))
    before = known.model_dump_json()
    suppose(policy(), known, ["approval:sam", "pushed", "label:x", "tests:failed"], NOON)
    assert known.model_dump_json() == before


# -- the command line


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / ".pointsman" / "tests").mkdir(parents=True)
    path = tmp_path / ".pointsman" / "policy.yaml"
    path.write_text(TEXT)
    return path


def test_explain_with_suppositions(file: Path, tmp_path: Path) -> None:
    known = tmp_path / "facts.json"
    known.write_text(json.dumps({"revision": HEAD, "version": "1.2.0", "tests": {HEAD: "passed"}}))
    asked = ("explain", file, "--facts", known, "--environment", "staging", "--at", "2026-11-18T12:00:00Z")
    assert run(*asked).exit_code == 0
    assert run(*asked, "--with", "tests:failed").exit_code == 3
    assert run(*asked, "--with", "pushed").exit_code == 3
    assert run(*asked, "--with", "pushed", "--with", "tests:passed").exit_code == 0
    wrong = run(*asked, "--with", "approve:x")
    assert (wrong.exit_code, wrong.stderr.split(":")[0]) == (2, "--with")
    other = tmp_path / "other.yaml"
    other.write_text("version: 1\nenvironments: {staging: {gates: [hold, {required-labels: x}]}}\n")
    assert "Label the change x." in run(*asked, "--policy", other).stdout


CASES = """\
cases:
  - name: nobody approves his own change
    environment: production
    facts: {author: jane.doe, tests: passed, coverage: 85}
    with: [approval:jane.doe]
    expect: {state: delayed, gates: {approvals: delayed, tests-passed: approved}}
  - name: untested
    environment: staging
    facts: {tests: failed}
    expect: {state: rejected, reason_code: TestsFailed, message: push a fix}
  - name: tested
    environment: staging
    facts: {tests: passed}
    expect: approved
  - name: frozen
    environment: production
    at: 2026-11-21T12:00:00Z
    expect: {gates: {freeze: delayed}, next_change_at: 2026-11-23T07:00:00Z}
"""


def test_cases_that_pass_and_what_they_have_tried(file: Path) -> None:
    (file.parent / "tests" / "a.yaml").write_text(CASES)
    done = run("test", file.parent / "tests", "--output", "json")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["ok"], [case["ok"] for case in said["cases"]]) == (0, True, [True] * 4)
    rules = {entry["rule"]: entry["missing"] for entry in said["coverage"]["open"]}
    assert said["coverage"]["rules"] == 9
    assert "staging: tests-passed" not in rules, "seen to pass and to block"
    assert "freeze weekend" not in rules
    assert rules["production: approvals"] == ["passing"]
    assert rules["freeze year-end"] == ["blocking"]


def test_cases_that_do_not_pass_say_what_is_otherwise(file: Path) -> None:
    (file.parent / "tests" / "a.yaml").write_text(
        "cases:\n  - {name: wrong, environment: staging, facts: {tests: failed}, expect: {state: approved, "
        "gates: {coverage: approved}, who_can: [ann]}}\n"
        "  - {name: nowhere, environment: staging, facts: {tets: failed}, expect: approved}\n"
    )
    done = run("test", file.parent / "tests")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[:6] == [
        "✗ a.yaml: wrong",
        "    state is rejected, not approved: The tests of aaaaaaa failed: push a fix, or /retry if it was not the code.",
        "    who_can is nobody",
        "    the gate coverage is not there, not approved",
        "✗ a.yaml: nowhere",
        "    1 validation error for ReleaseFacts",
    ]


@pytest.mark.parametrize("text", ["cases: []\n", "case: 1\n", "cases: [\n", "cases: [{name: x}]\n"])
def test_what_are_no_cases_fails(file: Path, text: str) -> None:
    (file.parent / "tests" / "a.yaml").write_text(text)
    assert run("test", file.parent / "tests").exit_code == 1


def test_a_folder_without_cases_is_a_mistake(file: Path) -> None:
    assert run("test", file.parent / "tests").exit_code == 2


def test_of_every_rule_something_is_kept() -> None:
    assert [rule.label for rule in unit.rules(policy())][:2] == [
        "staging: tests-passed",
        "production: promoted-from",
    ]
