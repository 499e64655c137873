"""From a folder of code and no repository at all to a release with its page, as one person lives it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys import modules
from tests.journeys.house import House, git, living

WHERE = "newcomer/clock"


@pytest.fixture(scope="module")
def generous_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Its bot may make repositories of one owner."""
    home = tmp_path_factory.mktemp("generous") / "home"
    with living(home, create_repositories_in="local:newcomer") as made:
        yield made


def submit(house: House, folder: Path, repository: str, *more: str) -> str:
    """By the command line; the trace."""
    done = house.cli(
        "submit", str(folder), "--repo", repository, "--module", "clock", "--version", "1.0.0",
        "--changelog", "Tell the time", "--command", "python3 app.py", "--output", "json", *more,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["traceId"])


def test_from_no_repository_to_a_release_with_its_page(generous_house: House, tmp_path: Path) -> None:
    house = generous_house
    folder = modules.write(tmp_path / "clock", modules.files())
    trace = submit(house, folder, WHERE, "--create-repository", "--summary", "tell the time")

    number = house.event(trace, "PullRequestCreated").data["number"]
    bare = house.home / "forge" / "repositories" / f"{WHERE}.git"
    assert git(bare, "log", "-1", "--format=%s", "main") == "chore: begin"
    assert "GATES" not in git(bare, "show", "main:README.md")
    house.forge.set_member(WHERE, "jane.doe", "maintain")
    head = house.tested(trace).data["revision"]
    house.event(trace, "pointsman.VerdictChanged", state="delayed", environment="production")
    early = house.forge_answers("POST", f"{WHERE}/changes/{number}/merge", "ada", json={"head": head})
    assert early.status_code == 409
    assert "RequiredCheckPending" in early.text, "the check guards main"

    house.comment(WHERE, number, "/approve-release production well done", "jane.doe")
    published = house.event(trace, "ReleasePublished")
    house.event(trace, "AgentActionCompleted", effect="PublishRelease")

    (page,) = house.forge_says("GET", f"{WHERE}/releases")
    assert (page["tag"], page["title"]) == ("v1.0.0", "clock 1.0.0")
    assert page["revision"] == published.data["revision"] == git(bare, "rev-parse", "v1.0.0^{commit}")
    assert page["notes"] == (
        "### Changes\n- Tell the time\n\n"
        "### Approved by\n- `jane.doe` (permission:maintain) for **production**: well done\n\n"
        f"Change #{number}, revision `{page['revision'][:10]}`. Trace: [{trace}]({house.url}/traces/{trace})"
    )
    told = house.forge_says("GET", f"{WHERE}/environments")
    endpoint = house.event(trace, "InfraProvisioned", environment="production").data["endpoint"]
    assert told["production"] == {
        "POINTSMAN_NAMESPACE": "default-production",
        **({"POINTSMAN_ENDPOINT": endpoint} if endpoint else {}),
    }
    assert "ManualInterventionRequired" not in house.types(trace)


def test_elsewhere_none_is_made(generous_house: House, tmp_path: Path) -> None:
    house = generous_house
    folder = modules.write(tmp_path / "clock", modules.files())
    trace = submit(house, folder, "acme/elsewhere", "--create-repository")
    refused = house.event(trace, "AgentTaskFailed").data
    assert refused["reasonCode"] == "RepositoryCreationRefused"
    assert not (house.home / "forge" / "repositories" / "acme" / "elsewhere.git").exists()
