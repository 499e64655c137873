"""Templates: found, read, filled in; what is wrong with one is said by name."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.pipelines import check, templates, templates_path
from bot.pipelines.systems import GITLAB_CI
from bot.pipelines.templates import TemplateInvalid
from bot.pipelines.written import Written

GOOD = """
name: tiny
version: 1.0.0
description: One job.
inputs:
  type: object
  properties:
    module: {type: string, pattern: '^[a-z-]+$'}
    level: {type: string, enum: [low, high], default: low}
    times: {type: integer, minimum: 1, maximum: 3, default: 1}
    loud: {type: boolean, default: false}
  required: [module]
example: {module: m}
pipeline:
  name: "{{ inputs.module }}"
  on: {branches: ["**"]}
  jobs:
    - name: say
      stage: build
      steps: ["echo {{ inputs.module }} {{ inputs.level }} {{ inputs.times }}{% if inputs.loud %} !{% endif
      %}"]
"""


def written(folder: Path, text: str = GOOD, **files: str) -> Path:
    (folder / "tiny").mkdir(parents=True)
    for name, content in {"template.yaml": text, **files}.items():
        (folder / "tiny" / name).write_text(content)
    return folder / "tiny"


def test_every_template_of_this_installation_is_found() -> None:
    assert "python-service" in templates.names()
    assert templates_path.root().name in ("pipelines-templates", "_templates")


def test_an_unknown_template_is_named_with_those_there_are() -> None:
    with pytest.raises(
        TemplateInvalid, match=r"no pipeline template is called 'cobol'; there are: .*python-service"
    ):
        templates.load("cobol")


@pytest.mark.parametrize("name", ["../pipelines-templates/python-service", "", "."])
def test_a_name_is_no_path(name: str) -> None:
    with pytest.raises(TemplateInvalid, match="no pipeline template is called"):
        templates.load(name)


@pytest.mark.parametrize(
    ("inputs", "step"),
    [
        ({"module": "m"}, "echo m low 1"),
        ({"module": "m", "level": "high", "times": 3, "loud": True}, "echo m high 3 !"),
    ],
)
def test_inputs_fill_the_texts(inputs: dict[str, Any], step: str, tmp_path: Path) -> None:
    made = templates.render_pipeline(templates.read(written(tmp_path)), inputs)
    assert made.jobs[0].steps == (step,)
    assert (made.name, made.module, made.path, made.template, made.template_version) == (
        "m",
        "m",
        ".",
        "tiny",
        "1.0.0",
    )


def test_the_input_path_is_the_modules_folder(tmp_path: Path) -> None:
    text = GOOD.replace("    loud:", "    path: {type: string}\n    loud:")
    made = templates.render_pipeline(
        templates.read(written(tmp_path, text)), {"module": "m", "path": "services/m"}
    )
    assert made.path == "services/m"


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({}, "tiny: input module: Field required"),
        ({"module": "M"}, "tiny: input module: String should match pattern '^[a-z-]+$'"),
        ({"module": "{{ 7 * 7 }}"}, "tiny: input module: String should match pattern '^[a-z-]+$'"),
        ({"module": "m", "level": "mid"}, "tiny: input level: Input should be 'low' or 'high'"),
        ({"module": "m", "times": 4}, "tiny: input times: Input should be less than or equal to 3"),
        ({"module": "m", "times": "2"}, "tiny: input times: Input should be a valid integer"),
        ({"module": "m", "colour": "red"}, "tiny: input colour: Extra inputs are not permitted"),
    ],
)
def test_wrong_inputs_are_named(inputs: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(TemplateInvalid) as caught:
        templates.render_pipeline(templates.read(written(tmp_path)), inputs)
    assert str(caught.value) == sentence


def test_an_input_is_never_a_template_itself(tmp_path: Path) -> None:
    text = GOOD.replace(", enum: [low, high]", "")
    made = templates.render_pipeline(
        templates.read(written(tmp_path, text)), {"module": "m", "level": "{{ inputs }}"}
    )
    assert made.jobs[0].steps == ("echo m {{ inputs }} 1",)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("version: 1.0.0", "version: one", "tiny/template.yaml: version: String should match pattern"),
        ("description: One job.", "colour: red", "tiny/template.yaml: description: Field required"),
        (
            "required: [module]",
            "required: [level]",
            "tiny/template.yaml: inputs: Value error, a template requires",
        ),
        ("name: tiny", "name: other", "tiny/template.yaml: name: it is 'other', and the folder another"),
        ("type: boolean", "type: object", "tiny/template.yaml: inputs.properties.loud.type: Input should be"),
        ('inputs.module }}"\n', 'inputs.modul }}"\n', "tiny: 'dict object' has no attribute 'modul'"),
        ("stage: build", "stage: polish", "tiny: jobs.0.stage: Input should be"),
        ("{{ inputs.level }}", "{{ program('x.py') }}", "tiny: program 'x.py' is not in the folder"),
        (
            "{{ inputs.level }}",
            "{{ ().__class__.__bases__ }}",
            "tiny: access to attribute '__class__' of 'tuple' object is unsafe",
        ),
        ("{{ inputs.level }}", "{{ inputs.level", "tiny: "),
        ("default: 1}", "default: 9}", "tiny: input times: Input should be less than or equal to 3"),
        ("example: {module: m}", "example: {}", "tiny: input module: Field required"),
        ("name: tiny", "name: [", "tiny/template.yaml: "),
    ],
)
def test_check_names_what_is_wrong_with_a_template(old: str, new: str, sentence: str, tmp_path: Path) -> None:
    assert old in GOOD
    (fault, *_) = check.faults_of(written(tmp_path, GOOD.replace(old, new, 1)))
    assert fault.startswith(sentence)


def test_a_program_of_the_folder_becomes_one_command(tmp_path: Path) -> None:
    text = GOOD.replace('steps: ["echo', 'steps: ["{{ program(\'hello.py\') }}", "echo')
    folder = written(tmp_path, text, **{"hello.py": "print('a')\nprint('b')\n"})
    made = templates.render_pipeline(templates.read(folder), {"module": "m"})
    assert made.jobs[0].steps[0] == "python3 - <<'PYTHON'\nprint('a')\nprint('b')\nPYTHON"


def test_check_passes_on_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main() == 0
    assert capsys.readouterr().out.endswith("0 fault(s)\n")


def test_check_fails_with_a_line_per_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, GOOD.replace("version: 1.0.0", "version: one"))
    assert check.main(tmp_path) == 1
    said = capsys.readouterr()
    assert said.err.startswith("tiny/template.yaml: version: ")
    assert said.out == "1 pipeline template(s), 3 CI system(s), 1 fault(s)\n"


def test_check_finds_what_the_schema_of_a_ci_system_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Written("x.yml", {"x.yml": "unit: {script: 7}\n"}, {})
    broken = replace(GITLAB_CI, written=lambda _pipeline, _there: wrong)
    monkeypatch.setattr(check, "SYSTEMS", (broken,))
    faults = check.faults_of(written(tmp_path))
    assert faults
    assert all(fault.startswith("tiny for gitlab-ci: ") for fault in faults)


def test_no_template_at_all_is_a_fault(tmp_path: Path) -> None:
    assert check.main(tmp_path) == 1
