"""Asking GitHub: the one place that knows the SDK. Session, sign-in, limits; failures in our words.

The SDK's own retries are off: an attempt is an attempt, and the engine has its schedule for the next one.
"""

from __future__ import annotations

import json as json_
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bot.domain.errors import Permanent, Retryable
from bot.forges.github.account import Account, App, User
from bot.forges.github.asking import Access, Answer, Ask
from bot.forges.github.failing import MUTATIONS, told
from bot.forges.github.pace import Budget, Pace
from bot.forges.github.remembered import Remembered

if TYPE_CHECKING:
    import httpx
    from githubkit import GitHubCore
    from githubkit.auth.app import AppAuth

TIMEOUT_S = 20.0
VERSION = "2022-11-28"
PAGE, MOST_PAGES = 100, 50
LARGEST_REMEMBERED, MOST_REMEMBERED = 256 * 1024, 16 * 1024 * 1024
"""Bytes of one answer that is remembered with its ETag, and of all of them."""
Kept = tuple[str, Any, Mapping[str, str]]
NOT_MODIFIED, NO_CONTENT = 304, 204
ENTERPRISE = "/api/v3"


class Client:
    """Requests on behalf of one account; safe between threads. Nothing is sent before the first of them.

    `processes`: how many of them share the account.
    """

    def __init__(
        self, access: Access, clock: Callable[[], float] = time.time, processes: Callable[[], int] = lambda: 1
    ) -> None:
        self._access = access
        self._clock = clock
        self._core: GitHubCore[Any] | None = None
        self._jwt: AppAuth | None = None
        self.account: Account = App(self._signed, clock) if access.app_id else User(access.token)
        self.pace = Pace(access.pause, clock, processes=processes)
        self.budgets: dict[str, Budget] = {}
        self._held: dict[str, float] = {}
        """Until when GitHub wants to hear nothing of an account."""
        self._etags: Remembered[Kept] = Remembered(1000, heaviest=MOST_REMEMBERED)

    @property
    def is_app(self) -> bool:
        return bool(self._access.app_id)

    @property
    def app_id(self) -> int | None:
        """The App's number; None for a token's user."""
        return int(self._access.app_id) if self._access.app_id.isdigit() else None

    def get(self, repository: str, path: str, **more: Any) -> Any:
        """The JSON of `/repos/{repository}{path}`; what has not changed since costs nothing of the budget."""
        return self.ask(Ask("GET", f"/repos/{repository}{path}", repository, **more)).json

    def send(self, method: str, repository: str, path: str, json: Mapping[str, Any], **more: Any) -> Answer:
        """Write something below `/repos/{repository}`."""
        return self.ask(Ask(method, f"/repos/{repository}{path}", repository, json, **more))

    def pages(self, repository: str, path: str, *, inside: str = "", **more: Any) -> Iterator[Any]:
        """All items of a list, page by page; `inside` is the field that holds them, if one does.

        Raises Retryable for a list that GitHub cuts off in the middle.
        """
        params = {"per_page": PAGE} | more.pop("params", {})
        for page in range(1, MOST_PAGES + 1):
            ask = Ask("GET", f"/repos/{repository}{path}", repository, params=params | {"page": page}, **more)
            answer = self.ask(ask)
            items = answer.json[inside] if inside else answer.json
            yield from items
            if 'rel="next"' not in answer.headers.get("link", ""):
                return
            if not items:
                raise Retryable("GitHub left out a part of a list")

    def graphql(self, repository: str, query: str, variables: Mapping[str, Any], **more: Any) -> Any:
        """`data` and `errors` of a query. Raises Retryable where GitHub has no data at all."""
        asked = {"query": query, "variables": dict(variables)}
        said = self.ask(Ask("POST", "/graphql", repository, asked, **more)).json
        kinds = {error.get("type") for error in said.get("errors") or []}
        if "RATE_LIMITED" in kinds:
            raise Retryable("GitHub's limit of requests is used up", after=60.0)
        if said.get("data") is None:
            raise Retryable("GitHub could not answer a query")
        return said

    def ask(self, ask: Ask) -> Answer:
        """One request as the bot. Raises Answered, Retryable, Permanent."""
        token = self.account.token(ask.repository, ask.needs, ask.wishes)
        whose = self.account.budget_of(ask.repository)
        self._not_exhausted(whose, ask)
        if ask.method in MUTATIONS and ask.path != "/graphql":
            self.pace.turn()
        kept = self._etags.get(*_key(ask)) if ask.method == "GET" else None
        headers = _headers(token, ask.accept)
        if kept:
            headers["If-None-Match"] = kept[0]
        with told(self, ask):
            response = self._send(ask.method, ask.path, headers, ask.json, ask.params)
        self._count(whose, response)
        if response.status_code == NOT_MODIFIED and kept:
            return Answer(200, kept[1], kept[2])
        return self._keep(ask, response)

    def download(self, ask: Ask, most: int) -> bytes:
        """The bytes behind a path. Raises Permanent('TooLarge') above `most`, of which no more is read."""
        token = self.account.token(ask.repository, ask.needs, ask.wishes)
        whose = self.account.budget_of(ask.repository)
        self._not_exhausted(whose, ask)
        with told(self, ask):
            # The address that GitHub redirects to lets in by itself; no token is sent to another host.
            headers = _headers(token, ask.accept)
            response = self._send("GET", ask.path, headers, None, ask.params, stream=True)
            try:
                return _at_most(response, most)
            finally:
                response.close()

    def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        json: Mapping[str, Any] | None,
        params: Mapping[str, str | int] | None,
        *,
        stream: bool = False,
    ) -> httpx.Response:
        said = dict(json) if json is not None else None
        if path == "/graphql" and self._access.api_url.endswith(ENTERPRISE):
            path = f"{self._access.api_url.removesuffix(ENTERPRISE)}/api/graphql"
        answer = self.core.request(
            method, path, headers=dict(headers), json=said, params=dict(params or {}), stream=stream
        )
        return answer.raw_response

    def _keep(self, ask: Ask, response: httpx.Response) -> Answer:
        empty = response.status_code == NO_CONTENT or not response.content
        try:
            said = None if empty else response.json()
        except json_.JSONDecodeError as error:
            raise Retryable("GitHub's answer was cut off") from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        if ask.method == "GET" and "etag" in headers and len(response.content) <= LARGEST_REMEMBERED:
            weight = len(response.content)
            self._etags.put((headers["etag"], said, headers), *_key(ask), weight=weight)
        return Answer(response.status_code, said, headers)

    def hold(self, ask: Ask, seconds: float) -> None:
        """GitHub asked to wait: whoever goes on all the same may be locked out for good."""
        whose = self.account.budget_of(ask.repository)
        self._held[whose] = max(self._held.get(whose, 0.0), self._clock() + seconds)

    def used_up(self, ask: Ask, seconds: float) -> None:
        """No request is left until then, of this kind."""
        resource = _resource(self.account.budget_of(ask.repository), ask.path)
        known = self.budgets.get(resource)
        self.budgets[resource] = Budget(known.limit if known else 0, 0, self._clock() + seconds)

    def _not_exhausted(self, whose: str, ask: Ask) -> None:
        if (until := self._held.get(whose, 0.0)) > self._clock():
            raise Retryable("GitHub asks to wait", after=until - self._clock())
        known = self.budgets.get(_resource(whose, ask.path))
        if known and not known.remaining and known.reset > self._clock():
            raise Retryable("GitHub's limit of requests is used up", after=known.reset - self._clock())

    def _count(self, whose: str, response: httpx.Response) -> None:
        said = response.headers
        if "x-ratelimit-remaining" in said:
            key = f"{whose}/{said.get('x-ratelimit-resource', 'core')}"
            self.budgets[key] = Budget(
                int(said.get("x-ratelimit-limit", 0)),
                int(said["x-ratelimit-remaining"]),
                float(said.get("x-ratelimit-reset", 0)),
            )

    def _signed(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """As the App itself."""
        headers = {"Authorization": f"Bearer {self.jwt()}", "X-GitHub-Api-Version": VERSION}
        ask = Ask(method, path, "", body)
        with told(self, ask, "the App"):
            response = self._send(method, path, headers, body, None)
        return self._keep(ask, response).json

    def change_as_app(self, path: str, json: Mapping[str, Any]) -> None:
        """A PATCH as the App itself."""
        self._signed("PATCH", path, json)

    def as_app(self, path: str, params: Mapping[str, str | int]) -> Answer:
        """A GET as the App itself."""
        headers = {"Authorization": f"Bearer {self.jwt()}", "X-GitHub-Api-Version": VERSION}
        ask = Ask("GET", path, "", params=params)
        with told(self, ask, "the App"):
            response = self._send("GET", path, headers, None, params)
        return self._keep(ask, response)

    def jwt(self) -> str:
        """What the App signs in with; made anew by the SDK before it ends."""
        if self._jwt is None:
            from githubkit.auth.app import AppAuth

            self._jwt = AppAuth(self.core, self._access.app_id, self._access.app_key)
        from jwt import PyJWTError

        token = ""
        with suppress(ValueError, PyJWTError):  # whose texts and tracebacks know the key
            token = self._jwt.get_jwt()
        if not token:
            raise Permanent(
                "BadCredentials", "POINTSMAN_GITHUB_APP_KEY_FILE holds no private key that GitHub made"
            )
        return token

    @property
    def core(self) -> GitHubCore[Any]:
        """The SDK, which takes a quarter of a second to import."""
        if self._core is None:
            from bot.forges.github.session import session

            self._core = session(self._access.api_url, self._access.ca_bundle, TIMEOUT_S)
        return self._core


def _headers(token: str, accept: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": accept, "X-GitHub-Api-Version": VERSION}


def _at_most(response: httpx.Response, most: int) -> bytes:
    """The body of an answer that is read bit by bit. Raises Permanent('TooLarge')."""
    read = bytearray()
    for part in response.iter_bytes():
        read += part
        if len(read) > most:
            raise Permanent("TooLarge", f"GitHub sent more than {most // 1024 // 1024} MiB")
    return bytes(read)


def _key(ask: Ask) -> tuple[str, ...]:
    params = sorted((ask.params or {}).items())
    return (ask.path, ask.accept, json_.dumps(params))


def _resource(whose: str, path: str) -> str:
    return f"{whose}/{'graphql' if path == '/graphql' else 'core'}"
