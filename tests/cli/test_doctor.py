"""`pointsman doctor` and `pointsman connect`: what is set up wrongly, and what to do about it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bot.forges.finding import broken, doubtful, fine
from bot.forges.local import LocalForge
from tests.cli.conftest import Pointsman
from tests.support.house import House


def found(said: str) -> dict[str, dict[str, Any]]:
    return {f"{one['place']}/{one['about']}": one for one in json.loads(said)["findings"]}


@pytest.fixture
def repository(pointsman: Pointsman, tmp_path: Path) -> str:
    """One with a policy, made at the command line."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nenvironments:\n  staging:\n    gates: [tests-passed]\n")
    assert pointsman("forge", "repository", "acme/clock", "--policy", policy).code == 0
    return "acme/clock"


def test_nobody_listening_and_a_repository_in_order(pointsman: Pointsman, repository: str) -> None:
    said = pointsman("doctor", "--repository", f"local:{repository}")
    assert said.code == 1
    assert said.out == (
        "this bot\n"
        "  ✓ database: has the tables of this release (0007)\n"
        "  ✗ web: does not answer at http://127.0.0.1:8080 (ConnectError)\n"
        "    → Start `pointsman serve`, or mend POINTSMAN_BASE_URL.\n"
        "  ! signing: there is no key: no release summary is signed\n"
        "    → Make an Ed25519 key and set POINTSMAN_ATTESTATION_KEY (docs/operations.md).\n"
        "local\n"
        "  ✓ acme/clock: main cannot be merged into past the bot\n"
        "1 thing to mend.\n"
    )


def test_a_bot_that_answers_and_a_repository_that_is_not_there(
    pointsman: Pointsman, served: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_BASE_URL", os.environ["POINTSMAN_URL"])
    said = pointsman("doctor", "--output", "json", "--repository", "local:acme/gone")
    things = found(said.out)
    assert things["local/acme/gone"]["standing"] == "broken"
    assert things["local/acme/gone"]["do"] == "Make it with `pointsman forge repository acme/gone`."
    assert things["this bot/database"]["standing"] == "ok"


def test_an_address_that_no_forge_elsewhere_can_call(
    pointsman: Pointsman, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_GITHUB_WEBHOOK_SECRET", "s3cret-of-the-test")
    said = pointsman("doctor", "--output", "json", "--repository", f"local:{repository}")
    assert found(said.out)["this bot/address"] == {
        "place": "this bot",
        "about": "address",
        "standing": "warning",
        "says": "http://127.0.0.1:8080 is this machine's own: no forge elsewhere can call it",
        "do": "Set POINTSMAN_BASE_URL to the address that the forge can reach.",
    }
    assert "s3cret-of-the-test" not in said.out + said.err


def test_a_forge_without_an_account_where_traces_live(pointsman: Pointsman, repository: str) -> None:
    said = pointsman("doctor", "--output", "json", "--repository", "gitea:acme/clock")
    assert found(said.out)["gitea/account"]["do"] == "Set the POINTSMAN_GITEA_ variables (docs/forges.md)."


def test_a_repository_without_its_forge_is_refused(pointsman: Pointsman, repository: str) -> None:
    said = pointsman("doctor", "--repository", "acme/clock")
    assert said.code == 2
    assert "'acme/clock' is not FORGE:NAME, such as github:acme/clock" in said.err


def test_connect_tells_what_the_forge_found(
    pointsman: Pointsman, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []

    def connect(_self: LocalForge, name: str, url: str) -> list[object]:
        called.append((name, url))
        return [fine("webhook", "calls the bot"), doubtful("checks", "are not required", "Require them.")]

    monkeypatch.setattr(LocalForge, "connect", connect)
    said = pointsman("connect", "local", repository)
    assert (said.code, said.out) == (
        0,
        "acme/clock\n  ✓ webhook: calls the bot\n  ! checks: are not required\n    → Require them.\nEverything works.\n",
    )
    assert called == [("acme/clock", "http://127.0.0.1:8080/webhooks/local")]

    monkeypatch.setattr(LocalForge, "connect", lambda *_: [broken("token", "was refused", "Make another.")])
    said = pointsman(
        "connect", "local", repository, "--webhook-url", "https://bot.example.org/webhooks/local"
    )
    assert (said.code, said.out.splitlines()[-1]) == (1, "1 thing to mend.")


def test_an_unknown_forge_is_refused(pointsman: Pointsman) -> None:
    said = pointsman("connect", "bitbucket", "acme/clock")
    assert said.code == 2
    assert said.err.startswith("Error: There is no forge 'bitbucket'; there are: ")
