"""The bot's account at Azure DevOps, through the SDK: this and speech.py are the only places that import it.

The SDK drops what one needs to behave well: the status of an error, `Retry-After`, continuation tokens.
A hook on every response keeps them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from bot.domain.errors import Permanent, Retryable
from bot.forges.azure.credentials import Credentials
from bot.forges.azure.downloads import CHUNK, belongs, kept
from bot.forges.azure.names import People
from bot.forges.azure.speech import Refusal, Service, translated

TIMEOUT_S = 30
PAGE = 100
MOST_PAGES = 50
SIGN_IN = {203, 302, 401}
"""A wrong token is answered with the sign-in page, which is no error by its status."""
AREAS = {
    "build": "build.build_client.BuildClient",
    "core": "core.core_client.CoreClient",
    "git": "git.git_client.GitClient",
    "hooks": "service_hooks.service_hooks_client.ServiceHooksClient",
    "identity": "identity.identity_client.IdentityClient",
    "agents": "task_agent.task_agent_client.TaskAgentClient",
    "location": "location.location_client.LocationClient",
    "policy": "policy.policy_client.PolicyClient",
    "security": "security.security_client.SecurityClient",
    "task": "task.task_client.TaskClient",
    "test": "test.test_client.TestClient",
    "wiki": "wiki.wiki_client.WikiClient",
    "work": "work_item_tracking.work_item_tracking_client.WorkItemTrackingClient",
}
COVERAGE = "77560e8a-4e8c-4d59-894e-a5f264c24444"
EVENTS = "557624af-b29e-4c20-8ab0-0399d2204f3f"
MENDED_BY = "set POINTSMAN_AZURE_TOKEN to a token that is valid (or mend the workload identity)"


@dataclass
class Budget:
    """What the forge last said about its limits (`X-RateLimit-*`), in its own units."""

    limit: float | None = None
    remaining: float | None = None
    skew: float = 0.0
    """Seconds by which this machine's clock is ahead of the forge's."""
    not_before: float = 0.0
    """On the monotonic clock: the forge asked for silence until then."""

    def pause(self) -> float:
        """Seconds to wait before the next request."""
        return max(0.0, self.not_before - time.monotonic())


@dataclass
class Client:
    """The bot's account at one organisation. Threads may share it."""

    organisation: str
    credentials: Credentials
    people: People
    cache: Path
    verify: str | bool = True
    hook_secret: str = field(default="", repr=False)
    """What new service hooks show when they call."""
    budget: Budget = field(default_factory=Budget)
    _made: dict[str, Service] = field(default_factory=dict)
    _areas: dict[str, str] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _heard: threading.local = field(default_factory=threading.local, repr=False)

    @property
    def agents(self) -> Any:
        return self.service("agents")

    @property
    def build(self) -> Any:
        return self.service("build")

    @property
    def git(self) -> Any:
        return self.service("git")

    @property
    def hooks(self) -> Any:
        return self.service("hooks")

    @property
    def identity(self) -> Any:
        return self.service("identity")

    @property
    def policy(self) -> Any:
        return self.service("policy")

    @property
    def security(self) -> Any:
        return self.service("security")

    @property
    def test(self) -> Any:
        return self.service("test")

    @property
    def wiki(self) -> Any:
        return self.service("wiki")

    @property
    def work(self) -> Any:
        return self.service("work")

    def service(self, name: str) -> Any:
        """The client of an area of the API; its methods are the SDK's, and raise as this module says."""
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def coverage(self, project: str, run: int) -> Any:
        """The coverage that a run published. The SDK kept the model of the answer and lost the method."""
        made = self.service("test").made
        with translated():
            answer = self._raw(made, "GET", COVERAGE, {"project": project}, query_parameters={"buildId": run})
            return made._deserialize("CodeCoverageSummary", answer)  # noqa: SLF001 - what its methods call

    def raise_event(self, route: Mapping[str, str], event: Mapping[str, str]) -> None:
        """Tell a plan of Azure Pipelines something that it waits for. The SDK has no method for it."""
        made = self.service("task").made
        with translated():
            self._raw(made, "POST", EVENTS, dict(route), content=dict(event))

    def _raw(self, made: Any, method: str, location: str, route: dict[str, str], **more: Any) -> Any:
        return made._send(  # noqa: SLF001 - what its own methods call
            http_method=method, location_id=location, version="7.1-preview.1", route_values=route, **more
        )

    def download(self, address: str, most: int) -> IO[bytes] | None:
        """A file that an answer named the address of; None for one of more than so many bytes.

        Raises Permanent('ForeignAddress') for one where the bot's token has no business.
        """
        import requests

        if not belongs(self.organisation, address):
            raise Permanent("ForeignAddress", "Azure DevOps names an address that is not its own")
        with (
            translated(),
            requests.get(
                address,
                auth=_signed(self.credentials.header),
                headers={"User-Agent": "pointsman"},
                stream=True,
                timeout=TIMEOUT_S,
                verify=self.verify,
                allow_redirects=False,
            ) as answer,
        ):
            self._hear(answer)
            return kept(answer.iter_content(CHUNK), most)

    def model(self, area: str, name: str, /, **values: Any) -> Any:
        """A model of the SDK, to be sent."""
        self._prepare()
        return getattr(import_module(f"azure.devops.v7_1.{area}.models"), name)(**values)

    def pages(self, ask: Callable[..., Any], *arguments: Any, **named: Any) -> Iterator[Any]:
        """Everything that a method with `continuation_token` lists. Raises Permanent when it never ends."""
        token: str | None = None
        for _ in range(MOST_PAGES):
            yield from ask(*arguments, **named, **({"continuation_token": token} if token else {}))
            token = getattr(self._heard, "token", None)
            if not token:
                return
        raise Permanent("TooMany", f"Azure DevOps lists more than {MOST_PAGES} pages")

    def skipping(self, ask: Callable[..., Any], *arguments: Any, **named: Any) -> Iterator[Any]:
        """Everything that a method with `skip` and `top` lists."""
        for page in range(MOST_PAGES):
            found = ask(*arguments, **named, skip=page * PAGE, top=PAGE) or []
            yield from found
            if len(found) < PAGE:
                return
        raise Permanent("TooMany", f"Azure DevOps lists more than {MOST_PAGES * PAGE} of these")

    def _make(self, name: str) -> Service:
        self._prepare()
        module, _, class_ = AREAS[name].rpartition(".")
        made = getattr(import_module(f"azure.devops.v7_1.{module}"), class_)
        url = self._url(made.resource_area_identifier) if name != "location" else self.organisation
        return Service(self._configured(made(url, None)))

    def _url(self, area: str | None) -> str:
        """Where an area of the API is: on dev.azure.com some are on other hosts, on a server none."""
        if self._areas is None:
            found = self.service("location").get_resource_areas() or []
            self._areas = {one.id.lower(): one.location_url.rstrip("/") for one in found}
        return self._areas.get((area or "").lower(), self.organisation)

    def _prepare(self) -> None:
        """Before its import the SDK wants to know where to keep what it learns about the API."""
        self.cache.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("AZURE_DEVOPS_CACHE_DIR", str(self.cache))

    def _configured(self, made: Any) -> Any:
        made.config.connection.timeout = TIMEOUT_S
        made.config.connection.verify = self.verify
        made.config.redirect_policy.allow = False
        made.config.retry_policy.retries = 0  # the engine tries again, and looks first whether it was done
        made.config.hooks.append(self._hear)
        made.config.add_user_agent("pointsman")
        made.config.session_configuration_callback = self._sign
        return made

    def _sign(self, session: Any, _config: Any, _kwargs: Any, **sent: Any) -> dict[str, Any]:
        """Every request is signed anew, as tokens end; never from a `.netrc` of the machine."""
        session.auth = _signed(self.credentials.header)
        return sent

    def _hear(self, answer: Any, *_arguments: Any, **_named: Any) -> None:
        headers: Mapping[str, str] = answer.headers
        self._heard.token = headers.get("X-MS-ContinuationToken")
        self._count(headers)
        if answer.status_code in SIGN_IN:
            raise Permanent("NotAuthenticated", f"Azure DevOps does not know the bot: {MENDED_BY}")
        if answer.status_code >= 300:  # noqa: PLR2004 - HTTP
            self._refuse(answer)

    def _count(self, headers: Mapping[str, str]) -> None:
        self.budget.limit = number(headers.get("X-RateLimit-Limit")) or self.budget.limit
        remaining = number(headers.get("X-RateLimit-Remaining"))
        self.budget.remaining = self.budget.remaining if remaining is None else remaining
        if date := headers.get("Date"):
            self.budget.skew = time.time() - parsedate_to_datetime(date).timestamp()
        wait = number(headers.get("Retry-After"))
        if wait:
            self.budget.not_before = max(self.budget.not_before, time.monotonic() + wait)

    def _refuse(self, answer: Any) -> None:
        status, wait = answer.status_code, number(answer.headers.get("Retry-After"))
        if wait is not None or status == 429:  # noqa: PLR2004 - HTTP
            raise Retryable(f"Azure DevOps asks for a pause (it answered {status})", after=wait or 30.0)
        if status >= 500 or status == 408:  # noqa: PLR2004 - HTTP
            raise Retryable(f"Azure DevOps answered {status}")
        try:
            said = answer.json()
        except ValueError:
            said = {}
        said = said if isinstance(said, dict) else {}
        raise Refusal(status, str(said.get("typeKey") or ""), str(said.get("message") or ""))


def _signed(header: Callable[[], str]) -> Callable[[Any], Any]:
    def sign(request: Any) -> Any:
        request.headers["Authorization"] = header()
        return request

    return sign


def number(text: str | None) -> float | None:
    """A header's number, or None. `Retry-After` may be a date; Azure DevOps sends seconds."""
    try:
        return float(text) if text else None
    except ValueError:
        return None
