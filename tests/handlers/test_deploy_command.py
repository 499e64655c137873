"""`/deploy`: where the policy leaves the start to people."""

from __future__ import annotations

import pytest

from bot.domain import payloads as p
from bot.domain.catalog import read
from tests.handlers.world import POLICY, World

MANUAL = POLICY.replace("      - approvals: {role: ProductOwner}\n", "      - manual\n")


def merged() -> World:
    return World(policy=MANUAL).submit().tests()


def test_production_waits_for_a_person_to_start_it() -> None:
    world = merged()
    assert world.deployer.running == {"staging": "1.0.0"}
    verdict = world.state.releases["production"]
    assert (verdict.shown_state, verdict.reason_code) == ("delayed", "ManualStart")
    assert "Waits for a person to start it: `/deploy production`." in str(verdict.tree)

    world.comment("dana", "/deploy production")
    assert world.types("ReleasePublished") == ["ReleasePublished"]
    assert world.deployer.running == {"staging": "1.0.0", "production": "1.0.0"}


@pytest.mark.parametrize(
    ("who", "said", "code"),
    [
        ("mallory", "/deploy production", "NotAuthorised"),
        ("dana", "/deploy staging", "AlreadyDeployed"),
        ("dana", "/deploy prod", "UnknownEnvironment"),
        ("dana", "/deploy", "EnvironmentRequired"),
    ],
)
def test_who_may_not_or_what_can_not_be_started(who: str, said: str, code: str) -> None:
    world = merged()
    world.comment(who, said)
    assert read(world.last("CommandRefused"), p.CommandRefused).reason_code == code
    assert world.deployer.running == {"staging": "1.0.0"}


def test_nothing_starts_before_it_is_merged() -> None:
    world = World(policy=MANUAL).submit()
    world.comment("dana", "/deploy production")
    assert read(world.last("CommandRefused"), p.CommandRefused).reason_code == "NotMerged"
    world.tests()
    assert world.deployer.running == {"staging": "1.0.0"}
