"""in-toto statements: who says what of which digests (https://in-toto.io/Statement/v1).

{"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "...", "digest": {"sha256": "..."}}],
 "predicateType": "https://slsa.dev/provenance/v1", "predicate": {...}}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.errors import Invalid
from bot.domain.payloads import Subject

TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
COMMIT_DIGESTS = ("gitCommit", "sha1")
"""How provenance names a commit: `gitCommit` since SLSA 1.0, `sha1` before."""
SUBJECTS = 100
"""So many subjects of one statement are kept."""


class ResourceDescriptor(BaseModel):
    """Something by its digests."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = ""
    uri: str = ""
    digest: dict[str, str] = Field(min_length=1)


class Statement(BaseModel):
    """A statement of either version; what is signed is its text, not this."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    type_: Literal["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"] = Field(
        alias="_type"
    )
    subject: tuple[ResourceDescriptor, ...] = Field(min_length=1, max_length=SUBJECTS)
    predicate_type: str = Field(alias="predicateType", min_length=1)
    predicate: dict[str, Any] = Field(default_factory=dict)


def read(payload: bytes, payload_type: str) -> Statement:
    """The statement of a payload. Raises Invalid('NotAStatement') with the path."""
    if payload_type != PAYLOAD_TYPE:
        raise Invalid(
            "NotAStatement", f"payloadType is {payload_type!r}, not {PAYLOAD_TYPE!r}", path="payloadType"
        )
    try:
        return Statement.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(["payload", *map(str, first["loc"])])
        raise Invalid("NotAStatement", f"{path}: {first['msg']}", path=path) from error


def subjects(statement: Statement) -> tuple[Subject, ...]:
    """What it speaks of, each by its strongest digest."""
    return tuple(
        Subject(name=one.name or one.uri or _strongest(one.digest), digest=_strongest(one.digest))
        for one in statement.subject
    )


def _strongest(digests: Mapping[str, str]) -> str:
    name = next((name for name in ("sha512", "sha384", "sha256") if name in digests), next(iter(digests)))
    return f"{name}:{digests[name]}"


def commits(statement: Statement) -> frozenset[str]:
    """The commits that it names: as subjects, and as what it says was built from (SLSA provenance)."""
    named = [one.digest for one in statement.subject] + list(_built_from(statement.predicate))
    return frozenset(
        str(digests[kind]).lower() for digests in named for kind in COMMIT_DIGESTS if kind in digests
    )


def _built_from(predicate: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """`resolvedDependencies` of provenance 1.0; `materials` and `configSource` of the versions before."""
    definition, invocation = predicate.get("buildDefinition"), predicate.get("invocation")
    listed = [predicate.get("materials")]
    listed += [definition.get("resolvedDependencies")] if isinstance(definition, Mapping) else []
    listed += [[invocation.get("configSource")]] if isinstance(invocation, Mapping) else []
    for found in listed:
        for one in found if isinstance(found, list) else ():
            if isinstance(one, Mapping) and isinstance(one.get("digest"), Mapping):
                yield one["digest"]
