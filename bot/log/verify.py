"""Is the log what was written?

Recomputes every hash, compares every column with the body, and every head with its fold.

    verify(session, trace="trace-1") -> {"ok": False, "traces": 1, "events": 12,
                                         "first_bad": {"traceId": "trace-1", "sequence": 7}, "reason": "hash"}

Text is read as bytes: a flipped byte may have made it no text at all, and that is a finding, not a crash.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.orm import Session

from bot.domain.event import GENESIS, Event, chain
from bot.domain.trace import TraceState, apply
from bot.log.append import event_values
from bot.log.fold import FOLD, head_values
from bot.log.tables import EVENTS, HEADS

Finding = tuple[str, int, str]
"""Trace, sequence, what is wrong."""


def verify(session: Session, tenant: str | None = None, trace: str | None = None) -> dict[str, Any]:
    """Check all traces, those of a tenant, or one. Reads everything; changes nothing."""
    report: dict[str, Any] = {"ok": True, "traces": 0, "events": 0, "first_bad": None}
    try:
        bad = next(_findings(session, tenant, trace, report), None)
    except sa.exc.DatabaseError as error:  # the file's structure is broken, not only its contents
        return report | {"ok": False, "reason": f"unreadable: {error.orig}"}
    if bad is not None:
        report |= {"ok": False, "first_bad": {"traceId": bad[0], "sequence": bad[1]}, "reason": bad[2]}
    return report


def _findings(
    session: Session, tenant: str | None, trace: str | None, report: dict[str, Any]
) -> Iterator[Finding]:
    heads = {(row["tenant_id"], row["trace_id"]): row for row in _rows(session, HEADS, tenant, trace)}
    check: _Trace | None = None
    for row in _rows(session, EVENTS, tenant, trace):
        key = (row["tenant_id"], row["trace_id"])
        if check is None or check.key != key:
            if check is not None:
                yield from check.end(heads.pop(check.key, None))
            check = _Trace(key)
            report["traces"] += 1
        report["events"] += 1
        yield from check.event(row)
    if check is not None:
        yield from check.end(heads.pop(check.key, None))
    for (_, name), head in heads.items():
        yield name, int(head["sequence"]), "events are missing"


class _Trace:
    """Walks along one trace."""

    def __init__(self, key: tuple[str, str]) -> None:
        self.key = key
        self._state = TraceState(tenant_id=key[0], trace_id=key[1])
        self._hash = GENESIS
        self._last: Event | None = None

    def event(self, row: dict[str, Any]) -> Iterator[Finding]:
        """At most one finding: the first thing wrong with this row."""
        expected = self._state.sequence + 1
        if row["sequence"] != expected:
            yield self.key[1], expected, "missing or out of order"
            return
        body = bytes(row["body"])
        digest = chain(self._hash, body)
        if row["prev_hash"] != self._hash or row["hash"] != digest:
            yield self.key[1], expected, "hash"
            return
        try:
            event = Event.model_validate_json(body)
            self._state = apply(self._state, event, digest)
        except (ValidationError, ValueError, KeyError) as error:
            yield self.key[1], expected, f"unreadable: {type(error).__name__}"
            return
        wrong = [
            name
            for name, value in event_values(event, body, self._hash, digest).items()
            if _plain(row[name]) != value
        ]
        if wrong:
            yield self.key[1], expected, f"column {wrong[0]} differs from the body"
        self._hash, self._last = digest, event

    def end(self, head: dict[str, Any] | None) -> Iterator[Finding]:
        """Compare with the head, which remembers how far the trace went."""
        if head is None or self._last is None:
            yield self.key[1], self._state.sequence, "head is missing"
            return
        if (head["sequence"], head["hash"]) != (self._state.sequence, self._hash):
            yield (
                self.key[1],
                min(int(head["sequence"]), self._state.sequence) + 1,
                "events after this are missing",
            )
        elif head["fold"] == FOLD:
            wrong = [
                name for name, value in head_values(self._state, self._last).items() if head[name] != value
            ]
            if wrong:
                yield self.key[1], self._state.sequence, f"head: {wrong[0]} differs from the events"


def _rows(session: Session, table: Any, tenant: str | None, trace: str | None) -> Iterator[dict[str, Any]]:
    sqlite = session.get_bind().dialect.name == "sqlite"
    columns = [
        sa.cast(column, sa.LargeBinary).label(column.name) if sqlite and _is_text(column) else column
        for column in table.c
    ]
    query = sa.select(*columns).order_by(table.c.tenant_id, table.c.trace_id, table.c.sequence)
    for column, value in ((table.c.tenant_id, tenant), (table.c.trace_id, trace)):
        query = query if value is None else query.where(column == value)
    for row in session.execute(query, execution_options={"yield_per": 500}).mappings():
        yield {name: _text(value, table.c[name]) for name, value in row.items()}


def _text(value: Any, column: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) and _is_text(column) else value


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, (bytes, memoryview)) else value


def _is_text(column: Any) -> bool:
    return "CHAR" in str(column.type)  # SQLModel's text type is a decorator that hides what it decorates
