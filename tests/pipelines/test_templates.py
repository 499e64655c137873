"""Templates: found, read, filled in; what is wrong with one is said by name."""

import re
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
    text = GOOD.replace("    loud:", "    path: {type: string, pattern: '^[a-z/]+$'}\n    loud:")
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
    text = GOOD.replace(", enum: [low, high]", ", pattern: '.*'")
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


# -- lists, expressions, files, parts ------------------------------------------------------------------------

RICH = (
    GOOD.replace(
        "  required: [module]",
        """    path: {type: string, pattern: '^[a-z/.]+$', default: "."}
    places: {type: array, items: {type: string, pattern: '^[a-z]+$'}, minItems: 1, uniqueItems: true, default: [x, y]}
  required: [module]""",
    ).replace(
        "pipeline:",
        """files:
  - {from: one.txt, to: one.txt, when: inputs.loud}
  - {from: each.yaml, to: "at/{{ each }}.yaml", each: places}
  - {from: each.yaml, to: "all-{{ each }}.yaml", each: places, top: true}
pipeline:""",
    )
    + """    - name: "go-{{ each }}"
      each: places
      if: inputs.level == 'high'
      stage: deploy
      needs: "= ['go-' ~ previous] if previous else ['say']"
      environment: {name: "at-{{ each }}", approval: "= last"}
      steps: ["echo {{ each }}"]
"""
)
FILES = {
    "one.txt": "[[ inputs.module ]] {{ kept }} ${{ kept }}\n",
    "each.yaml": "# [[ generated ]]\nat: [[ each | yaml ]]\n",
}


def rich(folder: Path, text: str = RICH, files: dict[str, str] = FILES) -> templates.Template:
    made = written(folder, text)
    (made / "files").mkdir()
    for name, content in files.items():
        (made / "files" / name).write_text(content)
    return templates.read(made)


def test_a_job_for_each_value_of_a_list(tmp_path: Path) -> None:
    template = rich(tmp_path)
    assert [job.name for job in templates.render_pipeline(template, {"module": "m"}).jobs] == ["say"]
    made = templates.render_pipeline(template, {"module": "m", "level": "high", "places": ["a", "b"]})
    assert [(job.name, job.needs) for job in made.jobs] == [
        ("say", None),
        ("go-a", ("say",)),
        ("go-b", ("go-a",)),
    ]
    assert [job.environment.approval for job in made.jobs if job.environment] == [False, True]


def test_files_are_rendered_into_the_modules_folder_with_delimiters_of_their_own(tmp_path: Path) -> None:
    template = rich(tmp_path)
    assert templates.render_files(
        template, {"module": "m", "path": "a/b", "loud": True, "places": ["q"]}
    ) == {
        "a/b/one.txt": "m {{ kept }} ${{ kept }}\n",
        "a/b/at/q.yaml": '# Generated by Pointsman from template tiny 1.0.0.\nat: "q"\n',
        "all-q.yaml": '# Generated by Pointsman from template tiny 1.0.0.\nat: "q"\n',
    }
    assert set(templates.render_files(template, {"module": "m"})) == {
        "at/x.yaml",
        "at/y.yaml",
        "all-x.yaml",
        "all-y.yaml",
    }


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"places": []}, "tiny: input places: List should have at least 1 item"),
        ({"places": ["a", "a"]}, "tiny: input places: Value error, 'a' is there twice"),
        ({"places": ["A"]}, "tiny: input places.0: String should match pattern"),
        ({"places": "a"}, "tiny: input places: Input should be a valid list"),
        ({"path": ".."}, "tiny: ../at/x.yaml does not stay inside the repository"),
        ({"path": "/etc"}, "tiny: /etc/at/x.yaml does not stay inside the repository"),
    ],
)
def test_wrong_lists_and_paths_are_named(inputs: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(TemplateInvalid) as caught:
        templates.render_files(rich(tmp_path), {"module": "m", **inputs})
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("change", "files", "sentence"),
    [
        (("", ""), {**FILES, "more.txt": ""}, "files/more.txt is in the folder, and nothing renders it"),
        (("", ""), {"one.txt": ""}, "files/each.yaml is not in the folder"),
        (
            ("", ""),
            {**FILES, "one.txt": "[[ inputs.modul ]]"},
            "tiny: files/one.txt: 'dict object' has no attribute",
        ),
        (
            ("", ""),
            {**FILES, "one.txt": "[[ ().__class__ ]]"},
            "tiny: files/one.txt: access to attribute '__class__'",
        ),
        (("at/{{ each }}", "at/one"), FILES, "tiny: two files are called at/one.yaml"),
        (("pattern: '^[a-z]+$'}, minItems", "}, minItems"), FILES, "a text needs a pattern or an enum"),
    ],
)
def test_what_is_wrong_with_a_templates_files_is_said(
    change: tuple[str, str], files: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    assert change[0] in RICH
    with pytest.raises(TemplateInvalid, match=re.escape(sentence)):
        templates.render_files(rich(tmp_path, RICH.replace(*change), files), {"module": "m", "loud": True})


def test_a_part_brings_inputs_files_and_jobs_and_the_template_goes_before_it(tmp_path: Path) -> None:
    part = tmp_path / "_parts" / "more"
    (part / "files").mkdir(parents=True)
    (part / "part.yaml").write_text(
        "inputs: {size: {type: integer, default: 3}, times: {type: integer, default: 9}}\n"
        "files: [{from: size.txt, to: size.txt}]\n"
        "jobs: [{name: more, stage: test, steps: [\"{{ program('more.sh') }}\"]}]\n"
    )
    (part / "files" / "size.txt").write_text("[[ inputs.size ]]")
    (part / "more.sh").write_text("echo more\n")
    template = templates.read(written(tmp_path, GOOD.replace("inputs:", "parts: [more]\ninputs:", 1)))
    made = templates.render_pipeline(template, {"module": "m"})
    assert [(job.name, job.steps) for job in made.jobs] == [
        ("say", ("echo m low 1",)),
        ("more", ("echo more",)),
    ]
    assert templates.render_files(template, {"module": "m"}) == {"size.txt": "3"}
    with pytest.raises(TemplateInvalid, match="there is no part 'less' in _parts"):
        templates.read(written(tmp_path / "other", GOOD.replace("inputs:", "parts: [less]\ninputs:", 1)))


def test_every_template_has_a_page_that_names_its_jobs() -> None:
    for name in templates.names():
        template = templates.load(name)
        page = (templates_path.root() / name / "README.md").read_text()
        assert page.startswith(f"# {name}\n")
        example = {
            **template.example,
            **({"deployment": "helm"} if "deployment" in template.inputs.properties else {}),
        }
        for job in templates.render_pipeline(template, example).jobs:
            shown = re.sub(r"-(dev|staging|production)$", "-<environment>", job.name)
            assert f"`{shown}`" in page, f"{name}: {shown}"
