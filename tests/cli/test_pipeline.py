"""`pointsman pipeline`, offline on a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from bot.pipelines import lock, templates
from tests.cli.conftest import Pointsman

WORKFLOW = ".github/workflows/pointsman-booking.yml"
OURS = ("pipeline", "generate", "helm-chart", "--forge", "github", "--set", "module=booking", "--out")


def read(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_list_says_what_each_template_has_to_be_told(pointsman: Pointsman) -> None:
    said = pointsman("pipeline", "list", "--output", "json")
    listed = {one["name"]: one for one in json.loads(said.out)["templates"]}
    assert said.code == 0
    assert tuple(listed) == templates.names()
    for name, one in listed.items():
        assert one["forges"] == ["github", "gitlab", "azure"]
        Draft202012Validator.check_schema(one["inputs"])
        Draft202012Validator(one["inputs"]).validate(templates.load(name).example)
        assert not Draft202012Validator(one["inputs"]).is_valid({"module": "$(id)"})
    assert "python-service 1.1.0  Build, test" in pointsman("pipeline", "list").out


def test_generate_writes_the_files_that_it_names(pointsman: Pointsman, tmp_path: Path) -> None:
    out = tmp_path / "new" / "repository"
    said = pointsman(*OURS, out, "--output", "json")
    assert (said.code, json.loads(said.out)) == (0, {"files": [WORKFLOW, lock.FILE], "warnings": []})
    assert set(read(out)) == {WORKFLOW, lock.FILE}
    kept = YAML(typ="safe").load((out / lock.FILE).read_text())
    assert kept == {
        "version": 1,
        "modules": {
            "booking": {
                "template": "helm-chart",
                "templateVersion": "1.0.0",
                "forge": "github",
                "inputs": {"module": "booking"},
                "files": {WORKFLOW: lock.digest((out / WORKFLOW).read_text())},
            }
        },
    }


def test_warnings_are_said_and_answered(pointsman: Pointsman, tmp_path: Path) -> None:
    said = pointsman("pipeline", "generate", "container-image", "--forge", "azure", "--set", "module=a", "--set", "registry=r.example.org/x", "--out", tmp_path, "--output", "json")  # fmt: skip
    warnings = json.loads(said.out)["warnings"]
    assert "make the secrets registry-password, registry-user in the variable group pointsman-a" in warnings
    assert all(f"Note: {warning}.\n" in said.err for warning in warnings)


def test_a_second_module_comes_beside_the_first(pointsman: Pointsman, tmp_path: Path) -> None:
    for module in ("one", "two"):
        done = pointsman("pipeline", "generate", "node-library", "--forge", "gitlab", "--set", f"module={module}", "--set", f"path=libs/{module}", "--out", tmp_path)  # fmt: skip
        assert done.code == 0, done.err
    assert list(YAML(typ="safe").load((tmp_path / lock.FILE).read_text())["modules"]) == ["one", "two"]
    assert {".gitlab-ci.yml", ".gitlab/ci/pointsman/one.yml", ".gitlab/ci/pointsman/two.yml"} < set(
        read(tmp_path)
    )


def test_the_same_again_changes_nothing_and_other_inputs_replace_what_is_ours(
    pointsman: Pointsman, tmp_path: Path
) -> None:
    pointsman(*OURS, tmp_path)
    before = read(tmp_path)
    assert pointsman(*OURS, tmp_path).code == 0
    assert read(tmp_path) == before
    changed = pointsman(*OURS, tmp_path, "--set", "image=registry.example.org/helm:4")
    assert changed.code == 0
    assert "image: registry.example.org/helm:4" in (tmp_path / WORKFLOW).read_text()


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        (WORKFLOW, "{}  # mine\n", f"`{WORKFLOW}` was edited since it was generated: move it away or take your edit back, then generate again."),
        (lock.FILE, "version: 7\n", f"`{lock.FILE}` can not be read: take it back from Git, or delete it and the files that were generated."),
    ],
)  # fmt: skip
def test_an_edit_stops_the_whole_and_nothing_is_written(
    path: str, text: str, sentence: str, pointsman: Pointsman, tmp_path: Path
) -> None:
    pointsman(*OURS, tmp_path)
    edited = (tmp_path / path).read_text() + text if path == WORKFLOW else text
    (tmp_path / path).write_text(edited)
    before = read(tmp_path)
    said = pointsman(*OURS, tmp_path, "--set", "image=registry.example.org/helm:4", "--output", "json")
    assert said.code == 1
    assert json.loads(said.out) == {"error": {"reasonCode": "FileInTheWay", "message": sentence}}
    assert read(tmp_path) == before


def test_a_persons_file_is_not_replaced(pointsman: Pointsman, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM mine:1\n")
    said = pointsman(
        "pipeline", "generate", "go-service", "--forge", "github", "--set", "module=a", "--out", tmp_path
    )
    assert said.code == 1
    assert (
        said.err == "Error: `Dockerfile` is there and was not generated: move it away, then generate again.\n"
    )
    assert read(tmp_path) == {"Dockerfile": "FROM mine:1\n"}


def test_a_link_leads_nothing_out_of_the_folder(pointsman: Pointsman, tmp_path: Path) -> None:
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    out.mkdir()
    (out / ".github").symlink_to(outside)
    said = pointsman(*OURS, out)
    assert said.code == 1
    assert said.err == f"Error: {WORKFLOW} leads through a symbolic link.\n"
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nothing", "--forge", "github"), "no pipeline template is called 'nothing'; there are: container-image"),
        (("helm-chart", "--forge", "cvs"), "There is no forge 'cvs': github, gitlab, azure."),
        (("helm-chart", "--forge", "github"), "helm-chart: input module: Field required."),
        (("helm-chart", "--forge", "github", "--set", "module"), "`--set module` has no `=`: write --set module=VALUE."),
        (("helm-chart", "--forge", "github", "--set", "module=a", "--set", "module=b"), "`module` is set twice."),
        (("helm-chart", "--forge", "github", "--set", "module=a", "--set", "x=1"), "helm-chart: input x: Extra inputs are not permitted."),
        (("helm-chart", "--forge", "github", "--set", "module=$(id)"), "helm-chart: input module: String should match pattern"),
        (("go-service", "--forge", "github", "--set", "module=a", "--set", "port=http"), "go-service: input port: Input should be a valid integer."),
        (("go-service", "--forge", "github", "--set", "module=a", "--set", "environments=a,a"), "go-service: input environments: Value error, 'a' is there twice."),
        (("monorepo", "--forge", "github", "--set", "module=a", "--set", "modules=x/a=go-service"), "monorepo: input modules: two modules are called a."),
        (("monorepo", "--forge", "github", "--set", "module=a", "--set", "modules=x=monorepo"), "monorepo: input modules: monorepo is no template of a module."),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_said_and_ends_with_two(
    arguments: tuple[str, ...], sentence: str, pointsman: Pointsman, tmp_path: Path
) -> None:
    said = pointsman("pipeline", "generate", *arguments, "--out", tmp_path / "out")
    assert said.code == 2
    assert sentence in said.err
    assert not (tmp_path / "out").exists()


def test_detect_proposes_a_template(pointsman: Pointsman, tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "go.mod").write_text("module api\n")
    (tmp_path / "node_modules" / "x").mkdir(parents=True)
    (tmp_path / "node_modules" / "x" / "package.json").write_text(
        '{"main": "x", "module": "y", "types": "z"}'
    )
    said = pointsman("pipeline", "detect", tmp_path, "--output", "json")
    wanted: dict[str, Any] = {
        "path": "api", "module": "api", "template": "go-service", "score": 4, "because": ["api/go.mod"], "others": []
    }  # fmt: skip
    assert (said.code, json.loads(said.out)) == (0, {"modules": [wanted]})
    assert pointsman("pipeline", "detect", tmp_path).out == "api: go-service  (api/go.mod)\n"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert pointsman("pipeline", "detect", empty).out.startswith("No template suits this folder.")


def test_check_says_what_is_wrong_and_ends_with_one(pointsman: Pointsman, tmp_path: Path) -> None:
    assert pointsman("pipeline", "check", tmp_path).code == 1
    pointsman(*OURS, tmp_path)
    assert json.loads(pointsman("pipeline", "check", tmp_path, "--output", "json").out) == {
        "ok": True, "files": [WORKFLOW], "findings": []
    }  # fmt: skip
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text("test: {image: python, script: [x]}\n")
    said = pointsman("pipeline", "check", tmp_path)
    assert said.code == 1
    assert said.out == (
        ".gitlab-ci.yml:1: unpinned-image: the image `python` names no version\n"
        "    → add a tag, or better a digest\n1 thing to mend.\n"
    )
