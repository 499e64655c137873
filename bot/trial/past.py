"""A policy asked of the past: the verdicts of many traces, out of the log."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

import policies
from bot.log.replay import events
from handlers.backtest import Answer, backtest


def asked_again(session: Session, tenant: str, traces: Iterable[str], policy: policies.Policy) -> Answer:
    """Every verdict of these traces of a tenant, asked again."""
    answers = [backtest(events(session, tenant, name), policy) for name in traces]
    return Answer(
        sum(answer.asked for answer in answers),
        tuple(difference for answer in answers for difference in answer.differences),
    )
