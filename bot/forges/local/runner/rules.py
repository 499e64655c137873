"""Expressions of `rules:if`: `$CI_COMMIT_BRANCH == "main" && $CI_COMMIT_TAG =~ /^v/i`.

    any     = all, {"||", all}            all   = compare, {"&&", compare}
    compare = value, [("==" | "!=" | "=~" | "!~"), value]
    value   = "(", any, ")" | "$NAME" | '"text"' | "'text'" | "/pattern/flags" | "null"

Written by hand because no kept Python library reads GitLab's expressions. The meaning is that of GitLab's own
evaluator (lib/gitlab/ci/pipeline/expression): `&&` and `||` hand on the deciding value as Ruby does, where an
empty text counts as true inside but the outcome of the whole expression is true only when it is not blank.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.forges.local.runner import patterns

MAX_CHARACTERS = 2_000
MAX_DEPTH = 20

Operator = Literal["==", "!=", "=~", "!~"]
Value = str | bool | None


class ExpressionError(ValueError):
    """An expression that can not be read; the message names the place by its column in the expression."""


@dataclass(frozen=True, slots=True)
class Text:
    """A literal text, or `null` when `value` is None."""

    value: str | None


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`: its value, or null when there is none."""

    name: str


@dataclass(frozen=True, slots=True)
class Compare:
    """`left operator right`."""

    left: Expression
    operator: Operator
    right: Expression


@dataclass(frozen=True, slots=True)
class Every:
    """`&&` between all items."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """`||` between all items."""

    items: tuple[Expression, ...]


Expression = Text | Variable | Compare | Every | Some

_TOKEN = re.compile(
    r"""(?P<variable>\$\w+)|(?P<text>"[^"]*"|'[^']*')|(?P<pattern>/(?:[^/\\\n]|\\.)+/[ismU]*)"""
    r"""|(?P<operator>==|!=|=~|!~)|(?P<and>&&)|(?P<or>\|\|)|(?P<open>\()|(?P<close>\))|(?P<null>null\b)"""
)
_REGEXP = re.compile(r"/(?P<body>.+)/(?P<flags>[ismU]*)", re.DOTALL)


def read(text: str) -> Expression:
    """Parse an expression. Raises ExpressionError."""
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"the expression is longer than {MAX_CHARACTERS} characters")
    reader = _Reader(_tokens(text), len(text))
    expression = reader.some()
    reader.finish()
    return expression


def holds(expression: Expression, variables: Mapping[str, str]) -> bool:
    """Whether the expression is true with these variables.

    A variable on the right of `=~` that holds no `/pattern/` makes the whole expression false, as in GitLab.
    """
    try:
        outcome = _value(expression, variables)
    except patterns.PatternError:
        return False
    return bool(outcome.strip()) if isinstance(outcome, str) else bool(outcome)


def _value(expression: Expression, variables: Mapping[str, str]) -> Value:
    match expression:
        case Text(value):
            return value
        case Variable(name):
            return variables.get(name)
        case Compare(left, operator, right):
            return _compare(_value(left, variables), operator, _value(right, variables))
        case Every(items):
            return _deciding(items, variables, stop_at=False)
        case Some(items):
            return _deciding(items, variables, stop_at=True)


def _deciding(items: tuple[Expression, ...], variables: Mapping[str, str], *, stop_at: bool) -> Value:
    outcome: Value = None
    for item in items:
        outcome = _value(item, variables)
        true_in_ruby = outcome is not None and outcome is not False
        if true_in_ruby is stop_at:
            break
    return outcome


def _compare(left: Value, operator: Operator, right: Value) -> bool:
    if operator in ("==", "!="):
        return (left == right) is (operator == "==")
    matches = right is not None and patterns.found(_pattern(str(right)), "" if left is None else str(left))
    return matches is (operator == "=~")


def _pattern(text: str) -> str:
    parts = _REGEXP.fullmatch(text)
    if parts is None:
        raise patterns.PatternError(f"`{text}` is not a /pattern/")
    body = parts["body"].replace("\\/", "/")
    return f"(?{parts['flags']}){body}" if parts["flags"] else body


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            raise ExpressionError(f"`{text[at : at + 10]}` at column {at + 1} is not part of an expression")
        tokens.append(_Token(found.lastgroup or "", found[0], at + 1))
        at = found.end()
    return tokens


class _Reader:
    """Recursive descent over the tokens; one method per line of the grammar."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self._tokens = [*tokens, _Token("end", "the end", end + 1)]
        self._at = 0
        self._depth = 0

    def some(self) -> Expression:
        items = [self.every()]
        while self._take("or"):
            items.append(self.every())
        return items[0] if len(items) == 1 else Some(tuple(items))

    def every(self) -> Expression:
        items = [self.compare()]
        while self._take("and"):
            items.append(self.compare())
        return items[0] if len(items) == 1 else Every(tuple(items))

    def compare(self) -> Expression:
        left = self.value()
        operator = self._take("operator")
        if operator is None:
            return left
        return Compare(left, operator.text, self.value())  # type: ignore[arg-type]  # the token has one of the four texts

    def value(self) -> Expression:
        token = self._tokens[self._at]
        self._at += 1
        match token.kind:
            case "variable":
                return Variable(token.text[1:])
            case "text":
                return Text(token.text[1:-1])
            case "null":
                return Text(None)
            case "pattern":
                patterns.check(_pattern(token.text))
                return Text(token.text)
            case "open":
                return self._group(token)
        raise _unexpected(token, "a variable, a text or a pattern")

    def finish(self) -> None:
        token = self._tokens[self._at]
        if token.kind != "end":
            raise _unexpected(token, "`&&`, `||` or the end")

    def _group(self, token: _Token) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"parentheses nested deeper than {MAX_DEPTH} at column {token.column}")
        inner = self.some()
        if self._take("close") is None:
            raise ExpressionError(f"the parenthesis at column {token.column} is not closed")
        self._depth -= 1
        return inner

    def _take(self, kind: str) -> _Token | None:
        token = self._tokens[self._at]
        if token.kind != kind:
            return None
        self._at += 1
        return token


def _unexpected(token: _Token, wanted: str) -> ExpressionError:
    found = "the expression ends" if token.kind == "end" else f"`{token.text}` stands"
    return ExpressionError(f"{found} at column {token.column} where {wanted} is expected")
