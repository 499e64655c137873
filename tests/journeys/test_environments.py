"""One deployment of a module to an environment at a time; a newer release takes the place of one that waits."""

from __future__ import annotations

from pathlib import Path

from tests.journeys import modules
from tests.journeys.house import House


def test_deployments_to_one_environment_go_in_order_and_the_newest_of_the_waiting_goes(
    house: House, tmp_path: Path
) -> None:
    gate, starts = tmp_path / "gate", tmp_path / "starts"
    house.repository("acme/busy")
    house.repository("acme/free")
    held = modules.files("1.0.0", before=modules.held_by(gate, noting=starts))
    first = house.submit("acme/busy", "busy", held)
    house.wait(starts.exists, "the start of the first version")

    second = house.submit("acme/busy", "busy", modules.files("1.1.0"), version="1.1.0")
    stalled = house.event(second, "TaskStalled", environment="staging", reason="environment-busy")
    assert stalled.data["holder"] == first
    other = house.submit("acme/free", "free", modules.files("7.0.0"), version="7.0.0")
    third = house.submit("acme/busy", "busy", modules.files("1.2.0"), version="1.2.0")
    house.event(third, "TaskStalled", environment="staging", reason="environment-busy")
    skipped = house.event(second, "TaskSkipped", reason="superseded")
    assert (skipped.data["by"], skipped.data["releaseId"]) == (third, stalled.data["releaseId"])
    house.event(other, "ReleasePublished")  # another module has the environment to itself
    assert house.types(first, "DeploymentCompleted") == []

    gate.touch()
    done = house.event(first, "DeploymentCompleted")
    house.event(third, "NodeUnblocked")
    started = house.event(third, "DeploymentStarted")
    house.event(third, "ReleasePublished")
    assert started.time >= done.time
    assert house.answers(done.data["url"]) == "1.2.0"
    assert starts.read_text().split() == [str(done.data["pid"])]
    assert house.types(second, "DeploymentStarted", "DeploymentCompleted", "ReleasePublished") == []
