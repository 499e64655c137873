"""A forge that asks whether it may deploy gets the verdict, once, as soon as there is one."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.effect import AnswerDeployment
from tests.handlers.world import POLICY, World


def asked(world: World, environment: str = "production", number: str = "7", revision: str = "") -> World:
    said = p.DeploymentRequested(
        repository=world.forge.repository,
        environment=environment,
        revision=revision or world.state.head or "",
        deployment_id=number,
        run_id="99",
    )
    return world.say(draft("DeploymentRequested", said, actor="github"))


def answers(world: World) -> list[tuple[str, str, str]]:
    return [
        (e.deployment_id, e.state, e.comment)
        for e in world.forge.performed
        if isinstance(e, AnswerDeployment)
    ]


def test_it_waits_until_an_owner_approves() -> None:
    world = asked(World().submit().tests())
    assert answers(world) == []
    assert [one.deployment_id for one in world.state.asked_to_deploy] == ["7"]

    world.comment("jane.doe", "/approve-release production looks right")
    assert [(number, state) for number, state, _ in answers(world)] == [("7", "approved")]
    assert world.state.asked_to_deploy == ()


def test_what_is_rejected_ends() -> None:
    world = asked(World().submit().tests("failed"))
    assert [(number, state) for number, state, _ in answers(world)] == [("7", "rejected")]


def test_the_answer_comes_at_once_when_it_is_known_and_only_once() -> None:
    world = World().submit().tests()
    asked(world, "staging", "1")
    assert [(number, state) for number, state, _ in answers(world)] == [("1", "approved")]
    world.comment("reader", "/explain staging")
    assert len(answers(world)) == 1


def test_another_revision_and_another_environment_are_refused_with_the_reason() -> None:
    world = World().submit().tests()
    head = (world.state.head or "")[:10]
    asked(world, "production", "1", "b" * 40)
    asked(world, "moon", "2")
    assert answers(world) == [
        ("1", "rejected", f"`bbbbbbbbbb` is not the release under review: it is `{head}`."),
        ("2", "rejected", "There is no environment `moon` in the policy; there is staging, production."),
    ]


def test_a_policy_that_only_observes_lets_everything_go_on() -> None:
    world = asked(World(policy=POLICY + "mode: observe\n").submit().tests("failed"))
    ((number, state, comment),) = answers(world)
    assert (number, state) == ("7", "approved")
    assert comment.startswith("The policy only observes. It would have said ")
