"""Approvals: rules over people, bound to one revision, and never one's own second party.

    approvals:
      all:
        - {role: ProductOwner}
        - any: [{role: ReleaseManager}, {team: acme/sre, count: 2}]
      exclude: [author, committers]

A pending rule is `delayed`; one that nobody can fulfil, or that was fulfilled by somebody who lost the
right, is `rejected`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, model_validator

from bot.domain.payloads import Actor
from bot.domain.release import Approval
from policies import roles
from policies.facts import ReleaseFacts
from policies.schema import CLOSED, Count, Word, Words, as_tuple, wrong
from policies.verdict import Verdict, blocking, everyone, fold_all, fold_any

if TYPE_CHECKING:
    from policies.model import Policy

Exclusion = Literal["author", "committers", "last-pusher", "co-authors", "bots"]
SECOND_PARTY: tuple[Exclusion, ...] = ("author", "committers", "last-pusher")
"""Who does not count when the policy says nothing: nobody is his own second party."""
SHORT = 7
NOBODY = roles.Role()


class Rule(BaseModel):
    """`all` or `any` of other rules, or so many people of a role, a team, a list, or a forge permission."""

    model_config = CLOSED

    all_: tuple[Rule, ...] | None = None
    any_: tuple[Rule, ...] | None = None
    role: Word | None = None
    team: Word | None = None
    users: Annotated[Words | None, BeforeValidator(as_tuple)] = None
    user: Word | None = None
    permission: Literal["read", "write", "maintain", "admin"] | None = None
    count: Count | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = [self.all_, self.any_, self.role, self.team, self.users, self.user, self.permission]
        if sum(value is not None for value in given) != 1:
            raise wrong("a rule has one of: all, any, role, team, user, users, permission")
        if self.count is not None and self.branches is not None:
            raise wrong("`count` belongs to a role, a team, users or a permission, not to all or any")
        if self.branches == () or self.users == ():
            raise wrong("an empty list of approvers can never be fulfilled")
        return self

    @property
    def branches(self) -> tuple[Rule, ...] | None:
        return self.any_ if self.all_ is None else self.all_

    @property
    def needed(self) -> int:
        return self.count or 1

    @property
    def logins(self) -> Words:
        return self.users or ((self.user,) if self.user else ())

    @property
    def seat(self) -> str:
        """What is recorded with an approval given from here."""
        if self.role:
            return self.role
        return (
            f"team:{self.team}"
            if self.team
            else f"permission:{self.permission}"
            if self.permission
            else "user"
        )

    @property
    def label(self) -> str:
        """For people: `ProductOwner`, `team acme/sre`, `one of ann, bob`."""
        if self.permission:
            return f"somebody with {self.permission} permission"
        return self.role or (f"team {self.team}" if self.team else " or ".join(self.logins))


@dataclass(frozen=True)
class Ballot:
    """What a rule is decided on."""

    policy: Policy
    facts: ReleaseFacts
    barred: dict[str, str]
    """folded login -> why this person's approval does not count."""
    justified: bool = False
    """Only approvals with a reason count."""

    def people(self) -> Iterator[Approval]:
        """Approvals that stand, of this environment and revision (or an equal tree), by second parties."""
        for approval in self.facts.approvals:
            stands = not approval.ended and approval.environment == self.facts.environment
            stands = stands and (not self.justified or bool(approval.comment.strip()))
            if (
                stands
                and approval.revision in self.facts.same_tree
                and approval.approver.casefold() not in self.barred
            ):
                yield approval


def barred(facts: ReleaseFacts, exclude: Iterable[Exclusion]) -> dict[str, str]:
    """Folded login -> `is the author`. The strongest reason wins."""
    bots = [login for login, actor in facts.actors.items() if actor.bot]
    groups: dict[Exclusion, tuple[str, Iterable[str]]] = {
        "bots": ("is a bot", bots),
        "co-authors": ("is a co-author", facts.co_authors),
        "last-pusher": ("pushed last", [facts.last_pusher] if facts.last_pusher else []),
        "committers": ("committed to it", facts.committers),
        "author": ("is the author", [facts.author] if facts.author else []),
    }
    asked = set(exclude)
    return {who.casefold(): why for kind, (why, logins) in groups.items() if kind in asked for who in logins}


def holds(policy: Policy, rule: Rule, login: str, actor: Actor | None, environment: str) -> bool | None:
    """Whether somebody fits a leaf. None: only the forge could tell, and has not."""
    if rule.logins:
        return roles.listed(login, rule.logins)
    if rule.role:
        role = policy.roles.get(rule.role, NOBODY)
        return roles.reaches(role, environment) and roles.member(role, login, actor)
    if actor is None:
        return None
    if rule.team:
        return any(roles.same_person(rule.team, team) for team in actor.teams)
    return roles.LEVELS.index(actor.permission) >= roles.LEVELS.index(rule.permission or "admin")


def decide(rule: Rule, ballot: Ballot) -> Verdict:
    """The verdict tree of a rule."""
    if rule.branches is None:
        return _leaf(rule, ballot)
    children = tuple(decide(branch, ballot) for branch in rule.branches)
    state = fold_any(children) if rule.any_ is not None else fold_all(children)
    name = "any" if rule.any_ is not None else "all"
    if state == "approved":
        given = ", ".join(child.have for child in children if child.approved)
        return Verdict(name, state, "ApprovalsGiven", f"Approved by {given}.", have=given, children=children)
    first, *others = blocking(children)
    joint = " or " if name == "any" else " and "
    needs = [child.need for child in (first, *others) if name == "all" or child.state == state]
    need = joint.join(
        f"({text})" if len(needs) > 1 and (" or " in text or " and " in text) else text for text in needs
    )
    message = first.message if not others else f"Needs {need}."
    return Verdict(
        name, state, first.reason_code, message, need=need,
        have=", ".join(child.have for child in children if child.have),
        who_can=everyone((first, *others)), children=children,
    )  # fmt: skip


def _leaf(rule: Rule, ballot: Ballot) -> Verdict:
    counted = {approval.approver.casefold(): approval.approver for approval in _counted(rule, ballot)}
    have, need = (
        ", ".join(sorted(counted.values())),
        f"{rule.needed} of {rule.label}" if rule.needed > 1 else rule.label,
    )
    if len(counted) >= rule.needed:
        return Verdict(rule.label, "approved", "ApprovalsGiven", f"Approved by {have}.", have=have, need=need)
    lost = [a.approver for a in ballot.people() if a.role == rule.seat and _fits(rule, a, ballot) is False]
    if lost:
        message = f"{' and '.join(sorted(set(lost)))} approved as {rule.label}, but is not that any more."
        return Verdict(
            rule.label,
            "rejected",
            "UnauthorizedApprover",
            message,
            have,
            need,
            helpers(rule, ballot, counted),
        )
    known = electorate(rule, ballot.policy)
    if known is not None and len(known.keys() - ballot.barred.keys()) < rule.needed:
        return Verdict(
            rule.label, "rejected", "ApprovalImpossible", _impossible(rule, known, ballot), have, need
        )
    command = f"`/approve-release {ballot.facts.environment}`"
    message = f"Needs {_more(rule, len(counted))}: {command}.{_remarks(rule, ballot)}"
    return Verdict(
        rule.label, "delayed", "ApprovalMissing", message, have, need, helpers(rule, ballot, counted)
    )


def _fits(rule: Rule, approval: Approval, ballot: Ballot) -> bool | None:
    actor = ballot.facts.actor(approval.approver)
    if actor is not None and actor.bot and "user" not in rule.seat:
        return False
    return holds(ballot.policy, rule, approval.approver, actor, ballot.facts.environment)


def _counted(rule: Rule, ballot: Ballot) -> Iterator[Approval]:
    for approval in ballot.people():
        fits = _fits(rule, approval, ballot)
        # Membership was checked when the approval was given. It stands until the forge says that it ended.
        if fits or (fits is None and approval.role == rule.seat):
            yield approval


def electorate(rule: Rule, policy: Policy) -> dict[str, str] | None:
    """Everybody who could ever fulfil a leaf, by folded login; None: a team or permission leaves it open."""
    if rule.logins:
        return {login.casefold(): login for login in rule.logins}
    role = policy.roles.get(rule.role, NOBODY) if rule.role else None
    return None if role is None or role.teams else {login.casefold(): login for login in role.users}


def helpers(rule: Rule, ballot: Ballot, counted: Iterable[str]) -> tuple[str, ...]:
    """Who could still fulfil a leaf: logins, then teams. `counted` are folded logins that have."""
    role = ballot.policy.roles.get(rule.role, NOBODY) if rule.role else None
    able = roles.members([role]) if role else rule.logins or (rule.label,)
    done = {*ballot.barred, *counted}
    return tuple(who for who in able if who.casefold() not in done)


def _more(rule: Rule, given: int) -> str:
    missing = rule.needed - given
    if rule.needed == 1:
        return f"an approval by {rule.label}"
    return f"{missing} more {'approval' if missing == 1 else 'approvals'} by {rule.label}"


def _impossible(rule: Rule, known: dict[str, str], ballot: Ballot) -> str:
    why = ", ".join(
        f"{known[who]} {ballot.barred[who]}" for who in sorted(known.keys() & ballot.barred.keys())
    )
    left = len(known.keys() - ballot.barred.keys())
    many = "Nobody" if not left else f"Only {left} of {rule.needed}"
    why = why or "too few people are named"
    return f"{many} can approve as {rule.label}: {why}. Name somebody else in the policy."


def _remarks(rule: Rule, ballot: Ballot) -> str:
    """Approvals that people may think count: of another revision, or of somebody who is no second party."""
    said = []
    for approval in ballot.facts.approvals:
        here = approval.environment == ballot.facts.environment and approval.ended != "revoked"
        if not here or not holds(
            ballot.policy,
            rule,
            approval.approver,
            ballot.facts.actor(approval.approver),
            approval.environment,
        ):
            continue
        if approval.revision not in ballot.facts.same_tree:
            said.append(
                f" {approval.approver} approved {approval.revision[:SHORT]}, which is not this revision."
            )
        elif approval.approver.casefold() in ballot.barred:
            said.append(
                f" {approval.approver} {ballot.barred[approval.approver.casefold()]}, so it does not count."
            )
    return "".join(dict.fromkeys(said))


def leaves(rule: Rule) -> Iterator[Rule]:
    """The leaves of a rule, in order."""
    if rule.branches is None:
        yield rule
    for branch in rule.branches or ():
        yield from leaves(branch)


def voters(rule: Rule, ballot: Ballot) -> list[str]:
    """Everybody whose approval counts for some leaf."""
    return [approval.approver for leaf in leaves(rule) for approval in _counted(leaf, ballot)]
