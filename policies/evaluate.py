"""Policy x facts x moment -> verdict.

The tree is complete: a release is never told of one thing that is missing at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.cel import CelError
from policies import freezes, roles
from policies.facts import ReleaseFacts
from policies.gate import SECTIONS, Gate
from policies.gates.freeze import FreezeGate
from policies.model import Item, Policy
from policies.spans import CalendarError
from policies.verdict import State, Verdict, blocking, everyone, fold_all, soonest
from policies.words import after_merge, spoken

FREEZE = FreezeGate()


def evaluate(policy: Policy, facts: ReleaseFacts, now: datetime) -> Verdict:
    """The verdict on one environment at a moment (aware). Pure: equal arguments give equal trees."""
    policy = policy.of(facts.tenant)
    if facts.environment not in policy.environments:
        known = ", ".join(policy.environments)
        message = f"The policy knows no environment {facts.environment!r}, only {known}."
        return Verdict(facts.environment, "rejected", "UnknownEnvironment", message, facts.environment, known)
    items = policy.items(facts)
    judged = [(item, judge(item, facts, now, policy)) for item in items]
    order = sorted(judged, key=lambda pair: SECTIONS.index(pair[0].gate.section))
    said = spoken(policy, facts, now)
    children = (FREEZE.check(facts, now, policy), *said, *(verdict for _, verdict in order))
    asked = [verdict for _, verdict in judged if verdict.reason_code != "AfterMerge"]
    verdict = _root(facts, children, undecided=bool(asked) and fold_all(asked) == "skipped")
    return replace(verdict, observed=policy.mode == "observe")


def judge(item: Item, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:
    """What one gate says, whose condition and phase are looked at too."""
    gate = item.gate
    name = "changes-to-this-file" if item is policy.changes_to_this_file else gate.name
    try:
        if not item.applies(facts, now):
            return Verdict(name, "skipped", "ConditionFalse", f"Does not apply: {item.when}")
    except CelError as error:
        message = f"The condition {item.when!r} can not be decided: {error.message}. Put the policy right."
        return Verdict(name, "rejected", "ConditionError", message)
    verdict = gate.check(facts, now, policy)
    if _later(gate, facts):
        verdict = after_merge(verdict)
    return verdict if name == gate.name else replace(verdict, name=name)


def _later(gate: Gate, facts: ReleaseFacts) -> bool:
    return gate.phase == "deployment" and facts.phase == "change"


def _root(facts: ReleaseFacts, children: tuple[Verdict, ...], *, undecided: bool) -> Verdict:
    state, stopped = fold_all(children), blocking(children)
    counted = [child for child in children if child.state != "skipped"]
    have = f"{sum(child.approved for child in counted)} of {len(counted)} gates"
    code, message = _sentence(facts, state, stopped)
    if state == "approved" and undecided:
        state, code = "rejected", "NoGateApplied"
        remedy = f"give {facts.environment} a gate without `when`"
        message = f"No gate applies to this release, so nothing allows it: {remedy}."
    return Verdict(
        facts.environment, state, code, message, have=have, need=f"{len(counted)} gates",
        who_can=everyone(stopped), next_change_at=soonest(children), children=children,
    )  # fmt: skip


def _sentence(facts: ReleaseFacts, state: State, stopped: tuple[Verdict, ...]) -> tuple[str, str]:
    what = facts.version or facts.revision[:7] or "This release"
    if not stopped:
        ready = "may be merged" if facts.phase == "change" else "may be deployed"
        return (
            "Approved" if state == "approved" else "NothingAsked",
            f"{what} {ready} for {facts.environment}.",
        )
    first, *others = stopped
    more = f" Also: {', '.join(other.name for other in others)}." if others else ""
    return first.reason_code, f"{first.message}{more}"


def paused(policy: Policy, facts: ReleaseFacts, now: datetime) -> bool:
    """Whether a freeze stops what has started already; also when a calendar can not be read."""
    policy = policy.of(facts.tenant)
    try:
        return freezes.status(policy.freezes, facts, now, roles.held_by(policy, facts)).paused
    except CalendarError:
        return any(freeze.in_progress == "pause" for freeze in freezes.in_scope(policy.freezes, facts))


def change_verdicts(policy: Policy, facts: ReleaseFacts, now: datetime) -> dict[str, Verdict]:
    """The verdict of every environment on a change that is not merged yet."""
    policy = policy.of(facts.tenant)
    phase = {"phase": "change"}
    return {
        name: evaluate(policy, facts.model_copy(update=phase | {"environment": name}), now)
        for name in policy.environments
    }


def mergeable(policy: Policy, verdicts: Mapping[str, Verdict], *, draft: bool = False) -> bool:
    """Whether the bot merges: the policy lets it, the change is no draft, every environment approves it.

    In `mode: observe` too: it blocks nobody, which does not mean that the bot merges what nobody approved.
    """
    approved = all(name in verdicts and verdicts[name].approved for name in policy.environments)
    return policy.merge.when == "approved" and not draft and approved
