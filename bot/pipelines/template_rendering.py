"""A template and a person's inputs as a pipeline and as files. Pure; nothing of an input is ever a template.

Files have delimiters of their own, `[[ value ]]` and `[% for ... %]`: what they are full of, `{{ }}` and
`${{ }}`, belongs to Helm and to GitHub.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import ValidationError

from bot.pipelines.model import Pipeline
from bot.pipelines.template_model import FileToRender, Template, TemplateInvalid, first

EXPRESSION = "= "


def values_of(template: Template, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """All inputs, with defaults. Raises TemplateInvalid, which names the one at fault."""
    try:
        return template.inputs.values(inputs)
    except ValidationError as error:
        raise TemplateInvalid(f"{template.name}: input {first(error)}") from error


def render_pipeline(template: Template, inputs: Mapping[str, Any]) -> Pipeline:
    """The neutral pipeline for these inputs.

    Pure. Raises TemplateInvalid, which names the input or field at fault.
    """
    values = values_of(template, inputs)
    environment = _environment(template, values)
    try:
        rest = {name: value for name, value in template.pipeline.items() if name != "jobs"}
        rendered = _rendered(rest, environment)
        rendered["jobs"] = list(_jobs(template, values, environment))
        about = {"template": template.name, "template_version": template.version}
        where = {"module": values["module"], "path": values.get("path", ".")}
        return Pipeline.model_validate({**rendered, **about, **where})
    except TemplateError as error:
        raise TemplateInvalid(f"{template.name}: {error}") from error
    except ValidationError as error:
        raise TemplateInvalid(f"{template.name}: {first(error)}") from error


def render_files(template: Template, inputs: Mapping[str, Any]) -> dict[str, str]:
    """The files beside the pipeline: path in the repository -> text.

    Pure. Raises TemplateInvalid.
    """
    values = values_of(template, inputs)
    made: dict[str, str] = {}
    for file in template.files:
        try:
            for path, text in _file(template, file, values):
                if path in made:
                    raise TemplateInvalid(f"{template.name}: two files are called {path}")
                made[path] = text
        except TemplateError as error:
            raise TemplateInvalid(f"{template.name}: files/{file.source}: {error}") from error
    return made


def _file(template: Template, file: FileToRender, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    names = _environment(template, values)
    texts = _environment(template, values, files=True)
    source = texts.from_string(template.sources[file.source])
    for one in _each(file.each, values):
        if file.when is None or _true(file.when, names, one):
            to = names.from_string(file.to).render(one)
            yield _place(template, to if file.top else f"{values.get('path', '.')}/{to}"), source.render(one)


def _place(template: Template, path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise TemplateInvalid(f"{template.name}: {path} does not stay inside the repository")
    return str(pure)


def _jobs(
    template: Template, values: Mapping[str, Any], environment: ImmutableSandboxedEnvironment
) -> Iterator[dict[str, Any]]:
    for job in template.pipeline.get("jobs", ()):
        own = {name: value for name, value in job.items() if name not in ("each", "if")}
        for one in _each(job.get("each"), values):
            if "if" not in job or _true(job["if"], environment, one):
                yield _rendered(own, environment, one)


def _each(name: str | None, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What a text knows for each value of a list: the value, the one before it, whether it is the last."""
    if name is None:
        yield {}
        return
    listed = values[name]
    for at, value in enumerate(listed):
        previous = listed[at - 1] if at else ""
        yield {"each": value, "previous": previous, "last": at + 1 == len(listed)}


def _true(expression: str, environment: ImmutableSandboxedEnvironment, one: Mapping[str, Any]) -> bool:
    return bool(environment.compile_expression(expression, undefined_to_none=False)(one))


_FILES: dict[str, Any] = {
    "block_start_string": "[%",
    "block_end_string": "%]",
    "variable_start_string": "[[",
    "variable_end_string": "]]",
    "comment_start_string": "[#",
    "comment_end_string": "#]",
    "trim_blocks": True,
    "lstrip_blocks": True,
}


def _environment(
    template: Template, values: Mapping[str, Any], *, files: bool = False
) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, **(_FILES if files else {})
    )
    path = values.get("path", ".")
    environment.filters["yaml"] = _yaml
    environment.globals = {
        "inputs": values,
        "program": lambda name: _program(template, name),
        "folder": lambda inner: str(PurePosixPath(path) / inner),
        "namespace_of": lambda environment_name: f"{values['tenant']}-{environment_name}",
        "generated": f"Generated by Pointsman from template {template.name} {template.version}.",
    }
    return environment


def _yaml(value: Any) -> str:
    """A value that reads back from YAML and JSON as itself: quoted, whatever it looks like."""
    return json.dumps(value, ensure_ascii=True)


def _rendered(
    value: Any, environment: ImmutableSandboxedEnvironment, one: Mapping[str, Any] | None = None
) -> Any:
    if isinstance(value, str):
        if value.startswith(EXPRESSION):
            expression = value.removeprefix(EXPRESSION)
            return environment.compile_expression(expression, undefined_to_none=False)(one or {})
        return environment.from_string(value).render(one or {})
    if isinstance(value, list):
        return [_rendered(item, environment, one) for item in value]
    if isinstance(value, dict):
        return {key: _rendered(item, environment, one) for key, item in value.items()}
    return value


def _program(template: Template, name: str) -> str:
    """A program of the folder as one command, so that a repository needs no file beside its pipeline."""
    if name not in template.programs:
        raise TemplateError(f"program {name!r} is not in the folder")
    text = template.programs[name].rstrip()
    return text if name.endswith(".sh") else f"python3 - <<'PYTHON'\n{text}\nPYTHON"
