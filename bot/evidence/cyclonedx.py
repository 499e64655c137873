"""CycloneDX JSON: what the release is made of, and under which licences (https://cyclonedx.org).

Held against CycloneDX's own schema. `cyclonedx-python-lib` carries it; its own reader and validator take
minutes for a list of 8 MB, so only its schemas are used.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs
from license_expression import ExpressionError, LicenseExpression, get_spdx_licensing

from bot.domain.errors import Invalid
from bot.domain.payloads import LicenceKind, PartsReport
from bot.evidence.text import parsed

VERSIONS = ("1.2", "1.3", "1.4", "1.5", "1.6", "1.7")
STRICT = frozenset({"1.2", "1.3"})
"""Of these the plain schema lets everything through."""
BESIDE = ("spdx", "jsf-0.82", "cryptography-defs")
BASE = "http://cyclonedx.org/schema/"
KINDS_OF_LICENCE = 200
CHOICES = 8
"""So many `OR` of one part are resolved: each may double what has to be compared. With more it is unknown."""
NAMES = 3
LONGEST = 200


def read(content: bytes) -> PartsReport:
    """The parts of a list. Raises Invalid('NotCycloneDx') with the path."""
    document = parsed(content)
    version = document.get("specVersion") if isinstance(document, Mapping) else None
    if version not in VERSIONS:
        said = f"specVersion is {version!r}, not one of {', '.join(VERSIONS)}"
        raise Invalid("NotCycloneDx", said, path="specVersion")
    wrong = next(iter(_validator(version).iter_errors(document)), None)
    if wrong is not None:
        path = _path(wrong.instance_path)
        raise Invalid("NotCycloneDx", f"{path or 'the file'}: {wrong.message[:LONGEST]}", path=path)
    return _report(version, document)


@cache
def _validator(version: str) -> jsonschema_rs.Draft7Validator:
    schemas = [(f"{BASE}{name}.SNAPSHOT.schema.json", _schema(name)) for name in BESIDE]
    strict = "-strict" if version in STRICT else ""
    return jsonschema_rs.Draft7Validator(
        _schema(f"bom-{version}{strict}"), registry=jsonschema_rs.Registry(schemas), validate_formats=False
    )


def _schema(name: str) -> Any:
    place = files("cyclonedx.schema") / "_res" / f"{name}.SNAPSHOT.schema.json"
    return json.loads(place.read_text(encoding="utf-8"))


def _path(parts: Any) -> str:
    said = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return said.removeprefix(".")


def _report(version: str, document: Mapping[str, Any]) -> PartsReport:
    written: dict[tuple[str, ...], list[str]] = {}
    for part in _parts(document.get("components", ())):
        name = "@".join(text for text in (part["name"], part.get("version", "")) if text)
        written.setdefault(tuple(map(_text, part.get("licenses", ()))), []).append(name[:LONGEST])
    if len(written) > KINDS_OF_LICENCE:
        message = f"the parts have {len(written)} different licences; {KINDS_OF_LICENCE} can be kept"
        raise Invalid("TooManyLicences", message, path="components")
    found: dict[tuple[str, ...], list[str]] = {}
    for texts, names in written.items():
        found.setdefault(_licences(texts), []).extend(names)
    kinds = tuple(
        LicenceKind(licences=licences, count=len(names), names=tuple(names[:NAMES]))
        for licences, names in sorted(found.items())
    )
    return PartsReport(total=sum(kind.count for kind in kinds), spec_version=version, licences=kinds)


def _parts(components: Any) -> Iterator[Mapping[str, Any]]:
    """All parts, and what they are made of in turn."""
    waiting = deque(components)
    while waiting:
        part = waiting.popleft()
        yield part
        waiting.extend(part.get("components", ()))


def _licences(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The alternatives of a part. Several entries hold together; one that cannot be read makes it unknown."""
    if sum(text.upper().count(" OR ") for text in texts) > CHOICES:
        return ()
    whole: LicenseExpression | None = None
    for text in texts:
        expression = _expression(text)
        if expression is None:
            return (text,) if text and len(texts) == 1 else ()
        whole = expression if whole is None else whole & expression
    return () if whole is None else _alternatives(whole)


def _text(entry: Mapping[str, Any]) -> str:
    licence = entry.get("license", {})
    return str(entry.get("expression") or licence.get("id") or licence.get("name") or "")[:LONGEST]


@cache
def _spdx() -> Any:
    return get_spdx_licensing()


def _expression(text: str) -> LicenseExpression | None:
    try:
        found: LicenseExpression | None = _spdx().parse(text, validate=True)
    except ExpressionError:
        return None
    return found


def _alternatives(whole: LicenseExpression) -> tuple[str, ...]:
    """`A AND (B OR C)` -> `A AND B`, `A AND C`."""
    plain = _spdx().dnf(whole)
    alternatives = plain.args if isinstance(plain, _spdx().OR) else (plain,)
    return tuple(sorted(one.render() for one in alternatives))
