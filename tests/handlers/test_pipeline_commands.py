"""`/update-pipeline`, `/generate-pipeline`: the files as the bot writes them, by commit, and only where they differ."""

from __future__ import annotations

import pytest

from bot.domain import effect as fx
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.pipelines import templates
from tests.handlers.said import refusal, reply
from tests.handlers.world import World


def commits(world: World) -> list[fx.CommitFiles]:
    return [one for one in world.forge.committed if one.purpose == "pipeline"]


def generated(world: World) -> str:
    """A file of the pipeline that the bot has committed."""
    return commits(world)[0].files[0].path


MINE = "stages: [lint]\nlint: {stage: lint, script: [make lint]}\n"


def spoilt(text: str = MINE) -> tuple[World, str]:
    """Somebody put a file of their own in its place."""
    world = World().submit()
    path = generated(world)
    world.push("mallory", path, text)
    return world, path


def test_what_differs_is_written_again_by_a_commit() -> None:
    world, path = spoilt()
    before = len(commits(world))
    world.comment("agent", "/update-pipeline")
    assert (
        reply(world)
        == "🛠️ The pipeline is written from `python-service` again; where it differs, a commit follows."
    )
    assert len(commits(world)) == before + 1
    branch = (world.state.change or {})["source"]
    written = world.forge.branches[branch][path]
    assert "make lint" in written, "what people wrote stays"
    assert ".gitlab/ci/pointsman/*.yml" in written
    ready = p.PipelineReady.model_validate(world.last("PipelineReady").data)
    assert (ready.committed, ready.revision) == (True, world.state.head)
    world.tests().comment("jane.doe", "/approve-release production fine")
    assert "ReleasePublished" in world.types(), "and the release goes its way"


def test_what_is_the_same_is_not_committed() -> None:
    world = World().submit()
    before = len(commits(world))
    world.comment("agent", "/update-pipeline").comment("agent", "/generate-pipeline python-service")
    assert len(commits(world)) == before
    assert world.last("PipelineReady").data["committed"] is False


@pytest.mark.parametrize(
    ("who", "said", "code", "message"),
    [
        ("reader", "/update-pipeline", "NotAuthorised",
         "`reader` may not use `/update-pipeline`; it takes nobody: the policy gives this right to no role."),
        ("agent", "/generate-pipeline cobol", "UnknownTemplate",
         f"There is no template `cobol`; there is {', '.join(templates.names())}."),
    ],
)  # fmt: skip
def test_who_may_not_and_what_there_is_not(who: str, said: str, code: str, message: str) -> None:
    world, _ = spoilt()
    before = len(commits(world))
    world.comment(who, said)
    assert refusal(world) == (code, message)
    assert len(commits(world)) == before


def test_a_merged_change_keeps_its_pipeline() -> None:
    world = World().submit().tests().comment("jane.doe", "/approve-release production fine")
    world.comment("agent", "/update-pipeline")
    assert refusal(world) == ("NoOpenChange", "A pipeline is changed on an open change, and there is none.")


def test_a_change_that_people_opened_keeps_its_own() -> None:
    world = World().submit()
    world.states[world.trace] = world.state.model_copy(update={"module_event": None})
    world.comment("agent", "/update-pipeline")
    assert refusal(world) == (
        "NoModule",
        "This change was not submitted as a module, so its pipeline is its author's own.",
    )


def test_a_file_that_can_not_be_added_to_goes_to_a_person() -> None:
    world, path = spoilt("# nothing but a remark\n")
    before = len(commits(world))
    world.comment("agent", "/update-pipeline")
    told = world.last("ManualInterventionRequired").data
    assert (told["reasonCode"], told["role"]) == ("PipelineConflict", "DevOpsEngineer")
    assert told["message"].startswith(f"The pipeline could not be written again: `{path}` is not ours")
    assert len(commits(world)) == before


def test_inputs_that_can_not_be_go_to_a_person() -> None:
    world = World().submit()
    world.states[world.trace] = world.state.model_copy(
        update={"module": world.state.module | {"inputs": {"nonsense": 1}}}
    )
    world.say(draft("pointsman.PipelineWanted", p.PipelineWanted(), actor="agent"))
    told = world.last("ManualInterventionRequired").data
    assert (told["reasonCode"], told["role"]) == ("PipelineInvalid", "DevOpsEngineer")
    assert told["message"].startswith(
        "The pipeline could not be written again: python-service: input nonsense"
    )


def test_another_template_is_kept_for_the_next_time() -> None:
    world = World().submit().comment("agent", "/generate-pipeline python-service")
    assert world.state.module["template"] == "python-service"
