"""Whether a verification summary may be believed: signed by the key, of its kind, about what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.attestations import envelope, statement
from bot.attestations.statement import Statement
from bot.attestations.summary import PREDICATE, RELEASE
from bot.domain.errors import Refused


def statement_of(document: Any) -> Statement:
    """What an envelope says, signed or not. Raises Invalid."""
    opened = envelope.opened(document)
    return statement.read(opened.payload, opened.payload_type)


def verified(
    document: Any, pem: str, *, revision: str = "", digest: str = "", environment: str = ""
) -> Statement:
    """The statement of an envelope that the key has signed.

    Raises Invalid for what is no envelope, statement or key, and Refused for one that must not be believed:
    `SignatureInvalid`, `NotASummary`, `NotPassed`, `OtherSubject`, `OtherEnvironment`.
    """
    envelope.public_key(pem)
    said = statement_of(document)
    if not envelope.signed_by(document, pem):
        raise Refused(
            "SignatureInvalid", "No signature of this envelope was made by this key over these words."
        )
    if said.predicate_type != PREDICATE:
        raise Refused("NotASummary", f"This is no verification summary, but {said.predicate_type}.")
    result = said.predicate.get("verificationResult")
    if result != "PASSED":
        raise Refused("NotPassed", f"The verification did not pass: verificationResult is {result!r}.")
    for asked in (f"gitCommit:{revision}" if revision else "", digest):
        if asked and not _about(said, asked):
            raise Refused("OtherSubject", f"This summary is not about {asked}.")
    _same_environment(said.predicate, environment)
    return said


def _about(said: Statement, asked: str) -> bool:
    kind, _, value = asked.partition(":")
    return any(subject.digest.get(kind) == value for subject in said.subject)


def _same_environment(predicate: Mapping[str, Any], environment: str) -> None:
    release = predicate.get(RELEASE)
    known = release.get("environment") if isinstance(release, Mapping) else None
    if environment and known != environment:
        raise Refused(
            "OtherEnvironment", f"This summary is about {known or 'no environment'}, not {environment}."
        )
