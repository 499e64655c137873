"""Approvals, exhaustively: four people, each silent, by command or by review, against rules of up to three leaves.

The oracle beside it counts sets of people; it knows no verdicts, no ballots, no folds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import Any

import pytest

import policies
from bot.domain.payloads import Actor
from bot.domain.release import Approval
from policies import approvals, ballot, load
from policies.approvals import Rule, decide
from policies.ballot import Ballot, barred
from policies.verdict import Verdict
from tests.policies.builders import HEAD, MERGED, OLD, approval, facts

PEOPLE = ("ann", "bea", "cem", "dov")
POLICY = load("""\
version: 1
roles:
  Owner: {users: [ann], teams: [acme/managers]}
teams:
  acme/managers: {users: [bea], teams: [acme/leads]}
environments: {production: {}}
""")
ACTORS = {
    "ann": Actor(login="ann", permission="write"),
    "bea": Actor(login="bea", permission="maintain"),
    "cem": Actor(login="cem", permission="read", teams=("acme/leads",)),
    "dov": Actor(login="dov", permission="admin", teams=("acme/sre",)),
}
OWNERS = "* @acme/sre\ndocs/ @cem\n"
LEAVES: dict[str, tuple[dict[str, Any], set[str], int]] = {
    "owner": ({"role": "Owner"}, {"ann", "bea", "cem"}, 1),
    "two owners": ({"role": "Owner", "count": 2}, {"ann", "bea", "cem"}, 2),
    "sre": ({"team": "acme/sre"}, {"dov"}, 1),
    "two writers": ({"permission": "write", "count": 2}, {"ann", "bea", "dov"}, 2),
    "ann or dov": ({"users": ["ann", "dov"]}, {"ann", "dov"}, 1),
    "code owners": ({"code-owners": True}, set(), 1),
}
Tree = Any
"""A name of LEAVES, or ("all" | "any", [trees])."""
WAYS = ("", "commands", "reviews")


def shapes() -> Iterator[Tree]:
    yield from LEAVES
    for word, other in (("all", "any"), ("any", "all")):
        for pair in combinations(LEAVES, 2):
            yield word, list(pair)
        for one, two, three in combinations(LEAVES, 3):
            yield word, [one, two, three]
            yield word, [one, (other, [two, three])]


def yaml_of(tree: Tree) -> dict[str, Any]:
    return LEAVES[tree][0] if isinstance(tree, str) else {tree[0]: [yaml_of(inner) for inner in tree[1]]}


def truth(tree: Tree, said: set[str]) -> bool:
    if tree == "code owners":
        return "dov" in said and "cem" in said  # src/a.py is acme/sre's, docs/a.md is cem's
    if isinstance(tree, str):
        _, able, needed = LEAVES[tree]
        return len(able & said) >= needed
    return {"all": all, "any": any}[tree[0]](truth(inner, said) for inner in tree[1])


def vote(person: str, way: str, **said: Any) -> Approval:
    given = {"method": "review", "environment": "", "role": ""} if way == "reviews" else {}
    return approval(person, **(given | said))


def judge(
    tree: Tree, votes: tuple[Approval, ...], accept: tuple[str, ...], author: str = "", **said: Any
) -> Verdict:
    known = facts(
        approvals=votes, actors=ACTORS, author=author, committers=(), last_pusher=None,
        paths=("src/a.py", "docs/a.md"), code_owners=OWNERS, **said,
    )  # fmt: skip
    excluded = barred(known, ballot.SECOND_PARTY)
    return decide(Rule.model_validate(yaml_of(tree)), Ballot(POLICY, known, excluded, accept=accept))  # type: ignore[arg-type]


def wrong_ones(author: str, accepts: tuple[tuple[str, ...], ...]) -> list[object]:
    found: list[object] = []
    trees = list(shapes())
    for ways, accept in product(product(WAYS, repeat=len(PEOPLE)), accepts):
        votes = tuple(vote(person, way) for person, way in zip(PEOPLE, ways, strict=True) if way)
        said = {p for p, way in zip(PEOPLE, ways, strict=True) if way in accept and p != author}
        found += [
            (tree, ways, accept)
            for tree in trees
            if judge(tree, votes, accept, author).approved != truth(tree, said)
        ]
    return found


ACCEPTS = (("commands",), ("reviews",), ("commands", "reviews"))


def test_every_rule_of_three_leaves_over_four_people() -> None:
    assert wrong_ones("", ACCEPTS) == []


@pytest.mark.parametrize("author", PEOPLE)
def test_and_the_author_never_counts(author: str) -> None:
    assert wrong_ones(author, (("commands", "reviews"),)) == []


def _reviews_always(self: Ballot, given: Approval) -> bool:
    return given.method == "review" or given.environment == self.facts.environment


def _nobody_is_barred(*_: object) -> dict[str, str]:
    return {}


def _flat(policy: Any, teams: Any, login: str, actor: Actor | None) -> bool:
    return actor is not None and bool({*actor.teams} & {*teams})


@pytest.mark.parametrize(
    ("where", "name", "bug"),
    [
        (Ballot, "here", _reviews_always),
        (approvals.roles, "in_teams", _flat),
        (
            approvals,
            "fold_all",
            lambda children: "approved" if any(c.approved for c in children) else "delayed",
        ),
        (
            approvals,
            "fold_any",
            lambda children: "approved" if all(c.approved for c in children) else "delayed",
        ),
    ],
)
def test_a_planted_bug_is_in_the_table(
    monkeypatch: pytest.MonkeyPatch, where: object, name: str, bug: Callable[..., Any]
) -> None:
    monkeypatch.setattr(where, name, bug)
    assert wrong_ones("", (("commands",),)) != []


def test_an_author_that_counts_is_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "barred", _nobody_is_barred)
    assert wrong_ones("ann", (("commands", "reviews"),)) != []


@pytest.mark.parametrize("way", ["commands", "reviews"])
@pytest.mark.parametrize("revision", [OLD, MERGED])
@pytest.mark.parametrize("tree", ["owner", "sre", "ann or dov", "code owners"])
def test_no_approval_counts_for_another_revision(way: str, revision: str, tree: str) -> None:
    votes = tuple(vote(person, way, revision=revision) for person in PEOPLE)
    assert not judge(tree, votes, ("commands", "reviews")).approved
    assert judge(tree, votes, ("commands", "reviews"), carried={HEAD: revision}).approved


def test_three_ways_not_to_be_approved() -> None:
    """Pending, impossible and failed are told apart."""
    policy = load(
        "version: 1\nroles: {Owner: {users: [ann, bob]}}\nenvironments:\n  production:\n"
        "    gates: [{approvals: {role: Owner, count: 2}}]\n"
    )
    two = policies.evaluate(
        policy, facts(author="eve", committers=(), last_pusher=None), approval("x").approved_at
    )
    one = policies.evaluate(policy, facts(), approval("x").approved_at)
    gone = approval("zoe", "Owner")
    lost = policies.evaluate(
        policy, facts(author="eve", committers=(), last_pusher=None, approvals=(gone,)), gone.approved_at
    )
    codes = [next(c for c in v.children if c.name == "approvals") for v in (two, one, lost)]
    assert [(c.state, c.reason_code) for c in codes] == [
        ("delayed", "ApprovalMissing"), ("rejected", "ApprovalImpossible"), ("rejected", "UnauthorizedApprover"),
    ]  # fmt: skip
