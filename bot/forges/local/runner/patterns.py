"""Regular expressions from pipeline files, which strangers write.

GitLab uses RE2. `re` can take exponential time and holds the interpreter lock meanwhile, which would stop the
whole worker; the Rust engine inside pydantic is linear and, like RE2, knows no look-around.
"""

from __future__ import annotations

from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema


class PatternError(ValueError):
    """Not a regular expression, or one that needs look-around."""


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> SchemaValidator:
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError as error:
        raise PatternError(f"`{pattern}` is not a regular expression that GitLab accepts") from error


def check(pattern: str) -> None:
    """Raises PatternError when `pattern` can not be used."""
    _compiled(pattern)


def found(pattern: str, text: str) -> bool:
    """Whether `pattern` is found anywhere in `text`. Raises PatternError."""
    return _compiled(pattern).isinstance_python(text)
