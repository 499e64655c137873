"""Our own lints: each finds its fault at its line with its fix, and nothing in what the templates make."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.pipelines import lint, systems, templates
from tests.templates.renderings import FORGES, cases

GITHUB = ".github/workflows/ci.yml"
GITLAB = ".gitlab-ci.yml"
AZURE = "azure-pipelines.yml"
PIN = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"
# Put together here, so that nothing looks for a secret in this file.
AWS_KEY = "AKIA" + "Z7Q2" * 4
FAULTS: dict[str, tuple[str, str, int, str, str]] = {
    "an action by tag": (
        GITHUB,
        "on: push\njobs:\n  test:\n    steps:\n      - uses: actions/checkout@v6\n",
        5,
        "unpinned-action: `actions/checkout@v6` can be moved to other code",
        f"write `{PIN}`",
    ),
    "an action of a stranger's": (
        GITHUB,
        "on: push\njobs:\n  test:\n    steps:\n      - uses: some/one@main\n",
        5,
        "unpinned-action: `some/one@main` can be moved to other code",
        "name the commit: `some/one@<40 digits> # <version>`",
    ),
    "a container of a job": (
        GITHUB,
        "on: push\njobs:\n  test:\n    container:\n      image: python:latest\n    steps: []\n",
        5,
        "unpinned-image: the image `python:latest` names no version",
        "add a tag, or better a digest",
    ),
    "an image in gitlab": (
        GITLAB,
        "test:\n  image: python\n  script: [x]\n",
        2,
        "unpinned-image: the image `python` names no version",
        "add a tag, or better a digest",
    ),
    "a password among the variables": (
        AZURE,
        "jobs:\n- job: test\n  variables:\n    DB_PASSWORD: hunter2\n  steps: []\n",
        4,
        "plain-secret: the variable DB_PASSWORD holds its value in plain text",
        "keep it in the vault and write `$(name)`",
    ),
    "a key that a detector knows": (
        GITLAB,
        f"test:\n  script: ['aws configure set aws_access_key_id {AWS_KEY}']\n",
        2,
        "plain-secret: this looks like a secret: AWS Access Key",
        "revoke it, keep the new one in the vault, and refer to it by name",
    ),
    "a deployment on github": (
        GITHUB,
        "on: push\njobs:\n  test: {steps: []}\n  deploy-production:\n    steps: [{run: x}]\n",
        4,
        "deploy-without-gate: deploy-production deploys, and nothing has to agree",
        "add `environment:` to it, and reviewers to that environment",
    ),
    "a deployment on gitlab": (
        GITLAB,
        "test: {script: [x]}\nrelease:\n  stage: deploy\n  script: [x]\n",
        2,
        "deploy-without-gate: release deploys, and nothing has to agree",
        "add `environment:` and `when: manual` to it, and protect that environment",
    ),
    "a deployment on azure": (
        AZURE,
        "stages:\n- stage: test\n  jobs: [{job: a, steps: []}]\n- stage: deploy\n  jobs:\n  - job: b\n    steps: []\n",
        6,
        "deploy-without-gate: b deploys, and nothing has to agree",
        "make it a `deployment:` with an `environment:` that has an approval",
    ),
    "no tests": (
        GITHUB,
        "on: push\njobs:\n  build: {steps: []}\n",
        1,
        "missing-stage: no job tests anything",
        "add a job to the stage test, or name one after what it checks",
    ),
    "no job": (
        GITLAB,
        "stages: [test]\n",
        1,
        "missing-stage: GitLab CI would find no job in it",
        "add a job, or delete the file",
    ),
    "a title in a command": (
        GITHUB,
        "on: push\njobs:\n  test:\n    steps:\n    - run: echo ${{ github.event.issue.title }}\n",
        5,
        (
            "expression-in-command: `${{ github.event.issue.title }}` is put into a command, "
            "and whoever names a branch or a title can write commands there"
        ),
        "hand it over in `env` and use the variable, quoted",
    ),
    "no YAML": (
        GITLAB,
        "test: [\n",
        2,
        "not-yaml: it can not be read: expected the node content, but found '<stream end>'",
        "mend the YAML",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_at_its_line_with_its_fix(name: str) -> None:
    path, text, line, said, fix = FAULTS[name]
    assert [str(one) for one in lint.check({path: text})] == [f"{path}:{line}: {said}; {fix}"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (GITHUB, f"on: push\njobs:\n  test:\n    steps:\n    - uses: {PIN}\n    - uses: ./own\n"),
        (
            GITHUB,
            "on: push\njobs:\n  test:\n    env: {API_TOKEN: '${{ secrets.T }}', TOKEN: ''}\n    steps: []\n",
        ),
        (GITHUB, "on: push\njobs:\n  test:\n    steps: [{run: 'echo ${{ github.sha }}'}]\n"),
        (GITLAB, "test: {image: $IMAGE, script: [x]}\ndeploy: {environment: {name: x}, script: [x]}\n"),
        (GITLAB, "test: {script: [x]}\ndeploy: {script: [x], rules: [{when: manual}]}\n"),
        (GITLAB, "include: [{local: x.yml}]\n"),
        (AZURE, "jobs:\n- {job: test, steps: []}\n- {deployment: deploy, environment: x}\n"),
        ("src/main.yml", "password: hunter2\n"),
    ],
)
def test_what_is_right_is_left_alone(path: str, text: str) -> None:
    assert lint.check({path: text}) == ()


def test_nothing_is_found_in_what_the_templates_make() -> None:
    seen = 0
    for template, _variant, inputs in cases():
        if template.modules:
            continue
        pipeline = templates.render_pipeline(template, inputs)
        for forge in FORGES:
            files = systems.of(forge).written(pipeline, {}).files
            wrong = [
                one
                for one in lint.check(files)
                if not (not inputs.get("tests", True) and one.rule == "missing-stage")
            ]
            assert wrong == [], (template.name, forge)
            seen += len(files)
    assert seen > 200


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.sampled_from([GITHUB, GITLAB, AZURE]))
def test_any_text_has_findings_or_none_and_never_an_error(text: str, path: str) -> None:
    assert all(one.path == path and one.line >= 1 and one.suggestion for one in lint.check({path: text}))
