"""A release through pushes, approvals, freezes, merges and time, against a model that knows no policy engine.

After every step: the verdict is what the model says, it is a function of policy, facts and time, whoever waits
is told for what, and nothing changes before the announced moment. Each planted bug turns it red.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import policies
from bot.domain.errors import Refused
from bot.domain.payloads import Actor
from bot.domain.release import Approval, Delay, Lock, Override, Stop
from policies import ReleaseFacts, approving, freezes, load, words
from policies.ballot import Ballot
from policies.gates import approvals as approvals_gate
from policies.gates.environment_lock import EnvironmentLock
from policies.spans import Span
from tests.policies.builders import approval

POLICY = load("""\
version: 1
roles:
  Owner: {users: [ann, bea, dov]}
  Lifter: {users: [sam], permissions: [override.freeze]}
environments:
  production:
    gates: [tests-passed, hold, {approvals: {role: Owner, expires: 2d}}]
freezes:
  - {name: saturday, cron: "0 0 * * SAT", duration: 24h}
""")
AUTHOR = "dov"
OWNERS = {"ann", "bea"}
"""Beside the author, who is one too and is never his own second party."""
SATURDAY = 5
MOST = 4
"""Revisions of one release: with more, nothing would live long enough to expire."""
START = datetime(2026, 11, 21, 1, tzinfo=UTC)
EXPIRES = timedelta(days=2)


def sha(number: int) -> str:
    return f"{number:040x}"


class Release(RuleBasedStateMachine):
    """The rules are what may happen; the model beside the facts is what it means."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.revisions = 1
        self.head = sha(1)
        self.same: dict[str, set[str]] = {self.head: {self.head}}
        """revision -> itself and those with equal files."""
        self.votes: list[Approval] = []
        self.lifted: set[tuple[str, Any]] = set()
        """(revision, the Saturday) for which somebody lifted the freeze."""
        self.facts = ReleaseFacts(
            module="booking", version="1.0.0", environment="production", revision=self.head, author=AUTHOR,
            phase="deployment", locks={},
        )  # fmt: skip
        self.delayed_until = START

    # -- what happens

    @precondition(lambda self: self.revisions < MOST)
    @rule()
    def push(self) -> None:
        self._next(set())

    @precondition(lambda self: self.revisions < MOST)
    @rule(equal=st.booleans())
    def merge(self, equal: bool) -> None:
        """A squash: another commit, whose files equal the approved ones, or do not."""
        old = self.head
        self._next(self.same[old] if equal else set())
        if equal:
            self._say(carried=self.facts.carried | {self.head: old})

    def _next(self, equal: set[str]) -> None:
        self.revisions += 1
        self.head = sha(self.revisions)
        self.same[self.head] = {self.head, *equal}
        self._say(revision=self.head)

    @rule(who=st.sampled_from(["ann", "bea", "dov", "DOV", "eve"]), old=st.booleans())
    def approve(self, who: str, old: bool) -> None:
        revision = sha(1) if old else self.head
        self.votes.append(approval(who, "Owner", revision=revision, approved_at=self.now))
        self._say(approvals=tuple(self.votes))

    @precondition(lambda self: self.votes)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.votes) - 1))
        self.votes[index] = self.votes[index].model_copy(update={"ended": "revoked"})
        self._say(approvals=tuple(self.votes))

    @rule(state=st.sampled_from(["passed", "passed", "failed"]))
    def test(self, state: str) -> None:
        self._say(tests=self.facts.tests | {self.head: state})

    @rule(held=st.booleans())
    def label(self, held: bool) -> None:
        self._say(labels=("hold",) if held else ())

    @rule(what=st.sampled_from(["held", "paused"]), said=st.booleans())
    def stop(self, what: str, said: bool) -> None:
        self._say(**{what: Stop(by="eve", at=self.now) if said else None})

    @rule(said=st.booleans(), where=st.sampled_from(["production", "production", "elsewhere"]))
    def lock(self, said: bool, where: str) -> None:
        self._say(locks={where: Lock(by="eve")} if said else {})

    @rule(hours=st.sampled_from([0, 3, 30]))
    def delay(self, hours: int) -> None:
        """The last word counts; one of no hours takes it back."""
        self.delayed_until = self.now + timedelta(hours=hours)
        word = Delay(environment="production", until=self.delayed_until, by="eve", at=self.now)
        self._say(delays=(word,))

    @rule(hours=st.sampled_from([1, 6, 24, 49, 168]))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(who=st.sampled_from(["sam", "sam", "ann"]))
    def lift(self, who: str) -> None:
        may = who == "sam" and self._closed(self.now) and not self._is_lifted(self.now)
        given = self._lift(Actor(login=who, permission="write"))
        assert bool(given) == may
        if given:
            self.lifted.add((self.head, self.now.date()))
            self._say(overrides=(*self.facts.overrides, *given))

    def _lift(self, actor: Actor) -> tuple[Override, ...]:
        try:
            return approving.lift(POLICY, self.facts, actor, "production", "needed", self.now)
        except Refused:
            return ()

    def _say(self, **said: Any) -> None:
        self.facts = self.facts.model_copy(update=said)

    # -- what it means

    def _closed(self, moment: datetime) -> bool:
        return moment.weekday() == SATURDAY

    def _is_lifted(self, moment: datetime) -> bool:
        return any((revision, moment.date()) in self.lifted for revision in self.same[self.head])

    def _approved(self, moment: datetime) -> bool:
        same = self.same[self.head]
        tests = [self.facts.tests.get(revision) for revision in same]
        tested = self.facts.tests.get(self.head) != "failed" and "passed" in tests
        voted = any(
            vote.approver in OWNERS
            and vote.revision in same
            and not vote.ended
            and moment < vote.approved_at + EXPIRES
            for vote in self.votes
        )
        open_ = not self._closed(moment) or self._is_lifted(moment)
        stopped = self.facts.held or self.facts.paused or "production" in (self.facts.locks or {})
        free = not stopped and moment >= self.delayed_until
        return tested and voted and open_ and free and not self.facts.labels

    # -- what always holds

    @invariant()
    def the_verdict_is_the_models(self) -> None:
        verdict = policies.evaluate(POLICY, self.facts, self.now)
        assert verdict.approved == self._approved(self.now), verdict

    @invariant()
    def it_is_a_function_of_policy_facts_and_time(self) -> None:
        again = ReleaseFacts.model_validate_json(self.facts.model_dump_json())
        one, two = policies.evaluate(POLICY, self.facts, self.now), policies.evaluate(POLICY, again, self.now)
        assert one == two

    @invariant()
    def whoever_waits_is_told_for_what(self) -> None:
        verdict = policies.evaluate(POLICY, self.facts, self.now)
        if verdict.state == "delayed":
            assert verdict.who_can or verdict.next_change_at or verdict.message.startswith("Waits")
        able = {who for child in verdict.children if child.state == "delayed" for who in child.who_can}
        assert able <= set(verdict.who_can), "whoever can help with a part can help with the whole"

    @invariant()
    def nothing_changes_before_the_announced_moment(self) -> None:
        verdict = policies.evaluate(POLICY, self.facts, self.now)
        end = verdict.next_change_at or self.now + timedelta(days=10)
        for part in (0.25, 0.5, 0.75, 0.999):
            assert self._approved(self.now + (end - self.now) * part) == verdict.approved


SETTINGS = settings(
    max_examples=150,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
)
UNTIL_FOUND = settings(SETTINGS, max_examples=2000)
"""A planted bug ends the search when it is found; which example finds it differs between machines."""


def test_a_release_is_what_the_model_says() -> None:
    run_state_machine_as_test(Release, settings=SETTINGS)


def _any_revision(self: Ballot) -> Any:
    return (a for a in self.facts.approvals if self._stands(a) and a.approver.casefold() not in self.barred)


def _the_other_way(facts: ReleaseFacts) -> frozenset[str]:
    """As if a squash were always what had been approved."""
    return frozenset({facts.revision, *(vote.revision for vote in facts.approvals)})


def _for_ever(freeze: Any, facts: ReleaseFacts) -> list[Span]:
    return [
        Span(o.at.astimezone(UTC), o.at.astimezone(UTC) + timedelta(days=30), ()) for o in facts.overrides
    ]


PLANTED: list[tuple[Any, str, Callable[..., Any]]] = [
    (Ballot, "people", _any_revision),
    (Ballot, "expired", lambda _self, _approval: False),
    (approvals_gate, "barred", lambda _facts, _exclude: {}),
    (ReleaseFacts, "same_tree", property(_the_other_way)),  # type: ignore[list-item]
    (freezes, "lifted", _for_ever),
    (sys.modules["policies.evaluate"], "soonest", lambda _children: None),
    (sys.modules["policies.evaluate"], "everyone", lambda _children: ()),
    (words, "_standing", lambda _facts, _now: iter(())),
    (words, "_stopped", lambda *_said: policies.Verdict("held", "approved", "HeldByPerson", "Never mind.")),
    (EnvironmentLock, "check", lambda *_asked: policies.Verdict("lock", "approved", "NotLocked", "Open.")),
]


@pytest.mark.parametrize(("where", "name", "bug"), PLANTED)
def test_a_planted_bug_turns_it_red(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, bug: Callable[..., Any]
) -> None:
    monkeypatch.setattr(where, name, bug)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Release, settings=UNTIL_FOUND)


def test_an_answer_that_hangs_on_what_was_asked_before_turns_it_red(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = policies.evaluate, [0]

    def moody(*asked: Any) -> Any:
        calls[0] += 1
        verdict = real(*asked)
        return verdict if calls[0] % 7 else policies.Verdict("production", "delayed", "Mood", "Waits.")

    monkeypatch.setattr(policies, "evaluate", moody)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Release, settings=SETTINGS)
