"""The way to GitLab's REST API: the one place that imports python-gitlab.

Sorted by who must act: a rate limit, an outage or a lost connection is Retryable (with the seconds GitLab
asks for), a token that is not accepted or may not do this is Permanent and says what to mend, and what
GitLab answers to the question itself is `Answered`, for the caller to read. No token is in any of them, nor
in a URL.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bot.domain.errors import Permanent, Retryable
from bot.settings import Settings

if TYPE_CHECKING:
    import requests
    from gitlab import Gitlab

Json = dict[str, Any]
PAGE = 100
TIMEOUT_S = 30
DECIDE_OURSELVES: Json = {"max_retries": 0, "obey_rate_limit": False, "retry_transient_errors": False}
TOO_MANY, FORBIDDEN, UNAUTHORISED, NOT_FOUND, CONFLICT, SERVER = 429, 403, 401, 404, 409, 500
TOOK_TOO_LONG = 408


class Answered(Exception):
    """GitLab understood and says no; `status` is the code of its answer, `said` its sentence."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"GitLab answers {status}: {said}")
        self.status = status
        self.said = said


@dataclass(frozen=True)
class Account:
    """Where GitLab is and who the bot is there. `login` is its user name."""

    url: str
    login: str
    token: str = field(repr=False)
    kind: str = "private"
    ca_bundle: str | None = None
    secrets: tuple[bytes, ...] = field(default=(), repr=False)
    """Secrets of the webhook; the first one is given to new hooks."""

    @classmethod
    def of(cls, settings: Settings) -> Account | None:
        """From the settings; None without a token."""
        if settings.gitlab_token is None:
            return None
        bundle = str(settings.ca_bundle) if settings.ca_bundle else None
        token = settings.gitlab_token.get_secret_value()
        url, secrets = settings.gitlab_url.rstrip("/"), tuple(settings.webhook_secrets("gitlab"))
        return cls(url, settings.gitlab_login, token, settings.gitlab_auth, bundle, secrets)


@dataclass
class Budget:
    """What GitLab last said of its limit; `until` in seconds since 1970. None: it has not said."""

    limit: int | None = None
    remaining: int | None = None
    until: float | None = None

    def take_in(self, headers: Mapping[str, str]) -> None:
        """Read `RateLimit-*` (https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/)."""
        names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
        said = [headers.get(name, "") for name in names]
        if all(value.isdecimal() for value in said):
            self.limit, self.remaining, self.until = int(said[0]), int(said[1]), float(said[2])

    def spent(self, now: float) -> float | None:
        """Seconds to wait because nothing is left, or None."""
        wait = (self.until or 0) - now
        return wait if self.remaining == 0 and wait > 0 else None


def project(repository: str) -> str:
    """The path of a project's resources."""
    return f"/projects/{segment(repository)}"


def segment(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


class Api:
    """Requests as one account. Every thread has a session of its own."""

    def __init__(self, account: Account, *, clock: Callable[[], float] = time.time) -> None:
        self.account = account
        self.budget = Budget()
        self.clock_difference: float | None = None
        """Seconds that this machine's clock is ahead of GitLab's, by its last answer."""
        self._clock = clock
        self._local = threading.local()
        self._myself: Json | None = None

    @property
    def myself(self) -> Json:
        """The bot's own user: `id`, `username`, `commit_email`. Asked once."""
        if self._myself is None:
            self._myself = self.get("/user")
        return self._myself

    def get(self, path: str, /, **query: Any) -> Any:
        """One thing. Raises Answered, Retryable, Permanent, as all that follow."""
        return self._json("get", path, query=query)

    def find(self, path: str, /, **query: Any) -> Any:
        """One thing, or None when it is not there."""
        try:
            return self.get(path, **query)
        except Answered as answer:
            if answer.status == NOT_FOUND:
                return None
            raise

    def head(self, path: str, /, **query: Any) -> Mapping[str, str] | None:
        """The headers of a thing, or None when it is not there."""
        try:
            return self._send("head", path, query=query).headers
        except Answered as answer:
            if answer.status == NOT_FOUND:
                return None
            raise

    def list(self, path: str, /, **query: Any) -> Iterator[Json]:
        """All of them, page by page, as the `Link` header leads."""
        query = {"per_page": PAGE} | query
        while True:
            response = self._send("get", path, query=query)
            with self._translated():
                page = response.json()
            yield from page
            following = response.links.get("next", {}).get("url")
            if not following:
                return
            path, query = self._within(following), {}

    def post(self, path: str, /, **body: Any) -> Any:
        """Make something."""
        return self._json("post", path, body=body)

    def put(self, path: str, /, **body: Any) -> Any:
        """Change something."""
        return self._json("put", path, body=body)

    def delete(self, path: str, /) -> None:
        """Take something away. Raises Answered when it is not there."""
        self._send("delete", path)

    def raw(self, path: str, /, **query: Any) -> bytes:
        """Bytes as they are."""
        content = self._send("get", path, query=query).content
        assert isinstance(content, bytes)
        return content

    def stream(self, path: str, /, **query: Any) -> Iterator[bytes]:
        """Bytes as they come."""
        response = self._send("get", path, query=query, streamed=True)
        with self._translated(), response:
            yield from response.iter_content(chunk_size=64 * 1024)

    def _json(self, verb: str, path: str, *, query: Json | None = None, body: Json | None = None) -> Any:
        response = self._send(verb, path, query=query, body=body)
        with self._translated():
            return response.json()

    def _within(self, url: str) -> str:
        """The next page, at the address that we were given ourselves: a proxy in between may know another."""
        _, found, rest = url.partition("/api/v4/")
        if not found:
            raise Permanent("UnreadableAnswer", "GitLab names a next page that is not below /api/v4")
        return f"/{rest}"

    def _send(
        self,
        verb: str,
        path: str,
        *,
        query: Json | None = None,
        body: Json | None = None,
        streamed: bool = False,
    ) -> requests.Response:
        wait = self.budget.spent(self._clock())
        if wait is not None:
            raise Retryable("GitLab's rate limit is used up", after=wait)
        with self._translated():
            # `query_parameters`, because names such as `path` are also arguments of the method.
            return self._gitlab().http_request(
                verb,
                path,
                query_parameters=query or {},
                post_data=body,
                streamed=streamed,
                **DECIDE_OURSELVES,
            )

    def _gitlab(self) -> Gitlab:
        made: Gitlab | None = getattr(self._local, "gitlab", None)
        if made is None:
            made = self._local.gitlab = self._connect()
        return made

    def _connect(self) -> Gitlab:
        from gitlab import Gitlab

        from bot.forges.gitlab.session import session

        account = self.account
        tokens: Json = {"oauth_token" if account.kind == "oauth" else "private_token": account.token}
        verify = account.ca_bundle or True
        return Gitlab(
            account.url,
            timeout=TIMEOUT_S,
            ssl_verify=verify,
            session=session(self._heard),
            user_agent="pointsman",
            **tokens,
        )

    def _heard(self, response: requests.Response) -> None:
        """Headers of every answer: the SDK's errors leave them out."""
        self._local.headers = response.headers
        self.budget.take_in(response.headers)
        if moment := parsedate_tz(response.headers.get("Date", "")):
            self.clock_difference = self._clock() - mktime_tz(moment)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import requests
        from gitlab.exceptions import GitlabError, GitlabHttpError, GitlabParsingError, RedirectError

        try:
            yield
        except requests.exceptions.SSLError:
            message = "GitLab's certificate is not vouched for: set POINTSMAN_CA_BUNDLE"
            raise Permanent("BadCertificate", message) from None
        # Not even the cause is kept: the SDK's errors hold requests, which hold the token.
        except (requests.RequestException, OSError) as error:
            raise Retryable(f"GitLab did not answer ({type(error).__name__})") from None
        except RedirectError:
            message = "GitLab is at another address: set POINTSMAN_GITLAB_URL to where it redirects to"
            raise Permanent("Redirected", message) from None
        except GitlabParsingError:
            raise Retryable("GitLab's answer was cut short") from None
        except GitlabError as error:
            status = error.response_code or 0
            said = self._without_token(error.error_message if isinstance(error, GitlabHttpError) else "")
            raise self._judged(status, said) from None

    def _without_token(self, said: object) -> str:
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        for secret in (self.account.token, *(one.decode() for one in self.account.secrets)):
            text = text.replace(secret, "[token]")
        return text[:500]

    def _judged(self, status: int, said: str) -> Exception:
        headers: Mapping[str, str] = getattr(self._local, "headers", {})
        after = headers.get("Retry-After", "")
        limited = after.isdecimal() or self.budget.spent(self._clock()) is not None
        if status == TOO_MANY or (status == FORBIDDEN and limited):
            wait = float(after) if after.isdecimal() else self.budget.spent(self._clock())
            return Retryable("GitLab asks to slow down", after=60.0 if wait is None else wait)
        if status == UNAUTHORISED:
            return Permanent(
                "BadToken",
                "GitLab does not accept the bot's token: set POINTSMAN_GITLAB_TOKEN to a valid one",
            )
        if status == FORBIDDEN:
            return Permanent("Forbidden", _forbidden(said))
        if status >= SERVER or status == TOOK_TOO_LONG or (status == CONFLICT and "lock" in said.lower()):
            wait = float(after) if after.isdecimal() else None
            return Retryable(f"GitLab answers {status}", after=wait)
        return Answered(status, said)


def _forbidden(said: str) -> str:
    need = "give the bot's account the role Developer or higher, and its token the scope `api`"
    return f"GitLab does not let the bot do this ({said}): {need}"
