"""From a folder of generated code to production and back, on every forge that lives elsewhere.

The bot is the real one, in processes of its own. The forge is a stand-in with a server of its own
(tests/forges/conformance/stages): people act on it, it calls the bot's webhook door, the bot calls its API.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from bot.forges import registry
from bot.forges.capabilities import Feature
from bot.log import verify
from tests.forges.conformance.stage import Hosted
from tests.journeys import modules
from tests.journeys.house import House, living
from tests.journeys.rules import APPROVED, PEOPLE

HOSTED = sorted(set(registry()) - {"local"})
ONCE = {
    "ModuleGenerated", "CommitReady", "PullRequestCreated", "PipelineReady", "ApprovalGranted", "ChangeMerged",
    "DeploymentStarted", "DeploymentCompleted", "ReleasePublished",
}  # fmt: skip


@dataclass
class Town:
    """A forge elsewhere and the bot's house, which know each other."""

    stage: Hosted
    house: House

    def submit(self, version: str, **more: object) -> str:
        """A version of the clock. Returns its trace."""
        files = modules.files(version, **more)  # type: ignore[arg-type]
        name = self.stage.forge.name
        return self.house.submit(self.stage.repository, "clock", files, version=version, forge=name)

    def tested(self, trace: str, status: str = "success") -> str:
        """Wait for the pipeline file and let its run end. Returns the revision."""
        revision = str(self.house.event(trace, "PipelineReady").data["revision"])
        self.stage.finish_run(revision, status, 91.0 if status == "success" else None)
        return revision

    def approve(self, trace: str, revision: str) -> None:
        """An owner signs off by a comment."""
        self.house.event(
            trace,
            "pointsman.VerdictChanged",
            state="delayed",
            reasonCode="ApprovalMissing",
            revision=revision,
        )
        number = self.house.event(trace, "PullRequestCreated").data["number"]
        self.stage.comment("jane.doe", number, "/approve-release production looks right")


@pytest.fixture(params=HOSTED)
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    with founded(request, tmp_path) as made:
        yield made


@pytest.fixture(params=HOSTED)
def watchful_town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """Its bot asks every two seconds what it missed."""
    with founded(request, tmp_path, reconcile_minutes="0.1") as made:
        yield made


@contextmanager
def founded(request: pytest.FixtureRequest, tmp_path: Path, **more: str) -> Iterator[Town]:
    """A town; `more` are settings of the bot."""
    (tmp_path / "forge").mkdir()
    module = import_module(f"tests.forges.conformance.stages.{request.param}")
    with module.stage(request, tmp_path / "forge") as stage:
        stage.put({".pointsman/policy.yaml": APPROVED})
        for login in PEOPLE:
            stage.person(login, "write")
        settings = {
            name.removeprefix("POINTSMAN_").lower(): value for name, value in stage.settings().items()
        }
        with living(tmp_path / "house", **settings, **more) as house:
            house.hidden += stage.hidden
            stage.deliver_to(f"{house.url}/webhooks/{stage.forge.name}")
            yield Town(stage, house)


def test_from_code_to_production_and_back(town: Town) -> None:
    stage, house = town.stage, town.house
    trace = town.submit("1.0.0")
    change = house.event(trace, "PullRequestCreated").data["number"]
    assert stage.change(change)["title"] == f"feat: add clock for {trace}"
    head = town.tested(trace)
    house.event(trace, "TestsPassed", revision=head, coverage=91.0)
    house.event(
        trace, "pointsman.VerdictChanged", state="delayed", reasonCode="ApprovalMissing", revision=head
    )
    house.wait(lambda: stage.checks(head).get("pointsman/pipeline") == "success", "the pipeline's check")

    _a_stranger_is_refused(town, trace, change)
    assert "ChangeMerged" not in house.types(trace)

    town.approve(trace, head)
    house.event(trace, "ReleasePublished")
    running = house.event(trace, "DeploymentCompleted", environment="production")
    assert house.answers(running.data["url"]) == "1.0.0"
    merged = house.event(trace, "ChangeMerged").data["mergeSha"]
    assert stage.head("main") == merged
    assert {"services/clock/app.py", "services/clock/test_app.py"} <= set(stage.files(merged))
    counted = Counter(house.types(trace, *ONCE))
    assert counted == dict.fromkeys(ONCE, 1), counted
    house.wait(
        lambda: stage.deployments()[-1:] == [("production", merged, "success")], "the forge's deployment"
    )

    second = town.submit("2.0.0", before="sys.exit('not today')")
    town.approve(second, town.tested(second))
    house.event(second, "RollbackTriggered", environment="production")
    house.event(second, "DeploymentFailed", environment="production")
    house.wait(lambda: _answers(house, running.data["url"]) == "1.0.0", "version 1 to answer again")
    with house.store.read() as session:
        assert verify(session)["ok"]


def _a_stranger_is_refused(town: Town, trace: str, change: int) -> None:
    stage, house = town.stage, town.house
    refused = stage.comment("mallory", change, "/approve-release production let me")
    told = house.event(trace, "CommandRefused", reasonCode="UnauthorizedApprover")
    assert told.actor == "mallory"
    house.wait(
        lambda: [text for who, text in stage.comments(change) if "is approved by ProductOwner" in text],
        "the refusal in words",
    )
    if stage.forge.capabilities[Feature.REACTIONS].yes:
        assert "-1" in house.wait(lambda: stage.reactions(refused), "a thumb down")


def test_a_failed_run_blocks_and_the_next_commit_is_judged_anew(town: Town) -> None:
    stage, house = town.stage, town.house
    trace = town.submit("1.0.0")
    failed = town.tested(trace, "failed")
    house.event(trace, "TestsFailed", revision=failed)
    house.wait(lambda: stage.checks(failed).get("pointsman/pipeline") == "failure", "the failed check")

    source = str(house.event(trace, "PullRequestCreated").data["source"])
    mended = stage.push("ada", source, {"services/clock/note.txt": "mended\n"}, "fix: mend the clock")
    house.event(trace, "ChangeUpdated", head=mended)
    stage.finish_run(mended, "success", 80.0)
    house.event(trace, "TestsPassed", revision=mended)
    town.approve(trace, mended)
    house.event(trace, "ReleasePublished")


def test_a_push_that_was_never_delivered_is_found(watchful_town: Town) -> None:
    stage, house, town = watchful_town.stage, watchful_town.house, watchful_town
    trace = town.submit("1.0.0")
    town.tested(trace)
    source = str(house.event(trace, "PullRequestCreated").data["source"])
    stage.deliver_to("http://127.0.0.1:9/nobody")
    lost = stage.push("ada", source, {"services/clock/note.txt": "lost\n"}, "fix: nobody hears of this")
    house.event(trace, "ChangeUpdated", head=lost)


def _answers(house: House, url: str) -> str:
    try:
        return house.answers(url)
    except Exception:  # noqa: BLE001 - it is being exchanged
        return ""
