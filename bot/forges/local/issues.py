"""Issues: opened once for each effect, named in a text as `#12`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session
from sqlmodel import select

from bot.forges.local.beside import ForgeIssue
from bot.forges.local.ground import Ground, Missing
from bot.forges.local.numbers import next_number
from bot.forges.local.telling import writing


@dataclass(frozen=True)
class Matter:
    """An issue to be opened; with `effect_id` it is opened once."""

    title: str
    body: str = ""
    labels: tuple[str, ...] = ()
    effect_id: str | None = None


def open_issue(ground: Ground, repository: str, matter: Matter, *, login: str) -> tuple[ForgeIssue, bool]:
    """The issue, and whether it was opened now."""
    with writing(ground, repository, login), ground.write() as session:
        if matter.effect_id and (known := _of_effect(session, matter.effect_id)):
            return known, False
        issue = ForgeIssue(
            repository=repository,
            number=next_number(session, repository),
            title=matter.title,
            body=matter.body,
            labels=sorted(set(matter.labels)),
            author=login,
            effect_id=matter.effect_id,
            created_at=ground.moment(),
            updated_at=ground.moment(),
        )
        session.add(issue)
        return issue, True


def _of_effect(session: Session, effect_id: str) -> ForgeIssue | None:
    return session.scalars(select(ForgeIssue).where(ForgeIssue.effect_id == effect_id)).first()


def get_issue(session: Session, repository: str, number: int) -> ForgeIssue:
    """An issue by its number. Raises Missing."""
    wanted = select(ForgeIssue).where(ForgeIssue.repository == repository, ForgeIssue.number == number)
    issue = session.scalars(wanted).one_or_none()
    if issue is None:
        raise Missing(f"there is no issue {number} in {repository}")
    return issue


def set_state(ground: Ground, repository: str, number: int, state: str) -> ForgeIssue:
    """Close or reopen. Raises Missing."""
    with ground.write() as session:
        issue = get_issue(session, repository, number)
        if issue.state != state:
            issue.state, issue.closed_by, issue.updated_at = state, None, ground.moment()
        return issue
