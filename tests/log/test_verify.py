"""Verify finds every planted damage: any byte of any column, a missing row, a cut tail, a changed head."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.log import Store, append, upgrade, verify
from tests.log.facts import fact

COUNT = 6
COLUMNS = (
    "tenant_id",
    "trace_id",
    "sequence",
    "id",
    "type",
    "time",
    "source",
    "actor",
    "causation_id",
    "body",
    "prev_hash",
    "hash",
)
HEAD = ("sequence", "hash", "state", "module_id", "flow_state", "sentence", "updated_at")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with two traces, checkpointed so that it can be copied as one file."""
    path = tmp_path_factory.mktemp("pristine") / "pointsman.db"
    upgrade(f"sqlite:///{path}")
    store = Store(f"sqlite:///{path}")
    with store.begin() as session:
        append(
            session,
            [fact(n, f"trace-{t}", causation_id="cause") for t in (1, 2) for n in range(1, COUNT + 1)],
        )
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return path


def damaged(pristine: Path, statement: str, *arguments: object) -> dict[str, object]:
    """What verify says of a copy after `statement` was run on it behind the triggers' back."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        shutil.copy(pristine, copy)
        with sqlite3.connect(copy) as raw:
            raw.execute("DROP TRIGGER events_no_update")
            raw.execute("DROP TRIGGER events_no_delete")
            raw.execute(statement, arguments)
        raw.close()
        store = Store(f"sqlite:///{copy}")
        try:
            with store.read() as session:
                return verify(session)
        finally:
            store.close()


def test_an_intact_log_is_ok_as_a_whole_and_by_trace(pristine: Path) -> None:
    assert damaged(pristine, "SELECT 1") == {"ok": True, "traces": 2, "events": 12, "first_bad": None}


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_one_flipped_bit_anywhere_in_a_row_is_found(pristine: Path, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(COLUMNS))
    row = data.draw(st.integers(1, 2 * COUNT))
    with sqlite3.connect(pristine) as raw:
        value = raw.execute(
            f"SELECT CAST({column} AS BLOB) FROM events WHERE position = ?", [row]
        ).fetchone()[0]
    raw.close()
    place = data.draw(st.integers(0, len(value) - 1))
    flipped = bytearray(value)
    flipped[place] ^= 1 << data.draw(st.integers(0, 7))
    kind = "BLOB" if column == "body" else "INTEGER" if column == "sequence" else "TEXT"
    update = f"UPDATE events SET {column} = CAST(? AS {kind}) WHERE position = ?"
    try:
        report = damaged(pristine, update, bytes(flipped), row)
    except sqlite3.IntegrityError:
        return  # the flip made two rows claim one place, and the database itself refused it
    assert report["ok"] is False
    assert report["first_bad"] is not None


@pytest.mark.parametrize("column", HEAD)
def test_a_changed_head_is_found(pristine: Path, column: str) -> None:
    report = damaged(pristine, f"UPDATE head SET {column} = {column} || '0' WHERE trace_id = 'trace-1'")
    assert report["ok"] is False
    assert report["first_bad"]["traceId"] == "trace-1"  # type: ignore[index]


@pytest.mark.parametrize(
    ("statement", "first_bad", "reason"),
    [
        ("DELETE FROM events WHERE position = 3", ("trace-1", 3), "missing or out of order"),
        ("DELETE FROM events WHERE position = 1", ("trace-1", 1), "missing or out of order"),
        ("DELETE FROM events WHERE position >= 11", ("trace-2", 5), "events after this are missing"),
        ("DELETE FROM events WHERE trace_id = 'trace-2'", ("trace-2", 6), "events are missing"),
        ("DELETE FROM head WHERE trace_id = 'trace-1'", ("trace-1", 6), "head is missing"),
        (
            "UPDATE events SET type = 'TestsPassed' WHERE position = 2",
            ("trace-1", 2),
            "column type differs from the body",
        ),
        ("UPDATE events SET hash = prev_hash WHERE position = 4", ("trace-1", 4), "hash"),
    ],
)
def test_the_finding_says_where_and_what(
    pristine: Path, statement: str, first_bad: tuple[str, int], reason: str
) -> None:
    report = damaged(pristine, statement)
    assert report["first_bad"] == {"traceId": first_bad[0], "sequence": first_bad[1]}
    assert report["reason"] == reason


def test_a_rewritten_body_with_a_fitting_hash_breaks_the_next_link(pristine: Path) -> None:
    report = damaged(
        pristine, "UPDATE events SET hash = (SELECT hash FROM events WHERE position = 9) WHERE position = 2"
    )
    assert report["first_bad"] == {"traceId": "trace-1", "sequence": 2}


def test_a_broken_file_is_a_finding(pristine: Path, tmp_path: Path) -> None:
    copy = tmp_path / "broken.db"
    content = bytearray(pristine.read_bytes())
    page = content.index(b'"id":"trace-1-1"') // 4096 * 4096
    content[page : page + 64] = b"\xff" * 64
    copy.write_bytes(content)
    store = Store(f"sqlite:///{copy}")
    with store.read() as session:
        report = verify(session)
    store.close()
    assert report["ok"] is False
    assert str(report["reason"]).startswith("unreadable")


def test_verify_works_on_both_databases_and_one_trace_at_a_time(store: Store) -> None:
    with store.begin() as session:
        append(session, [fact(1), fact(1, "trace-2"), fact(1, tenant="umbrella")])
        session.execute(sa.text("UPDATE head SET hash = 'x' WHERE tenant_id = 'umbrella'"))
    with store.read() as session:
        assert verify(session, "acme") == {"ok": True, "traces": 2, "events": 2, "first_bad": None}
        assert verify(session, "acme", "trace-2")["events"] == 1
        assert verify(session)["first_bad"] == {"traceId": "trace-1", "sequence": 2}
