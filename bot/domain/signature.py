"""What a command takes, declared in one line: `/approve-release <environment> [reason...]`.

    <name>              required                  [name]              optional
    <name...>           the rest of the line      [name...]           the same, optional
    <mode:on|off>       one of these words        [mode:on|off]       the same, optional
    [to <version>]      after the word `to`       [at=<moment>]       only by name, `at=...` or `--at ...`

Every parameter can also be given by its name: `--environment staging`, `environment=staging`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

from bot.domain.errors import Refused
from bot.domain.invocation import Invocation, split, words

NAME = r"[a-z][a-z0-9-]*"
PARAMETER = re.compile(
    rf"<(?P<required>{NAME})(?::(?P<one_of>[^>\s]+))?(?P<rest>\.\.\.)?>"
    rf"|\[(?P<optional>{NAME})(?::(?P<maybe_of>[^\]\s]+))?(?P<maybe_rest>\.\.\.)?\]"
    rf"|\[(?P<keyword>{NAME}) <(?P<after>{NAME})>\]"
    rf"|\[(?P<option>{NAME})=<{NAME}>\]"
)
LONGEST = 200
"""Characters of a person's text that are repeated to them."""
DECLARATION = re.compile(rf"/(?P<name>{NAME})(?P<parameters>(?: .+)?)")


@dataclass(frozen=True)
class Parameter:
    """One thing a command takes. `keyword` is the word before it; `by_name` means: in no other way."""

    name: str
    required: bool = False
    rest: bool = False
    choices: tuple[str, ...] = ()
    keyword: str = ""
    by_name: bool = False


@dataclass(frozen=True)
class Signature:
    """A declared command. `usage` is the declaration itself."""

    name: str
    parameters: tuple[Parameter, ...]
    usage: str

    @classmethod
    def parse(cls, declaration: str) -> Signature:
        """Raises ValueError when the declaration is not in the language above."""
        match = DECLARATION.fullmatch(declaration)
        if match is None:
            raise ValueError(
                f"{declaration!r} does not declare a command such as `/name <required> [optional]`"
            )
        parameters = tuple(_parameters(match["parameters"], declaration))
        rests = [parameter.rest for parameter in parameters if not parameter.by_name]
        if any(rests[:-1]) or len({parameter.name for parameter in parameters}) != len(parameters):
            raise ValueError(
                f"{declaration!r}: only the last parameter takes the rest, and each has its own name"
            )
        return cls(match["name"], parameters, declaration)


def _parameters(text: str, declaration: str) -> Iterator[Parameter]:
    position = 0
    while position < len(text):
        match = PARAMETER.match(text, position + 1)
        if match is None or text[position] != " ":
            raise ValueError(f"{declaration!r}: {text[position:].strip()!r} is not a parameter")
        yield _parameter(match)
        position = match.end()


def _parameter(match: re.Match[str]) -> Parameter:
    if match["keyword"]:
        return Parameter(match["after"], keyword=match["keyword"])
    if match["option"]:
        return Parameter(match["option"], by_name=True)
    choices = match["one_of"] or match["maybe_of"]
    return Parameter(
        match["required"] or match["optional"],
        required=bool(match["required"]),
        rest=bool(match["rest"] or match["maybe_rest"]),
        choices=tuple(choices.split("|")) if choices else (),
    )


def bind(signature: Signature, invocation: Invocation) -> dict[str, str]:
    """What was given, by parameter name; what was left out is absent.

    Raises Refused('InvalidArguments') with a sentence that ends in the usage.
    """
    if invocation.error:
        _refuse(signature, f"In {quoted(invocation.line)} {invocation.error}")
    names = [parameter.name for parameter in signature.parameters]
    arguments, options = split(_words(signature, invocation), names)
    _check_names(signature, options, names)
    given = options | _positional(signature, arguments, options)
    for parameter in signature.parameters:
        _check_value(signature, parameter, given.get(parameter.name, ""))
    return {name: value for name, value in given.items() if value}


def _words(signature: Signature, invocation: Invocation) -> list[str]:
    """The words as written; for a command that was not written as a line, as if it had been."""
    if invocation.line.lower().startswith(f"/{signature.name}"):
        return words(invocation.line) or []
    return [*(f"--{name}={value}" for name, value in invocation.options.items()), "--", *invocation.arguments]


def _positional(signature: Signature, arguments: list[str], options: dict[str, str]) -> dict[str, str]:
    left, given = list(arguments), {}
    for parameter in signature.parameters:
        named = options.get(parameter.name)
        if named and parameter.rest and left:
            left = [named, *left]  # reason=it works: the words that follow belong to it
        elif parameter.by_name or named or not left:
            continue
        if _keyword(signature, parameter, left) != parameter.keyword:
            continue
        left = left[1:] if parameter.keyword else left
        taken = len(left) if parameter.rest else 1
        given[parameter.name], left = " ".join(left[:taken]).strip(), left[taken:]
    if left:
        _refuse(signature, f"{quoted(' '.join(left))} is more than this command takes")
    return given


def _keyword(signature: Signature, parameter: Parameter, left: list[str]) -> str:
    """The keyword that the next word is, for a parameter that need not be given: its own or a later one's."""
    later = signature.parameters[signature.parameters.index(parameter) :]
    word = left[0].lower()
    is_keyword = len(left) > 1 and any(word == other.keyword for other in later)
    return word if is_keyword and not parameter.required else ""


def _check_names(signature: Signature, options: Iterable[str], names: list[str]) -> None:
    for name in options:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f" (did you mean {quoted(close[0])}?)" if close else ""
            _refuse(signature, f"{quoted(name)} is not an option{hint}")


def _check_value(signature: Signature, parameter: Parameter, value: str) -> None:
    if parameter.required and not value:
        _refuse(signature, f"The {parameter.name} is missing")
    if value and parameter.choices and value.lower() not in parameter.choices:
        allowed = " or ".join(quoted(choice) for choice in parameter.choices)
        _refuse(signature, f"The {parameter.name} is {allowed}, not {quoted(value)}")


def quoted(text: str) -> str:
    """What a person wrote, as a code span: it can not end the span, mention anybody, or fill a page."""
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return f"`{text.replace('`', chr(39)).strip()}`"


def _refuse(signature: Signature, problem: str) -> NoReturn:
    raise Refused("InvalidArguments", f"{problem}. Usage: {quoted(signature.usage)}")
