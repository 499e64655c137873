"""The numbers of changes and issues: one row of them for each repository."""

from __future__ import annotations

from sqlalchemy import func
from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.forges.local.beside import ForgeIssue
from bot.forges.local.tables import ForgeChange


def next_number(session: Session, repository: str) -> int:
    """The next free one. The caller holds the repository's lock (telling.writing)."""
    taken = [
        session.scalar(select(func.max(col(table.number))).where(table.repository == repository)) or 0
        for table in (ForgeChange, ForgeIssue)
    ]
    return max(taken) + 1
