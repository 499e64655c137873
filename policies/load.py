"""Text -> policy.

Whatever is wrong is said with its line, column, path and what was perhaps meant; nothing is guessed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any

from pydantic import ValidationError

from policies import layers
from policies.errors import PolicyError, PolicyErrors, did_you_mean, dotted
from policies.gates import GATES
from policies.lint import Complaint, complaints
from policies.model import ALWAYS_ON, Policy
from policies.source import Map, Path, Place, parse, paths, place_of


@lru_cache(maxsize=256)
def load(text: str, *, name: str = "policy.yaml") -> Policy:
    """The resolved policy of a file. Raises PolicyErrors; a caller that catches it must block."""
    file = parse(text, name)
    reader = _Reader(name, file)
    data = layers.resolve(file, reader.pack(file))
    policy = reader.read(data, file)
    tenants = reader.tenants(data)
    if reader.errors or policy is None:
        raise PolicyErrors(name, reader.errors)
    return policy.seal(hashlib.sha256(text.encode()).hexdigest(), tenants)


class _Reader:
    """Reads the layers of one file and gathers what is wrong with them."""

    def __init__(self, name: str, file: Map) -> None:
        self.name = name
        self.file = file
        self.errors: list[PolicyError] = []

    @cached_property
    def written(self) -> dict[tuple[Place, bool], Path]:
        """Place (of a key or a value) -> path in the file: a list that was merged has other indices."""
        return {(place, is_key): path for place, is_key, path in paths(self.file)}

    def pack(self, layer: Map) -> Map:
        wanted = layer.get("extends", "default")
        if wanted in layers.packs():
            return layers.pack(wanted)
        message = f"there is no pack {wanted!r}: extend {', '.join(layers.packs())}"
        complaint = Complaint(("extends",), message, did_you_mean(str(wanted), layers.packs()))
        raise PolicyErrors(self.name, [self._placed(complaint, layer, layer)])

    def tenants(self, data: Map) -> dict[str, Policy]:
        overlays = self.file.get("tenants")
        below = layers.without(data, "tenants")
        found = {}
        for tenant, overlay in (overlays if isinstance(overlays, Map) else {}).items():
            if not isinstance(overlay, Map):
                continue  # said already, when the file itself was read
            if "tenants" in overlay:
                complaint = Complaint(("tenants",), "a tenant has no tenants")
                self.errors.append(self._placed(complaint, overlay, overlay, key=True))
                continue
            base = self.pack(overlay) if "extends" in overlay else None
            policy = self.read(layers.resolve_tenant(below, overlay, base), overlay)
            if policy:
                found[tenant] = policy
        return found

    def read(self, data: Map, layer: Map) -> Policy | None:
        try:
            policy = Policy.model_validate(data)
        except ValidationError as error:
            for complaint, key in map(_translate, error.errors(include_url=False)):
                self.errors.append(self._placed(complaint, data, layer, key=key))
            return None
        self.errors += [self._placed(complaint, data, layer) for complaint in complaints(policy)]
        return policy.trace({dotted(path): place for path, place in layers.origins(data, data.place)})

    def _placed(self, complaint: Complaint, data: Map, layer: Map, *, key: bool = False) -> PolicyError:
        (place, depth), path, message = (
            place_of(data, complaint.path, key=key),
            complaint.path,
            complaint.message,
        )
        if place.origin == self.name:
            at_key = key and depth == len(path)
            path = (*self.written.get((place, at_key), path[:depth]), *path[depth:])
        else:
            path = (*self.written.get((layer.place, False), ()), *path)
            message = f"{message} (asked for by the {place.origin})"
            place = layer.values_at.get("extends", Place(self.name, 1, 1))
        return PolicyError(place.line, place.column, dotted(path), message, complaint.suggestion)


_SIMPLE = {
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "string_type": "expected text: quote it",
    "tuple_type": "expected a list",
    "dict_type": "expected a mapping",
    "model_type": "expected a mapping",
    "model_attributes_type": "expected a mapping",
    "string_pattern_mismatch": "is not a name",
    "too_short": "must not be empty",
}


def _translate(error: Any) -> tuple[Complaint, bool]:
    """Pydantic's complaint in our words; and whether it is about a key rather than its value."""
    path: Path = tuple(step for step in error["loc"] if step != "[key]")
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(path), True
    if kind == "missing":
        return Complaint(
            path, f"{path[-1]!r} is missing", "version: 1" if path == ("version",) else None
        ), False
    if kind == "policy":
        return Complaint(path, context["said"], context["suggestion"]), False
    if kind in {"literal_error", "enum"}:
        choices = re.findall(r"'([^']+)'", context["expected"]) or [context["expected"]]
        return Complaint(
            path, f"{given!r} is not one of: {', '.join(choices)}", did_you_mean(str(given), choices)
        ), False
    words = _SIMPLE.get(kind)
    message = (
        f"{given!r}: {words}" if words and not isinstance(given, (dict, list)) else words or error["msg"]
    )
    return Complaint(path, message), False


def _unknown_key(path: Path) -> Complaint:
    key, parent = str(path[-1]), path[:-1]
    if parent[-2:-1] == ("gates",) or parent == ("changes-to-this-file",):
        if key in ALWAYS_ON:
            return Complaint(path, f"the gate {key!r} is always on: write its windows under `freezes`")
        known = sorted(GATES.keys() - ALWAYS_ON)
        return Complaint(path, f"there is no gate {key!r}: {', '.join(known)}", did_you_mean(key, known))
    return Complaint(path, f"unknown key {key!r}", did_you_mean(key, set(_keys_at(parent))))


def _keys_at(path: Path) -> Iterator[str]:
    """The keys that the schema knows at a path."""
    schema = _schema()
    nodes = [schema]
    for step in (*path, None):
        nodes = [real for node in nodes for real in _resolved(node, schema)]
        if step is None:
            yield from (key for node in nodes for key in node.get("properties", {}))
        else:
            nodes = [inner for node in nodes for inner in _inside(node, step)]


def _inside(node: dict[str, Any], step: str | int) -> Iterator[dict[str, Any]]:
    properties, others = node.get("properties", {}), node.get("additionalProperties")
    if isinstance(step, int):
        yield from [node["items"]] if "items" in node else []
    elif step in properties:
        yield properties[step]
    elif isinstance(others, dict):
        yield others
    yield from [
        inner
        for inner in node.get("patternProperties", {}).values()
        if isinstance(step, str) and step not in properties
    ]


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        yield from _resolved(schema["$defs"][node["$ref"].rsplit("/", 1)[1]], schema)
    for choice in (*node.get("anyOf", ()), *node.get("allOf", ())):
        yield from _resolved(choice, schema)
    yield node


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    return Policy.model_json_schema(by_alias=True)
