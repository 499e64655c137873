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
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, model_validator

from bot.domain.payloads import Actor
from bot.domain.release import Approval
from policies import code_owners, roles
from policies.ballot import Ballot
from policies.facts import ReleaseFacts
from policies.schema import CLOSED, ONE_OR_MORE, Count, Word, Words, wrong
from policies.verdict import Verdict, blocking, everyone, fold_all, fold_any

if TYPE_CHECKING:
    from policies.model import Policy

SHORT = 7
NOBODY = roles.Role()


class Rule(BaseModel):
    """`all` or `any` of other rules, or so many people of a role, a team, a list, or a forge permission, or
    the owners of every file that is touched.
    """

    model_config = CLOSED

    all_: tuple[Rule, ...] | None = None
    any_: tuple[Rule, ...] | None = None
    role: Word | None = None
    team: Word | None = None
    users: Annotated[Words | None, ONE_OR_MORE] = None
    user: Word | None = None
    permission: Literal["read", "write", "maintain", "admin"] | None = None
    code_owners: Literal[True] | None = None
    """Of each touched file that CODEOWNERS names somebody for, one of them."""
    count: Count | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = [self.all_, self.any_, self.role, self.team, self.users, self.user, self.permission]
        if sum(value is not None for value in (*given, self.code_owners)) != 1:
            raise wrong("a rule has one of: all, any, role, team, user, users, permission, code-owners")
        if self.count is not None and (self.branches is not None or self.code_owners):
            raise wrong("`count` belongs to a role, a team, users or a permission, to nothing else")
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
        if self.code_owners:
            return "the code owners"
        if self.permission:
            return f"somebody with {self.permission} permission"
        return self.role or (f"team {self.team}" if self.team else " or ".join(self.logins))


def holds(policy: Policy, rule: Rule, login: str, actor: Actor | None, environment: str) -> bool | None:
    """Whether somebody fits a leaf. None: only the forge could tell, and has not."""
    if rule.code_owners:
        return False  # of files, which only `owner_rules` knows
    if rule.logins:
        return roles.listed(login, rule.logins)
    if rule.role:
        role = policy.roles.get(rule.role, NOBODY)
        return roles.reaches(role, environment) and roles.member(policy, role, login, actor)
    if rule.team:
        return roles.in_teams(policy, (rule.team,), login, actor)
    if actor is None:
        return None
    return roles.LEVELS.index(actor.permission) >= roles.LEVELS.index(rule.permission or "admin")


def decide(rule: Rule, ballot: Ballot) -> Verdict:
    """The verdict tree of a rule."""
    if rule.code_owners:
        return _every_owner(ballot)
    if rule.branches is None:
        return _leaf(rule, ballot)
    children = tuple(decide(branch, ballot) for branch in rule.branches)
    state = fold_any(children) if rule.any_ is not None else fold_all(children)
    name = "any" if rule.any_ is not None else "all"
    if state == "approved":
        given = ", ".join(child.have for child in children if child.approved)
        return Verdict(name, state, "ApprovalsGiven", f"Approved by {given}.", have=given, children=children)
    if state == "skipped":
        return Verdict(name, state, "NothingAsked", children[0].message, children=children)
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


def fulfilled(rule: Rule, ballot: Ballot) -> bool:
    """Whether `decide` would approve, without saying why: for those who ask about many moments."""
    if rule.code_owners:
        return _every_owner(ballot).approved
    if rule.branches is None:
        return len({approval.approver.casefold() for approval in _counted(rule, ballot)}) >= rule.needed
    if any(leaf.code_owners for leaf in leaves(rule)):
        return decide(rule, ballot).approved  # nothing owned is skipped, which only the fold can weigh
    return (any if rule.any_ is not None else all)(fulfilled(branch, ballot) for branch in rule.branches)


def _every_owner(ballot: Ballot) -> Verdict:
    """One owner of each touched file, whoever else approved."""
    rules, answer = owner_rules(ballot.facts)
    judged = [(paths, decide(rule, ballot)) for rule, paths in rules]
    return answer or code_owners.together(judged)


def owner_rules(facts: ReleaseFacts) -> tuple[list[tuple[Rule, list[str]]], Verdict | None]:
    """A rule for each set of owners, and their files; or the verdict, when there is nothing to ask."""
    owned = code_owners.look_up(facts)
    return (
        ([], owned) if isinstance(owned, Verdict) else ([(_owners(who), what) for who, what in owned], None)
    )


@lru_cache(maxsize=1_024)
def _owners(owners: code_owners.Owners) -> Rule:
    """Any one of them; an address can not approve."""
    either = [Rule(team=name) if "/" in name else Rule(user=name) for name in owners.people]
    return Rule(any_=tuple(either or [Rule(user=code_owners.NOBODY)]))


def _leaf(rule: Rule, ballot: Ballot) -> Verdict:
    counted = {approval.approver.casefold(): approval.approver for approval in _counted(rule, ballot)}
    have, need = (
        ", ".join(sorted(counted.values())),
        f"{rule.needed} of {rule.label}" if rule.needed > 1 else rule.label,
    )
    if len(counted) >= rule.needed:
        return Verdict(rule.label, "approved", "ApprovalsGiven", f"Approved by {have}.", have=have, need=need)
    lost = [a.approver for a in ballot.votes if a.role == rule.seat and _fits(rule, a, ballot) is False]
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
    for approval in ballot.votes:
        fits = _fits(rule, approval, ballot)
        # Membership was checked when the approval was given. It stands until the forge says that it ended.
        if fits or (fits is None and approval.role == rule.seat):
            yield approval


def electorate(rule: Rule, policy: Policy) -> dict[str, str] | None:
    """Everybody who could ever fulfil a leaf, by folded login; None: a team or permission leaves it open."""
    if rule.logins:
        return {login.casefold(): login for login in rule.logins}
    if rule.team:
        return roles.everybody(policy, roles.Role(teams=(rule.team,)))
    return roles.everybody(policy, policy.roles.get(rule.role, NOBODY)) if rule.role else None


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
        here = ballot.here(approval) and approval.ended != "revoked"
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
        elif not approval.ended and ballot.expired(approval):
            said.append(f" The approval by {approval.approver} has expired.")
        elif approval.approver.casefold() in ballot.barred:
            said.append(
                f" {approval.approver} {ballot.barred[approval.approver.casefold()]}, so it does not count."
            )
    return "".join(dict.fromkeys(said))


def leaves(rule: Rule, facts: ReleaseFacts | None = None) -> Iterator[Rule]:
    """The leaves of a rule, in order; with facts, code owners as the people they are."""
    branches = rule.branches
    if rule.code_owners and facts is not None:
        branches = tuple(owners for owners, _ in owner_rules(facts)[0])
    if branches is None:
        yield rule
    for branch in branches or ():
        yield from leaves(branch, facts)


def voters(rule: Rule, ballot: Ballot) -> list[str]:
    """Everybody whose approval counts for some leaf."""
    return [a.approver for leaf in leaves(rule, ballot.facts) for a in _counted(leaf, ballot)]
