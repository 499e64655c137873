"""`/retry` at once and later, `/hotfix`: what failed is done once more."""

from __future__ import annotations

import pytest

from bot.domain import effect as fx
from bot.domain import payloads as p
from tests.handlers.said import refusal, reply
from tests.handlers.world import POLICY, World

APPROVE = "/approve-release production fine"


def runs(world: World) -> int:
    return sum(isinstance(effect, fx.RunPipeline) for effect in world.forge.performed)


def sick(version: str = "1.0.0") -> World:
    """A release that was rolled back in staging."""
    world = World().submit(version)
    world.deployer.sick.add(version)
    world.tests().comment("jane.doe", APPROVE)
    assert world.state.deployments["staging"].status == "failed"
    world.deployer.sick.clear()
    return world


def test_a_pipeline_is_tried_again_when_the_cooldown_is_over() -> None:
    world = World().submit().tests("failed").comment("dana", "/retry pipeline in 10m")
    assert reply(world) == "🔁 Trying the pipeline again at Fri 2026-11-20 09:10 UTC."
    assert runs(world) == 0
    world.at("2026-11-20T09:09:00+00:00")
    assert runs(world) == 0
    world.at("2026-11-20T09:10:30+00:00")
    assert runs(world) == 1
    world.at("2026-11-20T10:00:00+00:00")
    assert runs(world) == 1, "once"


def test_whoever_may_no_longer_retries_nothing_later() -> None:
    world = World().submit().tests("failed").comment("dana", "/retry in 1h")
    world.forge.policy = POLICY.replace("{users: [dana]}", "{users: [sam]}")
    world.at("2026-11-20T11:00:00+00:00")
    assert runs(world) == 0
    assert refusal(world)[0] == "NotAuthorised"


def test_a_deployment_is_tried_again_later() -> None:
    world = sick().comment("dana", "/retry deployment in 1h30m")
    assert reply(world) == "🔁 Trying `deployment` again at Fri 2026-11-20 10:30 UTC."
    world.at("2026-11-20T10:31:00+00:00")
    assert world.deployer.running["staging"] == "1.0.0"


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        ("/retry everything", "UnknownTask", "There is no task `everything` to try again; there is pipeline, deployment"),
        ("/retry in soon", "InvalidDuration",
         "`soon` is no duration: write it like `10m`, `2h` or `1h30m`, at most a year."),
        ("/retry in 400d", "InvalidDuration",
         "`400d` is no duration: write it like `10m`, `2h` or `1h30m`, at most a year."),
    ],
)  # fmt: skip
def test_what_can_not_be_retried(said: str, code: str, message: str) -> None:
    world = World().submit().tests("failed").comment("dana", said)
    assert refusal(world)[0] == code
    assert refusal(world)[1].startswith(message)
    assert world.timers == []


def test_a_pipeline_that_passed_is_not_tried_again() -> None:
    world = World().submit().tests().comment("dana", "/retry pipeline")
    assert refusal(world) == ("NothingToRetry", "Nothing has failed here: there is nothing to try again.")


def test_a_hotfix_deploys_what_was_rolled_back() -> None:
    world = sick().comment("dana", "/hotfix staging customers can not pay")
    assert reply(world) == "🚑 `dana` has 1.0.0 deployed to **staging** once more: customers can not pay."
    assert world.deployer.running["staging"] == "1.0.0"
    said = next(e for e in world.events if e.type == "TriggerRequested" and e.data["reason"] == "hotfix")
    assert (said.actor, said.data["why"]) == ("dana", "customers can not pay")


def test_a_hotfix_opens_its_own_environment_alone() -> None:
    world = sick()
    failed = world.state.deployments["staging"]
    world.states[world.trace] = world.state.model_copy(
        update={"deployments": {"staging": failed, "production": failed.model_copy(update={"environment": "production"})}}
    )  # fmt: skip
    world.comment("dana", "/hotfix staging now")
    assert world.state.deployments["production"].status == "failed"


def test_a_hotfix_is_approved_like_any_other_release() -> None:
    world = sick()
    world.comment("jane.doe", "/approve-release production cancel").comment("dana", "/hotfix production now")
    code, message = refusal(world)
    assert code == "NotApproved"
    assert message.startswith("A hotfix has to be approved like any other release, and production is not: ")
    assert "production" not in world.deployer.running


@pytest.mark.parametrize(
    ("who", "said", "code"),
    [
        ("mallory", "/hotfix staging now", "NotAuthorised"),
        ("dana", "/hotfix staging now", "AlreadyDeployed"),
        ("dana", "/hotfix staging", "InvalidArguments"),
    ],
)
def test_what_is_no_hotfix(who: str, said: str, code: str) -> None:
    world = World().submit().tests().comment("jane.doe", APPROVE).comment(who, said)
    assert refusal(world)[0] == code


def test_a_hotfix_of_what_is_not_merged() -> None:
    world = World().submit().comment("dana", "/hotfix staging now")
    assert refusal(world) == (
        "NotMerged",
        "The change is not merged yet: only what is merged can be started in `staging`.",
    )


def test_the_person_who_asked_is_the_one_who_is_looked_up_later() -> None:
    world = World().submit().tests("failed").comment("dana", "/retry in 10m")
    ((_, timer),) = [entry for entry in world.timers if entry[1].draft.type == "CommandIssued"]
    issued = p.CommandIssued.model_validate(timer.draft.data)
    assert (timer.draft.actor, issued.via, issued.line) == ("dana", "timer", "/retry")
