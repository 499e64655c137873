"""Unit tests of a policy, in YAML: facts in, verdict expected; and which of its rules they have tried.

    cases:
      - name: nobody approves his own change
        environment: production
        at: 2026-11-18T12:00:00Z
        facts: {author: bob, committers: [bob], tests: passed}
        with: [approval:bob]
        expect: {state: delayed, gates: {approvals: delayed}}

A revision need not be written; `tests: passed` and `coverage: 85` speak of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.domain.errors import Invalid
from policies import freezes
from policies.errors import PolicyErrors, dotted
from policies.evaluate import evaluate, judge
from policies.facts import ReleaseFacts
from policies.model import Policy
from policies.source import parse
from policies.spans import CalendarError
from policies.verdict import State, Verdict
from policies.what_if import suppose

REVISION = "a" * 40
NOON = "2026-01-14T12:00:00Z"
"""A Wednesday, when a case does not say."""


def _aware(value: Any) -> Any:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) and moment.tzinfo is None else moment


def _alone(value: Any) -> Any:
    return {"state": value} if isinstance(value, str) else value


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Expected(_Closed):
    """What the verdict must be; what is left out may be anything. `expect: delayed` is its state alone."""

    state: State | None = None
    reason_code: str | None = None
    message: str | None = None
    """Part of the sentence."""
    gates: dict[str, State] = Field(default_factory=dict)
    who_can: tuple[str, ...] | None = None
    next_change_at: Annotated[datetime, BeforeValidator(_aware)] | None = None


class Case(_Closed):
    """One release at one moment."""

    name: str
    environment: str
    tenant: str = "default"
    at: Annotated[datetime, BeforeValidator(_aware)] = Field(default=_aware(NOON))
    facts: dict[str, Any] = Field(default_factory=dict)
    suppose: tuple[str, ...] = Field(default=(), alias="with")
    expect: Annotated[Expected, BeforeValidator(_alone)]


class Suite(_Closed):
    """A file of cases. `policy` is the file they are about, beside this one."""

    policy: str | None = None
    cases: tuple[Case, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Outcome:
    """Of one case; `problems` are sentences, none when it passed."""

    file: str
    name: str
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "name": self.name,
            "ok": not self.problems,
            "problems": list(self.problems),
        }


@dataclass
class Tried:
    """One rule of the policy, and what cases have seen of it."""

    path: str
    label: str
    seen: set[str] = field(default_factory=set)

    @property
    def missing(self) -> tuple[Literal["passing", "blocking"], ...]:
        passing: tuple[Literal["passing"], ...] = () if "approved" in self.seen else ("passing",)
        blocking: tuple[Literal["blocking"], ...] = (
            () if self.seen & {"delayed", "rejected"} else ("blocking",)
        )
        return (*passing, *blocking)

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "rule": self.label, "missing": list(self.missing)}


def read(text: str, name: str) -> Suite:
    """A file of cases. Raises PolicyErrors for what is no YAML, Invalid for what is no suite."""
    data = parse(text, name)
    try:
        return Suite.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Invalid("NoSuite", f"{name}: {dotted(first['loc'])}: {first['msg']}") from None


def run(
    policy: Policy, suite: Suite, file: str, calendars: Mapping[str, str], tried: list[Tried]
) -> list[Outcome]:
    """Try every case; `tried` is added to."""
    return [
        Outcome(file, case.name, tuple(_problems(policy, case, calendars, tried))) for case in suite.cases
    ]


def rules(policy: Policy) -> list[Tried]:
    """Every gate of every environment, and every freeze, not tried yet."""
    found = [
        Tried(
            f"environments.{name}.gates[{index}]",
            f"{name}: {item.gate.name}{f' when {item.when}' if item.when else ''}",
        )
        for name, environment in policy.environments.items()
        for index, item in enumerate(environment.items)
    ]
    return found + [Tried(f"freezes[{index}]", f"freeze {f.name}") for index, f in enumerate(policy.freezes)]


def _problems(policy: Policy, case: Case, calendars: Mapping[str, str], tried: list[Tried]) -> Iterator[str]:
    try:
        known = suppose(policy, _facts(case, calendars), case.suppose, case.at)
        verdict = evaluate(policy, known, case.at)
    except (Invalid, ValidationError, PolicyErrors) as error:
        yield str(error).splitlines()[0]
        return
    _note(policy, known, case.at, tried)
    yield from _differences(case.expect, verdict)


def _facts(case: Case, calendars: Mapping[str, str]) -> ReleaseFacts:
    said = {"revision": REVISION, "version": "1.0.0", "module": "module"} | case.facts
    for name in ("tests", "coverage"):
        if name in said and not isinstance(said[name], dict):
            said[name] = {said["revision"]: said[name]}
    context = {"environment": case.environment, "tenant": case.tenant, "calendars": dict(calendars)}
    return ReleaseFacts.model_validate(said | context)


def _differences(expected: Expected, verdict: Verdict) -> Iterator[str]:
    for name in ("state", "reason_code"):
        wanted, found = getattr(expected, name), getattr(verdict, name)
        if wanted is not None and wanted != found:
            yield f"{name} is {found}, not {wanted}: {verdict.message}"
    if expected.message is not None and expected.message not in verdict.message:
        yield f"the message is {verdict.message!r}"
    if expected.who_can is not None and set(expected.who_can) != set(verdict.who_can):
        yield f"who_can is {', '.join(verdict.who_can) or 'nobody'}"
    if expected.next_change_at is not None and expected.next_change_at != verdict.next_change_at:
        yield f"next_change_at is {verdict.next_change_at}"
    for gate, state in expected.gates.items():
        states = {child.state for child in verdict.children if child.name == gate}
        if state not in states:
            yield f"the gate {gate} is {' and '.join(sorted(states)) or 'not there'}, not {state}"


def _note(policy: Policy, facts: ReleaseFacts, now: datetime, tried: Iterable[Tried]) -> None:
    by_path = {one.path: one for one in tried}
    own = policy.of(facts.tenant)
    if facts.environment not in own.environments:
        return
    for index, item in enumerate(own.environments[facts.environment].items):
        rule = by_path.get(f"environments.{facts.environment}.gates[{index}]")
        if rule:
            rule.seen.add(judge(item, facts, now, own).state)
    for index, freeze in enumerate(policy.freezes):
        try:
            closed = bool(freezes.status([freeze], facts, now).closed)
        except CalendarError:
            closed = True
        if f"freezes[{index}]" in by_path:
            by_path[f"freezes[{index}]"].seen.add("delayed" if closed else "approved")
