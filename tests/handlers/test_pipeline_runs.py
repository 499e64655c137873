"""Which run of a revision is its test, and what is asked when a forge announces no more than the end of
one.
"""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.effect import GatherFacts, SetCheck
from tests.handlers.world import World


def run(world: World, **more: object) -> p.PipelineFinished:
    change = world.state.change or {}
    said = {
        "repository": world.forge.repository,
        "revision": change["head"],
        "branch": change["source"],
        "pipeline_id": "77",
        "status": "success",
    }
    return p.PipelineFinished.model_validate(said | more)


def succeeded(*names: str) -> tuple[p.Job, ...]:
    return tuple(p.Job(name=name, status="success") for name in names)


def verdicts(world: World) -> list[tuple[str, float | None]]:
    return [
        (event.type, event.data.get("coverage"))
        for event in world.events
        if event.type in {"TestsPassed", "TestsFailed"}
    ]


def test_an_announced_end_is_asked_about_before_it_counts() -> None:
    world = World().submit()
    world.forge.runs["77"] = run(world, coverage=88.5, jobs=succeeded("build", "test", "scan", "package"))
    world.say(draft("PipelineFinished", run(world, told="outcome")))

    asked = [e for e in world.forge.performed if isinstance(e, GatherFacts) and e.purpose == "run"]
    assert [effect.run for effect in asked] == ["77"]
    assert verdicts(world) == [("TestsPassed", 88.5)]
    assert world.forge.checks["pointsman/pipeline"].title == "Passed, coverage 88 %"


def test_a_failed_job_that_counts_is_found_out_by_asking() -> None:
    world = World().submit()
    failed = (*succeeded("build", "test", "scan", "package"), p.Job(name="lint", status="failed"))
    world.forge.runs["77"] = run(world, status="success", jobs=failed)
    world.say(draft("PipelineFinished", run(world, told="outcome")))
    assert verdicts(world) == [("TestsFailed", None)]


def job_ended(world: World, pipeline: str | None = "77") -> None:
    head = (world.state.change or {})["head"]
    said = {"repository": world.forge.repository, "revision": head, "name": "job/unit", "state": "success"}
    told = p.StatusReported.model_validate(said | ({"pipelineId": pipeline} if pipeline else {}))
    world.say(draft("StatusReported", told))


def asked(world: World) -> list[str | None]:
    return [e.run for e in world.forge.performed if isinstance(e, GatherFacts) and e.purpose == "run"]


def test_the_end_of_a_job_is_asked_about_until_its_run_has_passed() -> None:
    """A run that waits for the bot's own check never announces its end."""
    world = World().submit()
    job_ended(world)
    assert (asked(world), verdicts(world)) == (["77"], []), "other jobs are going on"

    world.forge.runs["77"] = run(world, coverage=70.0, jobs=succeeded("build", "test", "scan", "package"))
    job_ended(world)
    assert (asked(world), verdicts(world)) == (["77", "77"], [("TestsPassed", 70.0)])

    job_ended(world)
    assert asked(world) == ["77", "77"]


def test_a_status_of_another_tool_is_no_job() -> None:
    world = World().submit()
    job_ended(world, None)
    assert asked(world) == []


def test_a_run_of_another_file_says_nothing_about_the_release() -> None:
    world = World().submit()
    foreign = run(world, path=".github/workflows/stale.yml", status="failed")
    world.say(draft("PipelineFinished", foreign))
    assert verdicts(world) == []
    assert world.state.runs == {}
    assert not [e for e in world.forge.performed if isinstance(e, SetCheck) and e.purpose == "pipeline"]

    world.say(draft("PipelineFinished", run(world, path=".gitlab-ci.yml", coverage=90.0)))
    assert verdicts(world) == [("TestsPassed", 90.0)]


def test_where_a_pipeline_is_several_files_a_run_may_name_any_of_them() -> None:
    world = World().submit(path="services/booking")
    assert (world.state.pipeline or {})["path"] == ".gitlab/ci/pointsman/booking-service.yml"
    world.say(draft("PipelineFinished", run(world, path=".gitlab-ci.yml", coverage=90.0)))
    assert verdicts(world) == [("TestsPassed", 90.0)]
