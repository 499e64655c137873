"""Where approvals come from and how long they last: reviews, code owners, nested teams, expiry."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import policies
from bot.domain.errors import Refused
from bot.domain.payloads import Actor
from policies import PolicyErrors, ReleaseFacts, Verdict, load
from policies.ballot import Ballot
from policies.code_owners import owners_of
from tests.policies.builders import NOON, approval, facts, of_gates, people

quick = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def gate_of(rule: str, roles: str = "", more: str = "", **said: Any) -> Verdict:
    policy = of_gates(f"approvals: {rule}", roles=roles, more=more)
    verdict = policies.evaluate(policy, facts(**said), said.pop("now", NOON))
    return next(child for child in verdict.children if child.name == "approvals")


def review(who: str, **said: Any) -> Any:
    return approval(who, "", method="review", environment="", **said)


# -- expiry


EXPIRES = "{user: ann, expires: 7d}"


def at(moment: datetime, rule: str = EXPIRES) -> Verdict:
    policy = of_gates(f"approvals: {rule}")
    verdict = policies.evaluate(policy, facts(approvals=(approval("ann", "user"),)), moment)
    return next(child for child in verdict.children if child.name == "approvals")


def test_an_approval_expires_at_the_announced_moment() -> None:
    last = at(NOON + timedelta(days=7) - timedelta(microseconds=1))
    assert (last.state, last.next_change_at) == ("approved", NOON + timedelta(days=7))
    over = at(NOON + timedelta(days=7))
    assert (over.state, over.message) == (
        "delayed",
        "Needs an approval by ann: `/approve-release production`. The approval by ann has expired.",
    )


def test_without_expiry_it_stays() -> None:
    found = at(NOON + timedelta(days=4000), "{user: ann}")
    assert (found.state, found.next_change_at) == ("approved", None)


def an_announced_expiry_is_when_it_ends(ages: list[int], needed: int, ahead: int) -> None:
    names = ["ann", "bea", "cem", "dov"]
    votes = tuple(
        approval(name, "user", approved_at=NOON - timedelta(hours=age))
        for name, age in zip(names, ages, strict=False)
    )
    policy = of_gates(f"approvals: {{users: [{', '.join(names)}], count: {needed}, expires: 2d}}")

    def look(moment: datetime) -> Verdict:
        found = policies.evaluate(policy, facts(approvals=votes), moment)
        return next(child for child in found.children if child.name == "approvals")

    alive = sum(age < 48 for age in ages)
    now = look(NOON)
    assert now.approved == (alive >= needed)
    if now.approved:
        assert now.next_change_at is not None
        between = min(NOON + timedelta(minutes=ahead), now.next_change_at - timedelta(seconds=1))
        assert look(max(between, NOON)) == now, "nothing changes before the announced moment"


def some_expiries() -> None:
    for ages in ([0, 1], [60, 61], [10, 50]):
        an_announced_expiry_is_when_it_ends(ages, 1, 10)
        an_announced_expiry_is_when_it_ends(ages, 2, 10)


sizes = st.lists(st.integers(0, 72), min_size=1, max_size=4)


@quick
@given(sizes, st.integers(1, 4), st.integers(0, 3000))
def test_an_announced_expiry_is_when_it_ends(ages: list[int], needed: int, ahead: int) -> None:
    an_announced_expiry_is_when_it_ends(ages, needed, ahead)


@pytest.mark.parametrize("bug", [lambda self, a: False, lambda self, a: True])
def test_a_planted_bug_in_expiry_is_found(monkeypatch: pytest.MonkeyPatch, bug: Any) -> None:
    monkeypatch.setattr(Ballot, "expired", bug)
    with pytest.raises(AssertionError):
        some_expiries()


# -- reviews


def test_reviews_count_where_the_policy_says_so() -> None:
    assert not gate_of("{user: ann}", approvals=(review("ann"),)).approved
    assert gate_of("{user: ann, accept: [commands, reviews]}", approvals=(review("ann"),)).approved
    assert not gate_of("{user: ann, accept: reviews}", approvals=(approval("ann", "user"),)).approved


def test_a_reviewer_of_whom_the_forge_has_said_nothing_does_not_count() -> None:
    rule = "{team: acme/sre, accept: reviews}"
    assert not gate_of(rule, approvals=(review("ann"),)).approved
    assert gate_of(rule, approvals=(review("ann"),), actors=people(ann="acme/sre")).approved


def test_a_bots_review_never_counts() -> None:
    bot = {"ann": Actor(login="ann", permission="admin", bot=True)}
    assert not gate_of("{permission: read, accept: reviews}", approvals=(review("ann"),), actors=bot).approved


def test_a_dismissed_review_and_one_of_another_revision_do_not_count() -> None:
    rule = "{user: ann, accept: reviews}"
    assert not gate_of(rule, approvals=(review("ann", ended="revoked"),)).approved
    assert not gate_of(rule, approvals=(review("ann", revision="b" * 40),)).approved


def test_a_command_where_only_reviews_count_is_refused_with_the_way() -> None:
    policy = of_gates("approvals: {user: ann, accept: reviews}")
    with pytest.raises(Refused) as refused:
        policies.approve(policy, facts(), Actor(login="ann"), "production", facts().head)
    assert (refused.value.reason_code, refused.value.message) == (
        "ReviewWanted", "production is approved by a review of the change: review it there.",
    )  # fmt: skip


# -- nested teams


TEAMS = "teams: {all: {teams: [inner, forge-team]}, inner: {users: [ann], teams: all}}\n"


def test_a_member_of_an_inner_team_is_one_of_the_outer() -> None:
    rule = "{team: all}"
    votes = (approval("ann", "team:all"),)
    assert gate_of(rule, more=TEAMS, approvals=votes).approved
    assert gate_of(
        rule, more=TEAMS, approvals=(approval("zoe", "x"),), actors=people(zoe="FORGE-team")
    ).approved
    assert not gate_of(rule, more=TEAMS, approvals=(approval("zoe", "x"),), actors=people(zoe="all")).approved


def test_a_team_of_the_policy_may_be_the_forges_too() -> None:
    more = "teams: {sre: {users: [ann], of-forge: true}}\n"
    votes = (approval("zoe", "x"),)
    assert gate_of("{team: sre}", more=more, approvals=votes, actors=people(zoe="sre")).approved
    closed = "teams: {sre: {users: [ann]}}\n"
    assert not gate_of("{team: sre}", more=closed, approvals=votes, actors=people(zoe="sre")).approved


def test_too_small_a_team_of_the_policy_is_an_impossible_rule() -> None:
    with pytest.raises(PolicyErrors) as caught:
        of_gates("approvals: {team: sre, count: 2}", more="teams: {sre: {users: [ann]}}\n")
    assert str(caught.value) == (
        "policy.yaml:5:39: environments.production.gates[0].approvals.count: asks for 2 approvals by team sre, "
        "but names 1: ann"
    )


def closure(inner: dict[int, set[int]], start: int) -> set[int]:
    seen, more = set[int](), {start}
    while more:
        seen |= more
        more = {child for team in more for child in inner.get(team, set())} - seen
    return seen


@quick
@given(
    st.dictionaries(st.integers(0, 5), st.sets(st.integers(0, 5), max_size=3)),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_nesting_is_the_closure(inner: dict[int, set[int]], asked: int, of: int) -> None:
    written = "".join(
        f"  t{n}: {{teams: [{', '.join(f't{c}' for c in sorted(cs))}], of-forge: true}}\n"
        for n, cs in inner.items()
    )
    policy = load(
        f"version: 1\nenvironments: {{production: {{}}}}\n{f'teams:{chr(10)}{written}' if written else ''}"
    )
    actor = Actor(login="zoe", teams=(f"t{of}",))
    assert policies.roles.in_teams(policy, (f"t{asked}",), "zoe", actor) == (of in closure(inner, asked))


# -- code owners

OWNERS = """\
# everything
*            @acme/everybody
/src/        @acme/dev @ann
/src/legacy/
*.md         docs@example.org
/ops/**/*.tf @acme/ops
"""
RULE = "{code-owners: true}"


def owned(*paths: str, **said: Any) -> Verdict:
    return gate_of(RULE, paths=paths, code_owners=OWNERS, **said)


def test_one_owner_of_every_touched_file() -> None:
    waiting = owned("src/a.py", "src/b.py", "ops/x/y.tf")
    assert (waiting.state, waiting.message) == (
        "delayed",
        "Owners of src/a.py and 1 more: Needs team acme/dev or ann.",
    )
    assert waiting.who_can == ("team acme/dev", "ann", "team acme/ops")
    votes = (approval("ann", "user"), approval("zoe", "team:acme/ops"))
    given_ = owned("src/a.py", "ops/x/y.tf", approvals=votes, actors=people(zoe="acme/ops"))
    assert (given_.state, given_.message) == (
        "approved",
        "Approved by ann, zoe, who own every file that is touched.",
    )
    assert not owned("src/a.py", "ops/x/y.tf", approvals=votes[:1]).approved


def test_what_nobody_owns_asks_nobody_and_approves_nothing() -> None:
    found = owned("src/legacy/a.py")
    assert (found.state, found.reason_code) == ("skipped", "NothingOwned")
    policy = load(
        f"version: 1\nextends: default\nenvironments:\n  lab:\n    gates: [{{approvals: {RULE}}}]\n"
    )
    known = facts(environment="lab", paths=("src/legacy/a.py",), code_owners=OWNERS, tests={})
    assert not policies.evaluate(policy, known, NOON).approved


def test_an_address_can_not_approve() -> None:
    found = owned("README.md")
    assert found.state == "delayed"
    assert not owned("README.md", approvals=(approval("docs@example.org", "user"),)).approved


@pytest.mark.parametrize("said", [{}, {"paths": ("a",)}, {"code_owners": OWNERS}])
def test_while_nothing_is_known_it_waits(said: dict[str, Any]) -> None:
    found = gate_of(RULE, **said)
    assert (found.state, found.reason_code) == ("delayed", "CodeOwnersUnknown")


def test_a_code_owner_may_say_the_command() -> None:
    policy = of_gates(f"approvals: {RULE}")
    known = facts(paths=("src/a.py",), code_owners=OWNERS)
    assert policies.approve(policy, known, Actor(login="ann"), "production", known.head) == "user"
    with pytest.raises(Refused) as refused:
        policies.approve(policy, known, Actor(login="eve"), "production", known.head)
    assert refused.value.message == "eve is without a role here; production is approved by the code owners."


def test_sections_own_by_themselves() -> None:
    text = "[Backend]\n* @acme/dev\n[Docs]\n*.md @acme/docs\n"
    assert {tuple(names): paths for names, paths in owners_of(text, ["a.md", "b.py"]).items()} == {
        ("acme/docs",): ["a.md"], ("acme/dev",): ["a.md", "b.py"],
    }  # fmt: skip


def test_outside_authors_and_forks_are_words_of_conditions() -> None:
    policy = of_gates("{when: change.fork || change.outside, approvals: {user: ann}}")

    def state(known: ReleaseFacts) -> str:
        found = policies.evaluate(policy, known, NOON)
        return next(child.state for child in found.children if child.name == "approvals")

    inside = {"bob": Actor(login="bob", permission="write")}
    assert state(facts(actors=inside)) == "skipped"
    assert state(facts(actors=inside, fork=True)) == "delayed"
    assert state(facts(actors={"bob": Actor(login="bob", permission="read")})) == "delayed"
    assert state(facts()) == "delayed", "nobody has said that the author may write"
