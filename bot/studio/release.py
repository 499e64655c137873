"""`/releases/{id}`: the whole verdict on one release, who can help and when, what to say, how it came to it.

Everything shown is what the log says; the page is made again whenever its trace moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot import messages
from bot.api import queries
from bot.api.problems import not_found
from bot.domain.event import Event
from bot.domain.model import rfc3339
from bot.domain.release import REVIEW, Release, release_id
from bot.domain.trace import TraceState
from bot.domain.view import View
from bot.log import events, load
from bot.projections import slots, trace_keys
from bot.studio.headline import title
from bot.studio.sayings import sayings
from bot.studio.sentences import Tone, web
from bot.studio.views import DEPLOYED, NOW, Entry, entries, environments, tone
from handlers.evaluation import release_facts
from handlers.policy import policy_of
from policies import tally


@dataclass(frozen=True)
class Verdict:
    """One verdict of the log on one release. `tree` is what a check shows."""

    environment: str
    revision: str
    phase: str
    state: str
    at: datetime
    tree: Mapping[str, Any]
    policy: str


@dataclass(frozen=True)
class Approval:
    """One approval, and what has become of it."""

    who: str
    role: str
    at: str
    comment: str
    tone: Tone
    sentence: str


def trace_of(session: Session, tenant: str, release: str, trace: str | None) -> str:
    """The trace of a release: the one named, else the first that had a verdict on it.

    Raises Problem 404, also for another tenant's.
    """
    found = trace or trace_keys.owner(session, tenant, trace_keys.release_key(release))
    if not found or not queries.head_sequence(session, tenant, found):
        raise not_found("release", release)
    return found


def release_page(
    session: Session, tenant: str, release: str, trace: str | None, login: str, now: datetime
) -> dict[str, Any]:
    """What the template lays out, for whoever is called `login`. Raises Problem 404."""
    name = trace_of(session, tenant, release, trace)
    state, happened = load(session, tenant, name), events(session, tenant, name)
    verdict = verdict_of(state, happened, release)
    if verdict is None:
        raise not_found("release", release)
    running = dict(_running(session, state))
    view = View(now=now, state=state, slots=running)
    current = state.releases.get(verdict.environment)
    live = current is not None and current.release_id == release
    return {
        "release_id": release,
        "trace_id": name,
        "title": title(state),
        "verdict": verdict,
        "at": rfc3339(verdict.at),
        "replaced": "" if live else _replaced(state, current, verdict),
        "current": "" if live or current is None else current.release_id,
        "standing": _standing(view, verdict, live=live),
        "change": _change(state),
        "repository": state.repository,
        "sayings": sayings(view, verdict.environment, login) if live else [],
        "approvals": approvals(view, verdict.environment),
        "entries": timeline(happened, verdict.environment),
    }


def _running(session: Session, state: TraceState) -> list[tuple[str, Any]]:
    found = slots.read(session, state.tenant_id, state.module_id) if state.module_id else ()
    return [(slot.environment, slot) for _, slot in found]


def verdict_of(state: TraceState, happened: Sequence[Event], release: str) -> Verdict | None:
    """The last verdict on a release."""
    told = (event for event in reversed(happened) if event.type == trace_keys.VERDICT)
    found = next((event for event in told if _id_of(state, event) == release), None)
    if found is None:
        return None
    data = found.data
    return Verdict(
        environment=data["environment"],
        revision=data["revision"],
        phase=data.get("phase", "change"),
        state=data["state"],
        at=found.time,
        tree=data["verdict"],
        policy=data.get("policyDigest", ""),
    )


def _id_of(state: TraceState, event: Event) -> str:
    data = event.data
    return event.release_id or release_id(
        state.module_id, state.version, data["environment"], data["revision"]
    )


def _replaced(state: TraceState, current: Release | None, verdict: Verdict) -> str:
    now = current.revision if current else state.head or ""
    merged = state.carried.get(now) == verdict.revision or (verdict.phase == "change" and state.merged)
    return (messages.merged_as if merged else messages.replaced)(verdict.revision, now)


def _standing(view: View, verdict: Verdict, *, live: bool) -> dict[str, Any]:
    """The first sentence of the page, its weight, and the word beside the title."""
    place = next(
        (one for one in environments(view.state, view.slots) if one.name == verdict.environment), None
    )
    if live and place and place.tree is None and place.state in DEPLOYED.values():
        return {
            "word": place.state, "tone": tone(place.state), "text": place.running or place.state,
            "url": place.url,
        }  # fmt: skip
    said = {"word": NOW.get(verdict.state, verdict.state), "tone": tone(verdict.state)}
    return said | {"text": str(verdict.tree.get("message", "")), "url": ""}


def _change(state: TraceState) -> dict[str, Any] | None:
    change = state.change
    if not change:
        return None
    return {"number": change["number"], "url": web(change.get("url")), "state": change.get("state", "")}


def approvals(view: View, environment: str) -> list[Approval]:
    """Every approval that was meant for an environment, the newest first, and whether it counts."""
    policy = policy_of(view.state)
    if policy is None or environment not in policy.environments:
        return []
    found = tally.told(policy, release_facts(view, environment), view.now)
    return [_approval(one) for one in sorted(found, key=lambda one: one.approval.approved_at, reverse=True)]


def _approval(told: tally.Told) -> Approval:
    given, review = told.approval, told.approval.method == REVIEW
    said = messages.approval_standing(told.standing, given.approver, given.revision, told.why, review=review)
    return Approval(
        who=given.approver,
        role="review" if review else given.role,
        at=rfc3339(given.approved_at),
        comment=given.comment,
        tone="good" if told.standing == "counts" else "bad" if told.standing == "invalidated" else "wait",
        sentence=said,
    )


def timeline(happened: Sequence[Event], environment: str) -> list[Entry]:
    """The events of a trace that are about an environment, or about none in particular."""
    return [one for one in entries(happened) if one.line.environment in {"", environment}]
