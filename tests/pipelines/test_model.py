"""What a neutral pipeline accepts, and the sentence when it does not."""

from typing import Any

import pytest
from pydantic import ValidationError

from bot.pipelines.model import Pipeline, Trace

TRACE = {"traceId": "trace-1", "moduleId": "booking-service"}


def pipeline(*jobs: dict[str, Any], **more: Any) -> Pipeline:
    return Pipeline.model_validate(
        {
            "name": "booking-service",
            "template": "python-service",
            "templateVersion": "1.0.0",
            "on": {"branches": ["main"]},
            "jobs": [{"steps": ["make"], **job} for job in jobs],
            "trace": TRACE,
            **more,
        }
    )


BUILD = {"name": "build", "stage": "build"}
REFUSED: dict[str, tuple[list[dict[str, Any]], dict[str, Any], str]] = {
    "no job": ([], {}, "at least 1 item"),
    "two of a name": ([BUILD, BUILD], {}, "two jobs are called build"),
    "a need that stands later": (
        [{**BUILD, "needs": ["unit"]}],
        {},
        "job build needs unit, which does not stand before it",
    ),
    "a need of a later stage": (
        [{"name": "ship", "stage": "deploy"}, {**BUILD, "needs": ["ship"]}],
        {},
        "job build needs ship, which is in a later stage",
    ),
    "a stage of its own": (
        [{"name": "x", "stage": "polish"}],
        {},
        "'build', 'test', 'scan', 'package' or 'deploy'",
    ),
    "a name for a shell": ([{"name": "a;b", "stage": "build"}], {}, "should match pattern"),
    "no step": ([{**BUILD, "steps": []}], {}, "at least 1 item"),
    "an unknown key": ([{**BUILD, "image": "python"}], {}, "Extra inputs are not permitted"),
    "artefacts outside": (
        [{**BUILD, "artefacts": {"paths": ["../x"]}}],
        {},
        "`../x` does not stay inside the project",
    ),
    "a report outside": (
        [{**BUILD, "reports": {"junit": "/etc/passwd"}}],
        {},
        "`/etc/passwd` does not stay inside the project",
    ),
    "no pattern": ([{**BUILD, "coverage": "("}], {}, "`(` is not a regular expression"),
    "look-around": (
        [{**BUILD, "coverage": "(?<=x)1"}],
        {},
        "looks ahead or behind, which GitLab's engine can not",
    ),
    "no event": ([BUILD], {"on": {}}, "name at least one of branches, changes and tags"),
    "a branch for a shell": ([BUILD], {"on": {"branches": ["a b"]}}, "should match pattern"),
    "a variable of the trace": (
        [BUILD],
        {"variables": {"traceId": "x"}},
        "the variable traceId is the trace's own",
    ),
    "no trace": ([BUILD], {"trace": {"traceId": "", "moduleId": "m"}}, "at least 1 character"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    jobs, more, sentence = REFUSED[name]
    with pytest.raises(ValidationError) as caught:
        pipeline(*jobs, **more)
    assert sentence in str(caught.value)


def test_stages_are_those_in_use_in_their_fixed_order() -> None:
    made = pipeline(
        {"name": "pack", "stage": "package"},
        {"name": "unit", "stage": "test"},
        {"name": "style", "stage": "test"},
    )
    assert made.stages == ("test", "package")


def test_the_trace_gives_variables_by_the_names_of_the_seed() -> None:
    trace = Trace(
        trace_id="t",
        module_id="m",
        version_tag="mvp-ready-v1",
        agent_id="devops-engineer",
        skill_id="",
        sprint_id="sprint-3",
    )
    assert trace.variables() == {
        "traceId": "t",
        "moduleId": "m",
        "versionTag": "mvp-ready-v1",
        "agentId": "devops-engineer",
        "sprintId": "sprint-3",
    }


def test_a_pipeline_survives_json() -> None:
    made = pipeline(BUILD, {"name": "unit", "stage": "test", "needs": ["build"], "coverage": r"(\d+)%"})
    assert Pipeline.model_validate(made.to_json()) == made
