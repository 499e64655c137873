"""A policy asked of the past: the verdicts of many traces, out of the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, islice

import sqlalchemy as sa
from sqlalchemy.orm import Session

import policies
from bot.domain.effect import OtherVerdict
from bot.domain.event import Event
from bot.log.store import in_list, listed
from handlers.backtest import ASKED, Answer, backtest

AT_ONCE = 200
"""So many traces are read with one query."""
ACTION, UPDATE = "AgentActionCompleted", b'"UpdateBranch"'
"""Of what a forge has done, gates read only that it brought a branch up to date."""
QUERY = {
    sqlite: sa.text(
        "SELECT trace_id, type, body FROM events WHERE tenant_id = :tenant AND "  # noqa: S608 - constants only
        + in_list("trace_id", "traces", sqlite=sqlite)
        + " AND "
        + in_list("type", "types", sqlite=sqlite)
        + " ORDER BY trace_id, sequence"
    )
    for sqlite in (True, False)
}


def asked_again(session: Session, tenant: str, traces: Iterable[str], policy: policies.Policy) -> Answer:
    """Every verdict of these traces of a tenant, asked again."""
    asked = 0
    found: list[OtherVerdict] = []
    for events in _told(session, tenant, iter(traces)):
        answer = backtest(events, policy)
        asked += answer.asked
        found += answer.differences
    return Answer(asked, tuple(found))


def _told(session: Session, tenant: str, traces: Iterator[str]) -> Iterator[Iterator[Event]]:
    """The events that a backtest asks for, trace by trace."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    types = listed(sorted(ASKED), sqlite=sqlite)
    while some := list(islice(traces, AT_ONCE)):
        said = {"tenant": tenant, "traces": listed(some, sqlite=sqlite), "types": types}
        rows = session.execute(QUERY[sqlite], said)
        for _, of_trace in groupby(rows, key=lambda row: row.trace_id):
            yield (
                Event.model_validate_json(bytes(row.body))
                for row in of_trace
                if row.type != ACTION or UPDATE in bytes(row.body)
            )
