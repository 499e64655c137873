"""Expressions of rules: GitLab's meaning, by example and by property."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.forges.local.runner import rules
from bot.forges.local.runner.patterns import PatternError
from bot.forges.local.runner.rules import ExpressionError

VARIABLES = {"A": "x", "B": "main", "EMPTY": "", "BLANK": " ", "PATTERN": "/^MA/i", "PLAIN": "ma"}

EXAMPLES = {
    "$A": True,
    "$UNKNOWN": False,
    "$EMPTY": False,
    "$BLANK": False,
    '"x"': True,
    "null": False,
    '$A == "x"': True,
    "$A == 'x'": True,
    '$A != "x"': False,
    "$A == $A": True,
    "$UNKNOWN == null": True,
    "$EMPTY == null": False,
    '$EMPTY == ""': True,
    '$UNKNOWN == ""': False,
    '$UNKNOWN != "x"': True,
    "$B =~ /^ma/": True,
    "$B =~ /MA/": False,
    "$B =~ /MA/i": True,
    "$B !~ /^ma/": False,
    "$UNKNOWN =~ /x/": False,
    "$UNKNOWN !~ /x/": True,
    "$B =~ $PATTERN": True,
    "$B =~ $UNKNOWN": False,
    "$B !~ $UNKNOWN": True,
    # A variable that holds no /pattern/ makes the whole expression false, whichever way it is asked.
    "$B =~ $PLAIN": False,
    "$B !~ $PLAIN": False,
    "$A && $B": True,
    "$A && $UNKNOWN": False,
    "$UNKNOWN || $B": True,
    '$A == "y" || $B == "main" && $A == "x"': True,
    '($A == "x" || $B == "main") && $A == "y"': False,
    # As in Ruby an empty text counts as true inside; only the outcome is asked whether it is blank.
    "$EMPTY && $A": True,
    "$EMPTY || $A": False,
    '"a/b" =~ /a\\/b/': True,
}


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples(text: str) -> None:
    assert rules.holds(rules.read(text), VARIABLES) is EXAMPLES[text]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the expression ends at column 1 where a variable, a text or a pattern is expected"),
        ("$A ==", "the expression ends at column 6 where a variable, a text or a pattern is expected"),
        ("$A $B", "`$B` stands at column 4 where `&&`, `||` or the end is expected"),
        ("$A = 1", "`= 1` at column 4 is not part of an expression"),
        ("($A", "the parenthesis at column 1 is not closed"),
        ("$A)", "`)` stands at column 3 where `&&`, `||` or the end is expected"),
        ("&& $A", "`&&` stands at column 1 where a variable, a text or a pattern is expected"),
        ("$A =~ /(/", "`(` is not a regular expression that GitLab accepts"),
        ("$A =~ /(?=x)/", "`(?=x)` is not a regular expression that GitLab accepts"),
        ("(" * 30 + "$A" + ")" * 30, "parentheses nested deeper than 20 at column 21"),
        ("$A && " * 500 + "$A", "the expression is longer than 2000 characters"),
        ("nullify", "`nullify` at column 1 is not part of an expression"),
    ],
)
def test_what_can_not_be_read(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the sentence is compared below
        rules.read(text)
    assert str(caught.value) == sentence


def test_a_pattern_that_is_slow_elsewhere_is_not_slow_here() -> None:
    assert rules.holds(rules.read("$V =~ /^(a+)+$/"), {"V": "a" * 50_000 + "b"}) is False


Holds = Callable[[str, Mapping[str, str]], bool]

ATOMS = st.sampled_from(
    [
        (text, EXAMPLES[text])
        for text in EXAMPLES
        if any(sign in text for sign in ("==", "!=", "=~", "!~")) and "||" not in text
    ]
    + [("$A", True), ("$UNKNOWN", False)]
).filter(lambda atom: "PLAIN" not in atom[0])


def alternatives(parts: st.SearchStrategy[tuple[str, bool]]) -> st.SearchStrategy[tuple[str, bool]]:
    """`a && b || c && d`, with the value that `&&` before `||` gives it."""
    conjunction = st.lists(parts, min_size=1, max_size=3)
    return st.lists(conjunction, min_size=1, max_size=3).map(
        lambda groups: (
            " || ".join("&&".join(text for text, _ in group) for group in groups),
            any(all(value for _, value in group) for group in groups),
        )
    )


EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: alternatives(st.one_of(ATOMS, inner.map(lambda part: (f"( {part[0]})", part[1])))),
    max_leaves=12,
)


def check_against_python(holds: Holds) -> None:
    """The property itself, for any evaluator.

    Precedence, parentheses and negation agree with Python's own `any` and `all`.
    """

    @settings(max_examples=300, deadline=None, database=None)
    @given(EXPRESSIONS)
    def agrees(expression: tuple[str, bool]) -> None:
        text, expected = expression
        if len(text) <= rules.MAX_CHARACTERS:
            assert holds(text, VARIABLES) is expected, text

    agrees()


def test_expressions_mean_what_python_says() -> None:
    check_against_python(lambda text, variables: rules.holds(rules.read(text), variables))


def test_the_property_finds_an_evaluator_without_precedence() -> None:
    def left_to_right(text: str, variables: Mapping[str, str]) -> bool:
        swapped = text.replace("&&", "\0").replace("||", "&&").replace("\0", "||")
        return rules.holds(rules.read(swapped), variables)

    with pytest.raises(AssertionError):
        check_against_python(left_to_right)


@given(st.text(alphabet="$AB\"'/()&|=!~ null\\", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expression = rules.read(text)
    except (ExpressionError, PatternError):
        return
    assert rules.holds(expression, VARIABLES) in (True, False)
