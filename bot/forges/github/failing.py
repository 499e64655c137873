"""What the SDK's failures mean: who must act, and what to mend."""

from __future__ import annotations

import json as json_
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.domain.errors import Permanent, Retryable
from bot.forges.github.asking import Ask
from bot.forges.github.errors import Answered
from bot.telemetry import get_logger, redact

if TYPE_CHECKING:
    import httpx

    from bot.forges.github.client import Client

log = get_logger(__name__)
MUTATIONS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
UNAUTHORIZED, FORBIDDEN, TOO_MANY = 401, 403, 429
SERVER_ERRORS = 500
AT_LEAST = 60.0
"""Seconds to wait where GitHub does not say how long."""


@contextmanager
def told(client: Client, ask: Ask, who: str = "the bot") -> Iterator[None]:
    """The SDK's failures in our words. Its own carry the request and so a token: they are left behind."""
    import httpx
    from githubkit import exception as sdk

    failure: Exception | None = None
    try:
        yield
    except sdk.PrimaryRateLimitExceeded as error:
        failure = _wait(client.used_up, ask, error.retry_after.total_seconds())
    except sdk.RateLimitExceeded as error:
        failure = _wait(client.hold, ask, error.retry_after.total_seconds())
    except sdk.RequestFailed as error:
        failure = _refusal(client, ask, who, error.response.raw_response)
    except (sdk.RequestTimeout, httpx.TimeoutException):
        failure = Retryable("GitHub did not answer in time")
    except sdk.RequestError as error:
        failure = Retryable(f"GitHub cannot be reached: {type(error.exc).__name__}")
    except httpx.HTTPError as error:  # in the middle of an answer that is read bit by bit
        failure = Retryable(f"GitHub's answer was cut off: {type(error).__name__}")
    if failure is not None:
        raise failure


def _refusal(client: Client, ask: Ask, who: str, response: httpx.Response) -> Exception:
    status = response.status_code
    message, errors = _said(response)
    limited = status == FORBIDDEN and ("secondary rate" in message or "rate limit" in message)
    if status == TOO_MANY or limited:
        return _wait(client.hold, ask, AT_LEAST)
    if status >= SERVER_ERRORS:
        after = response.headers.get("retry-after", "")
        return Retryable(f"GitHub answered {status}", after=float(after) if after.isdigit() else None)
    if status == UNAUTHORIZED:
        if client.is_app and ask.repository:
            client.account.forget(ask.repository)
            return Retryable("GitHub no longer takes the token; a new one will be made")
        mend = (
            "check POINTSMAN_GITHUB_APP_ID, POINTSMAN_GITHUB_APP_KEY_FILE and this machine's clock"
            if client.is_app
            else "POINTSMAN_GITHUB_TOKEN has ended or was taken back; make a new one"
        )
        return Permanent("BadCredentials", f"GitHub does not know {who}: {mend}")
    if status == FORBIDDEN:
        if ask.repository:
            client.account.forget(ask.repository)
        code = "NoWriteAccess" if ask.method in MUTATIONS and ask.path != "/graphql" else "NoReadAccess"
        return Permanent(
            code, f"GitHub does not let {who} do this in {ask.repository or 'its place'}: {message}"
        )
    return Answered(status, message, errors)


def _wait(tell: Callable[[Ask, float], None], ask: Ask, seconds: float) -> Retryable:
    """Nobody else asks meanwhile either."""
    after = max(seconds, 1.0)
    tell(ask, after)
    log.warning("github_asks_to_wait", repository=ask.repository, seconds=after)
    return Retryable("GitHub asks to wait", after=after)


def _said(response: httpx.Response) -> tuple[str, tuple[str, ...]]:
    """What GitHub says is wrong, and where."""
    import httpx

    try:
        response.read()  # of a download nothing is read yet
        said = response.json()
    except (ValueError, httpx.HTTPError):
        return f"status {response.status_code}", ()
    if not isinstance(said, dict):
        return f"status {response.status_code}", ()
    listed = said.get("errors")
    errors = listed if isinstance(listed, list) else [listed] if listed else []
    return redact(str(said.get("message", ""))), tuple(redact(json_.dumps(error)) for error in errors)
