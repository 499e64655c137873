"""What would be if: facts with something added that has not happened. The evaluator never knows.

approval:jane.doe[:production]   she approves, at the moment asked about
review:jane.doe                  she reviews, approving
pushed                           a new revision, of which nothing is known yet
merged                           merged as it is: what is asked after the merge is asked
tests:passed | tests:failed      the pipeline ends so
label:hotfix                     the label is there
override:weekend                 the freeze is lifted for this release
start                            a person says /deploy
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from bot.domain.errors import Invalid
from bot.domain.payloads import Actor
from bot.domain.release import REVIEW, Approval, Override, Start
from policies.approving import seats
from policies.facts import ReleaseFacts
from policies.model import Policy

PUSHED = "f" * 40
"""The revision that nobody has pushed yet."""
Change = dict[str, Any]


def suppose(policy: Policy, facts: ReleaseFacts, words: Iterable[str], now: datetime) -> ReleaseFacts:
    """The facts as they would be, one word after the other. Raises Invalid for a word that is none."""
    for word in words:
        name, _, rest = word.partition(":")
        if name not in SUPPOSED or (name in NAMING) != bool(rest):
            known = ", ".join(f"{key}:..." if key in NAMING else key for key in SUPPOSED)
            raise Invalid("UnknownSupposition", f"{word!r} says nothing that can be supposed: {known}")
        facts = facts.model_copy(update=SUPPOSED[name](policy.of(facts.tenant), facts, rest, now))
    return facts


def _approval(policy: Policy, facts: ReleaseFacts, rest: str, now: datetime) -> Change:
    login, _, environment = rest.partition(":")
    where = environment or facts.environment
    if where not in policy.environments:
        known = ", ".join(policy.environments)
        raise Invalid("UnknownEnvironment", f"there is no environment {where!r} in the policy: {known}")
    actor = facts.actor(login) or Actor(login=login)
    role = next(iter(seats(policy, actor, where, policy_file=facts.touches_policy, facts=facts)), "")
    given = Approval(
        id=f"supposed-{login}-{where}", environment=where, revision=facts.revision, approver=login,
        role=role, method="supposed", comment="supposed", approved_at=now,
    )  # fmt: skip
    return {"approvals": (*facts.approvals, given)}


def _review(_policy: Policy, facts: ReleaseFacts, login: str, now: datetime) -> Change:
    given = Approval(
        id=f"supposed-{login}", environment="", revision=facts.revision, approver=login, role="",
        method=REVIEW, comment="supposed", approved_at=now,
    )  # fmt: skip
    return {"approvals": (*facts.approvals, given)}


def _pushed(_policy: Policy, facts: ReleaseFacts, _rest: str, _now: datetime) -> Change:
    return {"revision": PUSHED, "head_revision": PUSHED, "phase": "change"} if facts.revision else {}


def _merged(_policy: Policy, _facts: ReleaseFacts, _rest: str, _now: datetime) -> Change:
    return {"phase": "deployment"}


def _tests(_policy: Policy, facts: ReleaseFacts, rest: str, _now: datetime) -> Change:
    if rest not in {"passed", "failed", "running"}:
        raise Invalid("UnknownSupposition", f"tests are passed, failed or running, not {rest!r}")
    return {"tests": facts.tests | {facts.revision: rest}}


def _label(_policy: Policy, facts: ReleaseFacts, rest: str, _now: datetime) -> Change:
    return {"labels": (*facts.labels, rest)}


def _override(_policy: Policy, facts: ReleaseFacts, window: str, now: datetime) -> Change:
    lifted = Override(
        environment=facts.environment, window=window, by="supposed", role="", reason="supposed", at=now,
        revision=facts.revision,
    )  # fmt: skip
    return {"overrides": (*facts.overrides, lifted)}


def _start(_policy: Policy, facts: ReleaseFacts, _rest: str, now: datetime) -> Change:
    said = Start(environment=facts.environment, revision=facts.revision, by="supposed", at=now)
    return {"starts": (*facts.starts, said)}


SUPPOSED: dict[str, Callable[[Policy, ReleaseFacts, str, datetime], Change]] = {
    "approval": _approval,
    "review": _review,
    "pushed": _pushed,
    "merged": _merged,
    "tests": _tests,
    "label": _label,
    "override": _override,
    "start": _start,
}
NAMING = frozenset({"approval", "review", "tests", "label", "override"})
