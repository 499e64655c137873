"""`pointsman db rebuild`: the read models from the log."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from tests.cli.conftest import Pointsman
from tests.support.house import House


def test_what_was_dropped_is_there_again(pointsman: Pointsman, told: House, tmp_path: Path) -> None:
    before = json.loads(pointsman("trace", "list", "--output", "json").out)
    with told.store.begin() as session:
        session.connection().exec_driver_sql("DELETE FROM head")
    assert json.loads(pointsman("trace", "list", "--output", "json").out) != before
    said = pointsman("db", "rebuild", "--output", "json")
    document = json.loads(said.out)
    assert (said.code, document["ok"], document["traces"]) == (0, True, 1)
    assert json.loads(pointsman("trace", "list", "--output", "json").out) == before
    assert pointsman("db", "rebuild").out == (
        f"Rebuilt from {document['events']} events: 1 traces, {document['slots']} environments, {document['keys']} trace keys.\n"
    )


def test_a_log_that_is_not_sound_is_left_as_it_is(pointsman: Pointsman, told: House, tmp_path: Path) -> None:
    with told.store.begin() as session:
        session.connection().exec_driver_sql("UPDATE head SET sequence = sequence + 1")
    said = pointsman("db", "rebuild")
    assert said.code == 1
    assert said.err == (
        "Error: Nothing was rebuilt: trace-1 does not end where its head says; see `pointsman trace verify`.\n"
    )
    with sqlite3.connect(tmp_path / "home" / "pointsman.db") as database:
        assert database.execute("SELECT count(*) FROM head").fetchone() == (1,)
