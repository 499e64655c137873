"""A deployed service that dies is seen, once; one that was stopped, or never was healthy, is not."""

from __future__ import annotations

import os
import signal
import time

from bot.deploy.process import stop_all
from bot.deploy.services.watch import fallen_services
from tests.deploy.ground import Ground, server


def killed(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def seen(ground: Ground, within_s: float = 10.0) -> list[str]:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if names := [observation.name for observation in fallen_services(ground.home)]:
            return names
        time.sleep(0.05)
    return []


def test_a_service_that_was_killed_is_told_to_its_trace_under_one_name(ground: Ground) -> None:
    target = ground.target("1.0.0", server("1.0.0"))
    health = ground.apply(target)
    assert list(fallen_services(ground.home)) == []

    killed(health.pid)

    first = seen(ground)
    (observation,) = fallen_services(ground.home)
    assert [observation.name] == first
    assert (observation.tenant, observation.trace_id) == ("acme", "trace-1")
    assert observation.draft.data == {
        "reason": "service-down",
        "environment": "staging",
        "releaseId": target.release_id,
        "pid": health.pid,
    }


def test_started_again_it_is_another_fall(ground: Ground) -> None:
    target = ground.target("1.0.0", server("1.0.0"))
    killed(ground.apply(target).pid)
    first = seen(ground)

    again = ground.apply(target)
    assert list(fallen_services(ground.home)) == []
    killed(again.pid)

    assert seen(ground) not in ([], first)


def test_what_was_stopped_or_never_healthy_has_not_fallen(ground: Ground) -> None:
    sick = ground.target("2.0.0", server("2.0.0", status={"/readyz": 503}), startup_timeout_s=1.0)
    health = ground.apply(sick)
    assert not health.healthy
    killed(health.pid)
    assert seen(ground, within_s=0.5) == []

    ground.apply(ground.target("1.0.0", server("1.0.0")))
    stop_all(ground.home, grace_s=0.2)
    assert seen(ground, within_s=0.5) == []
