"""A worker is killed at any moment; whoever comes next finds the service and goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from bot.deploy.process import status
from bot.deploy.services import launch, records
from bot.deploy.services.places import Place, locked
from bot.domain.effect import Health, Target
from bot.domain.errors import Retryable
from tests.deploy.ground import Ground, server

ROOT = Path(__file__).parents[2]


def worker(ground: Ground, target: Target, code: str) -> subprocess.Popen[str]:
    arguments = [str(ground.home), target.model_dump_json(by_alias=True), code]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.deploy.worker", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"CANARY": "canary-value", "PYTHONPATH": str(ROOT)},
    )


def record(ground: Ground) -> records.ServiceRecord | None:
    return records.read(Place(ground.home, "acme-staging", "booking-service"))


def test_a_service_outlives_its_worker_and_is_adopted(ground: Ground) -> None:
    code = server("1.0.0")
    target = ground.target("1.0.0", code)
    process = worker(ground, target, code)
    assert process.stdout is not None
    first = Health.model_validate_json(process.stdout.readline())
    process.kill()
    process.wait()
    answer = httpx.get(f"{first.url}/", timeout=5, trust_env=False).json()
    assert answer["version"] == "1.0.0"
    assert "CANARY" not in answer["env"]
    second = ground.apply(target)
    assert (second.healthy, second.pid, second.url) == (True, first.pid, first.url)
    assert ground.files.exports == []


def test_a_worker_killed_while_it_probes_leaves_a_service_to_adopt(ground: Ground) -> None:
    code = server("1.0.0", before="time.sleep(1.5)")
    target = ground.target("1.0.0", code)
    process = worker(ground, target, code)
    until = time.monotonic() + 20
    while record(ground) is None and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    process.wait()
    started = record(ground)
    assert started is not None
    assert started.healthy is None
    health = ground.apply(target)
    assert (health.healthy, health.pid, health.restarts) == (True, started.pid, 0)
    assert [s.healthy for s in status(ground.home)] == [True]


def test_a_service_that_died_meanwhile_is_started_again(ground: Ground) -> None:
    target = ground.target("1.0.0", server("1.0.0"))
    first = ground.apply(target)
    assert first.pid is not None
    os.killpg(first.pid, 9)
    until = time.monotonic() + 5
    while status(ground.home)[0].state == "running" and time.monotonic() < until:
        time.sleep(0.02)
    assert [(s.state, s.healthy) for s in status(ground.home)] == [("crashed", False)]
    second = ground.apply(target)
    assert second.healthy
    assert second.pid != first.pid
    assert second.url == first.url


def test_a_half_exported_release_is_not_used(ground: Ground) -> None:
    target = ground.target("1.0.0", server("1.0.0"))
    left = Place(ground.home, "acme-staging", "booking-service").releases / ".new-dead"
    left.mkdir(parents=True)
    (left / "app.py").write_text("half")
    assert ground.apply(target).healthy
    assert not left.exists()


def test_a_record_nobody_can_read_is_no_record(ground: Ground) -> None:
    place = Place(ground.home, "acme-staging", "booking-service")
    place.folder.mkdir(parents=True)
    place.record.write_text('{"pid": "x"')
    assert status(ground.home) == []
    place.record.write_text('{"pid": 4}')
    assert status(ground.home) == []
    assert ground.apply(ground.target("1.0.0", server("1.0.0"))).healthy


def test_one_deployment_of_a_module_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path / "booking-service" / ".lock"):
        began = time.monotonic()
        refused = pytest.raises(Retryable, match="Another deployment is at work on booking-service")
        with refused, locked(tmp_path / "booking-service" / ".lock", wait_s=0.2):
            pass
        assert time.monotonic() - began < 5
    with locked(tmp_path / "booking-service" / ".lock", wait_s=0.2):
        pass


def test_a_keeper_that_does_not_answer_is_tried_again(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "KEEPER_S", 0.0)
    with pytest.raises(Retryable, match="The service's keeper did not answer"):
        ground.apply(ground.target("1.0.0", server("1.0.0")))
