"""Every template for every CI system with a matrix of inputs, written to folders for other people's tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.pipelines import systems, templates
from bot.pipelines.generate import generate
from bot.pipelines.template_model import Template

FORGES = ("github", "gitlab", "azure")
ENVIRONMENTS = [f"env-{number}" for number in range(11)] + ["production"]
IMAGE = f"registry.example.org:5000/tools/all:1.2@sha256:{'a' * 64}"
VARIANTS: dict[str, dict[str, Any]] = {
    "example": {},
    "whole": {"path": "."},
    "odd": {"module": f"a-1-{'b' * 40}", "path": "Odd_Dir/v1.2-x/y.z", "branch": "release/2026-11"},
    "many": {"environments": ENVIRONMENTS, "approvals": ["env-3", "production"]},
    "bare": {"tests": False, "secrets": [], "registry": "", "requirements": "", "environments": ["one"]},
    "matrix": {
        "testImages": ["python:3.12", "python:3.13"],
        "requirements": "requirements.txt",
        "secrets": ["a", "b-c"],
        "image": IMAGE,
    },
    "deployed": {
        "deployment": "helm",
        "editions": ["premium", "enterprise"],
        "edition": "enterprise",
        "builderImage": IMAGE,
        "deployerImage": IMAGE,
        "registry": "registry.example.org:5000/acme/services",
    },
}


@dataclass(frozen=True)
class Rendering:
    """One template with one set of inputs for one CI system, and the folder it was written to."""

    template: str
    variant: str
    forge: str
    folder: Path
    texts: Mapping[str, str]

    def files(self, *patterns: str) -> list[Path]:
        found = [path for pattern in patterns for path in self.folder.rglob(pattern) if path.is_file()]
        return sorted(set(found))

    def __str__(self) -> str:
        return f"{self.template} {self.variant} {self.forge}"


def inputs_of(template: Template, variant: str) -> dict[str, Any] | None:
    """The example with what the variant changes; None when nothing of it is an input of the template."""
    known = {name: value for name, value in VARIANTS[variant].items() if name in template.inputs.properties}
    if VARIANTS[variant] and not known:
        return None
    inputs = {**template.example, **known}
    needed = [name for name in template.inputs.required if not inputs.get(name)]
    return {**inputs, **{name: template.example[name] for name in needed}}


def write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


@lru_cache(maxsize=1)
def cases() -> tuple[tuple[Template, str, dict[str, Any]], ...]:
    loaded = [templates.load(name) for name in templates.names()]
    found = [(template, variant, inputs_of(template, variant)) for template in loaded for variant in VARIANTS]
    return tuple((template, variant, inputs) for template, variant, inputs in found if inputs is not None)


def render_all(top: Path) -> Iterator[Rendering]:
    """What lies beside the pipeline is the same for every CI system, so it is made for one of them."""
    for template, variant, inputs in cases():
        for forge in FORGES:
            whole = forge == "gitlab" or template.modules is not None
            texts = (
                generate(template, inputs, forge, {}).files if whole else _pipeline(template, inputs, forge)
            )
            folder = top / forge / f"{template.name}-{variant}"
            write(folder, texts)
            yield Rendering(template.name, variant, forge, folder, texts)


def _pipeline(template: Template, inputs: dict[str, Any], forge: str) -> Mapping[str, str]:
    return systems.of(forge).written(templates.render_pipeline(template, inputs), {}).files
