"""Markdown from models: tables, cells, types in words, the sentence under an attribute."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

NOTE = "<!-- Written by `make docs` from the code; edit the code. -->"


def page(title: str, *parts: str) -> str:
    """A whole page; parts are separated by an empty line."""
    return "\n\n".join((f"# {title}", NOTE, *(part for part in parts if part))) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table without its empty columns; nothing when it has no rows."""
    cells = [list(row) for row in rows]
    used = [number for number in range(len(head)) if any(row[number] for row in cells)]
    body = [_row([row[number] for number in used]) for row in cells]
    return (
        "\n".join((_row([head[number] for number in used]), "|" + "---|" * len(used), *body)) if body else ""
    )


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") or " " for cell in cells) + " |"


def code(text: object) -> str:
    """Inline code; empty for nothing."""
    return f"`{text}`" if str(text) else ""


def codes(names: Iterable[object]) -> str:
    """Several, with commas."""
    return ", ".join(code(name) for name in names)


def one_line(text: str | None) -> str:
    """Prose on one line."""
    return re.sub(r"\s+", " ", text or "").strip()


def doc(thing: object) -> str:
    """The docstring on one line."""
    return one_line(inspect.getdoc(thing))


def first_paragraph(thing: object) -> str:
    """The docstring up to its first empty line."""
    return one_line((inspect.getdoc(thing) or "").split("\n\n")[0])


@cache
def attribute_docs(model: type) -> dict[str, str]:
    """The string under each attribute of a class, its own and its bases'."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__[:-1]):
        if base.__module__.startswith(("bot.", "policies.")):
            found |= dict(_documented(base))
    return found


def _documented(model: type) -> Iterator[tuple[str, str]]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for statement, after in pairwise(body):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            yield statement.target.id, one_line(str(after.value.value))


def fields(model: type[BaseModel]) -> list[tuple[str, str, str, str]]:
    """Name as written, type in words, default (`required` when there is none), what it says of itself."""
    schema = model.model_json_schema(by_alias=True)
    named = schema.get("$defs", {})
    if "$ref" in schema:  # a model that has itself inside
        schema = schema["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    # A model with a short form: one of the choices is the long one.
    schema = next((choice for choice in schema.get("anyOf", ()) if "properties" in choice), schema)
    docs, needed = attribute_docs(model), schema.get("required", [])
    rows = []
    for name, field in model.model_fields.items():
        alias = field.alias or name
        said = schema["properties"][alias]
        default = (
            "required" if alias in needed else code(_default(field.get_default(call_default_factory=True)))
        )
        rows.append((code(alias), kind(said, named), default, docs.get(name) or one_line(field.description)))
    return rows


def _default(value: Any) -> str:
    if value is None or value == "" or (isinstance(value, tuple | list | dict) and not value):
        return ""
    if isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(_default(part) for part in value)
    return str(value)


def kind(schema: dict[str, Any], named: dict[str, Any]) -> str:
    """A JSON Schema type in words: `text`, `list of text`, `one of a, b`. `named`: the schema's `$defs`."""
    if "const" in schema:
        return code(schema["const"])
    if "enum" in schema:
        return "one of " + codes(schema["enum"])
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return kind(named[name], named) if "enum" in named.get(name, {}) else name
    choices = schema.get("anyOf") or schema.get("allOf")
    if choices:
        return " or ".join(dict.fromkeys(kind(c, named) for c in choices if c.get("type") != "null"))
    return _plain(schema, named)


def _plain(schema: dict[str, Any], named: dict[str, Any]) -> str:
    words = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "mapping"}
    type_ = schema.get("type", "anything")
    if type_ == "array":
        return f"list of {kind(schema.get('items', {}), named)}"
    values = schema.get("additionalProperties")
    if type_ == "object" and isinstance(values, dict) and values:
        return f"mapping to {kind(values, named)}"
    return words.get(type_, str(type_))
