"""The algebra of approvals: properties over random rules, people and approvals, against an independent truth.

Each claim is turned red by a planted bug, or it would claim nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bot.domain.payloads import Actor
from bot.domain.release import Approval
from policies import Policy, ReleaseFacts, approvals, ballot, load, verdict
from policies.approvals import Rule, decide
from policies.ballot import Ballot, barred
from policies.verdict import Verdict, fold_all, fold_any
from tests.policies.builders import HEAD, MERGED, OLD, approval, facts

PEOPLE = ("ann", "bea", "cem", "dov")
"""ann owns, bea owns and manages, cem is in the team, dov writes it."""
POLICY = """\
version: 1
roles:
  Owner: {users: [ann, bea]}
  Manager: {teams: [acme/managers]}
environments: {production: {}}
"""
ACTORS = {
    "ann": Actor(login="ann", permission="write"),
    "bea": Actor(login="bea", permission="maintain", teams=("acme/managers",)),
    "cem": Actor(login="cem", permission="read", teams=("acme/sre",)),
    "dov": Actor(login="dov", permission="admin", teams=("acme/managers", "acme/sre")),
    "eve": Actor(login="eve", permission="none"),
}
FITS = {
    "role Owner": {"ann", "bea"},
    "role Manager": {"bea", "dov"},
    "team acme/sre": {"cem", "dov"},
    "user cem": {"cem"},
    "permission write": {"ann", "bea", "dov"},
}
Tree = Any
"""("leaf", "role Owner", count) or ("all" | "any", [trees])."""

quick = settings(max_examples=300, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
leaf_trees = st.tuples(st.just("leaf"), st.sampled_from(sorted(FITS)), st.integers(1, 3))
trees = st.recursive(
    leaf_trees,
    lambda inner: st.tuples(st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=5,
)
votes = st.builds(
    approval,
    st.sampled_from([*PEOPLE, "DOV", "eve"]),
    st.sampled_from(["Owner", "Manager", "user"]),
    revision=st.sampled_from([HEAD, HEAD, HEAD, OLD, MERGED]),
    environment=st.sampled_from(["production", "production", "production", "staging"]),
    ended=st.sampled_from(["", "", "", "revoked", "invalidated"]),
)
ballots = st.lists(votes, max_size=6).map(tuple)
valid_votes = st.builds(approval, st.sampled_from(["ann", "bea", "cem"]), st.just("Owner"))


def rule_of(tree: Tree) -> Rule:
    return Rule.model_validate(_yaml(tree))


def _yaml(tree: Tree) -> dict[str, Any]:
    if tree[0] == "leaf":
        kind, name = tree[1].split(" ")
        return {kind: name, "count": tree[2]}
    return {tree[0]: [_yaml(inner) for inner in tree[1]]}


def policy() -> Policy:
    return load(POLICY)


def judge(tree: Tree, given_votes: tuple[Approval, ...], **said: Any) -> Verdict:
    known = facts(approvals=given_votes, actors=ACTORS, author="dov", committers=(), last_pusher=None, **said)
    return decide(rule_of(tree), Ballot(policy(), known, barred(known, ballot.SECOND_PARTY)))


def truth(tree: Tree, voters: set[str]) -> bool:
    """The meaning of a rule in three lines, independent of the code under test."""
    if tree[0] == "leaf":
        return len(FITS[tree[1]] & voters) >= tree[2]
    return (all if tree[0] == "all" else any)(truth(inner, voters) for inner in tree[1])


def voters_of(cast: tuple[Approval, ...]) -> set[str]:
    """Who has a say: this environment, this revision, not ended, and not dov, who wrote it."""
    return {
        vote.approver.casefold()
        for vote in cast
        if vote.environment == "production" and vote.revision == HEAD and not vote.ended
    } - {"dov"}


@quick
@given(trees, ballots)
def a_rule_is_approved_exactly_when_it_is_true(tree: Tree, cast: tuple[Approval, ...]) -> None:
    assert judge(tree, cast).approved == truth(tree, voters_of(cast))


@quick
@given(trees, ballots, valid_votes)
def another_approval_never_takes_one_away(tree: Tree, cast: tuple[Approval, ...], more: Approval) -> None:
    assert not judge(tree, cast).approved or judge(tree, (*cast, more)).approved


@quick
@given(trees, ballots, st.randoms(use_true_random=False))
def the_order_of_approvals_says_nothing(tree: Tree, cast: tuple[Approval, ...], shuffler: Any) -> None:
    other = list(cast)
    shuffler.shuffle(other)
    assert judge(tree, cast).state == judge(tree, tuple(other)).state


@quick
@given(trees, ballots, st.sampled_from(["dov", "Dov", "DOV"]))
def the_authors_own_approval_never_counts(tree: Tree, cast: tuple[Approval, ...], author: str) -> None:
    assert judge(tree, (*cast, approval(author, "Manager"))).state == judge(tree, cast).state


@quick
@given(
    trees,
    ballots,
    st.lists(st.builds(approval, st.sampled_from(PEOPLE), revision=st.sampled_from([OLD, MERGED]))),
)
def approvals_of_other_revisions_never_count(
    tree: Tree, cast: tuple[Approval, ...], others: list[Approval]
) -> None:
    assert judge(tree, (*cast, *others)).state == judge(tree, cast).state


@quick
@given(trees, ballots)
def an_equal_tree_carries_every_approval(tree: Tree, cast: tuple[Approval, ...]) -> None:
    before = judge(tree, cast)
    after = judge(tree, cast, revision=MERGED, carried={MERGED: HEAD})
    on_the_merge = {vote.approver for vote in cast if vote.revision == MERGED}
    assert after.approved if before.approved else after.approved <= bool(on_the_merge)


def node(state: Any) -> Verdict:
    return Verdict("x", state, "X", "x")


states = st.lists(st.sampled_from(["approved", "delayed", "rejected", "skipped"]), max_size=5)


@quick
@given(states, st.integers(0, 3))
def skipping_never_approves(found: list[str], more: int) -> None:
    children, skipped = [node(state) for state in found], [node("skipped")] * more
    for fold in (fold_all, fold_any):
        assert verdict_of(fold, children + skipped) == verdict_of(fold, children)
        assert verdict_of(fold, skipped) == "skipped"


def verdict_of(fold: Callable[[list[Verdict]], str], children: list[Verdict]) -> str:
    """Through the module, so that a planted fold is seen."""
    chosen: Callable[[list[Verdict]], str] = getattr(verdict, fold.__name__)
    return chosen(children)


@quick
@given(trees, ballots)
def the_quick_answer_is_the_verdicts(tree: Tree, cast: tuple[Approval, ...]) -> None:
    known = facts(approvals=cast, actors=ACTORS, author="dov", committers=(), last_pusher=None)
    box = Ballot(policy(), known, barred(known, ballot.SECOND_PARTY))
    assert approvals.fulfilled(rule_of(tree), box) == judge(tree, cast).approved


CLAIMS = [
    the_quick_answer_is_the_verdicts,
    a_rule_is_approved_exactly_when_it_is_true,
    another_approval_never_takes_one_away,
    the_order_of_approvals_says_nothing,
    the_authors_own_approval_never_counts,
    approvals_of_other_revisions_never_count,
    an_equal_tree_carries_every_approval,
    skipping_never_approves,
]


@pytest.mark.parametrize("claim", CLAIMS)
def test_it_holds(claim: Callable[[], None]) -> None:
    claim()


def _newest_vote_only(self: Ballot) -> Iterator[Approval]:
    """As if one approval replaced another."""
    yield from list(_people(self))[-1:]


def _case_matters(self: Ballot) -> Iterator[Approval]:
    yield from (a for a in _standing(self) if a.approver not in self.barred)


def _any_revision(self: Ballot) -> Iterator[Approval]:
    yield from (a for a in self.facts.approvals if not a.ended and a.approver.casefold() not in self.barred)


def _only_this_revision(self: Ballot) -> Iterator[Approval]:
    yield from (a for a in _people(self) if a.revision == self.facts.revision)


def _standing(self: Ballot) -> Iterator[Approval]:
    known: ReleaseFacts = self.facts
    yield from (
        a for a in known.approvals
        if not a.ended and a.environment == known.environment and a.revision in known.same_tree
    )  # fmt: skip


_people = Ballot.people

PLANTED = [
    (a_rule_is_approved_exactly_when_it_is_true, _any_revision),
    (a_rule_is_approved_exactly_when_it_is_true, _newest_vote_only),
    (another_approval_never_takes_one_away, _newest_vote_only),
    (the_order_of_approvals_says_nothing, _newest_vote_only),
    (the_authors_own_approval_never_counts, _case_matters),
    (the_authors_own_approval_never_counts, _standing),
    (approvals_of_other_revisions_never_count, _any_revision),
    (an_equal_tree_carries_every_approval, _only_this_revision),
]


@pytest.mark.parametrize(("claim", "bug"), PLANTED)
def test_a_planted_bug_turns_it_red(
    monkeypatch: pytest.MonkeyPatch, claim: Callable[[], None], bug: Callable[[Ballot], Iterator[Approval]]
) -> None:
    monkeypatch.setattr(Ballot, "people", bug)
    with pytest.raises(AssertionError):
        claim()


def test_a_fold_that_lets_skipped_pass_turns_it_red(monkeypatch: pytest.MonkeyPatch) -> None:
    def lenient(children: list[Verdict]) -> str:
        return "approved" if all(child.state in {"approved", "skipped"} for child in children) else "delayed"

    monkeypatch.setattr(verdict, "fold_all", lenient)
    with pytest.raises(AssertionError):
        skipping_never_approves()


def _shapes() -> Iterator[Tree]:
    leaves = [("leaf", name, count) for name in sorted(FITS) for count in (1, 2)]
    yield from leaves
    for word in ("all", "any"):
        yield from ((word, list(pair)) for pair in combinations(leaves, 2))
        yield from (
            (word, [leaves[0], ("any" if word == "all" else "all", list(pair))])
            for pair in combinations(leaves, 2)
        )


def test_the_truth_table_is_complete() -> None:
    """Every rule of up to three leaves, every set of four people who approved."""
    cast = {
        chosen: tuple(approval(person) for person in chosen)
        for size in range(len(PEOPLE) + 1)
        for chosen in combinations(PEOPLE, size)
    }
    wrong = [
        (tree, chosen)
        for tree in _shapes()
        for chosen, given_votes in cast.items()
        if judge(tree, given_votes).approved != truth(tree, set(chosen) - {"dov"})
    ]
    assert wrong == []
