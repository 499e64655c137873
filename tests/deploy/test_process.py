"""Strategy `process`, with services that really start, answer, hang, crash and refuse to die."""

from __future__ import annotations

import os
import signal
import socket
import time

import httpx
import pytest

from bot.deploy.process import status, stop_all
from bot.deploy.services import records
from bot.deploy.services.places import Place
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from tests.deploy.ground import Ground, server

CRASH_ONCE = """
mark = "../../crashed"
if not os.path.exists(mark):
    open(mark, "w").close()
    os.abort()
"""
DRIP = """
def drip(self):
    for byte in b"HTTP/1.1 200 OK" * 9:
        self.wfile.write(bytes([byte]))
        time.sleep(0.05)
Handler.do_GET = drip
"""
DEAF_CHILD = """
if os.fork() == 0:
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open("../../child", "w").write(str(os.getpid()))
    time.sleep(300)
"""
ORPHAN = """
if os.fork() == 0:
    open("../../child", "w").write(str(os.getpid()))
    time.sleep(300)
time.sleep(0.3)
sys.exit(1)
"""
STOLEN_PORT = """
import subprocess
subprocess.Popen(["python3", "-m", "http.server", os.environ["PORT"], "--bind", "127.0.0.1"])
time.sleep(1)
sys.exit(1)
"""


def get(url: str, path: str = "/") -> dict:
    return httpx.get(url + path, timeout=5, trust_env=False).json()


def gone(pid: int, within_s: float = 5.0) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if records.keeper.process_start(pid) is None or records.keeper.process_start(pid)[0] in "ZX":
            return True
        time.sleep(0.02)
    return False


def place(ground: Ground) -> Place:
    return Place(ground.home, "acme-staging", "booking-service")


def test_a_healthy_service_runs_and_everything_is_told(ground: Ground) -> None:
    provisioned = ground.provision()
    target = ground.target("1.0.0", server("1.0.0"))
    health = ground.apply(target)
    assert health.healthy
    assert health.url == provisioned.endpoint
    assert health.reason == f"booking-service 1.0.0 answers on {health.url}."
    assert [(p.name, p.ok, p.detail) for p in health.health_status] == [
        ("startup", True, "200 OK"),
        ("readiness", True, "200 OK"),
        ("liveness", True, "200 OK"),
    ]
    assert [p.attempts for p in health.health_status[1:]] == [2, 2]
    assert all(0 < p.latency_ms < 1000 for p in health.health_status)
    assert 0 < health.startup_time_ms < 8000
    assert health.restarts == 0
    assert health.log_tail == "listening"
    assert get(health.url)["version"] == "1.0.0"
    (only,) = status(ground.home)
    assert (only.state, only.healthy, only.pid, only.release_id) == (
        "running",
        True,
        health.pid,
        target.release_id,
    )


def test_applied_twice_it_was_started_once(ground: Ground) -> None:
    target = ground.target("1.0.0", server("1.0.0"))
    first, second = ground.apply(target), ground.apply(target)
    assert first.healthy
    assert (second.pid, second.healthy, second.startup_time_ms) == (first.pid, True, first.startup_time_ms)
    assert len(ground.files.exports) == 1
    assert len(list(place(ground).logs.glob("*.log"))) == 1


def test_a_new_release_takes_the_place_and_the_port_of_the_old_one(ground: Ground) -> None:
    one = ground.apply(ground.target("1.0.0", server("1.0.0")))
    two = ground.apply(ground.target("2.0.0", server("2.0.0")))
    assert two.url == one.url
    assert get(two.url)["version"] == "2.0.0"
    assert one.pid is not None
    assert gone(one.pid)


def test_readiness_that_never_comes_is_unhealthy_and_undo_brings_version_1_back(ground: Ground) -> None:
    good = ground.target("1.0.0", server("1.0.0"))
    ground.apply(good)
    bad = ground.target("2.0.0", server("2.0.0", status={"/readyz": 503}), startup_timeout_s=0.6)
    health = ground.apply(bad)
    assert not health.healthy
    assert health.reason.startswith(
        "The readiness probe /readyz was not good within 0.6 s: 503 Service Unavailable: {"
    )
    assert [p.ok for p in health.health_status] == [True, False, True]
    assert status(ground.home)[0].healthy is False
    back = ground.undo(good, bad)
    assert back.healthy
    assert back.reason == f"booking-service 1.0.0 answers on {back.url}."
    assert get(back.url)["version"] == "1.0.0"
    assert health.pid is not None
    assert gone(health.pid)


def test_the_retry_of_an_unhealthy_release_starts_it_again_without_another_look(ground: Ground) -> None:
    counting = "Handler.log_message = lambda *_: print('asked', flush=True)"
    code = server("2.0.0", status={"/livez": 500}, before=counting)
    bad = ground.target("2.0.0", code, startup_timeout_s=0.4)
    first = ground.apply(bad)
    (log,) = place(ground).logs.iterdir()
    asked = log.read_text().count("asked")
    second = ground.apply(bad)
    assert (first.healthy, second.healthy) == (False, False)
    assert first.pid != second.pid
    assert log.read_text().count("asked") == asked > 0


def test_a_rolled_back_release_is_still_its_own_traces(ground: Ground) -> None:
    good, bad = ground.target("1.0.0", server("1.0.0")), ground.target("2.0.0", "raise SystemExit(1)")
    ground.apply(good, EffectContext("acme", "trace-of-1", lambda _id: None))
    ground.apply(bad, EffectContext("acme", "trace-of-2", lambda _id: None))
    back = ground.undo(good, bad)
    assert get(back.url)["env"]["APP_TRACE_ID"] == "trace-of-1"


def test_undo_with_nothing_to_go_back_to_stops_what_failed(ground: Ground) -> None:
    bad = ground.target("1.0.0", server("1.0.0"))
    pid = ground.apply(bad).pid
    health = ground.undo(None, bad)
    assert (
        health.reason
        == "booking-service 1.0.0 is stopped in staging; no earlier release is known to be good."
    )
    assert (health.healthy, health.pid, status(ground.home)) == (False, None, [])
    assert pid is not None
    assert gone(pid)


def test_a_late_undo_does_not_stop_another_release(ground: Ground) -> None:
    old, new = ground.target("1.0.0", server("1.0.0")), ground.target("2.0.0", server("2.0.0"))
    running = ground.apply(new)
    ground.undo(None, old)
    assert get(running.url)["version"] == "2.0.0"


def test_a_crash_at_start_is_a_crash_loop_after_two_restarts(ground: Ground) -> None:
    code = "import sys\nprint('no database')\nsys.exit(3)\n"
    health = ground.apply(ground.target("1.0.0", code))
    assert not health.healthy
    assert health.restarts == 2
    assert health.reason == (
        "Crash loop: the service ended 3 times while it was probed, the last time with exit status 3."
    )
    assert (health.pid, health.log_tail) == (None, "no database")
    assert [(p.name, p.ok, p.detail) for p in health.health_status][1:] == [
        ("readiness", False, "not reached"),
        ("liveness", False, "not reached"),
    ]
    assert status(ground.home) == []


def test_a_service_that_crashes_once_is_started_again_and_counted(ground: Ground) -> None:
    code = server("1.0.0", before=CRASH_ONCE)
    health = ground.apply(ground.target("1.0.0", code))
    assert (health.healthy, health.restarts) == (True, 1)
    assert get(health.url)["version"] == "1.0.0"


def test_a_signal_is_named(ground: Ground) -> None:
    health = ground.apply(ground.target("1.0.0", "import os\nos.kill(os.getpid(), 9)\n"))
    assert health.reason.endswith("the last time with SIGKILL.")


def test_a_slow_start_is_waited_for(ground: Ground) -> None:
    health = ground.apply(ground.target("1.0.0", server("1.0.0", before="time.sleep(1.2)")))
    assert health.healthy
    assert health.startup_time_ms > 1200
    assert health.health_status[0].attempts > 3


def test_a_start_slower_than_its_time_is_unhealthy(ground: Ground) -> None:
    health = ground.apply(
        ground.target("1.0.0", server("1.0.0", before="time.sleep(60)"), startup_timeout_s=0.5)
    )
    assert health.reason == "The startup probe /startupz was not good within 0.5 s: connection refused."


def test_a_service_that_accepts_and_never_answers_is_unhealthy(ground: Ground) -> None:
    hang = server("1.0.0", before="Handler.do_GET = lambda self: time.sleep(60)")
    health = ground.apply(ground.target("1.0.0", hang, startup_timeout_s=0.5, probe_timeout_s=0.2))
    assert health.reason == "The startup probe /startupz was not good within 0.5 s: no answer within 0.2 s."


def test_a_service_that_answers_byte_by_byte_has_not_answered(ground: Ground) -> None:
    began = time.monotonic()
    health = ground.apply(
        ground.target("1.0.0", server("1", before=DRIP), startup_timeout_s=0.5, probe_timeout_s=0.3)
    )
    assert health.reason == "The startup probe /startupz was not good within 0.5 s: no answer within 0.3 s."
    assert time.monotonic() - began < 5


def test_a_service_that_ignores_sigterm_is_killed(ground: Ground) -> None:
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)"
    pid = ground.apply(ground.target("1.0.0", server("1.0.0", before=deaf))).pid
    assert ground.apply(ground.target("2.0.0", server("2.0.0"))).healthy
    assert pid is not None
    assert gone(pid)


def test_what_a_service_forks_is_stopped_with_it(ground: Ground) -> None:
    ground.apply(ground.target("1.0.0", server("1.0.0", after=DEAF_CHILD)))
    child = int((place(ground).folder / "child").read_text())
    assert not gone(child, 0.1)
    assert stop_all(ground.home, grace_s=0.3) == 1
    assert gone(child)


def test_what_a_crashed_service_left_behind_is_swept(ground: Ground) -> None:
    health = ground.apply(ground.target("1.0.0", server("1.0.0", after=ORPHAN)))
    assert health.restarts == 2
    assert gone(int((place(ground).folder / "child").read_text()))


def test_a_process_that_only_has_the_number_is_not_touched(ground: Ground) -> None:
    target = ground.target("1.0.0", server("1.0.0"))
    health = ground.apply(target)
    assert health.pid is not None
    stranger = records.read(place(ground))
    assert stranger is not None
    records.write(place(ground), stranger.model_copy(update={"started": "1@another-boot", "instance": "1-x"}))
    assert [(s.state, s.healthy) for s in status(ground.home)] == [("crashed", False)]
    assert stop_all(ground.home, grace_s=0.2) == 0
    assert not gone(health.pid, 0.3)
    os.killpg(health.pid, signal.SIGKILL)


def test_the_port_stays_unless_a_stranger_has_it(ground: Ground) -> None:
    old = ground.provision().endpoint
    with socket.create_server(("127.0.0.1", int(old.rpartition(":")[2]))):
        health = ground.apply(ground.target("1.0.0", server("1.0.0")))
    assert health.healthy
    assert health.url != old
    before, after = old.rpartition(":")[2], health.url.rpartition(":")[2]
    assert health.reason.endswith(
        f"Port {before} is taken by another process; the service has port {after} now."
    )
    assert get(health.url)["version"] == "1.0.0"
    assert ground.provision().endpoint == health.url


def test_a_stranger_that_answers_on_the_port_is_not_taken_for_the_service(ground: Ground) -> None:
    health = ground.apply(
        ground.target(
            "1.0.0", server("1", before=STOLEN_PORT), startup="/", readiness="/", liveness="/", successes=40
        )
    )
    assert (health.healthy, health.restarts) == (False, 2)


def test_no_such_program(ground: Ground) -> None:
    health = ground.apply(ground.target("1.0.0", "", command=("no-such-program", "x")))
    assert health == health.__class__(
        healthy=False,
        reason="no-such-program could not be started: FileNotFoundError:"
        " [Errno 2] No such file or directory: 'no-such-program'.",
    )


def test_the_environment_is_clean_and_says_who_it_is(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CANARY", "POINTSMAN_LOCAL_WEBHOOK_SECRET", "PYTHONPATH", "HTTP_PROXY"):
        monkeypatch.setenv(name, "canary-value")
    target = ground.target("1.0.0", server("1.0.0"), environment={"GREETING": "hi", "APP_VERSION": "9"})
    health = ground.apply(target)
    seen = get(health.url)
    env = seen["env"]
    assert "canary-value" not in str(env.values())
    assert {
        name: value for name, value in env.items() if name not in {"PATH", "APP_INSTANCE", "LC_CTYPE"}
    } == {
        "PORT": health.url.rpartition(":")[2],
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "GREETING": "hi",
        "APP_TRACE_ID": "trace-1",
        "APP_MODULE_ID": "booking-service",
        "APP_VERSION": "1.0.0",
        "APP_ENVIRONMENT": "staging",
        "APP_NAMESPACE": "acme-staging",
        "APP_RELEASE_ID": target.release_id,
    }
    assert seen["cwd"].endswith(
        f"/environments/acme-staging/booking-service/releases/1.0.0-{target.revision[:12]}"
    )


def test_probe_looks_and_changes_nothing(ground: Ground) -> None:
    strategy = ground.deployer.strategies["process"]
    context = EffectContext("acme", "trace-1", lambda _id: None)
    target = ground.target("1.0.0", server("1.0.0"))
    assert strategy.probe(target, context).reason == "booking-service 1.0.0 does not run in staging."
    pid = ground.apply(target).pid
    looked = strategy.probe(target, context)
    assert (looked.healthy, looked.pid) == (True, pid)


def test_plan_says_what_apply_would_do(ground: Ground) -> None:
    strategy = ground.deployer.strategies["process"]
    context = EffectContext("acme", "trace-1", lambda _id: None)
    one, two = ground.target("1.0.0", server("1.0.0")), ground.target("2.0.0", server("2.0.0"))
    assert strategy.plan(one, context) == (
        f"Export acme/booking at {one.revision[:12]}.",
        "Start python3 app.py in acme-staging.",
        "Probe /startupz for up to 8 s, then /readyz and /livez until both were good 2 times in a row.",
    )
    health = ground.apply(one)
    assert strategy.plan(one, context) == (f"booking-service 1.0.0 runs already on {health.url}: probe it.",)
    assert strategy.plan(two, context)[1] == f"Stop booking-service 1.0.0 (process {health.pid})."


def test_another_tenants_namespace_is_refused(ground: Ground) -> None:
    target = ground.target("1.0.0", server("1.0.0"))
    with pytest.raises(
        Permanent,
        match="Tenant other may deploy booking-service for staging to other-staging, not to acme-staging",
    ) as e:
        ground.apply(target, EffectContext("other", "t", lambda _id: None))
    assert e.value.reason_code == "InvalidNamespaceAccess"
    assert not (ground.home / "environments").exists()
