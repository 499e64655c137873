"""Text -> policy. Whatever is wrong is said with its line, column, path and what was perhaps meant; nothing is guessed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from policies import layers
from policies.errors import PolicyError, PolicyErrors, did_you_mean, dotted
from policies.gates import GATES
from policies.lint import Complaint, complaints
from policies.model import ALWAYS_ON, Policy
from policies.source import Map, Path, Place, parse, place_of


@lru_cache(maxsize=256)
def load(text: str, *, name: str = "policy.yaml") -> Policy:
    """The resolved policy of a file. Raises PolicyErrors; a caller that catches it must block."""
    file = parse(text, name)
    base = _pack(file, file, name)
    data = layers.resolve(file, base)
    policy, errors = _read(data, name, file)
    overlays = file.get("tenants")
    for tenant, overlay in (overlays if isinstance(overlays, Map) else {}).items():
        if isinstance(overlay, Map):
            resolved, found = _tenant(data, overlay, tenant, name)
            said = {(error.line, error.column, error.message) for error in errors}
            errors += [error for error in found if (error.line, error.column, error.message) not in said]
            if policy and resolved:
                policy._tenants[tenant] = resolved  # noqa: SLF001  part of reading it
    if errors or policy is None:
        raise PolicyErrors(name, errors)
    policy._digest = hashlib.sha256(text.encode()).hexdigest()  # noqa: SLF001  as above
    for resolved in policy._tenants.values():  # noqa: SLF001  as above
        resolved._digest = policy._digest  # noqa: SLF001  as above
    return policy


def _tenant(repository: Map, overlay: Map, tenant: str, name: str) -> tuple[Policy | None, list[PolicyError]]:
    if "tenants" in overlay:
        place = overlay.keys_at["tenants"]
        return None, [
            PolicyError(place.line, place.column, f"tenants.{tenant}.tenants", "a tenant has no tenants")
        ]
    base = _pack(overlay, overlay, name) if "extends" in overlay else None
    below = layers._without(repository, "tenants")  # noqa: SLF001
    policy, errors = _read(layers.resolve_tenant(below, overlay, base), name, overlay)
    return policy, [
        PolicyError(e.line, e.column, f"tenants.{tenant}.{e.path}", e.message, e.suggestion) for e in errors
    ]


def _pack(layer: Map, around: Map, name: str) -> Map:
    wanted = layer.get("extends", "default")
    if wanted in layers.packs():
        return layers.pack(wanted)
    place = place_of(around, ("extends",))
    message = f"there is no pack {wanted!r}: extend {', '.join(layers.packs())}"
    raise PolicyErrors(
        name,
        [
            PolicyError(
                place.line, place.column, "extends", message, did_you_mean(str(wanted), layers.packs())
            )
        ],
    )


def _read(data: Map, name: str, layer: Map) -> tuple[Policy | None, list[PolicyError]]:
    try:
        policy = Policy.model_validate(data)
    except ValidationError as error:
        found = [_translate(one) for one in error.errors(include_url=False)]
        return None, [_placed(complaint, data, name, layer, key=key) for complaint, key in found]
    policy._origins = {  # noqa: SLF001  part of reading it
        dotted(path): f"{place.origin}:{place.line}" for path, place in layers.origins(data, data.place)
    }
    return policy, [_placed(complaint, data, name, layer) for complaint in complaints(policy)]


def _placed(complaint: Complaint, data: Map, name: str, layer: Map, *, key: bool = False) -> PolicyError:
    place, message = place_of(data, complaint.path, key=key), complaint.message
    if place.origin != name:
        message = f"{message} (asked for by the {place.origin})"
        place = place_of(layer, ("extends",)) if "extends" in layer else Place(name, 1, 1)
    return PolicyError(place.line, place.column, dotted(complaint.path), message, complaint.suggestion)


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
