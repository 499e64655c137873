"""The JSON Schema of a policy file, held against somebody else's validator."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from policies import PolicyErrors, json_schema, layers, load
from tests.docs.pages import ROOT, steps
from tests.policies import test_load, test_seeds
from tests.policies.builders import TEXT

VALIDATOR = jsonschema.Draft7Validator(json_schema.document())
PAGE = [step.text for step in steps(ROOT / "docs" / "policy.md") if step.path.endswith("policy.yaml")]
SHORT = """\
version: 1
extends: policies/base.yaml
environments:
  "*": {gates: [tests-passed, hold]}
  lab:
  production:
    after: lab
    gates:
      - minimum-delay: 10m
      - promoted-from: lab
      - required-labels: [a]
      - required-labels: {labels: [b]}
        when: 'change.draft'
      - hold:
freezes:
  - {name: f, environments: production, from: 2026-12-18, to: 2027-01-04}
tenants:
  one: {mode: observe}
"""


def plain(value: Any) -> Any:
    """As an editor sees it: YAML 1.2 knows no dates."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return str(value) if isinstance(value, date) else value


def complaints(text: str) -> list[str]:
    data = plain(YAML(typ="safe", pure=True).load(text))
    return [error.message for error in VALIDATOR.iter_errors(data)]


def test_it_is_a_schema_of_draft_07() -> None:
    jsonschema.Draft7Validator.check_schema(json_schema.document())
    assert json_schema.document()["$schema"] == "http://json-schema.org/draft-07/schema#"
    text = json.dumps(json_schema.document())
    assert "$defs" not in text
    assert "prefixItems" not in text


def test_every_reference_leads_somewhere_and_stands_alone() -> None:
    known = {f"#/definitions/{name}" for name in json_schema.document()["definitions"]}

    def look(node: Any) -> None:
        if isinstance(node, dict):
            assert "$ref" not in node or (node.keys() == {"$ref"} and node["$ref"] in known)
        for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            look(inner)

    look(json_schema.document())


@pytest.mark.parametrize(
    "text",
    [TEXT, SHORT, *PAGE, test_seeds.SECURITY, test_seeds.RELEASE,
     *((layers.PACKS / f"{name}.yaml").read_text() for name in layers.packs())],
)  # fmt: skip
def test_what_loads_is_valid(text: str) -> None:
    assert complaints(text) == []


STRUCTURE = ("unknown key", "there is no gate", "expected", "is missing", "is not one of")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (old, new)
        for old, new, said in test_load.test_one_thing_written_wrong.pytestmark[0].args[1]
        if any(word in said for word in STRUCTURE)
    ],
)
def test_what_is_built_wrongly_is_invalid(old: str, new: str) -> None:
    with pytest.raises(PolicyErrors):
        load(TEXT.replace(old, new, 1))
    assert complaints(TEXT.replace(old, new, 1))


def test_a_misplaced_comma_is_seen_where_it_is(tmp_path: Path) -> None:
    assert complaints("version: 1\nenvironments: {production: {gates: [{coverage: {minimum: 101}}]}}\n")
