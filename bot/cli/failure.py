"""What can go wrong, as one sentence and an exit code.

Errors of libraries are put into words here and nowhere else.
"""

from __future__ import annotations

import os
import sys
from enum import IntEnum
from typing import Any

import typer


class Code(IntEnum):
    """Exit codes (interfaces.md, "Command line")."""

    OK = 0
    FAILED = 1
    USAGE = 2
    BLOCKED = 3
    NOT_AUTHORISED = 4


class Failure(Exception):
    """Ends a command with `code` after saying `message`.

    `reason_code` is stable and `path` names the field meant.
    """

    def __init__(
        self, message: str, code: Code = Code.FAILED, *, reason_code: str = "Failed", path: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason_code = reason_code
        self.path = path

    def to_json(self) -> dict[str, Any]:
        """What stands on standard output under `--output json`."""
        said = {"reasonCode": self.reason_code, "message": self.message}
        return {"error": said | ({"path": self.path} if self.path else {})}


def failure_of(error: Exception) -> Failure | None:
    """A sentence for an error nobody expected here; None for typer's own ways of ending a command.

    `POINTSMAN_DEBUG=1` shows the traceback instead, for whoever mends the program.
    """
    if isinstance(error, Failure):
        return error
    if isinstance(error, (typer.Exit, typer.Abort)) or type(error).__module__.startswith("typer."):
        return None
    if os.environ.get("POINTSMAN_DEBUG"):
        return None
    return _known(error) or Failure(
        f"Unexpected error: {type(error).__name__}: {_line(error)}", reason_code="Unexpected"
    )


def _known(error: Exception) -> Failure | None:
    """Only asks libraries that are loaded already: one that is not can not have raised anything."""
    for module, name, describe in (
        ("pydantic_core", "ValidationError", _settings),
        ("sqlalchemy.exc", "OperationalError", _database),
        ("sqlalchemy.exc", "ProgrammingError", _tables),
        ("sqlalchemy.exc", "DatabaseError", _broken_database),
        ("sqlalchemy.exc", "ArgumentError", _database_url),
        ("httpx", "TransportError", _unreachable),
        ("bot.audit.keys", "KeyUnusable", _signing_key),
    ):
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(error, getattr(loaded, name)):
            return describe(error)
    if isinstance(error, OSError):
        named = f"{error.filename}: " if error.filename else ""
        return Failure(f"{named}{error.strerror or error}.", reason_code="FileError")
    return None


def _signing_key(error: Any) -> Failure:
    return Failure(f"POINTSMAN_ATTESTATION_KEY: {error}", reason_code="KeyUnusable")


def _settings(error: Any) -> Failure | None:
    if error.title != "Settings":
        return None
    first = error.errors(include_input=False)[0]  # the value may be a secret
    variable = "POINTSMAN_" + "_".join(map(str, first["loc"])).upper()
    return Failure(
        f"{variable}: {first['msg'].lower()}.", Code.USAGE, reason_code="InvalidSetting", path=variable
    )


def _database(error: Any) -> Failure:
    text = _line(error.orig)
    if "no such table" in text:
        return _tables(error)
    return Failure(f"The database does not answer: {text}", reason_code="DatabaseUnavailable")


def _broken_database(error: Any) -> Failure:
    return Failure(f"The database can not be read: {_line(error.orig)}", reason_code="DatabaseBroken")


def _tables(_error: Any) -> Failure:
    return Failure(
        "The database does not have this release's tables: run `pointsman db upgrade`.",
        reason_code="DatabaseOutdated",
    )


def _database_url(_error: Any) -> Failure:
    return Failure(
        "POINTSMAN_DATABASE_URL is not a database URL: write sqlite:///FILE or postgresql://USER@HOST/NAME.",
        Code.USAGE,
        reason_code="InvalidSetting",
        path="POINTSMAN_DATABASE_URL",
    )


def _unreachable(error: Any) -> Failure:
    where = (
        f"{error.request.url.scheme}://{error.request.url.netloc.decode()}"
        if getattr(error, "_request", None)
        else "that URL"
    )
    return Failure(
        f"No Pointsman answers at {where} ({_line(error)}). Is `pointsman serve` running?",
        reason_code="Unreachable",
    )


def _line(error: object) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
