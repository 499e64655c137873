"""A policy asked of the past."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import policies
from bot.domain.trace import TraceState, apply, apply_facts
from bot.domain.view import View
from handlers import backtest as past
from handlers.backtest import READ, VERDICT, backtest
from handlers.evaluation import release_facts
from tests.handlers.test_branch_update import TWO_NEEDED, main_moves
from tests.handlers.world import POLICY, World


def released() -> World:
    world = World().submit().tests()
    return world.comment("jane.doe", "/approve-release production looks right")


def test_the_policy_that_was_in_force_differs_in_nothing() -> None:
    world = released()
    answer = backtest(world.events, policies.load(POLICY))
    assert answer.asked == world.types().count(VERDICT) > 3
    assert answer.differences == ()


def test_a_stricter_policy_would_have_blocked_what_was_approved() -> None:
    stricter = policies.load(
        POLICY.replace(
            "- approvals: {role: ProductOwner}",
            "- approvals: {role: ProductOwner}\n      - coverage: {minimum: 95}",
        )
    )
    found = backtest(released().events, stricter).differences
    assert {(one.environment, one.would, one.reason_code) for one in found} == {
        ("production", "rejected", "CoverageTooLow")
    }
    assert {one.was for one in found} == {"delayed", "approved"}
    assert found[0].to_json()["traceId"] == "trace-1234"


def test_a_milder_policy_would_have_let_go_what_waited() -> None:
    milder = policies.load(POLICY.replace("      - approvals: {role: ProductOwner}\n", ""))
    found = backtest(released().events, milder).differences
    assert {(one.environment, one.was, one.would) for one in found} >= {("production", "delayed", "approved")}


def test_an_environment_that_is_gone_is_told() -> None:
    gone = policies.load("version: 1\nenvironments: {staging: {}}\n")
    codes = {one.reason_code for one in backtest(released().events, gone).differences}
    assert "UnknownEnvironment" in codes


def rolled_back() -> World:
    world = World().submit().tests().comment("jane.doe", "/approve-release production")
    world.deployer.sick.add("2.0.0")
    world.forge.change = None
    return world.submit("2.0.0", "trace-2").tests().comment("jane.doe", "/approve-release production")


def brought_up_to_date() -> World:
    world = World(policy=TWO_NEEDED).submit().tests().comment("jane.doe", "/approve-release production")
    main_moves(world)
    return world.comment("jane.doe", "/retry")


def rejected() -> World:
    world = World(policy=POLICY.replace("Deployer:", "ReleaseManager: {users: [rita]}\n  Deployer:"))
    world.forge.people["rita"] = world.forge.people["jane.doe"].model_copy(update={"login": "rita"})
    return world.submit().tests("failed").comment("rita", "/reject-release production not this")


STORIES = {
    "released": released,
    "rolled back": rolled_back,
    "updated": brought_up_to_date,
    "rejected": rejected,
}


def differing(world: World, read: frozenset[str]) -> list[str]:
    """The moments at which a fold of these types alone gives other facts than the whole one."""
    first = TraceState(tenant_id="default", trace_id=world.trace)
    whole, some, found = first, first, []
    for event in world.events:
        whole = apply(whole, event)
        some = apply_facts(some, event) if event.type in read else some
        for environment in ("staging", "production"):
            views = (View(now=event.time, state=state) for state in (whole, some))
            one, other = (release_facts(view, environment) for view in views)
            found += [] if one == other else [f"{event.type} {environment}"]
    return found


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_what_is_left_out_of_the_fold_changes_nothing_that_gates_read(story: Callable[[], World]) -> None:
    assert differing(story(), READ) == []


def test_what_is_not_left_out_is_needed() -> None:
    worlds = [story() for story in STORIES.values()]
    seen = {name for world in worlds for name in world.types()} & READ
    quiet = {
        "ReleaseIntentDeclared",
        "PipelineReady",
        "TriggerRequested",
        "CommitReady",
        "PullRequestCreated",
    }
    for name in seen - quiet - {"RollbackTriggered", "pointsman.BranchUpdateRequested", "DeploymentStarted"}:
        assert any(differing(world, READ - {name}) for world in worlds), name


def test_an_open_change_says_which_gates_would_close_newly() -> None:
    world = World().submit().tests()
    stricter = policies.load(POLICY.replace("[tests-passed]", "[tests-passed, {coverage: {minimum: 95}}]"))
    found = list(past.newly_blocked(world.state, stricter, world.now))
    assert [(one.environment, one.gates) for one in found] == [("staging", ("coverage",))]
    assert list(past.newly_blocked(world.state, policies.load(POLICY), world.now)) == []


def test_an_environment_that_is_new_blocks_by_all_its_gates() -> None:
    world = World().submit().tests()
    more = policies.load(POLICY + "  canary: {gates: [{required-labels: [seen]}]}\n")
    found = {one.environment: one.gates for one in past.newly_blocked(world.state, more, world.now)}
    assert found == {"canary": ("required-labels",)}
