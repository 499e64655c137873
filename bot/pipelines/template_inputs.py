"""Inputs of a template: the part of JSON Schema that they may use, and the values that a person gives.

Pydantic checks the values, so no second JSON Schema library is needed. It knows all that `Input` allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, model_validator

from bot.domain.model import Model

Plain = str | int | bool


class Item(Model):
    """One of a list: a text."""

    type: Literal["string"] = "string"
    pattern: str | None = None
    enum: tuple[str, ...] | None = None


class Input(Model):
    """The part of JSON Schema that a template's input may use.

    A text says with `pattern` or `enum` what it may hold: it ends in files of many languages.
    """

    type: Literal["string", "integer", "boolean", "array"]
    description: str = ""
    pattern: str | None = None
    enum: tuple[str, ...] | None = None
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    items: Item | None = None
    min_items: int | None = None
    max_items: int | None = None
    unique_items: Literal[True] | None = None
    default: Plain | tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _closed(self) -> Input:
        what = self.items if self.type == "array" else self
        if self.type in ("string", "array") and (what is None or not (what.pattern or what.enum)):
            raise ValueError("a text needs a pattern or an enum")
        return self


class Inputs(Model):
    """JSON Schema of the inputs: one object, closed."""

    type: Literal["object"] = "object"
    properties: dict[str, Input]
    required: tuple[str, ...] = ()
    additional_properties: Literal[False] = False

    @model_validator(mode="after")
    def _of_a_module(self) -> Inputs:
        if "module" not in self.required:
            raise ValueError("a template requires the input `module`")
        return self

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The values with defaults filled in. Raises pydantic's ValidationError, which names the input."""
        return self._model(**given).model_dump()

    @cached_property
    def _model(self) -> Callable[..., BaseModel]:
        fields: dict[str, Any] = {}
        for name, one in self.properties.items():
            fields[name] = (_type(one), ... if name in self.required else _default(one))
        config = ConfigDict(extra="forbid", strict=True, validate_default=True)
        return create_model("Inputs", __config__=config, **fields)


_TYPES: dict[str, type] = {"string": str, "integer": int, "boolean": bool}


def _type(one: Input) -> Any:
    if one.type == "array":
        item = one.items or Item()
        each: Any = Literal[item.enum] if item.enum else Annotated[str, Field(pattern=item.pattern)]
        limits = Field(min_length=one.min_items, max_length=one.max_items)
        return Annotated[list[each], limits, AfterValidator(_different)]
    kind: Any = Literal[one.enum] if one.enum else _TYPES[one.type]
    return Annotated[
        kind, Field(pattern=one.pattern, max_length=one.max_length, ge=one.minimum, le=one.maximum)
    ]


def _default(one: Input) -> Any:
    return list(one.default) if isinstance(one.default, tuple) else one.default


def _different(values: list[str]) -> list[str]:
    twice = [value for value in values if values.count(value) > 1]
    if twice:
        raise ValueError(f"{twice[0]!r} is there twice")
    return values


def told(inputs: Inputs, name: str, text: str) -> Any:
    """A value as a command line gives it: a list is separated by commas. A wrong one is left for `values`."""
    one = inputs.properties.get(name)
    if one is None or one.type == "string":
        return text
    if one.type == "array":
        return [part for part in text.split(",") if part]
    if one.type == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return int(text) if text.lstrip("-").isdigit() else text
