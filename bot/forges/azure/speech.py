"""What the SDK and the forge behind it say when something fails, in three words.

Retryable (limits, 5xx, a broken connection, half an answer), Permanent (not signed in, a certificate that
nobody vouches for), or Refusal: what the forge said instead of doing it, read by whoever asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bot.domain.errors import Permanent, Retryable

UNKNOWN = "API resource location"
"""How the SDK begins to say that the server does not list what is asked for."""
ADVICE = "it takes Azure DevOps Services, or Server 2022 or newer"


class Refusal(Exception):
    """What the forge said instead of doing it. `key` names the error, like `GitItemNotFoundException`."""

    def __init__(self, status: int, key: str, message: str) -> None:
        super().__init__(message or f"Azure DevOps answered {status}")
        self.status = status
        self.key = key
        self.message = message

    def is_about(self, *marks: str) -> bool:
        """Whether the error has one of these names, or a TF number in its message."""
        return any(self.key.startswith(mark) or mark in self.message for mark in marks)


class Service:
    """The SDK's client of one area. Everything it does fails as this module says."""

    def __init__(self, made: Any) -> None:
        self.made = made

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.made, name)

        def call(*arguments: Any, **named: Any) -> Any:
            with translated():
                found = method(*arguments, **named)
                # What streams is read here, where a broken connection is still ours to tell.
                return b"".join(found) if hasattr(found, "__next__") else found

        return call


@contextmanager
def translated() -> Iterator[None]:
    """Within this, what the SDK raises becomes one of the three."""
    import requests
    from msrest.exceptions import ClientException

    try:
        yield
    except (Retryable, Permanent, Refusal):
        raise
    except requests.exceptions.SSLError as error:
        raise _untrusted() from error
    except (requests.RequestException, OSError) as error:
        raise Retryable(f"the connection to Azure DevOps broke ({type(error).__name__})") from None
    except ClientException as error:
        if isinstance(error.inner_exception, requests.exceptions.SSLError):
            raise _untrusted() from error
        # The SDK's own text may quote addresses and what was sent.
        raise Retryable(f"Azure DevOps could not be asked ({type(error).__name__})") from None
    except (ValueError, AttributeError) as error:
        if UNKNOWN in str(error):
            raise Permanent("NotSupported", f"this Azure DevOps lacks a part of its API: {ADVICE}") from None
        raise Retryable(f"an answer of Azure DevOps was cut or is none ({type(error).__name__})") from None


def _untrusted() -> Permanent:
    return Permanent(
        "CertificateRejected",
        "the certificate of Azure DevOps is vouched for by nobody known: set POINTSMAN_CA_BUNDLE",
    )
