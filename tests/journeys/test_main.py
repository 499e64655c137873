"""From a folder of generated code to production, on both databases, as its people live it."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from bot.log import verify
from tests.journeys import modules
from tests.journeys.house import House, git
from tests.journeys.rules import APPROVED, DEPLOY, ROLES

ONCE = {
    "ModuleGenerated", "CommitReady", "PullRequestCreated", "PipelineReady", "ApprovalGranted", "AutoMergeOnApprove",
    "ChangeMerged", "DeploymentStarted", "DeploymentCompleted", "ReleasePublished",
}  # fmt: skip


def test_from_a_folder_to_production(either_house: House, tmp_path: Path) -> None:
    house = either_house
    bare = house.repository("acme/clock", APPROVED)
    folder = modules.write(tmp_path / "clock", modules.files())

    submitted = house.cli(
        "submit", str(folder), "--repo", "acme/clock", "--module", "clock", "--version", "1.0.0",
        "--path", "services/clock", "--summary", "tell the time", "--changelog", "Tell the time", "--changelog",
        "Say the version", "--command", "python3 app.py", "--output", "json",
    )  # fmt: skip
    assert submitted.returncode == 0, submitted.stderr
    trace = json.loads(submitted.stdout)["traceId"]
    head = house.tested(trace).data["revision"]
    house.event(
        trace, "pointsman.VerdictChanged", state="delayed", reasonCode="ApprovalMissing", revision=head
    )
    refused = house.cli("release", "approve", trace, "production", "let me", login="mallory")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "production is approved by ProductOwner" in refused.stderr
    assert "ChangeMerged" not in house.types(trace)

    approved = house.cli(
        "release", "approve", trace, "production", "looks right", "--output", "json", login="jane.doe"
    )
    assert approved.returncode == 0, approved.stderr
    assert (
        json.loads(approved.stdout)["reply"]
        == f"✅ `jane.doe` (ProductOwner) approved `{head[:10]}` for **production**."
    )
    house.event(trace, "ReleasePublished")
    running = house.event(trace, "DeploymentCompleted", environment="production")
    assert house.answers(running.data["url"]) == "1.0.0"
    merged = house.event(trace, "ChangeMerged")
    _history_tells_the_trace(house, bare, trace, merged.data["mergeSha"])
    counted = Counter(house.types(trace, *ONCE))
    assert counted == dict.fromkeys(ONCE, 1), counted
    with house.store.read() as session:
        assert verify(session)["ok"]
    assert list((house.home / "memory").rglob("*")), "artefacts are written"


def _history_tells_the_trace(house: House, bare: Path, trace: str, merge: str) -> None:
    """What was merged is on main, inside its folder, and says where it comes from."""
    assert git(bare, "rev-parse", "main") == merge
    commit = house.event(trace, "CommitReady").data["sha"]
    message = git(bare, "log", "-1", "--format=%B", commit)
    parsed = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=message, capture_output=True, text=True, check=True
    ).stdout
    trailers = dict(line.split(": ", 1) for line in parsed.splitlines())
    assert trailers["Trace-Id"] == trace
    assert (trailers["Module-Id"], trailers["Version"], trailers["Agent-Id"]) == (
        "clock",
        "1.0.0",
        "code-committer",
    )
    assert "Effect-Id" in trailers and trailers["Changelog"].startswith("#")
    assert message.startswith("feat: tell the time\n\n- Tell the time\n- Say the version\n")
    touched = git(bare, "show", "--format=", "--name-only", commit).splitlines()
    assert touched == ["services/clock/app.py", "services/clock/test_app.py"]
    assert set(git(bare, "diff", "--name-only", f"{merge}^", merge).splitlines()) == {
        *touched,
        ".gitlab-ci.yml",
        ".gitlab/ci/pointsman/clock.yml",
    }


THREE_OWNERS = ROLES.replace("joe]", "joe, dana]") + (
    "environments:\n  production:\n    gates: [tests-passed, {approvals: {role: ProductOwner, count: 3}}]\n"
    f"    {DEPLOY}\n"
)


@pytest.mark.parametrize("either_house", ["sqlite"], indirect=True)
def test_a_command_by_comment_command_line_and_api_is_one_command(either_house: House) -> None:
    house = either_house
    house.repository("acme/three-ways", THREE_OWNERS)
    trace = house.submit("acme/three-ways", "three-ways", modules.files())
    head = house.tested(trace).data["revision"]
    house.event(trace, "pointsman.VerdictChanged", reasonCode="ApprovalMissing", revision=head)
    change = house.state(trace).change or {}
    said = "/approve-release production seen by all of us"

    refusals = _refusals(house, trace, change["number"], said)
    comment = house.comment("acme/three-ways", change["number"], said, "jane.doe")
    by_comment = house.event(trace, "TaskCompleted", correlation=comment).data["reply"]
    by_cli = json.loads(
        house.cli(
            "release",
            "approve",
            trace,
            "production",
            "seen",
            "by",
            "all",
            "of",
            "us",
            "--output",
            "json",
            login="joe",
        ).stdout
    )["reply"]
    by_api = _answer(house, trace, said, "dana")["reply"]

    assert {refusals[0]} == set(refusals), "all three ways refuse alike"
    replies = [by_comment, by_cli, by_api]
    assert replies == [
        f"✅ `{who}` (ProductOwner) approved `{head[:10]}` for **production**."
        for who in ("jane.doe", "joe", "dana")
    ]
    granted = [e.data for e in house.log(trace) if e.type == "ApprovalGranted"]
    assert [(g["approver"], g["method"]) for g in granted] == [
        ("jane.doe", "comment"),
        ("joe", "CLI"),
        ("dana", "API"),
    ]
    assert {(g["environment"], g["revision"], g["role"], g["comment"]) for g in granted} == {
        ("production", head, "ProductOwner", "seen by all of us")
    }
    house.event(trace, "ReleasePublished")


def _refusals(house: House, trace: str, change: int, said: str) -> list[tuple[str, str]]:
    """What mallory is told by comment, command line and API: code and sentence."""
    comment = house.comment("acme/three-ways", change, said, "mallory")
    first = house.event(trace, "CommandRefused", correlation=comment).data
    cli = house.cli("release", "approve", trace, "production", "x", "--output", "json", login="mallory")
    assert cli.returncode == 4
    second, third = json.loads(cli.stdout)["error"], _answer(house, trace, said, "mallory")
    return [(told["reasonCode"], told["message"]) for told in (first, second, third)]


def _answer(house: House, trace: str, line: str, login: str) -> dict[str, str]:
    issued = house.say("POST", f"/v1/traces/{trace}/commands", login, json={"line": line})
    assert issued.status_code == 202, issued.text
    where = f"/v1/traces/{trace}/commands/{issued.json()['correlation']}"

    def look() -> dict[str, str] | None:
        found: dict[str, str] = house.say("GET", where, login).json()
        return None if found["state"] == "pending" else found

    return house.wait(look, f"the answer to {line}")
