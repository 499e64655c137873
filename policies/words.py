"""What people have said of a release beside their approvals: each word stands until it is taken back.

A rejection ends with its revision, a delay at its moment, a hold, a pause and a lock when somebody says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.domain.release import Delay, Stop
from policies import roles
from policies.facts import ReleaseFacts
from policies.gates.environment_lock import EnvironmentLock
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy

LOCK = EnvironmentLock()
WRITERS = ("anyone who may write here",)


def spoken(policy: Policy, facts: ReleaseFacts, now: datetime) -> Iterator[Verdict]:
    """One verdict for each word that stands in the way, and for a delay that will after the merge."""
    yield from _rejections(facts)
    if facts.held:
        yield _stopped("held", "HeldByPerson", facts.held, "holds the change", "/unhold")
    if facts.paused:
        yield _stopped("pause", "Paused", facts.paused, "has paused the flow", "/resume")
    yield from (_delay(delay, policy, facts) for delay in _standing(facts, now))
    listed = any(item.gate.name == LOCK.name for item in policy.items(facts))
    if not listed and facts.environment in (facts.locks or {}):
        verdict = LOCK.check(facts, now, policy)
        yield after_merge(verdict) if facts.phase == "change" else verdict


def after_merge(verdict: Verdict) -> Verdict:
    """The same, of what can only be asked once the change is merged."""
    message = f"After the merge: {verdict.need}."
    return Verdict(verdict.name, "skipped", "AfterMerge", message, verdict.have, verdict.need)


def _rejections(facts: ReleaseFacts) -> Iterator[Verdict]:
    for said in facts.rejections:
        if said.environment == facts.environment and said.revision in facts.same_tree:
            message = f"{said.by} rejected this revision: {said.reason or 'no reason given'}. Push a new one."
            have = f"rejected by {said.by}"
            yield Verdict("rejection", "rejected", "RejectedByPerson", message, have, "a new revision")


def _stopped(name: str, code: str, stop: Stop, does: str, undo: str) -> Verdict:
    why = f": {stop.reason}" if stop.reason else ""
    message = f"{stop.by} {does}{why}. `{undo}` lets it go on."
    return Verdict(name, "delayed", code, message, f"{stop.by} {does}", f"`{undo}`", WRITERS)


def _standing(facts: ReleaseFacts, now: datetime) -> Iterator[Delay]:
    return (d for d in facts.delays if d.environment == facts.environment and now < d.until)


def _delay(delay: Delay, policy: Policy, facts: ReleaseFacts) -> Verdict:
    until = f"{delay.until.astimezone(UTC):%a %Y-%m-%d %H:%M} UTC"
    if facts.phase == "change":
        return after_merge(Verdict("delay", "delayed", "DelayedByPerson", "", need=f"a start after {until}"))
    undo = f"`/delay-release {facts.environment} cancel`"
    message = f"{delay.by} has delayed it until {until}. {undo} takes that back."
    others = roles.holders(policy, roles.Permission.REJECT_RELEASE, facts.environment)
    able = tuple(dict.fromkeys((delay.by, *others)))
    have, need = f"delayed by {delay.by}", f"a start after {until}"
    return Verdict("delay", "delayed", "DelayedByPerson", message, have, need, able, delay.until)
