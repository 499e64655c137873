"""The HTTP session under the SDK: what its errors leave out is told, and the token stays with GitLab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests


class Session(requests.Session):
    """Follows a redirect to an object store without our token: requests takes only `Authorization` off."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        original = response.request.url
        leaves = self.should_strip_auth(original, prepared_request.url)  # type: ignore[no-untyped-call]
        if leaves:
            prepared_request.headers.pop("PRIVATE-TOKEN", None)


def session(heard: Callable[[requests.Response], None]) -> requests.Session:
    """A session that hands every answer to `heard`, and takes no password from a `.netrc`."""
    made = Session()
    made.auth = lambda request: request

    def told(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
        heard(response)

    made.hooks["response"].append(told)
    return made
