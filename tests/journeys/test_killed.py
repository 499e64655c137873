"""SIGKILL where it hurts: the worker in the middle of a deployment, the web in the middle of a pipeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.deploy.services import census, keeper
from bot.log import verify
from tests.journeys import modules
from tests.journeys.house import House, living


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Web and worker as processes of their own."""
    with living(tmp_path_factory.mktemp("house") / "home", start=False) as made:
        made.serve("--web-only")
        made.start("worker", "worker")
        yield made


def test_a_service_whose_worker_was_killed_is_adopted_and_not_started_twice(
    split: House, tmp_path: Path
) -> None:
    gate, starts = tmp_path / "gate", tmp_path / "starts"
    split.repository("acme/slow")
    trace = split.submit("acme/slow", "slow", modules.files(before=modules.held_by(gate, noting=starts)))
    split.wait(starts.exists, "the start of the service")
    assert split.types(trace, "DeploymentStarted", "DeploymentCompleted") == ["DeploymentStarted"]

    split.running["worker"].kill()
    split.start("worker-2", "worker")
    split.wait(lambda: b"taken_over" in split.said("worker-2"), "the takeover")
    (found,) = [s for s in census.status(split.home) if s.module_id == "slow"]
    assert (found.state, found.healthy) == ("running", False)
    gate.touch()

    running = split.event(trace, "DeploymentCompleted", environment="staging")
    assert starts.read_text().split() == [str(found.pid)]
    assert running.data["pid"] == found.pid
    assert split.answers(running.data["url"]) == "1.0.0"
    split.event(trace, "ReleasePublished")
    counted = Counter(split.types(trace, "DeploymentStarted", "DeploymentCompleted", "DeploymentFailed"))
    assert counted == {"DeploymentStarted": 1, "DeploymentCompleted": 1}
    with split.store.read() as session:
        assert verify(session)["ok"]


def test_a_pipeline_whose_web_was_killed_has_failed_and_runs_again_on_retry(
    split: House, tmp_path: Path
) -> None:
    gate, starts = tmp_path / "gate", tmp_path / "starts"
    split.repository("acme/lost")
    trace = split.submit("acme/lost", "lost", modules.files(test_before=modules.held_by(gate, noting=starts)))
    split.wait(starts.exists, "the start of the job")

    split.running["web"].kill()
    split.serve("--web-only")

    failed = split.event(trace, "PipelineFinished", status="failed")
    assert failed.data["reason"] == "runner lost"
    assert {job["name"]: job["status"] for job in failed.data["jobs"]} == {
        "every-change": "success", "lost:build": "success", "lost:test": "canceled", "lost:scan": "canceled",
        "lost:package": "canceled",
    }  # fmt: skip
    split.event(trace, "TestsFailed", revision=failed.data["revision"], reason="runner lost")
    gate.touch()
    refused = split.comment("acme/lost", 1, "/retry", "mallory")
    assert split.event(trace, "CommandRefused", correlation=refused).data["reasonCode"] == "NotAuthorised"
    split.comment("acme/lost", 1, "/retry", "dana")
    split.event(trace, "TestsPassed", revision=failed.data["revision"])
    split.event(trace, "ReleasePublished")
    orphan, *_ = map(int, starts.read_text().split())
    split.wait(lambda: keeper.process_start(orphan) is None, "the end of the lost job")
