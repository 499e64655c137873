"""What a template is made of, once read (bot/pipelines/templates.py shows one)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from bot.domain.model import Model
from bot.pipelines.template_inputs import Inputs


class TemplateInvalid(ValueError):
    """A template or its inputs can not be used; the message names the template and the field."""


class FileToRender(Model):
    """One file of `files/`, where it goes, and for which inputs; once for each value of the input `each`.

    Below the module's folder, or with `top` below the repository's.
    """

    source: Annotated[str, Field(alias="from")]
    to: str
    when: str | None = None
    each: str | None = None
    top: bool = False


class Mark(Model):
    """What speaks for a template: a file of that name (`*` is one part, `**/` any), with `text` in it."""

    file: str
    text: str | None = None
    score: int = 1


class Template(Model):
    """A template as read, with its parts.

    `pipeline` is not rendered yet; `programs` are the scripts of its folder by name, `sources` the texts of
    `files/`. `modules` names the input that lists modules, each with a template of its own.
    """

    name: str
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    description: str
    parts: tuple[str, ...] = ()
    inputs: Inputs
    example: dict[str, Any]
    detect: tuple[Mark, ...] = ()
    files: tuple[FileToRender, ...] = ()
    modules: str | None = None
    pipeline: dict[str, Any]
    programs: dict[str, str] = Field(default_factory=dict)
    sources: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _every_file_is_used(self) -> Template:
        used = {file.source for file in self.files}
        for name in sorted(used ^ set(self.sources)):
            fault = "is not in the folder" if name in used else "is in the folder, and nothing renders it"
            raise ValueError(f"files/{name} {fault}")
        return self

    def schema_of_inputs(self) -> dict[str, Any]:
        """JSON Schema, as `pipeline list` shows it."""
        return self.inputs.to_json()


def first(error: Exception) -> str:
    """The first fault in a line: the field and what is wrong with it."""
    if not isinstance(error, ValidationError):
        return str(error).replace("\n", " ")
    detail = error.errors()[0]
    return f"{'.'.join(map(str, detail['loc'])) or '(whole)'}: {detail['msg']}"
