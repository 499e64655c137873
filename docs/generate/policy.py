"""The reference part of docs/policy.md from the models in `policies/`."""

from __future__ import annotations

import sys

from pydantic import BaseModel

from docs.generate.text import code, codes, doc, fields, first_paragraph, table
from policies import layers
from policies.approvals import Rule
from policies.facts import NAMES
from policies.freezes import Allow, Freeze
from policies.gate import SECTIONS
from policies.gates import GATES
from policies.model import Commands, Deploy, Environment, Merge, Policy
from policies.roles import Role, Team
from policies.seeds import EnvironmentPolicy, ReleasePolicy, SecurityPolicy
from policies.trust import Identity, Trust

MODELS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", Policy),
    ("roles", Role),
    ("teams", Team),
    ("environments", Environment),
    ("deploy", Deploy),
    ("merge", Merge),
    ("commands", Commands),
    ("trust", Trust),
    ("identities, in trust", Identity),
    ("freezes", Freeze),
    ("allow, in a freeze", Allow),
    ("A rule of approvals", Rule),
    ("securityPolicy", SecurityPolicy),
    ("releasePolicy", ReleasePolicy),
    ("An environment of releasePolicy", EnvironmentPolicy),
)
HEAD = ("key", "type", "default", "meaning")


def text() -> str:
    """The reference: gates, then every key, then what conditions may name, then the packs."""
    gates = sorted(GATES.values(), key=lambda gate: (SECTIONS.index(_of(gate, "section")), _of(gate, "name")))
    models = (f"### {title}\n\n{doc(model)}\n\n{_fields(model)}" for title, model in MODELS)
    names = table(("name", "type"), [(code(name), code(kind)) for name, kind in NAMES.items()])
    packs = table(("pack", "for"), [(code(name), _comment(name)) for name in layers.packs()])
    conditions, known = "### Names in `when`", "### Packs"
    return "\n\n".join((
        "### Gates", *map(_gate, gates), *models, conditions, names, known, packs,
    ))  # fmt: skip


def _of(gate: type[BaseModel], name: str) -> str:
    return str(getattr(gate, name))


def _gate(gate: type[BaseModel]) -> str:
    about = first_paragraph(sys.modules[gate.__module__])
    reads = sorted(getattr(gate, "reads"))  # noqa: B009 - a gate's attribute, which BaseModel does not have
    asked = "before and after the merge" if _of(gate, "phase") == "change" else "after the merge only"
    again = codes(reads) or "every new revision"
    facts = f"Section {_of(gate, 'section')}; asked {asked}; asked again on {again}."
    return "\n\n".join(filter(None, (f"#### {_of(gate, 'name')}", about, doc(gate), facts, _fields(gate))))


def _fields(model: type[BaseModel]) -> str:
    return table(HEAD, fields(model))


def _comment(pack: str) -> str:
    path = layers.PACKS / f"{pack}.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    return " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))
