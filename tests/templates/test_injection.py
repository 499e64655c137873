"""Nothing that a person types into an input is ever more than a text: it is refused, or it arrives as itself."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML

from bot.pipelines import generate, systems, templates
from bot.pipelines.template_inputs import Input
from bot.pipelines.template_model import TemplateInvalid
from tests.templates.renderings import FORGES

HOSTILE = (
    "$(rm -rf /)", "`id`", "${{ github.token }}", '"; curl example.org; "', "'; id; '", "a\nb: c", "a\n", "a: b", "a # b", "&a", "*a",
    "!!python/object:x", "{{ inputs }}", "[[ inputs ]]", "[% raw %]", "%{x}", "$(Build.SourceBranch)", "$[1]", "a\tb", "-rf", "--help=x", "..", "a/../b",
    "/etc/passwd", "~", "\u202ex", "\x00", "a\\b", "|", ">", "? x", "@a", "", "a b;c", "\u0430dmin",
)  # fmt: skip
# Legal names all, which an older YAML reads as true, false or a number.
MISREAD = ("on", "no", "yes", "off", "y", "n", "true", "null")
TEMPLATES = [templates.load(name) for name in templates.names()]


def texts(template: Any) -> list[tuple[str, Input]]:
    listed = template.inputs.properties.items()
    return [(name, one) for name, one in listed if one.type in ("string", "array")]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_no_hostile_text_is_taken_for_an_input(template: Any) -> None:
    refused = 0
    for name, one in texts(template):
        for attack in HOSTILE:
            value = [attack] if one.type == "array" else attack
            try:
                made = templates.render_pipeline(template, {**template.example, name: value})
            except TemplateInvalid:
                refused += 1
                continue
            # Some inputs may be empty, the description of a connection may have blanks; nothing else passes.
            assert attack in ("", "-rf") or name == "connection", (name, attack)
            assert attack != "-rf", (name, made.name)
    assert refused > 20 * len(texts(template))


@pytest.mark.parametrize("word", MISREAD)
def test_a_word_that_an_older_yaml_misreads_stays_a_word(word: str) -> None:
    """GitLab, Helm and kubectl read YAML 1.1; everything has to be the same to them."""
    for template in TEMPLATES:
        known = template.inputs.properties
        odd: dict[str, Any] = {"module": word, "path": word, "tenant": word, "secrets": [word], "environments": [word], "approvals": [word], "branch": word}  # fmt: skip
        inputs = {**template.example, **{name: value for name, value in odd.items() if name in known}}
        for path, text in written(template, inputs).items():
            if path.endswith((".yml", ".yaml")) and "/templates/" not in path:
                new = YAML(typ="safe", pure=True).load(text)
                assert without_on(yaml.safe_load(text)) == new, f"{template.name} {path}"


def written(template: Any, inputs: dict[str, Any]) -> dict[str, str]:
    pipeline = templates.render_pipeline(template, inputs)
    files = templates.render_files(template, inputs)
    for forge in FORGES:
        files |= systems.of(forge).written(pipeline, {}).files
    return files


def without_on(document: Any) -> Any:
    """GitHub's own key `on` is what every reader of YAML 1.1 takes for true."""
    if isinstance(document, dict) and True in document and "jobs" in document:
        return {"on" if key is True else key: value for key, value in document.items()}
    return document


def test_an_odd_word_survives_the_lock() -> None:
    template = templates.load("node-library")
    made = generate.generate(template, {"module": "on", "path": "no"}, "gitlab", {})
    assert yaml.safe_load(made.files[".pointsman/lock.yaml"])["modules"]["on"]["inputs"] == {
        "module": "on",
        "path": "no",
    }
