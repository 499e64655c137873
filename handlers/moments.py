"""A moment as people write it in a command: `2h`, `2026-12-24`, `2026-12-24T18:00+01:00`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot import messages
from bot.domain.errors import Refused
from policies.schema import read_duration


def duration_of(text: str) -> timedelta:
    """An elapsed time such as `10m` or `1h30m`. Raises Refused."""
    try:
        return read_duration(text)
    except ValueError:
        raise Refused("InvalidDuration", messages.not_a_duration(text)) from None


def moment_of(text: str, now: datetime) -> datetime:
    """The moment meant (aware). A duration counts from `now`; without an offset it is UTC, a date is its
    midnight. Raises Refused.
    """
    try:
        return now + read_duration(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("InvalidMoment", messages.not_a_moment(text)) from None


def later(text: str, now: datetime) -> datetime:
    """The same, of a moment that is still to come. Raises Refused."""
    moment = moment_of(text, now)
    if moment <= now:
        raise Refused("MomentPassed", messages.moment_passed(moment))
    return moment
