"""Code that comes by push: looked at before it gets into the log, which forgets nothing."""

from __future__ import annotations

from collections.abc import Sequence

from bot import messages
from bot.domain import secrets, submission
from bot.domain.effect import File
from bot.domain.errors import Invalid, Permanent


def checked(files: Sequence[File]) -> tuple[File, ...]:
    """The same files. Raises Permanent with the reason that submitting them would be refused with."""
    try:
        submission.check(files)
    except Invalid as error:
        raise Permanent(error.reason_code, error.message) from error
    for file in files:
        text = submission.text_of(file)
        found = secrets.scan(file.path, text) if text else []
        if found:
            raise Permanent("SecretFound", messages.secret_found(file.path, found[0].line, found[0].kind))
    return tuple(files)
