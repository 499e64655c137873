"""Pydantic's complaints about a policy file in our words, with the known word that was perhaps meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policies import json_schema
from policies.complaint import Complaint
from policies.errors import did_you_mean
from policies.gates import GATES
from policies.model import ALWAYS_ON
from policies.source import Path

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


def translate(error: Any) -> tuple[Complaint, bool]:
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
    schema = json_schema.document()
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
        yield from _resolved(schema["definitions"][node["$ref"].rsplit("/", 1)[1]], schema)
    for choice in (*node.get("anyOf", ()), *node.get("allOf", ())):
        yield from _resolved(choice, schema)
    yield node
