"""Whether somebody may approve or lift a freeze, and as what.

What a person is told when they may not is said here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bot.domain.errors import Refused
from bot.domain.payloads import Actor
from bot.domain.release import Override
from policies import freezes, roles
from policies.approvals import SHORT, holds, leaves
from policies.authorise import Asker, Needs, may
from policies.ballot import barred
from policies.facts import ReleaseFacts
from policies.spans import CalendarError

if TYPE_CHECKING:
    from policies.model import Policy


def seats(
    policy: Policy,
    actor: Actor,
    environment: str,
    *,
    policy_file: bool = False,
    facts: ReleaseFacts | None = None,
) -> list[str]:
    """In which capacities somebody's approval would count in an environment, in the policy's order.

    Without facts nobody is a code owner.
    """
    found = [
        leaf.seat
        for gate in policy.approval_gates(
            environment, policy_file=policy_file, compliance=bool(facts and facts.compliance_mode)
        )
        for leaf in leaves(gate, facts)
        if holds(policy, leaf, actor.login, actor, environment)
    ]
    return list(dict.fromkeys(found))


def environment_of(policy: Policy, named: str | None) -> str:
    """The environment meant: the one named, or the only one. Raises Refused."""
    known = tuple(policy.environments)
    if not named:
        if len(known) == 1:
            return known[0]
        raise Refused("EnvironmentRequired", f"Say which environment: {', '.join(known)}.")
    if named not in policy.environments:
        raise Refused(
            "UnknownEnvironment", f"There is no environment {named!r} in the policy: {', '.join(known)}."
        )
    return named


def approve(
    policy: Policy,
    facts: ReleaseFacts,
    actor: Actor,
    environment: str | None,
    revision: str,
    reason: str = "",
) -> str:
    """The role in which somebody may approve `revision` for an environment.

    Raises Refused, and then nothing is approved.
    """
    policy = policy.of(facts.tenant)
    environment = environment_of(policy, environment)
    edits = facts.touches_policy
    able = [] if actor.bot else seats(policy, actor, environment, policy_file=edits, facts=facts)
    gates = policy.approval_gates(environment, policy_file=edits, compliance=facts.compliance_mode)
    approving = Needs(permission=roles.Permission.APPROVE_RELEASE)
    if not gates and may(Asker(actor), approving, policy, environment):
        able = [
            r
            for r in roles.roles_of(policy, actor, environment)
            if roles.Permission.APPROVE_RELEASE in roles.grants(policy, r)
        ]
    if not able:
        raise Refused("UnauthorizedApprover", _unauthorised(policy, actor, environment))
    if revision != facts.head:
        seen, head = revision[:SHORT], facts.head[:SHORT]
        raise Refused(
            "HeadMoved",
            f"You looked at {seen}, but the head is {head} by now. Look again, then approve again.",
        )
    if gates and not any("commands" in gate.accept for gate in gates):
        raise Refused(
            "ReviewWanted", f"{environment} is approved by a review of the change: review it there."
        )
    reasons = [barred(facts, gate.excluded).get(actor.login.casefold()) for gate in gates]
    if reasons and all(reasons):
        raise Refused("AuthorCannotApprove", f"{actor.login} {reasons[0]}: somebody else must approve it.")
    if any(gate.justification for gate in gates) and not reason.strip():
        raise Refused("JustificationRequired", f"Say why: `/approve-release {environment} <reason>`.")
    return able[0]


def lift(
    policy: Policy, facts: ReleaseFacts, actor: Actor, environment: str | None, reason: str, now: datetime
) -> tuple[Override, ...]:  # fmt: skip
    """One override for each window that closes an environment now, bound to the head revision.

    Raises Refused.
    """
    policy = policy.of(facts.tenant)
    environment = environment_of(policy, environment)
    facts = facts.model_copy(update={"environment": environment})
    need = roles.Permission.OVERRIDE_FREEZE
    if not may(Asker(actor), Needs(permission=need), policy, environment):
        able = " or ".join(roles.holders(policy, need, environment)) or "nobody"
        raise Refused(
            "UnauthorizedApprover", f"{actor.login} may not override a freeze of {environment}; {able} may."
        )
    if not reason.strip():
        raise Refused("JustificationRequired", f"Say why: `/override-freeze {environment} <reason>`.")
    try:
        closing = freezes.status(policy.freezes, facts, now, roles.held_by(policy, facts)).windows
    except CalendarError as error:
        raise Refused("CalendarUnusable", f"There is no window to name: {error}.") from None
    if not closing:
        raise Refused("NoActiveFreeze", f"No freeze closes {environment} now.")
    held = [name for name in roles.roles_of(policy, actor, environment) if need in roles.grants(policy, name)]
    return tuple(
        Override(
            environment=environment, window=name, by=actor.login, role=held[0], reason=reason, at=now,
            revision=facts.head,
            until=freezes.window_end(policy.freezes, name, facts, now),
        )
        for name in closing
    )  # fmt: skip


def _unauthorised(policy: Policy, actor: Actor, environment: str) -> str:
    held = roles.roles_of(policy, actor, environment)
    being = "a bot" if actor.bot else " and ".join(held) or "without a role"
    wanted = [leaf.label for gate in policy.approval_gates(environment) for leaf in leaves(gate)]
    wanted = (
        wanted or list(roles.holders(policy, roles.Permission.APPROVE_RELEASE, environment)) or ["nobody"]
    )
    return (
        f"{actor.login} is {being} here; {environment} is approved by {' or '.join(dict.fromkeys(wanted))}."
    )
