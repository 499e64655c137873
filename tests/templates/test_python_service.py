"""The python-service template, rendered and really run: by our runner, and by gitlab-ci-local."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bot.forges.local.runner import JobResult, RunContext, RunResult
from bot.pipelines import gitlab_ci, templates
from tests.runner.project import Project, make, theirs

MAIN = RunContext(branch="main")
MESSAGE = """feat: add booking-service

- $(touch /tmp/never) `id` "; exit 1

Trace-Id: trace-1
Version: 1.0.0
Agent-Id: devops-engineer
Skill-Id: GeneratePipeline
Sprint-Id: sprint-3
Milestone-Id: mvp-v1
"""
METADATA = {
    "traceId": "trace-1",
    "moduleId": "booking-service",
    "versionTag": "1.0.0-mvp-v1",
    "agentId": "devops-engineer",
    "skillId": "GeneratePipeline",
    "sprintId": "sprint-3",
    "milestoneId": "mvp-v1",
    "imageTag": "1.0.0-mvp-v1-trace-1",
}
SERVICE = {
    # Called as a module of unittest is, which the standard library's trace would ignore together with it.
    "main.py": (
        "def add(a, b):\n    if a > 100:\n        return 0\n    return a + b\n\n\n"
        "def unused():\n    return 1\n"
    ),
    "untouched.py": "VALUE = 1\nOTHER = 2\n",
    "tests/__init__.py": "",
    "tests/test_main.py": (
        "import threading, unittest\nimport main\n\n\nclass Adds(unittest.TestCase):\n"
        "    def test_adds(self):\n        found = []\n"
        "        worker = threading.Thread(target=lambda: found.append(main.add(1, 2)))\n"
        "        worker.start()\n        worker.join()\n        self.assertEqual(found, [3])\n"
    ),
}


def project(folder: Path, files: dict[str, str], **inputs: Any) -> Project:
    template = templates.load("python-service")
    text = gitlab_ci.render(templates.render_pipeline(template, {"module": "booking-service", **inputs}))
    return make(folder, text, files, MESSAGE)


def job(result: RunResult, name: str) -> JobResult:
    return next(job for job in result.jobs if job.name == name)


def said(result: RunResult, name: str) -> str:
    path = job(result, name).log_path
    assert path is not None
    return path.read_text()


@pytest.mark.parametrize("path", [".", "services/booking"])
def test_a_service_is_built_tested_scanned_and_packed(path: str, tmp_path: Path) -> None:
    files = {f"{path}/{name}": content for name, content in SERVICE.items()}
    made = project(tmp_path / "p", files | {"README.md": "elsewhere"}, path=path)
    result = made.run()
    assert result.status == "success", said(result, result.jobs[-1].name)
    assert [done.name for done in result.jobs] == ["build", "test", "scan", "package"]

    dist = job(result, "package").artefacts
    assert dist is not None
    with zipfile.ZipFile(dist / "dist" / "booking-service.zip") as packed:
        assert {"main.py", "untouched.py", "tests/test_main.py"} <= set(packed.namelist())
        assert packed.read("main.py").decode() == SERVICE["main.py"]
        assert not [
            name for name in packed.namelist() if "__pycache__" in name or name.startswith((".", "dist"))
        ]

    metadata = json.loads((dist / "dist" / "execution-metadata.json").read_text())
    assert metadata.pop("durationMs") >= 0
    labels = {f"dev.pointsman.{name}": value for name, value in METADATA.items() if name != "imageTag"}
    labels |= {
        "org.opencontainers.image.revision": made.sha,
        "org.opencontainers.image.version": "1.0.0-mvp-v1",
    }
    ended = {"revision": made.sha, "status": "Success", "artifact": "booking-service.zip"}
    assert metadata == METADATA | {"labels": labels} | ended
    tags = "versionTag=1.0.0-mvp-v1 imageTag=1.0.0-mvp-v1-trace-1"
    annotated = f"moduleId=booking-service {tags} revision={made.sha} traceId=trace-1 "
    assert all(f"\n{annotated}" in said(result, name) for name in ("build", "test", "scan", "package"))


def test_coverage_counts_threads_and_files_that_no_test_imports(tmp_path: Path) -> None:
    result = project(tmp_path / "p", SERVICE).run()
    log = said(result, "test")
    assert "main.py: 4 of 6 lines\n" in log
    assert "untouched.py: 0 of 2 lines\n" in log
    assert "TOTAL coverage: 50%\n" in log
    assert result.coverage == 50.0


def test_too_little_coverage_fails(tmp_path: Path) -> None:
    result = project(tmp_path / "p", SERVICE, minimumCoverage=51).run()
    assert job(result, "test").status == "failed"
    assert "less than the 51% that are asked for\n" in said(result, "test")
    assert project(tmp_path / "q", SERVICE, minimumCoverage=50).run().status == "success"


def test_a_failing_test_fails_the_pipeline_and_nothing_is_packed(tmp_path: Path) -> None:
    broken = SERVICE | {"main.py": SERVICE["main.py"].replace("a + b", "a - b")}
    result = project(tmp_path / "p", broken).run()
    assert {done.name: done.status for done in result.jobs} == {
        "build": "success",
        "test": "failed",
        "scan": "skipped",
        "package": "skipped",
    }
    assert "FAILED (failures=1)" in said(result, "test")


def test_a_source_that_does_not_compile_fails_the_build(tmp_path: Path) -> None:
    result = project(tmp_path / "p", SERVICE | {"bad.py": "def (:\n"}).run()
    assert job(result, "build").status == "failed"


def test_the_scan_refuses_warnings_and_links_that_lead_out(tmp_path: Path) -> None:
    made = project(
        tmp_path / "p",
        {f"svc/{name}": text for name, text in SERVICE.items()} | {"svc/odd.py": "x = 1\nx is 1\n"},
        path="svc",
    )
    result = made.run()
    assert job(result, "scan").status == "failed"
    assert 'odd.py: "is" with' in said(result, "scan")
    assert "1 finding(s)\n" in said(result, "scan")


def test_the_same_sources_give_the_same_archive(tmp_path: Path) -> None:
    archives = []
    for name in ("p", "q"):
        dist = job(project(tmp_path / name / "project", SERVICE).run(), "package").artefacts
        assert dist is not None
        archives.append((dist / "dist" / "booking-service.zip").read_bytes())
    assert archives[0] == archives[1]


def test_the_test_command_is_an_input(tmp_path: Path) -> None:
    result = project(tmp_path / "p", SERVICE, test="python3 -m unittest tests.test_main -v").run()
    assert "test_adds (tests.test_main.Adds" in said(result, "test")


@pytest.mark.parametrize(
    "test", ["make test", "python3 -m unittest; rm -rf /", "python3 -m unittest $(id)", "python3 -c 1"]
)
def test_a_test_command_is_a_module_with_plain_arguments(test: str) -> None:
    with pytest.raises(
        templates.TemplateInvalid, match="python-service: input test: String should match pattern"
    ):
        templates.render_pipeline(templates.load("python-service"), {"module": "m", "test": test})


@pytest.mark.parametrize("path", ["..", "/etc", "a/../b", "a b", "$HOME", "-rf", ""])
def test_a_path_stays_in_the_repository(path: str) -> None:
    with pytest.raises(
        templates.TemplateInvalid, match="python-service: input path: String should match pattern"
    ):
        templates.render_pipeline(templates.load("python-service"), {"module": "m", "path": path})


def test_gitlab_ci_local_runs_it_too(tmp_path: Path) -> None:
    seen = theirs(project(tmp_path / "b" / "project", SERVICE), MAIN, tmp_path / "b" / "marks")
    assert not seen.failed, seen.text
    assert seen.outcome == dict.fromkeys(("build", "test", "scan", "package"), "PASS")
    assert "TOTAL coverage: 50%" in seen.text


def test_a_failing_test_fails_on_gitlab_ci_local_too(tmp_path: Path) -> None:
    broken = SERVICE | {"main.py": SERVICE["main.py"].replace("a + b", "a - b")}
    seen = theirs(project(tmp_path / "b" / "project", broken), MAIN, tmp_path / "b" / "marks")
    assert seen.failed
    assert (seen.outcome["build"], seen.outcome["test"]) == ("PASS", "FAIL")
    assert "package" not in seen.outcome
    assert "FAILED (failures=1)" in seen.text
