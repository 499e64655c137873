"""`pointsman policy`: JSON on stdout, prose otherwise, and exit codes as promised."""

# ruff: noqa: ISC004  sentences are asserted whole, beside what causes them

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.cli.policy import app
from tests.policies.builders import HEAD, TEXT
from tests.policies.test_freezes import CALENDAR


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    (tmp_path / ".pointsman").mkdir()
    file = tmp_path / ".pointsman" / "policy.yaml"
    file.write_text(TEXT)
    return file


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answer(result: Result) -> Any:
    return json.loads(result.stdout)


def test_check_of_a_good_policy(policy: Path) -> None:
    assert (run("check", policy).stdout, run("check", policy).exit_code) == (f"{policy}: ok\n", 0)
    result = run("check", policy, "--output", "json")
    assert (answer(result), result.exit_code) == ({"ok": True, "errors": []}, 0)


def test_check_of_a_bad_one(policy: Path) -> None:
    policy.write_text(TEXT.replace("mode: enforce", "mode: enfore"))
    result = run("check", policy, "--output", "json")
    assert result.exit_code == 1
    assert answer(result) == {
        "ok": False,
        "errors": [{"line": 23, "column": 7, "path": "mode", "message": "'enfore' is not one of: observe, enforce",
                    "suggestion": "enforce"}],
    }  # fmt: skip
    assert run("check", policy).stdout == (
        f"{policy}:23:7: mode: 'enfore' is not one of: observe, enforce (did you mean 'enforce'?)\n"
    )


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a: " + b"[" * 70_000, b"\x00" * 10])
def test_check_of_what_is_no_text(policy: Path, content: bytes) -> None:
    policy.write_bytes(content)
    result = run("check", policy, "--output", "json")
    assert result.exit_code == 1
    assert answer(result)["ok"] is False
    assert answer(result)["errors"][0]["line"] == 1


def test_check_reads_the_calendars(policy: Path) -> None:
    policy.write_text(
        TEXT.replace("tenants:\n", "  - {name: holidays, ics: calendars/holidays.ics}\ntenants:\n")
    )
    (error,) = answer(run("check", policy, "--output", "json"))["errors"]
    assert error == {"line": 33, "column": 27, "path": "freezes[2].ics", "suggestion": None,
                     "message": "the calendar calendars/holidays.ics could not be found"}  # fmt: skip
    folder = policy.parent.parent / "calendars"
    folder.mkdir()
    (folder / "holidays.ics").write_text(CALENDAR)
    assert run("check", policy).exit_code == 0
    found = run("calendar", policy, "--environment", "staging", "--from", "2026-12-24", "--to", "2026-12-25")
    assert (
        found.stdout == "2026-12-24T00:00:00.000Z - 2026-12-25T00:00:00.000Z  holidays: Christmas, year-end\n"
    )


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    assert run("check", tmp_path / "none.yaml").exit_code == 2


FACTS = {
    "module": "booking", "version": "1.2.0", "revision": HEAD, "author": "bob",
    "tests": {HEAD: "passed"}, "coverage": {HEAD: 85},
}  # fmt: skip


def test_explain(policy: Path, tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps(FACTS))
    asked = (
        "explain",
        policy,
        "--facts",
        facts,
        "--environment",
        "production",
        "--at",
        "2026-11-20T18:30:00+01:00",
    )
    blocked = run(*asked, "--output", "json")
    assert blocked.exit_code == 3
    assert sorted(answer(blocked)) == [
        "children", "have", "message", "name", "need", "next_change_at", "reason_code", "state", "who_can"
    ]  # fmt: skip
    assert (answer(blocked)["state"], answer(blocked)["next_change_at"]) == (
        "delayed",
        "2026-11-23T07:00:00.000Z",
    )
    assert run(*asked).stdout.startswith("… production: delayed, 2 of 4 gates\n")
    allowed = run("explain", policy, "--facts", facts, "--environment", "staging", "--at", "2027-02-01")
    assert (allowed.stdout, allowed.exit_code) == (
        "✓ staging: approved, 2 of 2 gates\n  1.2.0 may be merged for staging.\n  ✓ freeze: No freeze.\n"
        "  ✓ tests-passed: The tests of aaaaaaa passed.\n",
        0,
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Say which environment: staging, production.\n"),
        (("--environment", "prod"), "There is no environment 'prod' in the policy: staging, production.\n"),
        (("--environment", "production", "--at", "noon"),
         "--at: 'noon' is not a time: write it like 2026-11-20T18:00:00Z\n"),
    ],
)  # fmt: skip
def test_explain_asked_wrongly(policy: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run("explain", policy, *arguments)
    assert (result.exit_code, result.stderr, result.stdout) == (2, said, "")


def test_facts_with_a_typo_are_refused(policy: Path, tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps({"revison": HEAD}))
    result = run("explain", policy, "--facts", facts, "--environment", "staging")
    assert (result.exit_code, result.stderr) == (2, f"{facts}: revison: Extra inputs are not permitted\n")


def test_a_broken_policy_explains_nothing(policy: Path) -> None:
    policy.write_text("version: 1\nmod: x\nenvironments: {production: {}}\n")
    result = run("explain", policy, "--environment", "production", "--output", "json")
    assert (result.exit_code, answer(result)["ok"]) == (1, False)
    assert result.stderr == f"{policy}:2:1: mod: unknown key 'mod' (did you mean 'mode'?)\n"


def test_calendar(policy: Path) -> None:
    asked = (
        "calendar",
        policy,
        "--environment",
        "production",
        "--from",
        "2026-10-23",
        "--to",
        "2026-10-31T12:00:00Z",
    )
    assert answer(run(*asked, "--output", "json")) == {
        "closed": [
            {"start": "2026-10-23T16:00:00.000Z", "end": "2026-10-26T06:00:00.000Z", "names": ["weekend"]},
            {"start": "2026-10-30T17:00:00.000Z", "end": "2026-10-31T12:00:00.000Z", "names": ["weekend"]},
        ]
    }
    quiet = run("calendar", policy, "--environment", "staging", "--from", "2026-10-01", "--to", "2026-10-02")
    assert (quiet.stdout, quiet.exit_code) == ("staging is open all the time.\n", 0)
    unknown = run("calendar", policy, "--environment", "prod", "--from", "2026-10-01", "--to", "2026-10-02")
    assert unknown.exit_code == 2


BASE = 'version: 1\nfreezes:\n  - {name: weekend, cron: "0 18 * * FRI", duration: 62h}\n'
OVER = "version: 1\nextends: policies/base.yaml\nenvironments: {lab: {}}\n"


def test_check_reads_what_a_policy_extends(policy: Path, tmp_path: Path) -> None:
    policy.write_text(OVER)
    assert run("check", policy).stdout == (
        f"{policy}:2:10: extends: there is no file 'policies/base.yaml' in the repository\n"
    )
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "base.yaml").write_text(BASE)
    assert run("check", policy).exit_code == 0
    asked = ("calendar", policy, "--environment", "lab", "--from", "2026-11-20", "--to", "2026-11-21")
    assert run(*asked).stdout == "2026-11-20T18:00:00.000Z - 2026-11-21T00:00:00.000Z  weekend\n"


def test_check_never_looks_outside_the_repository(policy: Path, tmp_path: Path) -> None:
    (tmp_path / "policies").symlink_to("/etc")
    policy.write_text(OVER.replace("base.yaml", "hostname.yaml"))
    assert "there is no file 'policies/hostname.yaml'" in run("check", policy).stdout


def test_check_says_every_value_and_its_origin(policy: Path, tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "base.yaml").write_text(BASE)
    organisation = tmp_path / "organisation.yaml"
    organisation.write_text("version: 1\nmode: observe\n")
    policy.write_text(f"{OVER}tenants:\n  one: {{mode: enforce}}\n")
    shown = run("check", policy, "--resolved", "--organisation", organisation)
    assert shown.stdout == (
        f"{policy}: ok\n"
        "mode = observe  # organisation:2\n"
        "freezes[0].name = weekend  # policies/base.yaml:3\n"
        "freezes[0].cron = 0 18 * * FRI  # policies/base.yaml:3\n"
        "freezes[0].duration = 62h  # policies/base.yaml:3\n"
        "version = 1  # policy.yaml:1\n"
        "extends = policies/base.yaml  # policy.yaml:2\n"
        "environments.lab.gates[0] = tests-passed  # pack default:6\n"
    )
    own = answer(run("check", policy, "--resolved", "--tenant", "one", "--output", "json"))
    assert own["ok"] is True
    assert {"path": "mode", "value": "enforce", "origin": "policy.yaml", "line": 5, "column": 15} in own[
        "resolved"
    ]


def test_schema_is_printed() -> None:
    printed = answer(run("schema"))
    assert printed["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert {"environments", "freezes", "securityPolicy", "releasePolicy"} <= printed["properties"].keys()
