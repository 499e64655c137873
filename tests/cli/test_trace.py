"""`pointsman trace`: the contracts of interfaces.md, and what a person reads."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.api.health import newest
from bot.log.tables import EVENTS, HEADS
from tests.cli.conftest import Pointsman
from tests.support.house import House
from tests.support.story import FREEZE, event, story, tell


def test_show_is_the_contract(pointsman: Pointsman, told: House) -> None:
    said = pointsman("trace", "show", "trace-1", "--output", "json")
    assert (said.code, said.err) == (0, "")
    document = json.loads(said.out)
    assert list(document) == ["traceId", "events", "state"]
    assert document["traceId"] == "trace-1"
    assert document["events"] == [one.to_json() for one in story()]
    assert document["state"]["sequence"] == 11


def test_show_says_what_blocks_before_what_happened(pointsman: Pointsman, told: House) -> None:
    said = pointsman("trace", "show", "trace-1")
    lines = said.out.splitlines()
    assert lines[:4] == [
        "Trace trace-1: booking 1.0.0, step not begun, 11 events",
        "  production: delayed",
        f"    freeze: {FREEZE['message']} Can help: sam. Changes at 2026-11-23T07:00:00.000Z.",
        "    approvals: Needs ProductOwner. Can help: jane.doe.",
    ]
    assert lines[4:7] == [
        "  staging: approved",
        "",
        "   1 2026-11-20T18:00:01.000Z · booking 1.0.0 was submitted to acme/booking (1 file)  [by ada]",
    ]
    assert lines[-1] == (
        "  11 2026-11-20T18:00:11.000Z ✗ /approve-release production let me was refused (UnauthorizedApprover)"
        " - `mallory` may not use `/approve-release`; it takes ProductOwner.  [by mallory]"
    )


def test_list_is_the_latest_first(pointsman: Pointsman, told: House) -> None:
    tell(told.store, trace="trace-0", tenant="other")
    document = json.loads(pointsman("trace", "list", "--output", "json").out)
    assert [(one["traceId"], one["tenantId"]) for one in document["traces"]] == [
        ("trace-0", "other"),
        ("trace-1", "acme"),
    ]
    assert [
        one["traceId"]
        for one in json.loads(pointsman("trace", "list", "--tenant", "acme", "--output", "json").out)[
            "traces"
        ]
    ] == ["trace-1"]
    assert len(json.loads(pointsman("trace", "list", "--limit", "1", "--output", "json").out)["traces"]) == 1
    text = pointsman("trace", "list", "--tenant", "acme").out.splitlines()
    assert text[0].split() == ["trace", "tenant", "module", "step", "last", "updated"]
    assert text[1].startswith("trace-1  acme    booking 1.0.0")


def test_verify_is_the_contract(pointsman: Pointsman, told: House) -> None:
    said = pointsman("trace", "verify", "--output", "json")
    assert said.code == 0
    assert json.loads(said.out) == {"ok": True, "traces": 1, "events": 11, "first_bad": None}
    assert (
        pointsman("trace", "verify", "trace-1").out == "Unchanged: 1 trace, 11 events, every hash is right.\n"
    )


def test_one_changed_byte_is_found(pointsman: Pointsman, told: House) -> None:
    with told.store.begin() as session:
        _without_guard(session)
        body = session.execute(sa.select(EVENTS.c.body).where(EVENTS.c.sequence == 7)).scalar_one()
        changed = bytes(body).replace(b'"TestsPassed"', b'"TestsFailed"')
        session.execute(sa.update(EVENTS).where(EVENTS.c.sequence == 7).values(body=changed))
    said = pointsman("trace", "verify", "trace-1", "--output", "json")
    assert said.code == 1
    report = json.loads(said.out)
    assert (report["ok"], report["first_bad"]) == (False, {"traceId": "trace-1", "sequence": 7})
    assert (
        pointsman("trace", "verify").out
        == "Changed: trace trace-1, event 7: hash (1 trace, 7 events read).\n"
    )


def _without_guard(session: sa.orm.Session) -> None:
    """Somebody with the database file in hand is not stopped by its triggers."""
    for (name,) in session.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
        session.execute(sa.text(f"DROP TRIGGER {name}"))


def test_replay_stops_where_it_is_told_and_compares_the_whole(pointsman: Pointsman, told: House) -> None:
    said = pointsman("trace", "replay", "trace-1", "--until", "2", "--output", "json")
    document = json.loads(said.out)
    assert (said.code, document["traceId"], document["until"]) == (0, "trace-1", 2)
    assert document["state"]["commit"]["sha"] == "a1" * 20
    assert document["snapshot"] == {"sequence": 11, "equal": True}
    text = pointsman("trace", "replay", "trace-1").out.splitlines()
    assert text[0] == "Trace trace-1: booking 1.0.0, step not begun, 11 events"
    assert text[-1] == "The stored state (after event 11) equals the replay."


def test_a_snapshot_that_differs_is_failure(pointsman: Pointsman, told: House) -> None:
    with told.store.begin() as session:
        session.execute(sa.update(HEADS).values(state=sa.func.replace(HEADS.c.state, "delayed", "approved")))
    said = pointsman("trace", "replay", "trace-1")
    assert said.code == 1
    assert said.out.splitlines()[-1] == "The stored state (after event 11) DIFFERS from the replay."


def test_a_snapshot_of_another_release_is_no_failure(pointsman: Pointsman, told: House) -> None:
    with told.store.begin() as session:
        session.execute(sa.update(HEADS).values(fold="of another release"))
    said = pointsman("trace", "replay", "trace-1", "--output", "json")
    assert (said.code, json.loads(said.out)["snapshot"]) == (0, {"sequence": 11, "equal": None})


def test_export_writes_everything_once(pointsman: Pointsman, told: House, tmp_path: Path) -> None:
    file = tmp_path / "trace-1.tar.gz"
    said = pointsman("trace", "export", "trace-1", "--out", file, "--output", "json")
    assert json.loads(said.out) == {
        "ok": True, "traceId": "trace-1", "file": str(file), "bytes": file.stat().st_size, "events": 11,
    }  # fmt: skip
    with tarfile.open(fileobj=io.BytesIO(file.read_bytes())) as archive:
        assert {"MANIFEST", "events.jsonl"} < set(archive.getnames())
    again = pointsman("trace", "export", "trace-1", "--out", file)
    assert (again.code, again.err) == (1, f"Error: {file}: File exists.\n")


@pytest.mark.parametrize("verb", ["show", "replay", "verify"])
def test_a_trace_nobody_knows_is_one_sentence(pointsman: Pointsman, told: House, verb: str) -> None:
    said = pointsman("trace", verb, "trace-9", "--output", "json")
    assert (said.code, said.err) == (1, "Error: There is no trace 'trace-9'.\n")
    assert json.loads(said.out) == {
        "error": {"reasonCode": "TraceNotFound", "message": "There is no trace 'trace-9'."}
    }


def test_a_trace_of_two_tenants_wants_one_named(pointsman: Pointsman, told: House) -> None:
    tell(told.store, tenant="other")
    said = pointsman("trace", "show", "trace-1")
    assert (said.code, said.err) == (
        2,
        "Error: Several tenants have a trace 'trace-1': say --tenant acme|other.\n",
    )
    assert pointsman("trace", "show", "trace-1", "--tenant", "other").code == 0
    missing = pointsman("trace", "show", "trace-1", "--tenant", "third")
    assert missing.err == "Error: There is no trace 'trace-1' of tenant 'third'.\n"


def test_text_of_others_does_not_drive_the_terminal(pointsman: Pointsman, told: House) -> None:
    from bot.log import append

    evil = "\x1b[2J\x1b]0;owned\x07[bold]markup[/bold]\r"
    with told.store.begin() as session:
        append(session, [event(1, "ManualInterventionRequired", {
            "reasonCode": "X", "message": evil, "role": evil}, {"actor": evil}, trace="evil")])  # fmt: skip
    for verb in (["list"], ["show", "evil"], ["replay", "evil"]):
        said = pointsman("trace", *verb)
        assert said.code == 0
        assert not {"\x1b", "\x07", "\r"} & set(said.out)
        assert "[bold]markup[/bold]" in said.out


def test_both_databases(pointsman: Pointsman, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_DATABASE_URL", postgres_url)
    before = pointsman("db", "check")
    assert (before.code, before.err) == (
        1, f"Error: The database is at no revision, this release needs {newest()}: run `pointsman db upgrade`.\n")  # fmt: skip
    assert pointsman("trace", "list").err == (
        "Error: The database does not have this release's tables: run `pointsman db upgrade`.\n"
    )
    upgraded = json.loads(pointsman("db", "upgrade", "--output", "json").out)
    assert upgraded == {"ok": True, "from": None, "to": newest()}
    assert pointsman("db", "upgrade").out == f"The database is at {newest()} (was already there).\n"
    assert pointsman("db", "check").out == f"The database is at {newest()}, as it should be.\n"
    from bot.log import Store

    store = Store(postgres_url)
    tell(store)
    store.close()
    assert json.loads(pointsman("trace", "verify", "--output", "json").out)["events"] == 11
    assert (
        json.loads(pointsman("trace", "replay", "trace-1", "--output", "json").out)["snapshot"]["equal"]
        is True
    )


def test_another_number_of_shards_is_refused(
    pointsman: Pointsman, told: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_SHARDS", "8")
    said = pointsman("db", "upgrade")
    assert said.code == 1
    assert said.err == "Error: The database has 16 shards, the settings say 8 (POINTSMAN_SHARDS).\n"
