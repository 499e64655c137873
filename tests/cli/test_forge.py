"""`pointsman forge`: a forge of one's own, from nothing."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Pointsman

POLICY = "version: 1\nenvironments:\n  staging: {gates: [tests-passed]}\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("POINTSMAN_DATABASE_URL", raising=False)
    return tmp_path / "home"


def test_from_an_empty_home_to_a_repository_with_a_policy(
    pointsman: Pointsman, home: Path, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)

    made = pointsman("forge", "user", "ada", "--email", "ada@example.org")
    repository = pointsman(
        "forge", "repository", "acme/shop", "--owner", "ada", "--policy", str(policy), "--output", "json"
    )

    assert (made.code, repository.code) == (0, 0)
    assert made.out.startswith("pmf_")
    assert made.err == "A token of the embedded forge for ada. It is shown this once.\n"
    folder = json.loads(repository.out)["folder"]
    shown = subprocess.run(
        ["git", "-C", folder, "show", "main:.pointsman/policy.yaml"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert shown.stdout == POLICY


def test_with_a_policy_the_bot_s_check_is_required_before_a_merge(
    pointsman: Pointsman, home: Path, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY + "  production: {after: [staging]}\n")
    assert pointsman("forge", "repository", "acme/shop", "--policy", policy).code == 0
    with sqlite3.connect(home / "pointsman.db") as database:
        (rules,) = database.execute("SELECT protection FROM forge_repositories").fetchone()
    assert [(rule["branch"], rule["checks"]) for rule in json.loads(rules)] == [("main", ["pointsman/merge"])]


def test_a_policy_that_can_not_be_used_makes_no_repository(
    pointsman: Pointsman, home: Path, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nenvironments: 7\n")
    refused = pointsman("forge", "repository", "acme/shop", "--policy", policy)
    assert refused.code == 1
    assert "The policy can not be used." in refused.err
    assert "policy.yaml:2:" in refused.err
    assert pointsman("forge", "repository", "acme/shop").code == 0


def test_people_get_permissions_and_teams(pointsman: Pointsman, home: Path) -> None:
    pointsman("forge", "user", "ada")
    pointsman("forge", "repository", "acme/shop")

    assert pointsman("forge", "member", "acme/shop", "ada", "write").out == "ada: write in acme/shop\n"
    assert pointsman("forge", "team", "acme/release", "ada").out == "acme/release: ada\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("user", "ada"), "There is a user 'ada' already."),
        (("repository", "shop"), "'shop' is no repository name."),
        (("repository", "acme/shop"), "There is a repository 'acme/shop' already."),
        (("member", "acme/shop", "nobody", "read"), "There is no user 'nobody'."),
    ],
)
def test_what_can_not_be_is_said_in_a_sentence(
    pointsman: Pointsman, home: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    pointsman("forge", "user", "ada")
    pointsman("forge", "repository", "acme/shop")

    refused = pointsman("forge", *arguments)

    assert refused.code == 1
    assert sentence in refused.err
    assert refused.out == ""
