"""Log tails, the keeper, process identity, probes: the parts by themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.deploy.services import exports, halt, keeper, logs, ports, probes, reasons, records
from bot.deploy.services.places import Place
from bot.deploy.services.records import ServiceRecord
from tests.deploy.ground import Ground, server


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain words stay", "plain words stay"),
        (
            "commit 0123456789abcdef0123456789abcdef01234567",
            "commit 0123456789abcdef0123456789abcdef01234567",
        ),
        ("listening on 192.168.1.20:80", "listening on 192.168.1.20:80"),
        ("db_password=hunter2 and more", "db_password=[hidden] and more"),
        ('{"apiKey": "abc def", "n": 1}', '{"apiKey": [hidden], "n": 1}'),
        ("token: s3cr3t", "token: [hidden]"),
        ("postgres://bob:hunter2@db/x", "postgres://[hidden]@db/x"),
        ("ghp_" + "a" * 36, "[hidden]"),
        ("AKIA" + "IOSFODNN7EXAMPLE", "[hidden]"),
        ("the vault said swordfish", "the vault said [hidden]"),
        ("\x1b[31mred\x1b[0m\x07", "red"),
        ("section_start:1763622000:step_script\r\x1b[0Krunning", "running"),
        ("2026-11-20T09:00:00.1234567Z ##[group]Run tests", "Run tests"),
    ],
)
def test_a_log_line_is_fit_to_be_shown(tmp_path: Path, line: str, shown: str) -> None:
    log = tmp_path / "x.log"
    log.write_text(line + "\n")
    assert logs.tail(log, ["swordfish", "n"]) == shown


def test_the_tail_is_twenty_lines_through_a_change_of_files(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    (tmp_path / "x.log.1").write_text("".join(f"old {n}\n" for n in range(50)))
    log.write_text("new 1\nnew 2\n" + "x" * 900)
    lines = logs.tail(log).splitlines()
    assert (len(lines), lines[0], lines[-2], len(lines[-1])) == (20, "old 33", "new 2", 500)
    assert logs.tail(tmp_path / "none.log") == ""


def test_a_secret_cut_by_the_limit_is_masked_before(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("y" * 495 + "swordfish")
    assert "sword" not in logs.tail(log, ["swordfish"])


def test_a_log_is_bounded_however_much_is_said(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.deploy.services.run.Start", lambda **k: probes_start(**k, log_cap=20_000))
    chatty = "for n in range(20000):\n    print('line', n, flush=(n % 500 == 0))"
    health = ground.apply(ground.target("1.0.0", server("1.0.0", before=chatty)))
    assert health.healthy
    folder = Place(ground.home, "acme-staging", "booking-service").logs
    assert {path.suffix for path in folder.iterdir()} == {".log", ".1"}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 20_000 * 2 + 65536
    assert health.log_tail.splitlines()[-2:] == ["line 19999", "listening"]


def probes_start(**arguments: object) -> object:
    from bot.deploy.services.launch import Start

    return Start(**arguments)  # type: ignore[arg-type]


def test_old_logs_and_old_releases_go(tmp_path: Path) -> None:
    place = Place(tmp_path, "acme-staging", "m")
    for n in range(14):
        (place.releases / f"1.0.{n}-abc").mkdir(parents=True)
        os.utime(place.releases / f"1.0.{n}-abc", (n, n))
        place.logs.mkdir(exist_ok=True)
        (place.logs / f"{n:04}.log").write_text("")
        (place.logs / f"{n:04}.log.1").write_text("")
    exports.prune(place, place.releases / "1.0.0-abc")
    logs.prune(place.logs)
    kept = [f"1.0.{n}-abc" for n in (0, 9, 10, 11, 12, 13)]
    assert sorted(path.name for path in place.releases.iterdir()) == sorted(kept)
    assert len(list(place.logs.iterdir())) == 2 * logs.FILES_KEPT


def test_files_of_a_release_are_not_to_be_edited(ground: Ground) -> None:
    ground.apply(ground.target("1.0.0", server("1.0.0")))
    (folder,) = Place(ground.home, "acme-staging", "booking-service").releases.iterdir()
    assert (folder / "app.py").stat().st_mode & 0o777 == 0o444
    assert [path.name for path in folder.iterdir()] == ["app.py"]


def test_records_and_logs_are_for_their_owner_only(ground: Ground) -> None:
    ground.apply(ground.target("1.0.0", server("1.0.0")))
    place = Place(ground.home, "acme-staging", "booking-service")
    files = [place.record, place.config, *place.logs.iterdir()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_the_same_process_is_told_by_its_start_both_ways() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        for look in (keeper._from_proc, keeper._from_ps):
            first = look(process.pid)
            assert first is not None
            assert first[0] in "SRD"  # D: a busy machine is still loading it
            assert first[1]
            assert look(process.pid) == first
        process.kill()
        time.sleep(0.1)
        zombie = keeper.process_start(process.pid)
        assert zombie is not None
        assert zombie[0] == "Z"
    assert keeper._from_proc(process.pid) is None
    assert keeper._from_ps(process.pid) is None


def a_record(**change: object) -> ServiceRecord:
    made = ServiceRecord(
        instance="1-a",
        release_id="r",
        trace_id="t",
        environment="e",
        namespace="n",
        module_id="m",
        version="1",
        revision="x",
        url="http://127.0.0.1:1",
        port=1,
        argv=("x",),
        log="x",
        started_at="now",
    )
    return made.model_copy(update=change)


def test_a_zombie_and_a_number_without_a_process_are_not_alive() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        started = keeper.process_start(process.pid)
        assert started is not None
        record = a_record(pid=process.pid, started=started[1])
        assert records.alive(record)
        process.kill()
        time.sleep(0.1)
        assert not records.alive(record)
    assert not records.alive(a_record(pid=0))
    assert not records.alive(None)


def test_a_group_that_is_not_marked_as_ours_is_not_signalled() -> None:
    with subprocess.Popen(
        ["sleep", "60"], start_new_session=True, env={"APP_INSTANCE": "another"}
    ) as process:
        record = a_record(pid=process.pid, started="something else")
        assert halt.stop(record, 0.1) is False
        halt.sweep(record)
        assert process.poll() is None
        ours = a_record(pid=process.pid, started="something else", instance="another")
        assert halt.stop(ours, 1.0) is True
        assert process.wait(5) == -15


def test_the_keeper_says_why_it_can_not_start() -> None:
    order = '{"argv": ["/"], "cwd": "/", "env": {}, "record": {"instance": "x"}}'
    done = subprocess.run(
        [sys.executable, "-I", "-S", keeper.__file__], input=order, capture_output=True, text=True, check=True
    )
    assert done.stdout == """{"error": "PermissionError: [Errno 13] Permission denied: '/'"}"""


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (3, "Crash loop: the service ended 3 times while it was probed, the last time with exit status 3."),
        (-11, "Crash loop: the service ended 3 times while it was probed, the last time with SIGSEGV."),
        (None, "Crash loop: the service ended 3 times while it was probed."),
    ],
)
def test_a_crash_in_words(status: int | None, words: str) -> None:
    assert reasons.crashed(3, status) == words


def test_a_probe_of_nobody_and_of_nonsense() -> None:
    import socket
    import threading

    assert probes.ask("http://127.0.0.1:1/livez", 1).detail == "connection refused"
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def babble() -> None:
            connection, _ = listener.accept()
            connection.sendall(b"220 smtp ready\r\n\r\n")
            connection.close()

        threading.Thread(target=babble, daemon=True).start()
        answer = probes.ask(f"http://127.0.0.1:{listener.getsockname()[1]}/", 2)
    assert (answer.ok, answer.detail) == (False, "no HTTP answer (RemoteProtocolError)")


def test_a_service_without_probes_only_has_to_stay(ground: Ground) -> None:
    target = ground.target("1.0.0", "import time\ntime.sleep(60)\n", startup="", readiness="", liveness="")
    health = ground.apply(target)
    assert health.healthy
    assert [(p.name, p.ok, p.detail) for p in health.health_status] == [
        ("startup", True, "not asked for"),
        ("readiness", True, "not asked for"),
        ("liveness", True, "not asked for"),
    ]


def test_a_free_port_is_free_while_old_connections_close() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not ports.free(port)
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = listener.accept()
            accepted.close()
    assert ports.free(port)
