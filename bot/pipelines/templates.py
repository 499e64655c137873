"""Pipeline templates: folders of a `template.yaml` and the programs it includes. None is ever imported.

    name: python-service
    version: 1.0.0
    description: ...
    inputs:                                  # JSON Schema of one object; `default` fills what is not given
      type: object
      properties: {module: {type: string, pattern: '^[a-z]...$'}, path: {type: string, default: "."}}
      required: [module]
    example: {module: booking-service}       # what checks and documentation render with
    pipeline: {...}                          # bot.pipelines.model.Pipeline

Every template has the input `module`; `path`, when it has that, is the module's folder.
Texts of the pipeline are Jinja2, which knows `inputs` and `program(file)`. They are rendered after the YAML
is read, so an input can change a text and never the structure.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.domain.model import Model
from bot.pipelines.model import Pipeline
from bot.pipelines.templates_path import root

FILE = "template.yaml"


class TemplateInvalid(ValueError):
    """A template or its inputs can not be used; the message names the template and the field."""


class Input(Model):
    """The part of JSON Schema that a template's input may use."""

    type: Literal["string", "integer", "boolean"]
    description: str = ""
    pattern: str | None = None
    enum: tuple[str, ...] | None = None
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    default: str | int | bool | None = None


class Inputs(Model):
    """JSON Schema of the inputs: one object of plain values, closed."""

    type: Literal["object"] = "object"
    properties: dict[str, Input]
    required: tuple[str, ...] = ()
    additional_properties: Literal[False] = False

    @model_validator(mode="after")
    def _of_a_module(self) -> Inputs:
        if "module" not in self.required:
            raise ValueError("a template requires the input `module`")
        return self


class Template(Model):
    """A template as read.

    `pipeline` is not rendered yet; `programs` are the other files of its folder by name.
    """

    name: str
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    description: str
    inputs: Inputs
    example: dict[str, Any]
    pipeline: dict[str, Any]
    programs: dict[str, str] = Field(default_factory=dict)

    def schema_of_inputs(self) -> dict[str, Any]:
        """JSON Schema, as `pipeline list` shows it."""
        return self.inputs.to_json()


def names() -> tuple[str, ...]:
    """Every template there is, by folder."""
    return tuple(sorted(path.parent.name for path in root().glob(f"*/{FILE}")))


@lru_cache(maxsize=32)
def load(name: str) -> Template:
    """Read a template. Raises TemplateInvalid when there is none of that name or it can not be read."""
    if name not in names():
        raise TemplateInvalid(f"no pipeline template is called {name!r}; there are: {', '.join(names())}")
    return read(root() / name)


def read(folder: Path) -> Template:
    """Read a template from a folder of any place. Raises TemplateInvalid, OSError."""
    try:
        data = YAML(typ="safe", pure=True).load((folder / FILE).read_text(encoding="utf-8"))
        programs = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}
        template = Template.model_validate({**data, "programs": programs})
    except (ValidationError, YAMLError, TypeError) as error:
        raise TemplateInvalid(f"{folder.name}/{FILE}: {_first(error)}") from error
    if template.name != folder.name:
        raise TemplateInvalid(f"{folder.name}/{FILE}: name: it is {template.name!r}, and the folder another")
    return template


def render_pipeline(template: Template, inputs: Mapping[str, Any]) -> Pipeline:
    """The neutral pipeline for these inputs.

    Pure. Raises TemplateInvalid, which names the input or field at fault.
    """
    try:
        values = _inputs_model(template)(**inputs).model_dump()
    except ValidationError as error:
        raise TemplateInvalid(f"{template.name}: input {_first(error)}") from error
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True
    )
    environment.globals = {"inputs": values, "program": lambda name: _here_document(template, name)}
    try:
        rendered = _rendered(template.pipeline, environment)
        about = {"template": template.name, "template_version": template.version}
        where = {"module": values["module"], "path": values.get("path", ".")}
        return Pipeline.model_validate({**rendered, **about, **where})
    except TemplateError as error:
        raise TemplateInvalid(f"{template.name}: {error}") from error
    except ValidationError as error:
        raise TemplateInvalid(f"{template.name}: {_first(error)}") from error


_TYPES: dict[str, type] = {"string": str, "integer": int, "boolean": bool}


def _inputs_model(template: Template) -> type[BaseModel]:
    """Pydantic checks the inputs, so no second JSON Schema library is needed.

    It knows all that `Input` allows.
    """
    fields: dict[str, Any] = {}
    for name, given in template.inputs.properties.items():
        kind: Any = Literal[given.enum] if given.enum else _TYPES[given.type]
        limits = Field(pattern=given.pattern, max_length=given.max_length, ge=given.minimum, le=given.maximum)
        required = name in template.inputs.required
        fields[name] = (Annotated[kind, limits], ... if required else given.default)
    config = ConfigDict(extra="forbid", strict=True, validate_default=True)
    return create_model("Inputs", __config__=config, **fields)


def _rendered(value: Any, environment: ImmutableSandboxedEnvironment) -> Any:
    if isinstance(value, str):
        return environment.from_string(value).render()
    if isinstance(value, list):
        return [_rendered(item, environment) for item in value]
    if isinstance(value, dict):
        return {key: _rendered(item, environment) for key, item in value.items()}
    return value


def _here_document(template: Template, name: str) -> str:
    """A program of the folder as one command, so that a repository needs no file beside its pipeline."""
    if name not in template.programs:
        raise TemplateError(f"program {name!r} is not in the folder")
    return f"python3 - <<'PYTHON'\n{template.programs[name].rstrip()}\nPYTHON"


def _first(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error).replace("\n", " ")
    detail = error.errors()[0]
    return f"{'.'.join(map(str, detail['loc'])) or '(whole)'}: {detail['msg']}"
