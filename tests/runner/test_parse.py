"""What the runner refuses, word for word, and where it says the fault is."""

import pytest

from bot.forges.local.runner import PipelineError, parse

REFUSED = {
    "unknown keyword": (
        "unit:\n  script: make\n  cache: {paths: [x]}\n",
        (
            "line 3, column 3: `unit.cache` is not supported by the embedded runner"
            " (remove it; hand files on with `artifacts`)"
        ),
    ),
    "unknown keyword of a rule": (
        "unit:\n  script: make\n  rules:\n    - exists: [src]\n",
        (
            "line 4, column 7: `unit.rules.0.exists` is not supported by the embedded runner"
            " (remove it; supported here: allow_failure, changes, if, variables, when)"
        ),
    ),
    "unknown report": (
        "unit:\n  script: make\n  artifacts:\n    reports:\n      terraform: x.json\n",
        (
            "line 5, column 7: `unit.artifacts.reports.terraform` is not supported by the embedded runner"
            " (remove it; supported here: codequality, container_scanning, coverage_report, cyclonedx,"
            " dependency_scanning, junit, sast, secret_detection)"
        ),
    ),
    "unknown keyword of workflow": (
        "workflow: {name: x, rules: []}\nunit: {script: make}\n",
        "line 1, column 12: `workflow.name` is not supported by the embedded runner (remove it; supported here: rules)",
    ),
    "include": (
        "include: other.yml\nunit: {script: make}\n",
        ("line 1, column 1: the file `other.yml` is not there (correct the path)"),
    ),
    "global image": (
        "image: python\nunit: {script: make}\n",
        "line 1, column 1: `image` is not supported here by the embedded runner (put it under `default:`)",
    ),
    "hidden job": (
        ".common: {script: make}\n",
        (
            "line 1, column 1: `.common` is a hidden job, which nothing here can use"
            " (remove it; `extends` is not supported)"
        ),
    ),
    "extends": (
        "unit: {extends: .common, script: make}\n",
        "line 1, column 8: `unit.extends` is not supported by the embedded runner (write the keywords into the job)",
    ),
    "no job": (
        "stages: [a]\n",
        "line 1, column 1: the file has no job (write `job-name:` and under it `script:`)",
    ),
    "no script": ("unit: {stage: test}\n", "line 1, column 1: `unit.script` is missing (add it)"),
    "job is a list": (
        "unit: [make]\n",
        "line 1, column 1: `unit` is not a mapping (write keywords under it)",
    ),
    "unknown stage": (
        "stages: [build, test]\nunit:\n  stage: tset\n  script: make\n",
        "line 3, column 3: job `unit`: the stage `tset` is not in `stages` (use one of: build, test)",
    ),
    "unknown need": (
        "unit: {script: make, needs: [compile]}\n",
        "line 1, column 30: job `unit` needs `compile`, which is no job of this file (correct the name)",
    ),
    "need of a later stage": (
        "unit: {stage: build, script: make, needs: [late]}\nlate: {stage: deploy, script: make}\n",
        (
            "line 1, column 44: job `unit` needs `late`, which is in the later stage `deploy`"
            " (move one of them to another stage)"
        ),
    ),
    "needs in a circle": (
        "a: {script: make, needs: [b]}\nb: {script: make, needs: [a]}\n",
        "line 1, column 19: jobs need each other: a -> b -> a (remove one of the needs)",
    ),
    "broken expression": (
        "unit:\n  script: make\n  rules:\n    - if: $CI_COMMIT_TAG ==\n",
        (
            "line 4, column 7: `unit.rules.0.if`: the expression ends at column 18"
            " where a variable, a text or a pattern is expected"
        ),
    ),
    "manual that blocks": (
        "unit: {script: make, rules: [{when: manual}]}\n",
        (
            "line 1, column 31: job `unit`: `when: manual` without `allow_failure: true` would wait for a person for ever"
            " (add `allow_failure: true`)"
        ),
    ),
    "duration": (
        "unit: {script: make, timeout: soon}\n",
        (
            "line 1, column 22: `unit.timeout`: `soon` is not a duration between 1 second and 24 hours"
            " (write it like `10m` or `1h 30m`)"
        ),
    ),
    "artefacts outside": (
        "unit: {script: make, artifacts: {paths: [../secrets]}}\n",
        (
            "line 1, column 42: `unit.artifacts.paths.0`: `../secrets` does not stay inside the project"
            " (write a path relative to it, without `..`)"
        ),
    ),
    "classes in a name": (
        "unit: {script: make, artifacts: {paths: ['out/[ab].txt']}}\n",
        "line 1, column 42: `unit.artifacts.paths.0`: `out/[ab].txt` is a pattern that the embedded runner does not know (use only `*` and `**`)",
    ),
    "look-around in a pattern": (
        "unit: {script: make, coverage: '/(?=x)/'}\n",
        "line 1, column 22: `unit.coverage`: `(?=x)` is not a regular expression that GitLab accepts",
    ),
    "boolean variable": (
        "variables: {DEBUG: true}\nunit: {script: make}\n",
        "line 1, column 13: `variables.DEBUG`: a variable is a text or a whole number (write the value in quotes)",
    ),
    "name of a variable": (
        "variables: {MY-NAME: x}\nunit: {script: make}\n",
        "line 1, column 13: `variables.MY-NAME` is no name of a variable (use letters, digits and underscores)",
    ),
    "too many retries": (
        "unit: {script: make, retry: 3}\n",
        "line 1, column 22: `unit.retry.max`: input should be less than or equal to 2",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_fault_is_named_with_its_place_and_a_way_out(name: str) -> None:
    text, sentence = REFUSED[name]
    with pytest.raises(PipelineError) as caught:
        parse(text)
    assert str(caught.value) == sentence


def test_the_first_fault_in_the_file_is_told() -> None:
    with pytest.raises(PipelineError) as caught:
        parse("a:\n  script: make\n  only: [main]\nb:\n  script: make\n  cache: {}\n")
    assert (caught.value.line, caught.value.column, caught.value.suggestion) == (3, 3, "use `rules`")


def test_a_job_takes_from_default_what_it_leaves_out() -> None:
    pipeline = parse(
        "default: {before_script: [prepare], timeout: 1h 30m, retry: 1}\n"
        "a: {script: make}\n"
        "b: {script: [make, check], before_script: [], timeout: 45 seconds}\n"
    )
    a, b = pipeline.jobs["a"], pipeline.jobs["b"]
    assert (a.before_script, a.script, a.timeout, a.retry.max) == (("prepare",), ("make",), 5400, 1)
    assert (b.before_script, b.script, b.timeout, b.retry.max) == ((), ("make", "check"), 45, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10m", 600),
        ("90 minutes", 5400),
        ("1 hour and 30 minutes", 5400),
        ("2h 5m 1s", 7501),
        ("1 day", 86400),
    ],
)
def test_durations(text: str, expected: int) -> None:
    assert parse(f"a: {{script: x, timeout: {text}}}").jobs["a"].timeout == expected


@pytest.mark.parametrize("text", ["0s", "25h", "-1m", "10", "10m please", "1x"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(PipelineError, match=r"is not a duration|valid integer|greater"):
        parse(f"a: {{script: x, timeout: '{text}'}}")


def test_image_tags_and_interruptible_are_accepted() -> None:
    job = parse("a: {script: x, image: {name: 'python:3.13'}, tags: [linux], interruptible: true}").jobs["a"]
    assert job.image is not None
    assert (job.image.name, job.tags, job.interruptible) == ("python:3.13", ("linux",), True)
