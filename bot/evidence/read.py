"""A file becomes evidence: what kind it is, what it says, bound to one revision.

reader = Reader(trusted_root=None)
reader.read(Report(content, "out/junit.xml"), About("acme/shop", revision, "upload"))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from bot.domain import payloads as p
from bot.domain.errors import Invalid
from bot.domain.payloads.evidence import KINDS, Kind
from bot.evidence import cobertura, cyclonedx, junit, keyless, sarif, statements
from bot.evidence.text import parsed
from bot.evidence.xml import root_tag

CAP = 8 * 1024 * 1024
"""Bytes of one report that is read."""
ROOTS: dict[str, Kind] = {"testsuites": "junit", "testsuite": "junit", "coverage": "cobertura"}
BEGINNING = 100
"""Bytes: more than the white space before the first character that counts."""
LONGEST = 300


@dataclass(frozen=True)
class Given:
    """A file as it came. `kind` empty: to be seen from the content."""

    content: bytes
    path: str = ""
    kind: str = ""


@dataclass(frozen=True)
class About:
    """What a report is about, and how it came."""

    repository: str
    revision: str
    source: Literal["upload", "pipeline"]
    run: str = ""


@dataclass(frozen=True)
class Reader:
    """Reads reports. `trusted_root`: of a private Sigstore instance; None: the public one."""

    trusted_root: Path | None = None

    def read(self, given: Given, about: About) -> p.EvidenceAdded:
        """What a file says. Raises Invalid with a reason code, a sentence and perhaps a path."""
        if len(given.content) > CAP:
            raise Invalid("ReportTooLarge", f"the file has {len(given.content)} bytes; up to {CAP} are read")
        kind = kind_of(given)
        said = self._said(kind, given.content, about.revision)
        try:
            return p.EvidenceAdded(
                kind=kind,
                repository=about.repository,
                revision=about.revision,
                digest=f"sha256:{sha256(given.content).hexdigest()}",
                size=len(given.content),
                name=_name(given, said),
                path=given.path[:LONGEST],
                source=about.source,
                run=about.run,
                **said,
            )
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            path = ".".join(map(str, first["loc"]))
            raise Invalid("InvalidEvidence", f"{path}: {first['msg']}", path=path) from error

    def _said(self, kind: Kind, content: bytes, revision: str) -> dict[str, Any]:
        plain: Mapping[str, tuple[str, Callable[[bytes], Any]]] = {
            "junit": ("tests", junit.read),
            "cobertura": ("coverage", cobertura.read),
            "sarif": ("scan", sarif.read),
            "cyclonedx": ("parts", cyclonedx.read),
        }
        if kind in plain:
            name, read = plain[kind]
            return {name: read(content)}
        if kind == "dsse":
            return {"attestation": statements.read(content, revision)}
        return {"attestation": keyless.read(content, revision, self.trusted_root)}


def _name(given: Given, said: Mapping[str, Any]) -> str:
    """What a later report takes the place of: the scan's tool, the file, or for signed words themselves."""
    if "scan" in said:
        return str(said["scan"].tool)
    if "attestation" in said:
        return f"sha256:{sha256(given.content).hexdigest()}"
    return given.path[:LONGEST]


def kind_of(given: Given) -> Kind:
    """What a file is, by what it is called or by what is in it. Raises Invalid('UnknownKind')."""
    if given.kind:
        return _named(given.kind)
    start = given.content[:BEGINNING].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return _of_xml(given.content)
    if start.startswith(b"{"):
        return _of_json(given.content)
    raise _unknown("neither XML nor JSON")


def _named(kind: str) -> Kind:
    for known in KINDS:
        if kind == known:
            return known
    raise _unknown(f"{kind!r} is none of {', '.join(KINDS)}")


def _of_xml(content: bytes) -> Kind:
    tag = root_tag(content)
    if tag in ROOTS:
        return ROOTS[tag]
    raise _unknown(f"the root element is <{tag[:100]}>")


def _of_json(content: bytes) -> Kind:
    document = parsed(content)
    marks: tuple[tuple[str, Kind], ...] = (
        ("bomFormat", "cyclonedx"),
        ("runs", "sarif"),
        ("payloadType", "dsse"),
        ("verificationMaterial", "sigstore"),
    )
    for mark, kind in marks:
        if mark in document:
            return kind
    raise _unknown(f"it has none of {', '.join(mark for mark, _ in marks)}")


def _unknown(why: str) -> Invalid:
    message = f"this is no report that is known ({why}): say `kind`, one of {', '.join(KINDS)}"
    return Invalid("UnknownKind", message, path="kind")
