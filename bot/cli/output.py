"""Answers on standard output, as text or JSON; prose and errors on standard error.

No colours when nobody looks.

def show(trace: str, output: OutputOption = Format.TEXT) -> None:
    answer(output, {"traceId": trace}, text=lambda console: console.print(trace))
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.failure import Failure

if TYPE_CHECKING:  # rich takes a fifth of the time that `--help` has
    from rich.console import Console


UNBROKEN = 10_000
"""Columns of a pipe or a file: tables must not be cut for a window that is not there."""


class Format(StrEnum):
    """How answers are written."""

    TEXT = "text"
    JSON = "json"


def _remember(ctx: typer.Context, value: Format) -> Format:
    """An error is written where and how the answer would have been."""
    ctx.find_root().obj = value
    return value


OutputOption = Annotated[
    Format, typer.Option("--output", callback=_remember, help="How the answer is written.")
]


def console(*, stderr: bool = False) -> Console:
    """A console that knows whether a terminal is behind it.

    Text of others must be passed as `Text` or escaped.
    """
    from rich.console import Console

    made = Console(stderr=stderr, soft_wrap=True, highlight=False, emoji=False)
    if not made.is_terminal:
        made.width = UNBROKEN
    return made


def answer(output: Format, document: Any, *, text: Callable[[Console], object]) -> None:
    """The one answer of a command: a JSON document on one line, or what `text` prints."""
    if output is Format.JSON:
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    else:
        text(console())


def say(message: str) -> None:
    """Tell the person something that is not the answer."""
    from rich.text import Text

    console(stderr=True).print(Text(message))


def report(failure: Failure, output: object) -> None:
    """One sentence on standard error and, where JSON was asked for, the same on standard output."""
    from rich.text import Text

    console(stderr=True).print(Text(clean(f"Error: {failure.message}"), style="red"))
    if output is Format.JSON:
        sys.stdout.write(json.dumps(failure.to_json(), ensure_ascii=False) + "\n")


def count(number: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def clean(text: str) -> str:
    """Text of others without control characters: a title must not drive a terminal."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\ufffd" for character in text
    )


def line(said: dict[str, object]) -> None:
    """One line of JSON, there at once: what another program waits for."""
    typer.echo(json.dumps(said))
    sys.stdout.flush()
