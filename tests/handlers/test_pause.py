"""`/pause`, `/resume`: nothing new is started, what runs goes on, and nothing that came meanwhile is lost."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain import effect as fx
from bot.flows import advance
from handlers import decide
from tests.handlers.said import refusal, reply, standing
from tests.handlers.world import World

APPROVE = "/approve-release production fine"


def test_a_paused_flow_is_not_merged_or_deployed_and_goes_on_afterwards() -> None:
    world = World().submit().comment("mallory", "/pause the key is being rotated")
    assert reply(world) == (
        "⏸️ `mallory` paused the flow: the key is being rotated. What runs goes on, nothing new is started until"
        " `/resume`."
    )
    world.tests().comment("jane.doe", APPROVE)
    assert standing(world, "production") == ("delayed", "Paused")
    assert "ChangeMerged" not in world.types()
    assert world.deployer.running == {}

    world.comment("agent", "/resume")
    assert reply(world) == "▶️ The flow goes on."
    assert world.types("ReleasePublished") == ["ReleasePublished"]


def test_what_runs_goes_on() -> None:
    world = World().submit()
    world.deployer.hold = True
    world.tests().comment("jane.doe", APPROVE)
    assert world.state.deployments["staging"].status == "started"
    world.comment("agent", "/pause")
    world.release_held()
    assert world.deployer.running == {"staging": "1.0.0"}, "the one that ran ends, the next does not begin"
    world.comment("agent", "/resume")
    assert world.deployer.running == {"staging": "1.0.0", "production": "1.0.0"}


def test_no_task_is_scheduled_while_it_is_paused_and_each_is_afterwards() -> None:
    world = World().submit().comment("agent", "/pause")
    before = world.types().count("AgentTaskScheduled")
    world.submit("1.1.0")
    assert world.state.flow.state == "commit_ready", "the flow takes in what happens"
    assert world.types().count("AgentTaskScheduled") == before
    assert world.state.version == "1.0.0"
    world.comment("agent", "/resume")
    assert world.state.version == "1.1.0", "the new code is committed"


def test_a_flow_that_forgot_what_came_would_turn_this_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(advance.OWN_EVENTS, "pointsman.FlowResumed", lambda _here: advance.NOTHING)
    with pytest.raises(AssertionError):
        test_no_task_is_scheduled_while_it_is_paused_and_each_is_afterwards()


def test_a_pause_that_stops_nothing_would_turn_this_red(monkeypatch: pytest.MonkeyPatch) -> None:
    real = decide._flow

    def careless(event: Any, view: Any) -> Any:
        state = view.state.model_copy(update={"paused": None})
        return real(event, type(view)(view.now, state, view.slots, view.locks, view.find))

    monkeypatch.setattr(decide, "_flow", careless)
    with pytest.raises(AssertionError):
        test_no_task_is_scheduled_while_it_is_paused_and_each_is_afterwards()


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        (["/resume"], "NotPaused", "The flow is not paused."),
        (["/pause", "/pause"], "PausedAlready", "`agent` has paused the flow already."),
    ],
)
def test_pausing_twice_or_not_at_all(said: list[str], code: str, message: str) -> None:
    world = World().submit()
    for line in said:
        world.comment("agent", line)
    assert refusal(world) == (code, message)


def test_a_reader_pauses_nothing() -> None:
    world = World().submit().comment("reader", "/pause")
    assert refusal(world)[0] == "NotAuthorised"
    assert world.state.paused is None


def test_a_retry_waits_for_the_flow() -> None:
    world = World().submit().tests("failed").comment("agent", "/pause").comment("dana", "/retry")
    assert refusal(world) == ("Paused", "`agent` has paused the flow: say `/resume` first.")
    assert not [effect for effect in world.forge.performed if isinstance(effect, fx.RunPipeline)]
