"""Conditions: typed when they are compiled, and never true by accident."""

# ruff: noqa: ISC004  sentences are asserted whole, beside what causes them

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.cel import CelError, Language
from policies.facts import CONDITIONS, NAMES, values
from tests.policies.builders import NOON, facts

WORDS = Language(
    {"change.labels": "list<string>", "now": "timestamp", "tests.coverage": "double", "n": "int"}
)
VALUES = {
    "change.labels": ["schema"],
    "now": datetime(2026, 11, 20, 17, 30, tzinfo=UTC),
    "tests.coverage": 71.5,
    "n": 3,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('change.labels.exists(l, l == "schema")', True),
        ('"docs" in change.labels', False),
        ("tests.coverage >= 80.0", False),
        ('now.getDayOfWeek("Europe/Paris") == 5 && now.getHours("Europe/Paris") >= 18', True),
        ("now < timestamp('2027-01-01T00:00:00Z')", True),
        ("n > 2 || change.labels[7] == 'x'", True),
    ],
)
def test_what_holds(text: str, holds: bool) -> None:
    assert WORDS.compile(text).holds(VALUES) is holds


@pytest.mark.parametrize(
    ("text", "message", "suggestion"),
    [
        ("change.label == ['a']", "there is no 'change.label' in a condition", "change.labels"),
        ("foo(1)", "there is no 'foo' in a condition", None),
        ("n + 1", "a condition must be true or false, this one is INT", None),
        ("tests.coverage >= 80", "found no matching overload for '_>=_' applied to '(double, int)' (at 1:16)", None),
        ("n >", "Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', "
         "NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER} (at 1:4)", None),
        ("n > " + "1 + " * 600 + "1", "a condition may have 2000 characters, this one has 2405", None),
    ],
)  # fmt: skip
def test_what_does_not_compile(text: str, message: str, suggestion: str | None) -> None:
    with pytest.raises(CelError) as caught:
        WORDS.compile(text)
    assert (caught.value.message, caught.value.suggestion) == (message, suggestion)


@pytest.mark.parametrize(
    ("text", "known", "message"),
    [
        ("change.labels[5] == 'a'", VALUES, "Index error: index=5 size=1"),
        ("tests.coverage > 1.0", {}, 'No value with name "tests.coverage" found in Activation'),
        ("n / 0 == 1", VALUES, "divide by zero"),
    ],
)
def test_an_error_is_an_error_and_not_true(text: str, known: dict[str, Any], message: str) -> None:
    condition = WORDS.compile(text)
    with pytest.raises(CelError) as caught:
        condition.holds(known)
    assert caught.value.message == message


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_name_has_a_value_of_its_kind(name: str) -> None:
    known = values(facts(), NOON)
    assert CONDITIONS.compile(f"{name} == {name}").holds(known)
    assert sorted(known) == sorted(NAMES)
