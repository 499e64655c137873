"""One HTTP session for all threads: the SDK alone would connect anew for every request."""

from __future__ import annotations

import ssl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from githubkit import GitHubCore, UnauthAuthStrategy
from githubkit.cache import MemCacheStrategy


class Session(GitHubCore[UnauthAuthStrategy]):
    """The SDK with a client that stays open. Who asks is said by each request, as there are many tokens."""

    _kept: httpx.Client | None = None

    @contextmanager
    def get_sync_client(self) -> Generator[httpx.Client, None, None]:
        if self._kept is None:
            self._kept = self._create_sync_client()
        yield self._kept


def session(api_url: str, ca_bundle: Path | None, timeout: float) -> Session:
    """A session with GitHub. Proxies come from the environment, but never for this machine itself."""
    here = httpx.URL(api_url).host in {"127.0.0.1", "localhost"}
    options: dict[str, Any] = {
        "ssl_verify": ssl.create_default_context(cafile=str(ca_bundle)) if ca_bundle else True,
        "trust_env": not here,
    }
    return Session(
        UnauthAuthStrategy(),
        base_url=api_url,
        user_agent="pointsman",
        timeout=timeout,
        auto_retry=False,
        http_cache=False,
        # Else all sessions share one, in which a JWT is known by the App's number, whatever key signed it.
        cache_strategy=MemCacheStrategy(),
        **options,
    )
