"""The kinds of values a policy file is made of. Each says what is wrong with a value in one sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from cronsim import CronSim, CronSimError
from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from policies.errors import did_you_mean

CLOSED = ConfigDict(
    frozen=True,
    extra="forbid",
    alias_generator=lambda name: name.rstrip("_").replace("_", "-"),
    populate_by_name=True,
    arbitrary_types_allowed=True,
)
"""Frozen, closed to unknown keys, kebab-case in YAML."""

LONGEST = timedelta(days=366)
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION = re.compile(r"(?:\d{1,6}[wdhms])+")
_PART = re.compile(r"(\d+)([wdhms])")
_A_DAY = len("2026-12-18")
_YEARS = range(2000, 2100)


def wrong(message: str, suggestion: str | None = None) -> PydanticCustomError:
    """An error of a value: `message` is the sentence, `suggestion` what was perhaps meant."""
    return PydanticCustomError("policy", "{said}", {"said": message, "suggestion": suggestion})


def read_duration(value: Any) -> timedelta:
    """`1h30m` -> elapsed time, at most a year. Raises a value error."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise wrong(f"{value!r} is not a duration: write it like 10m, 36h or 1d12h")
    length = sum(
        (timedelta(**{_UNITS[unit]: int(number)}) for number, unit in _PART.findall(value)), timedelta()
    )
    if not timedelta() < length <= LONGEST:
        raise wrong(f"a duration lies between 1s and 366d, {value!r} does not")
    return length


def say_duration(length: timedelta) -> str:
    """Elapsed time as it is written: `1d12h`."""
    rest, said = max(0, int(length.total_seconds())), ""
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, seconds)
        said += f"{count}{unit}" if count else ""
    return said or "0s"


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(value: Any) -> Any:
    if not isinstance(value, str) or value not in _zones():
        raise wrong(
            f"{value!r} is not a time zone: use an IANA name like Europe/Paris",
            did_you_mean(str(value), _zones()),
        )
    return value


def _cron(value: Any) -> Any:
    if not isinstance(value, str) or len(value.split()) != len(("minute", "hour", "day", "month", "weekday")):
        raise wrong(
            f"{value!r} is not a cron expression: write minute hour day month weekday, like '0 18 * * FRI'"
        )
    try:
        next(CronSim(value, datetime(2026, 1, 1)))  # noqa: DTZ001  cron speaks of local time
    except CronSimError as error:
        raise wrong(f"{value!r} is not a cron expression: {error}") from None
    except StopIteration:
        raise wrong(f"{value!r} never happens") from None
    return value


def _moment(value: Any) -> Any:
    if isinstance(value, date):
        return value
    try:
        text = str(value)
        moment = date.fromisoformat(text) if len(text) == _A_DAY else datetime.fromisoformat(text)
    except ValueError:
        raise wrong(f"{value!r} is neither a date (2026-12-18) nor a time (2026-12-18T18:00)") from None
    if moment.year not in _YEARS:
        raise wrong(f"{value!r} is not in this century")
    return moment


def _file(value: Any) -> Any:
    if (
        not isinstance(value, str)
        or value.startswith("/")
        or not value
        or {"..", "."} & set(value.split("/"))
        or "\\" in value
    ):
        raise wrong(f"{value!r} is not a path inside the repository")
    return value


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


@dataclass(frozen=True)
class OneOrMore:
    """One text where a list is expected is a list of it."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_as_tuple, handler(source))

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        written = handler(core)
        listed = next(kind for kind in written.get("anyOf", [written]) if "items" in kind)
        return {"anyOf": [listed["items"], *written.get("anyOf", [written])]}


ONE_OR_MORE = OneOrMore()


_TEXT = WithJsonSchema({"type": "string"})
Duration = Annotated[
    timedelta,
    BeforeValidator(read_duration),
    WithJsonSchema({"type": "string", "examples": ["10m", "1d12h"]}),
]
Zone = Annotated[str, BeforeValidator(_zone)]
Cron = Annotated[str, BeforeValidator(_cron)]
LocalMoment = Annotated[date | datetime, BeforeValidator(_moment), _TEXT]
"""A date is its local midnight; a time without an offset is local too."""
File = Annotated[str, BeforeValidator(_file)]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/@+-]{0,99}$")]
CommandName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,49}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\r\n]+$")]
Words = tuple[Word, ...]
Lines = tuple[Line, ...]
Count = Annotated[StrictInt, Field(ge=1, le=50)]
