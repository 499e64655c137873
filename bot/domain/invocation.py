"""One command line: words with shell quoting, options among them.

Three differences to a shell, for people: an apostrophe inside a word is a letter (`it's late`), typographic
quotes are quotes, and a backslash at the end of a line (a Markdown line break) is nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.domain.comment import COMMAND

OPTION = re.compile(r"--([A-Za-z][A-Za-z0-9-]*)(?:=(.*))?", re.DOTALL)
PAIR = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)=(.*)", re.DOTALL)
APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
# Stands for an apostrophe while the shell's rules are applied.
KEPT = "\ue002"
STRAIGHT = str.maketrans({"“": '"', "”": '"', "„": '"', "\u2018": "'", "\u2019": "'"})
UNBALANCED = "a quotation mark is opened and never closed"


@dataclass(frozen=True)
class Invocation:
    """One command as a person wrote it: `line`. `name` is in lower case and without the slash."""

    name: str
    arguments: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)
    line: str = ""

    @property
    def error(self) -> str:
        """What is wrong with the line itself; empty when it can be read."""
        return "" if words(self.line) is not None else UNBALANCED


def read_line(line: str) -> Invocation:
    """The invocation that a command line is. One that can not be read has no arguments, and an `error`."""
    match = COMMAND.fullmatch(line)
    arguments, options = split(words(line) or ())
    return Invocation(match[1].lower() if match else "", tuple(arguments), options, line)


def words(line: str) -> list[str] | None:
    """The words after the command's name; None when a quotation mark is missing."""
    match = COMMAND.fullmatch(line)
    rest = (match[2] if match else "") or ""
    try:
        return [
            word.replace(KEPT, "'") for word in shlex.split(APOSTROPHE.sub(KEPT, rest.translate(STRAIGHT)))
        ]
    except ValueError:
        return None


def split(given: Sequence[str], known: Iterable[str] | None = None) -> tuple[list[str], dict[str, str]]:
    """Arguments and options. With `known`, `key=value` of any other key is an argument: people write that.

    An `--option` takes the next word, unless that is an option too: then its value is `true`.
    `--` ends the options.
    """
    names = None if known is None else set(known)
    arguments: list[str] = []
    options: dict[str, str] = {}
    rest = list(given)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return arguments + rest, options
        option, pair = OPTION.fullmatch(word), PAIR.fullmatch(word)
        if option:
            options[option[1].lower()] = _value(rest) if option[2] is None else option[2]
        elif pair and (names is None or pair[1].lower() in names):
            options[pair[1].lower()] = pair[2]
        else:
            arguments.append(word)
    return arguments, options


def _value(rest: list[str]) -> str:
    return rest.pop(0) if rest and not rest[0].startswith("--") else "true"
