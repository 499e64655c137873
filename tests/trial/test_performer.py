"""A policy that is tried: what the revision brings, its own tests, the verdicts of the log, the open changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from bot.domain import payloads as p
from bot.domain.effect import Effect, GatherFacts, PolicyTrial, TryPolicy, WriteMemory
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.port import Forge
from bot.log import Store, append, upgrade
from bot.trial.performer import PolicyTrier
from tests.handlers.world import POLICY, World

CASES = """\
cases:
  - {name: nobody approved, environment: production, facts: {tests: passed}, expect: delayed}
  - {name: wrong, environment: staging, facts: {tests: failed}, expect: approved}
"""
STRICTER = POLICY.replace("- approvals: {role: ProductOwner}", "- approvals: {role: ProductOwner}\n      - hold: {labels: [x]}\n      - coverage: {minimum: 95}")  # fmt: skip


@dataclass
class FolderForge:
    """One revision of one repository, as far as a trial asks for it."""

    files: dict[str, str]
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def export(self, _repository: str, _revision: str, path: str, into: Path) -> None:
        below = {name: text for name, text in self.files.items() if name.startswith(f"{path}/")}
        if not below:
            raise Permanent("PathMissing", f"no folder {path}")
        for name, text in below.items():
            file = into / name.removeprefix(f"{path}/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", errors="surrogateescape")

    def perform(self, _effect_id: str, effect: Effect, _context: EffectContext) -> p.FactsGathered:
        assert isinstance(effect, GatherFacts)
        self.asked.append(effect.paths)
        found = {path: self.files.get(path) for path in effect.paths}
        return p.FactsGathered(correlation=effect.correlation, repository=effect.repository, files=found)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    upgrade(database_url)
    made = Store(database_url)
    yield made
    made.close()


def told(store: Store, world: World, tenant: str = "default") -> None:
    kept = [one.model_copy(update={"source": "pointsman", "tenant_id": tenant}) for one in world.events]
    with store.begin() as session:
        append(session, kept)


def tried(store: Store, files: dict[str, str], tenant: str = "default", **more: Any) -> PolicyTrial:
    forge = FolderForge(files)
    effect = TryPolicy(
        forge="local", repository="demo/booking", change=1, branch="feature/x", revision="a" * 40, **more
    )
    trier = PolicyTrier({"local": cast("Forge", forge)}, store, lambda: World().now)
    done = trier.perform("e", effect, EffectContext(tenant, "trace-9", lambda _: None))
    assert isinstance(done, PolicyTrial)
    return done


def released() -> World:
    return World().submit().tests().comment("jane.doe", "/approve-release production")


def test_the_policy_in_force_differs_in_nothing_and_blocks_nobody_newly(store: Store) -> None:
    told(store, released())
    told(store, World().submit("2.0.0", "trace-2").tests())
    found = tried(store, {".pointsman/policy.yaml": POLICY})
    assert found.ok
    assert (found.traces, found.cut, found.differing, found.open_changes, found.blocked) == (
        2,
        False,
        0,
        1,
        (),
    )
    assert found.verdicts > 6


def test_a_stricter_policy_says_which_verdicts_and_which_open_changes(store: Store) -> None:
    told(store, released())
    told(store, World().submit("2.0.0", "trace-2").tests())
    found = tried(store, {".pointsman/policy.yaml": STRICTER})
    assert found.ok, "it may come in: what differs is for people to look at"
    assert {(one.environment, one.would, one.reason_code) for one in found.differences} == {
        ("production", "rejected", "CoverageTooLow")
    }
    assert [(one.trace_id, one.environment, one.gates) for one in found.blocked] == [
        ("trace-2", "production", ("coverage",))
    ]


def test_another_tenants_past_is_not_looked_at(store: Store) -> None:
    told(store, released(), "other")
    assert tried(store, {".pointsman/policy.yaml": STRICTER}).traces == 0


def test_only_so_many_traces_are_asked(store: Store) -> None:
    told(store, released())
    told(store, World().submit("2.0.0", "trace-2").tests())
    found = tried(store, {".pointsman/policy.yaml": POLICY}, traces=1)
    assert (found.traces, found.cut) == (1, True)


def test_its_own_unit_tests_are_run(store: Store) -> None:
    found = tried(
        store,
        {
            ".pointsman/policy.yaml": POLICY,
            ".pointsman/tests/a.yaml": CASES,
            ".pointsman/tests/b.yaml": "cases: 7\n",
            ".pointsman/tests/README.md": "no cases",
        },
    )
    assert [(case.file, case.name, bool(case.problems)) for case in found.cases] == [
        ("a.yaml", "nobody approved", False),
        ("a.yaml", "wrong", True),
        ("b.yaml", "", True),
    ]
    assert not found.ok
    assert (found.rules, found.tried) == (4, 0)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("version: 1\nenvironment: {}\n", "environments"),
        ("version: 1\nextends: rules/base.yaml\n", "there is no file 'rules/base.yaml' in the repository"),
        ("version: 1\nextends: ../../etc/passwd.yaml\n", "there is no file"),
        ("x" * 200_000, "131072 bytes"),
        ("\udcff\n", ""),
    ],
)
def test_a_policy_that_can_not_be_read_says_where(store: Store, text: str, error: str) -> None:
    found = tried(store, {".pointsman/policy.yaml": text})
    assert not found.ok
    assert error in found.errors[0]
    assert (found.traces, found.cases) == (0, ())


CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART:20260114T000000Z
DTEND:20260115T000000Z
END:VEVENT
END:VCALENDAR
"""


def test_what_it_extends_and_its_calendars_are_read_wherever_they_are(store: Store) -> None:
    text = "version: 1\nextends: .pointsman/base.yaml\nfreezes: [{name: days, ics: days.ics}]\n"
    case = "cases: [{name: x, environment: staging, facts: {tests: passed}, expect: {reason_code: FreezeActive}}]\n"
    files = {
        ".pointsman/policy.yaml": text,
        ".pointsman/base.yaml": "version: 1\nextends: rules/more.yaml\n",
        "rules/more.yaml": POLICY,
        "days.ics": CALENDAR,
        ".pointsman/tests/a.yaml": case,
    }
    assert tried(store, files).failed == ()
    del files["days.ics"]
    (failed,) = tried(store, files).failed
    assert "CalendarUnusable" in failed.problems[0]


def test_without_a_file_what_holds_then_is_tried(store: Store) -> None:
    told(store, released())
    found = tried(store, {})
    assert found.ok
    assert {(one.environment, one.reason_code) for one in found.differences} == {
        ("production", "UnauthorizedApprover")
    }, "whose roles have no members"


def test_the_organisations_policy_lies_below(store: Store) -> None:
    (error,) = tried(
        store, {".pointsman/policy.yaml": "version: 1\n"}, organisation="version: 1\nrols: {}\n"
    ).errors
    assert "organisation" in error


def test_another_effect_is_none_of_its_business(store: Store) -> None:
    with pytest.raises(Permanent, match="WriteMemory"):
        PolicyTrier({}, store).perform("e", WriteMemory(), EffectContext("t", "t", lambda _: None))
