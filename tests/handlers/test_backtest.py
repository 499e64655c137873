"""A policy asked of the past."""

from __future__ import annotations

import policies
from handlers.backtest import VERDICT, backtest
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
