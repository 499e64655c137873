"""Pipeline templates: folders of a `template.yaml`, the programs it includes and the files it renders.

None is ever imported.

    name: python-service
    version: 1.0.0
    description: ...
    parts: [service]                         # folders in _parts that bring inputs, files and jobs
    inputs:                                  # JSON Schema of one object; `default` fills what is missing
      type: object
      properties: {module: {type: string, pattern: '^[a-z]...$'}}
      required: [module]
    example: {module: booking-service}       # what checks and documentation render with
    detect: [{file: pyproject.toml, score: 2}]
    files:                                   # from `files/`, into the module's folder
      - {from: Dockerfile, to: Dockerfile, when: inputs.image}
      - {from: values.yaml, to: "deploy/values-{{ each }}.yaml", each: environments}
    pipeline: {...}                          # bot.pipelines.model.Pipeline; jobs may have `if` and `each` too

Every template has the input `module`; `path`, when it has that, is the module's folder.
Texts of the pipeline are Jinja2, which knows `inputs`, `program(file)` and `folder(path)`. They are rendered
after the YAML is read, so an input can change a text and never the structure. A text that begins with `= ` is
an expression, whose value is taken as it is.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.pipelines.template_model import Template, TemplateInvalid, first
from bot.pipelines.template_rendering import render_files, render_pipeline
from bot.pipelines.templates_path import root

__all__ = ["Template", "TemplateInvalid", "load", "names", "read", "render_files", "render_pipeline"]

FILE = "template.yaml"
PARTS = "_parts"
PART_FILE = "part.yaml"


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
        data = _with_parts(_yaml(folder / FILE), folder)
        template = Template.model_validate(data)
    except (ValidationError, YAMLError, TypeError, KeyError, AttributeError) as error:
        raise TemplateInvalid(f"{folder.name}/{FILE}: {first(error)}") from error
    if template.name != folder.name:
        raise TemplateInvalid(f"{folder.name}/{FILE}: name: it is {template.name!r}, and the folder another")
    return template


def _with_parts(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What the template says itself goes before what a part says."""
    data = {**data, **_texts(folder)}
    for name in data.get("parts", ()):
        part = _part(folder.parent / PARTS / name)
        inputs = data["inputs"]
        data["inputs"] = {
            **inputs,
            "properties": part.get("inputs", {}) | inputs["properties"],
            "required": [*inputs.get("required", ()), *part.get("required", ())],
        }
        for kind in ("programs", "sources"):
            data[kind] = part[kind] | data[kind]
        data["files"] = [*data.get("files", ()), *part.get("files", ())]
        pipeline = data["pipeline"]
        data["pipeline"] = {**pipeline, "jobs": [*pipeline["jobs"], *part.get("jobs", ())]}
    return data


def _part(folder: Path) -> dict[str, Any]:
    try:
        return {**_yaml(folder / PART_FILE), **_texts(folder)}
    except OSError as error:
        raise TemplateInvalid(f"there is no part {folder.name!r} in {PARTS}") from error


def _texts(folder: Path) -> dict[str, dict[str, str]]:
    programs = {path.name: _text(path) for path in sorted(folder.iterdir()) if path.suffix in (".py", ".sh")}
    files = sorted(path for path in (folder / "files").rglob("*") if path.is_file())
    sources = {path.relative_to(folder / "files").as_posix(): _text(path) for path in files}
    return {"programs": programs, "sources": sources}


def _yaml(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(_text(path))
    return found


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
