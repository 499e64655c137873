"""What a change is about: issues that its description names. `Closes #12` closes one on merge, a bare `#12`
only links.
"""

from __future__ import annotations

import re

from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.forges.local.beside import ForgeIssue
from bot.forges.local.ground import Ground
from bot.forges.local.tables import ForgeChange

REFERENCE = re.compile(r"#([1-9]\d{0,8})")
NAMED = re.compile(rf"(?<![\w&/]){REFERENCE.pattern}\b")
CLOSES = re.compile(rf"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? {REFERENCE.pattern}\b", re.IGNORECASE)
"""The words that GitHub closes by."""


def all_of(session: Session, repository: str) -> list[ForgeIssue]:
    """The newest first."""
    wanted = select(ForgeIssue).where(ForgeIssue.repository == repository)
    return list(session.scalars(wanted.order_by(col(ForgeIssue.number).desc())))


def named_in(text: str) -> list[int]:
    """The numbers that a text names, each once."""
    return list(dict.fromkeys(int(number) for number in NAMED.findall(text)))


def closed_by(text: str) -> list[int]:
    """The numbers that a text closes, each once."""
    return list(dict.fromkeys(int(number) for number in CLOSES.findall(text)))


def linked(session: Session, change: ForgeChange) -> list[ForgeIssue]:
    """The issues that a change is about, in the order in which its description names them."""
    there = {issue.number: issue for issue in all_of(session, change.repository)}
    return [there[number] for number in named_in(change.body) if number in there]


def close_merged(ground: Ground, session: Session, change: ForgeChange) -> None:
    """A merge closes what its change says that it closes."""
    closing = closed_by(change.body)
    for issue in linked(session, change):
        if issue.number in closing and issue.state == "open":
            issue.state, issue.closed_by, issue.updated_at = "closed", change.number, ground.moment()
