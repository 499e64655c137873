"""Errors sorted by who must act on them."""

from __future__ import annotations


class Refused(Exception):
    """A person asked for something that may not be done: tell them, change nothing.

    `reason_code` is stable (`UnauthorizedApprover`, `HeadMoved`, ...); `message` is the sentence they read.
    """

    def __init__(self, reason_code: str, message: str) -> None:
        super().__init__(message)
        self.reason_code = reason_code
        self.message = message


class Retryable(Exception):
    """The outside was not ready; the same effect may succeed later.

    `after` is seconds asked for by the other side (`Retry-After`); it costs no attempt when given.
    """

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.after = after


class Permanent(Exception):
    """Trying again will not help: escalate to a person with `reason_code` and a sentence."""

    def __init__(self, reason_code: str, message: str) -> None:
        super().__init__(message)
        self.reason_code = reason_code
        self.message = message


class Invalid(Exception):
    """Input that does not fit its model. `path` names the field (`files[3].path`), `reason_code` is
    stable.
    """

    def __init__(self, reason_code: str, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.reason_code = reason_code
        self.message = message
        self.path = path
