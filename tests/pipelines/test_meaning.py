"""All three systems mean what the model means: read back from the rendered YAML, for any pipeline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from bot.pipelines import gitlab_rules
from bot.pipelines.model import Pipeline
from tests.pipelines import graphs
from tests.pipelines.graphs import SYSTEMS, meant, spelt
from tests.pipelines.wide import pipelines, wide


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pipelines())
def test_every_system_has_the_graph_and_the_occasions_of_the_model(pipeline: Pipeline) -> None:
    for name, (read_back, how) in SYSTEMS.items():
        wanted = spelt(meant(pipeline), how)
        released = pipeline.on.tags or "release/**" in pipeline.on.branches
        if name == "github" and released:
            wanted = graphs.without_caches(wanted)
        assert read_back(pipeline) == wanted, name


def broken(pipeline: Pipeline, name: str, change: Any) -> graphs.Graph:
    """What is read back from the text with a fault in it."""
    module = {"github": graphs.github_actions, "azure": graphs.azure_pipelines, "gitlab": graphs.gitlab_ci}[
        name
    ]
    attribute = "render_module" if name == "gitlab" else "render"
    render = getattr(module, attribute)
    text = render(pipeline)
    faulty = change(text)
    assert faulty != text, "the fault was not planted"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, attribute, lambda _pipeline: faulty)
        return SYSTEMS[name][0](pipeline)


JOBS: list[dict[str, Any]] = [
    {
        "name": "unit",
        "stage": "test",
        "steps": ["make"],
        "matrix": {"M1": ["a", "b"]},
        "variables": {"LEVEL": "2"},
        "artefacts": {"paths": ["out/"]},
        "caches": [{"name": "c", "paths": [".c"], "keys": ["lock"]}],
    },
    {
        "name": "ship",
        "stage": "deploy",
        "needs": ["unit"],
        "steps": ["make"],
        "variables": {"LEVEL": "3"},
        "secrets": {"S1": "@vault:a-key"},
        "environment": {"name": "acme-production"},
        "identity": {"connection": "acme"},
        "on": {"branches": ["main"], "tags": ["**"], "scheduled": True},
    },
]
FAULTS: dict[str, tuple[str, str, str]] = {
    "a need": ("github", "    needs:\n      - unit\n", ""),
    "a need in azure": ("azure", "    dependsOn:\n      - unit\n", "    dependsOn: []\n"),
    "a need in gitlab": ("gitlab", "    - booking-service:unit\n", "    []\n"),
    "an occasion": ("github", "github.event_name == 'schedule' || ", ""),
    "an occasion in azure": ("azure", "'IndividualCI', 'BatchedCI'", "'IndividualCI'"),
    "a rule that is lost": ("gitlab", '    - if: $CI_PIPELINE_SOURCE == "web"\n      when: never\n', ""),
    "a combination": ("github", '          - "b"\n', ""),
    "a combination in azure": ("azure", '          M1: "b"\n', '          M1: "c"\n'),
    "a combination in gitlab": ("gitlab", '          - "b"\n', ""),
    "a secret": ("github", "secrets.A_KEY", "secrets.B_KEY"),
    "a secret in azure": ("azure", "$(a-key)", "$(b-key)"),
    "a secret in gitlab": ("gitlab", "S1: $A_KEY", "S1: $B_KEY"),
    "an environment": ("github", "      name: acme-production", "      name: other"),
    "an identity": ("github", "      id-token: write\n", ""),
    "a cache": ("azure", "$(Build.SourcesDirectory)/.c", "$(Build.SourcesDirectory)/.d"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_rendered_file_is_seen(fault: str) -> None:
    """The comparison is worth something only if it fails."""
    name, old, new = FAULTS[fault]
    pipeline = wide(jobs=JOBS, vault=None)
    read_back, how = SYSTEMS[name]
    wanted = spelt(meant(pipeline), how)
    if name == "github":
        wanted = graphs.without_caches(wanted)
    assert read_back(pipeline) == wanted
    assert broken(pipeline, name, lambda text: text.replace(old, new)) != wanted


def test_a_rule_forgotten_by_the_renderer_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduled run of `main` would be taken for a push to it."""
    monkeypatch.setattr(gitlab_rules, "_by_hand_or_clock", lambda _pipeline, _own: iter(()))
    jobs = [{"name": "ship", "stage": "deploy", "steps": ["x"], "variables": {"LEVEL": ""}, "on": {"branches": ["main"]}}]  # fmt: skip
    pipeline = wide(jobs=jobs)
    assert graphs.of_gitlab(pipeline) != meant(pipeline)


def test_occasions_are_told_apart_by_the_model_itself() -> None:
    jobs = [{"name": "ship", "stage": "deploy", "steps": ["x"], "variables": {"LEVEL": ""}, "on": {"branches": ["main"]}}]  # fmt: skip
    runs = meant(wide(jobs=jobs))["ship"]["on"]
    assert runs == [graphs.Occasion("push", "main")]
    assert replace(runs[0], failed=True) not in runs


# -- editions ------------------------------------------------------------------------------------------------


def test_jobs_of_other_editions_are_left_out_and_nothing_runs_earlier_for_it() -> None:
    jobs = [
        {"name": "build", "stage": "build", "steps": ["x"]},
        {"name": "basic", "stage": "test", "steps": ["x"], "needs": ["build"], "editions": ["basic"]},
        {"name": "more", "stage": "test", "steps": ["x"], "editions": ["premium", "enterprise"]},
        {"name": "pack", "stage": "package", "steps": ["x"], "needs": ["basic", "more"]},
    ]
    made = wide(jobs=jobs, edition="enterprise")
    assert {job.name: job.needs for job in made.jobs} == {
        "build": None,
        "more": None,
        "pack": ("more", "build"),
    }
    basic = wide(jobs=jobs, edition="basic")
    assert {job.name: job.needs for job in basic.jobs} == {"build": None, "basic": ("build",), "pack": None}
    with pytest.raises(ValueError, match="job basic is for basic, and the pipeline names no edition"):
        wide(jobs=jobs, edition=None)
