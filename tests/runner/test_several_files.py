"""Files that include others, and rules on what has changed: both runners do the same with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.forges.local.runner import RunContext
from bot.pipelines import gitlab, templates
from tests.runner.project import Project, Seen, make, ours, theirs

BRANCH = RunContext(branch="feature/x")
CHANGE = RunContext(branch="feature/x", source="merge_request_event", change=4)
ROOT = """\
stages: [build, test]
include:
  - local: ci/*.yml
  - local: /other/named.yml
variables: {WHO: root}
own:
  stage: build
  script: ['echo own >> $MARKS/order', 'echo "$WHO" > $MARKS/own.txt']
both:
  script: ['echo both >> $MARKS/order', 'echo root > $MARKS/both.txt']
"""
FILES = {
    "ci/one.yml": "variables: {WHO: one}\none: {stage: build, script: ['echo one >> $MARKS/order']}\n",
    "ci/two.yml": (
        "both: {stage: test, needs: [own], script: ['exit 1']}\n"
        "two: {stage: test, needs: [one], script: ['echo two >> $MARKS/order']}\n"
    ),
    "ci/deep/three.yml": "three: {script: ['exit 1']}\n",
    "ci/no.txt": "four: {script: ['exit 1']}\n",
    "other/named.yml": "named: {stage: test, script: ['echo named >> $MARKS/order']}\n",
}


def rule(name: str, *rules: str) -> str:
    return f"{name}: {{script: ['echo {name} >> $MARKS/order'], rules: [{', '.join(rules)}]}}\n"


CHANGES = "".join(
    (
        rule("named-file", "{changes: [README.md]}"),
        rule("other-file", "{changes: [LICENSE]}"),
        rule("by-ending", "{changes: ['*.md']}"),
        rule("by-ending-anywhere", "{changes: ['**/*.py']}"),
        rule("in-a-folder", "{changes: ['src/**/*']}"),
        rule("next-to-a-folder", "{changes: ['sr/**/*']}"),
        rule("only-one-level", "{changes: ['src/*']}"),
        rule("hidden", "{changes: ['**/.h*']}"),
        rule("one-letter", "{changes: ['READM?.md']}"),
        rule("with-a-name", "{changes: ['$FOLDER/**/*']}"),
        rule("several", "{changes: [LICENSE, README.md]}"),
        rule("both-must-hold", "{if: $CI_COMMIT_TAG, changes: [README.md]}"),
        rule("never", "{changes: [README.md], when: never}", "{when: on_success}"),
        rule("otherwise", "{changes: [LICENSE], when: never}", "{when: on_success}"),
        rule("long-form", "{changes: {paths: [README.md], compare_to: main}}"),
        "variables: {FOLDER: src}\n",
        "workflow: {rules: [{if: $CI_COMMIT_BRANCH}, {if: $CI_MERGE_REQUEST_IID}]}\n",
    )
)
CHANGED = {"README.md": "new\n", "src/deep/a.py": "x = 1\n", "src/.hidden": "x\n"}


def compare(projects: list[Project], context: RunContext, folder: Path) -> Seen:
    here = ours(projects[0], context, folder / "a" / "marks")
    there = theirs(projects[1], context, folder / "b" / "marks")
    assert here.outcome == there.outcome, there.text
    assert here.failed == there.failed, there.text
    assert here.notes == there.notes, there.text
    assert sorted(here.order) == sorted(there.order), there.text
    return here


def test_included_files_are_found_and_merged(tmp_path: Path) -> None:
    projects = [make(tmp_path / name / "project", ROOT, FILES) for name in "ab"]
    seen = compare(projects, RunContext(branch="main"), tmp_path)
    assert set(seen.outcome) == {"own", "both", "one", "two", "named"}
    assert seen.notes == {"own": "root\n", "both": "root\n"}


@pytest.mark.parametrize("context", [BRANCH, CHANGE], ids=["branch", "change"])
def test_rules_on_what_has_changed(context: RunContext, tmp_path: Path) -> None:
    projects = [
        make(tmp_path / name / "project", CHANGES, {"LICENSE": "x", "README.md": "old"}).grown(
            "feature/x", CHANGED
        )
        for name in "ab"
    ]
    seen = compare(projects, context, tmp_path)
    expected = (
        "named-file by-ending by-ending-anywhere in-a-folder only-one-level hidden one-letter with-a-name"
    )
    assert set(seen.outcome) == {*expected.split(), "several", "otherwise", "long-form"}


def mono_repo(folder: Path) -> Project:
    """Two modules on main, and a branch that changes one of them."""
    files: dict[str, str] = {}
    for module in ("left", "right"):
        inputs = {"module": module, "path": f"services/{module}"}
        pipeline = templates.render_pipeline(templates.load("python-service"), inputs)
        files |= gitlab.written(pipeline, files).files
        files[f"services/{module}/app.py"] = "VERSION = 1\n"
        files[f"services/{module}/test_app.py"] = (
            "import unittest, app\nclass T(unittest.TestCase):\n"
            "    def test_version(self): self.assertTrue(app.VERSION)\n"
        )
    on_main = make(folder, files.pop(".gitlab-ci.yml"), files)
    message = "feat: more\n\nTrace-Id: trace-1\nVersion: 2.0.0\n"
    return on_main.grown("feature/x", {"services/left/app.py": "VERSION = 2\n"}, message)


@pytest.mark.parametrize("context", [BRANCH, CHANGE], ids=["branch", "change"])
def test_of_generated_modules_the_changed_one_is_run(context: RunContext, tmp_path: Path) -> None:
    projects = [mono_repo(tmp_path / name / "project") for name in "ab"]
    here = ours(projects[0], context, tmp_path / "a" / "marks")
    there = theirs(projects[1], context, tmp_path / "b" / "marks")
    jobs = {"every-change", *(f"left:{job}" for job in ("build", "test", "scan", "package"))}
    assert here.outcome == dict.fromkeys(jobs, "PASS"), here.text
    assert there.outcome == here.outcome, there.text
    assert (
        f"versionTag=2.0.0 imageTag=2.0.0-trace-1 revision={projects[1].sha} traceId=trace-1 " in there.text
    )
