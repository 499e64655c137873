"""What a neutral pipeline accepts, and the sentence when it does not."""

from typing import Any

import pytest
from pydantic import ValidationError

from bot.pipelines.model import Pipeline

ODD = (
    "",
    "$(rm -rf /)",
    "${{ github.token }}",
    '"; curl example.org',
    "a\nb",
    "a*",
    "a:b",
    "[a]",
    "-a",
    "a/",
    "a b",
)


def pipeline(*jobs: dict[str, Any], **more: Any) -> Pipeline:
    return Pipeline.model_validate(
        {
            "name": "booking-service",
            "module": "booking-service",
            "path": "services/booking",
            "template": "python-service",
            "templateVersion": "1.0.0",
            "on": {"branches": ["main"]},
            "jobs": [{"steps": ["make"], **job} for job in jobs],
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
    **{
        f"an artefact called {name!r}": (
            [{**BUILD, "artefacts": {"paths": [name]}}],
            {},
            "has a character that a CI system reads as more than itself",
        )
        for name in ("a\nb", "!a", "$(a)", "${{ a }}", '"a"', "a\\b", "[a]")
    },
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
    "no event": ([BUILD], {"on": {}}, "name at least one of branches, changes, tags, schedules and manual"),
    "a branch for a shell": ([BUILD], {"on": {"branches": ["a b"]}}, "should match pattern"),
    "a variable of the trace": (
        [BUILD],
        {"variables": {"traceId": "x"}},
        "the variable traceId is the trace's own",
    ),
    "a job's variable of the trace": (
        [{**BUILD, "variables": {"imageTag": "x"}}],
        {},
        "the variable imageTag is the trace's own",
    ),
    **{f"the module {name!r}": ([BUILD], {"module": name}, "should match pattern") for name in ODD},
    **{
        f"the path {name!r}": ([BUILD], {"path": name}, "should match pattern") for name in (*ODD, "..", "/a")
    },
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


def test_a_job_waits_for_what_it_needs_or_for_all_earlier_stages() -> None:
    made = pipeline(
        BUILD,
        {"name": "lint", "stage": "build"},
        {"name": "unit", "stage": "test"},
        {"name": "quick", "stage": "test", "needs": ["lint"]},
        {"name": "alone", "stage": "deploy", "needs": []},
    )
    assert {job.name: [other.name for other in made.before(job)] for job in made.jobs} == {
        "build": [],
        "lint": [],
        "unit": ["build", "lint"],
        "quick": ["lint"],
        "alone": [],
    }


def test_a_pipeline_survives_json() -> None:
    made = pipeline(BUILD, {"name": "unit", "stage": "test", "needs": ["build"], "coverage": r"(\d+)%"})
    assert Pipeline.model_validate(made.to_json()) == made
