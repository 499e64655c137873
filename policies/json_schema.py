"""The JSON Schema of a policy file, draft-07, which is what editors know. Generated from the models.

It accepts what may be written: short forms, partial words of a tenant, and the seeds' shapes. What no schema
can say (names that must exist, approvals that nobody can give) `policy check` says.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from policies.layers import EVERY
from policies.model import Policy
from policies.seeds import SHAPES, ReleasePolicy, SecurityPolicy

DRAFT = "http://json-schema.org/draft-07/schema#"
Json = dict[str, Any]


@lru_cache(maxsize=1)
def document() -> Json:
    """The whole schema."""
    schema = Policy.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs")
    shapes: tuple[type[BaseModel], ...] = (SecurityPolicy, ReleasePolicy)
    for name, shape in zip(SHAPES, shapes, strict=True):
        part = shape.model_json_schema(by_alias=True)
        definitions.update(part.pop("$defs", {}))
        definitions[shape.__name__] = part
        schema["properties"][name] = {"$ref": f"#/$defs/{shape.__name__}"}
    definitions["Tenant"] = _tenant(schema)
    properties = schema["properties"]
    properties["tenants"] = _named("#/$defs/Tenant", properties["tenants"])
    for holder in (properties, definitions["Tenant"]["properties"]):
        holder["environments"] = _environments(holder["environments"])
    whole = {"$schema": DRAFT, "title": "Pointsman policy", **_draft7(schema)}
    return whole | {"definitions": {name: _draft7(part) for name, part in sorted(definitions.items())}}


def _tenant(schema: Json) -> Json:
    """What a tenant may say: anything that the file may, nothing of it required, and no tenants."""
    own = {name: value for name, value in schema["properties"].items() if name not in {"tenants", *SHAPES}}
    return {"type": "object", "additionalProperties": False, "properties": own}


def _environments(written: Json) -> Json:
    """Beside names there is `*`; an environment without words of its own is empty."""
    ((pattern, one),) = written["patternProperties"].items()
    either = {"anyOf": [one, {"type": "null"}]}
    kept = {key: value for key, value in written.items() if key != "patternProperties"}
    return kept | {"properties": {EVERY: either}, "patternProperties": {pattern: either}}


def _named(reference: str, written: Json) -> Json:
    (pattern,) = written["patternProperties"]
    return written | {"patternProperties": {pattern: {"$ref": reference}}}


def _draft7(node: Any) -> Any:
    """References as draft-07 has them: to `definitions`, and alone, since their neighbours are ignored."""
    if isinstance(node, list):
        return [_draft7(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    said = {key: _draft7(value) for key, value in node.items()}
    if "patternProperties" in said:
        said["additionalProperties"] = False
    reference = said.pop("$ref", None)
    if not isinstance(reference, str):
        return said if reference is None else said | {"$ref": reference}
    pointer = {"$ref": reference.replace("#/$defs/", "#/definitions/")}
    return said | {"allOf": [pointer]} if said else pointer
