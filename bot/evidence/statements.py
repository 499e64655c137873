"""DSSE envelopes with an in-toto statement inside: kept whole, to be held against the policy's keys."""

from __future__ import annotations

from bot.attestations import envelope, statement
from bot.attestations.statement import Statement
from bot.domain.errors import Invalid
from bot.domain.payloads import AttestationReport
from bot.evidence.text import parsed

LARGEST = 48 * 1024
"""Bytes of an envelope that is kept in the log."""


def read(content: bytes, revision: str) -> AttestationReport:
    """What an envelope says. Raises Invalid; `OtherRevision` when it says that it is of another one."""
    if len(content) > LARGEST:
        message = f"the envelope has {len(content)} bytes; one of up to {LARGEST} can be kept"
        raise Invalid("AttestationTooLarge", message)
    document = parsed(content)
    opened = envelope.opened(document)
    said = statement.read(opened.payload, opened.payload_type)
    return AttestationReport(
        predicate_type=said.predicate_type,
        subjects=statement.subjects(said),
        names_revision=names(said, revision),
        envelope={name: document[name] for name in ("payload", "payloadType", "signatures")},
    )


def names(said: Statement, revision: str) -> bool:
    """Whether a statement names the revision. Raises Invalid('OtherRevision') when it names only others."""
    commits = statement.commits(said)
    if commits and revision not in commits:
        other = min(commits)
        raise Invalid(
            "OtherRevision", f"the statement is about {other}, not {revision}", path="payload.predicate"
        )
    return bool(commits)
