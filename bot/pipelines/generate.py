"""All that a template makes for a repository: the CI system's file, the files beside it, the lock. Pure.

A file that is there is replaced only when it still is what was generated; whatever a person has written or
edited stops the whole generation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.messages import pipelines as say
from bot.pipelines import lock, systems, templates
from bot.pipelines.model import Pipeline
from bot.pipelines.template_model import Template, TemplateInvalid
from bot.pipelines.template_rendering import values_of
from bot.pipelines.text import OURS
from bot.pipelines.written import CannotWrite, There


@dataclass
class Generated:
    """Files as they shall be (path -> text), and what the CI system can not express.

    Of `merged` the renderer has seen what is there, and kept it when it is a person's.
    """

    files: dict[str, str] = field(default_factory=dict)
    merged: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    entries: dict[str, lock.Entry] = field(default_factory=dict)


@dataclass(frozen=True)
class _Module:
    template: Template
    inputs: Mapping[str, Any]
    also: tuple[str, ...] = ()


def generate(template: Template, inputs: Mapping[str, Any], forge: str, there: There) -> Generated:
    """Everything for these inputs, over the files that are there.

    Raises TemplateInvalid (input or template at fault), CannotWrite (a file in the way) and ValueError (no
    such forge).
    """
    before = lock.read(there.get(lock.FILE))
    found = Generated()
    for module in _modules(template, inputs):
        _add(found, module, forge, there)
    _check(found, before, there)
    found.files[lock.FILE] = lock.text(before.with_entries(found.entries))
    return found


def _modules(template: Template, inputs: Mapping[str, Any]) -> list[_Module]:
    """The modules of a repository of several, then the template's own: a root file is shared by them all."""
    values = values_of(template, inputs)
    own = _Module(template, inputs)
    if template.modules is None:
        return [own]
    found: list[_Module] = []
    for entry in values[template.modules]:
        folder, _, name = entry.partition("=")
        inner = templates.load(name)
        if inner.modules is not None:
            raise TemplateInvalid(
                f"{template.name}: input {template.modules}: {name} is no template of a module"
            )
        known = inner.inputs.properties.keys() - {template.modules}
        common = {key: value for key, value in values.items() if key in known and key in inputs}
        where = {"module": folder.rpartition("/")[2], "path": folder}
        found.append(_Module(inner, {**common, **where}, tuple(values.get("shared", ()))))
    names = [module.inputs["module"] for module in found] + [values["module"]]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise TemplateInvalid(f"{template.name}: input {template.modules}: two modules are called {twice[0]}")
    return [*found, own]


def _add(found: Generated, module: _Module, forge: str, there: There) -> None:
    template = module.template
    pipeline = templates.render_pipeline(template, module.inputs)
    if module.also:
        pipeline = Pipeline.model_validate({**pipeline.model_dump(), "also": module.also})
    written = systems.of(forge).written(pipeline, {**there, **found.files})
    made = {**written.files, **templates.render_files(template, module.inputs)}
    found.files.update(made)
    found.merged.update(written.files)
    found.notes += [note for note in written.notes if note not in found.notes]
    found.entries[pipeline.module] = lock.Entry(
        template=template.name,
        template_version=template.version,
        forge=forge,
        inputs=dict(module.inputs),
        files={path: lock.digest(text) for path, text in made.items()},
    )


def _check(found: Generated, before: lock.Lock, there: There) -> None:
    """What is there must be ours and as it was, or just what it shall be."""
    known = before.files
    for path, text in found.files.items():
        now = there.get(path)
        if now is None or now == text or known.get(path) == lock.digest(now):
            continue
        if path in found.merged and (path not in known or not now.startswith(OURS)):
            continue
        raise CannotWrite(say.file_edited(path) if path in known else say.file_not_ours(path))


def reads(template: Template, inputs: Mapping[str, Any], forge: str) -> tuple[str, ...]:
    """The files that `generate` must see. Raises as it does, but for what is in the way."""
    found = [lock.FILE]
    for module in _modules(template, inputs):
        pipeline = templates.render_pipeline(module.template, module.inputs)
        found += [*systems.of(forge).reads(pipeline), *templates.render_files(module.template, module.inputs)]
    return tuple(dict.fromkeys(found))
