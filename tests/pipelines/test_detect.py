"""Which template suits which files."""

from __future__ import annotations

import pytest

from bot.pipelines import templates
from bot.pipelines.detect import Proposal, detect, texts_wanted

LOADED = [templates.load(name) for name in templates.names()]


def found(files: dict[str, str], whole: str = "shop") -> dict[str, str]:
    names = sorted(files)
    texts = {name: files[name] for name in texts_wanted(names, LOADED)}
    return {one.path: one.template for one in detect(names, texts, LOADED, whole)}


@pytest.mark.parametrize(
    ("files", "template"),
    [
        ({"requirements.txt": "flask", "shop/__main__.py": ""}, "python-service"),
        ({"pyproject.toml": '[project]\ndependencies = ["fastapi"]', "Dockerfile": ""}, "python-service"),
        ({"pyproject.toml": "[build-system]\nrequires = []", "src/x.py": ""}, "python-library"),
        ({"package.json": '{"dependencies": {"express": "5"}}', "package-lock.json": "{}"}, "node-service"),
        ({"package.json": '{"exports": "./x.js", "types": "x.d.ts"}', "package-lock.json": "{}"}, "node-library"),
        ({"Shop.sln": "", "src/Shop.Api/Shop.Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web">'}, "dotnet-service"),
        ({"pom.xml": "<artifactId>spring-boot-starter</artifactId>", "Dockerfile": ""}, "java-service"),
        ({"go.mod": "module shop", "main.go": ""}, "go-service"),
        ({"Cargo.toml": "[package]", "src/main.rs": ""}, "rust-service"),
        ({"Dockerfile": "FROM debian:13", "entry.sh": ""}, "container-image"),
        ({"main.tf": "", "variables.tf": ""}, "terraform"),
        ({"environments/dev/kustomization.yaml": "", "environments/production/kustomization.yaml": ""}, "gitops-environment"),
        ({"Chart.yaml": "name: x", "templates/x.yaml": ""}, "helm-chart"),
    ],
)  # fmt: skip
def test_files_speak_for_a_template(files: dict[str, str], template: str) -> None:
    assert found(files)["."] == template


def test_every_template_but_that_of_a_repository_of_several_can_be_detected() -> None:
    assert [one.name for one in LOADED if not one.detect] == ["monorepo"]


def test_modules_of_a_repository_of_several_are_found_each_in_its_folder() -> None:
    files = {
        "README.md": "",
        "services/booking/requirements.txt": "flask",
        "services/web/package.json": '{"dependencies": {"next": "15"}}',
        "services/web/packages/part/package.json": '{"dependencies": {"next": "15"}}',
        "infrastructure/main.tf": "",
        "infrastructure/modules/vault/main.tf": "",
    }
    assert found(files) == {
        "infrastructure": "terraform",
        "services/booking": "python-service",
        "services/web": "node-service",
    }


def test_nothing_is_proposed_for_too_little() -> None:
    assert found({"README.md": "", "main.py": "", "docs/index.html": ""}) == {}


@pytest.mark.parametrize(
    ("whole", "module"), [("Shop.Web", "shop-web"), ("9lives", "m-9lives"), ("$(id)", "id"), ("---", "m")]
)
def test_a_module_is_called_as_a_module_may_be(whole: str, module: str) -> None:
    names = ["go.mod"]
    (proposal,) = detect(names, {}, LOADED, whole)
    assert proposal == Proposal(".", module, "go-service", 4, ("go.mod",), ())
    templates.render_pipeline(templates.load("go-service"), {"module": proposal.module})
