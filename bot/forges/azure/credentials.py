"""How the bot signs in: a personal access token, or an Entra workload identity that needs no kept secret.

The workload identity is the one of AKS and of federated pipelines: `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and
`AZURE_FEDERATED_TOKEN_FILE`, whose token is exchanged for one that lives an hour
(https://learn.microsoft.com/entra/workload-id/workload-identity-federation).
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.domain.errors import Permanent, Retryable
from bot.telemetry import hide

RESOURCE = "499b84ac-1321-427f-aa17-267ca6975798/.default"
"""Azure DevOps, as Entra knows it."""
AUTHORITY = "https://login.microsoftonline.com"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
VARIABLES = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE")
EARLY_S = 300
"""A token is renewed so long before it ends."""
TIMEOUT_S = 20


@dataclass(frozen=True)
class PersonalToken:
    """Basic authentication with an empty user."""

    token: str = field(repr=False)

    def header(self) -> str:
        return "Basic " + base64.b64encode(f":{self.token}".encode()).decode()


@dataclass
class WorkloadIdentity:
    """A token of Entra, kept until shortly before it ends."""

    tenant: str
    client: str
    file: Path
    authority: str = AUTHORITY
    verify: str | bool = True
    clock: Callable[[], float] = time.monotonic
    _token: str = field(default="", repr=False)
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str], *, verify: str | bool = True) -> WorkloadIdentity | None:
        """The identity that the environment names, or None."""
        values = [environment.get(name, "") for name in VARIABLES]
        if not all(values):
            return None
        authority = environment.get("AZURE_AUTHORITY_HOST") or AUTHORITY
        return cls(values[0], values[1], Path(values[2]), authority.rstrip("/"), verify=verify)

    def header(self) -> str:
        with self._lock:
            if self.clock() >= self._until:
                self._token, lives = self._fetch()
                self._until = self.clock() + max(lives - EARLY_S, lives / 2)
            return f"Bearer {self._token}"

    def _fetch(self) -> tuple[str, float]:
        import requests  # the SDK brings it; loaded when the forge is first used

        try:
            assertion = self.file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Permanent(
                "NotAuthenticated", "the file that AZURE_FEDERATED_TOKEN_FILE names cannot be read"
            ) from error
        hide([assertion])
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client,
            "client_assertion_type": ASSERTION,
            "client_assertion": assertion,
            "scope": RESOURCE,
        }
        url = f"{self.authority}/{self.tenant}/oauth2/v2.0/token"
        try:
            answer = requests.post(
                url, data=form, timeout=TIMEOUT_S, verify=self.verify, allow_redirects=False
            )
            said: dict[str, Any] = answer.json()
        except requests.RequestException:  # its text may quote the request: not passed on
            raise Retryable("Entra did not answer the request for a token") from None
        if answer.status_code >= 500 or answer.status_code == 429:  # noqa: PLR2004 - HTTP
            raise Retryable(f"Entra answered {answer.status_code} to the request for a token")
        if "access_token" not in said:
            raise Permanent(
                "NotAuthenticated", f"Entra gives no token: {said.get('error', 'no reason given')}"
            )
        hide([str(said["access_token"])])
        return str(said["access_token"]), float(said.get("expires_in", 0))


Credentials = PersonalToken | WorkloadIdentity
