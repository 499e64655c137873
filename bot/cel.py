"""Conditions in CEL (https://cel.dev), the one place that knows the library.

    language = Language({"change.labels": "list<string>"})
    language.compile('change.labels.exists(l, l == "schema")').holds({"change.labels": ["schema"]})

Names are declared dotted and whole (`change.labels`, not a map `change`): a typo in a map's field
would compile.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any, Literal

Kind = Literal["bool", "double", "int", "list<string>", "string", "timestamp"]
LONGEST = 2_000
"""Characters of one expression."""

_PLACE = re.compile(r"<input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")


class CelError(ValueError):
    """An expression that means nothing, or can not be decided.

    `suggestion` is a name that was perhaps meant.
    """

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion


class Condition:
    """A compiled expression whose result is a boolean."""

    def __init__(self, text: str, program: Any) -> None:
        self.text = text
        self._program = program

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Decide it.

        Raises CelError when it can not be decided (an index out of range, a name without a value).
        """
        result = self._program.eval(data=dict(values))
        value = result.value()
        # The library returns its ERROR as a value, and that value is truthy.
        if result.type().name() != "BOOL":
            raise CelError(_sentence(str(value)))
        return bool(value)


class Language:
    """The names a condition may use, each with its type."""

    def __init__(self, names: Mapping[str, Kind]) -> None:
        self.names = dict(names)
        self.compile: Callable[[str], Condition] = lru_cache(maxsize=1_024)(self._compile)

    @cached_property
    def _environment(self) -> Any:
        from cel_expr_python import cel

        return cel.NewEnv(variables={name: cel.Type(kind) for name, kind in self.names.items()})

    def _compile(self, text: str) -> Condition:
        """Compile and type-check.

        Raises CelError with a sentence, the place, and a name that was perhaps meant.
        """
        if len(text) > LONGEST:
            raise CelError(f"a condition may have {LONGEST} characters, this one has {len(text)}")
        try:
            program = self._environment.compile(text)
        except RuntimeError as error:
            raise self._explained(str(error)) from None
        kind = program.return_type().name()
        if kind != "BOOL":
            raise CelError(f"a condition must be true or false, this one is {kind}")
        return Condition(text, program)

    def _explained(self, message: str) -> CelError:
        undeclared = _UNDECLARED.search(message)
        close = difflib.get_close_matches(undeclared[1], self.names, n=1) if undeclared else []
        if undeclared:
            return CelError(f"there is no {undeclared[1]!r} in a condition", close[0] if close else None)
        return CelError(_sentence(message))


def _sentence(message: str) -> str:
    """The first complaint, with its place in the expression, without the library's frame."""
    placed = _PLACE.search(message)
    if placed:
        return f"{placed[3].removesuffix(' [INVALID_ARGUMENT]')} (at {placed[1]}:{placed[2]})"
    return message.split(": ", 1)[-1].splitlines()[0]
