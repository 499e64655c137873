"""`/delay-release`, `/hold`, `/lock`: what people say stands in the way until it is taken back."""

from __future__ import annotations

import pytest

from bot.domain import payloads as p
from tests.handlers.said import refusal, reply, standing
from tests.handlers.world import POLICY, World

MANAGED = POLICY.replace("{users: [dana]}", "{users: [dana]}\n  ReleaseManager: {users: [rita]}")
"""`rita` may delay, `dana` may lock, `jane.doe` approves."""
APPROVE = "/approve-release production fine"


def world_of(policy: str = MANAGED) -> World:
    world = World(policy=policy)
    world.forge.people["rita"] = p.Actor(login="rita", permission="write")
    return world.submit()


# -- delay


def test_a_delayed_release_starts_by_itself_when_the_time_has_come() -> None:
    world = world_of().tests().comment("rita", "/delay-release production 2026-11-23T08:00")
    assert reply(world) == (
        "⏳ `rita` delayed **production** until Mon 2026-11-23 08:00 UTC."
        " `/delay-release production cancel` takes that back."
    )
    world.comment("jane.doe", APPROVE)
    assert world.deployer.running == {"staging": "1.0.0"}, "the delay is of production alone"
    assert standing(world, "production") == ("delayed", "DelayedByPerson")
    assert (
        "rita has delayed it until Mon 2026-11-23 08:00 UTC. `/delay-release production cancel` takes that back."
        in str(world.state.releases["production"].tree)
    )

    world.at("2026-11-23T07:59:00+00:00")
    assert "production" not in world.deployer.running
    world.at("2026-11-23T08:00:01+00:00")
    assert world.deployer.running == {"staging": "1.0.0", "production": "1.0.0"}


def test_a_push_does_not_shake_a_delay_off() -> None:
    world = world_of().comment("rita", "/delay-release production 2d").push("agent").tests()
    world.comment("jane.doe", APPROVE)
    assert standing(world, "production") == ("delayed", "DelayedByPerson")


def test_a_delay_is_replaced_and_taken_back() -> None:
    world = world_of().tests().comment("rita", "/delay-release production 9d")
    world.comment("rita", "/delay-release production 2d")
    assert [delay.by for delay in world.state.delays] == ["rita"], "the last word counts"
    world.comment("jane.doe", APPROVE).comment("rita", "/delay-release production cancel")
    assert reply(world) == "The delay of **production** is taken back."
    assert world.deployer.running["production"] == "1.0.0"


def test_a_delay_stops_what_is_approved_and_has_not_begun() -> None:
    world = world_of()
    world.deployer.hold = True
    world.tests().comment("jane.doe", APPROVE).comment("rita", "/delay-release production 1d")
    world.release_held()
    assert world.deployer.running == {"staging": "1.0.0"}


@pytest.mark.parametrize(
    ("who", "said", "code", "message"),
    [
        ("jane.doe", "/delay-release production 2h", "NotAuthorised",
         "`jane.doe` may not use `/delay-release`; it takes rita."),
        ("rita", "/delay-release production soon", "InvalidMoment",
         "`soon` is no moment: write `2h`, `2026-12-24` or `2026-12-24T18:00` (UTC, or with its offset)."),
        ("rita", "/delay-release production 2026-11-19", "MomentPassed",
         "Thu 2026-11-19 00:00 UTC is over: name a moment that is still to come."),
        ("rita", "/delay-release production 9999-99-99", "InvalidMoment",
         "`9999-99-99` is no moment: write `2h`, `2026-12-24` or `2026-12-24T18:00` (UTC, or with its offset)."),
        ("rita", "/delay-release production cancel", "NothingToCancel",
         "Nobody has delayed production: there is nothing to take back."),
    ],
)  # fmt: skip
def test_what_is_no_delay(who: str, said: str, code: str, message: str) -> None:
    world = world_of().comment(who, said)
    assert refusal(world) == (code, message)
    assert world.state.delays == ()


def test_an_offset_counts() -> None:
    world = world_of().comment("rita", "/delay-release production 2026-12-24T18:00+01:00")
    assert world.state.delays[0].until.isoformat() == "2026-12-24T17:00:00+00:00"


# -- hold


def test_a_held_change_is_not_merged_until_nobody_holds_it() -> None:
    world = world_of().comment("mallory", "/hold wait for the contract").tests()
    assert reply(world) == (
        "✋ `mallory` holds the change: wait for the contract. It is neither merged nor deployed until `/unhold`."
    )
    world.comment("jane.doe", APPROVE)
    assert standing(world, "production") == ("delayed", "HeldByPerson")
    assert "mallory holds the change: wait for the contract. `/unhold` lets it go on." in str(
        world.state.releases["production"].tree
    )
    assert "ChangeMerged" not in world.types()

    world.comment("agent", "/unhold")
    assert reply(world) == "Nobody holds the change any more."
    assert world.types("ReleasePublished") == ["ReleasePublished"]


def test_hold_by_the_name_that_no_bot_has() -> None:
    world = world_of().comment("agent", "/hold-change").comment("agent", "/unhold-change")
    assert world.types("pointsman.ChangeHeld", "pointsman.ChangeFreed") == [
        "pointsman.ChangeHeld",
        "pointsman.ChangeFreed",
    ]


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        (["/unhold"], "NotHeld", "Nobody holds the change by `/hold`. If a label holds it, take the label off."),
        (["/hold", "/hold"], "HeldAlready", "`agent` holds the change already."),
    ],
)  # fmt: skip
def test_holding_twice_or_not_at_all(said: list[str], code: str, message: str) -> None:
    world = world_of()
    for line in said:
        world.comment("agent", line)
    assert refusal(world) == (code, message)


# -- lock


def test_a_locked_environment_takes_no_release_of_any_trace() -> None:
    world = world_of().comment("dana", "/lock production database migration")
    assert reply(world) == (
        "🔒 `dana` locked **production**: database migration."
        " No release of this repository starts there until `/unlock production`."
    )
    world.forge.change, first = None, world.trace
    world.submit("2.0.0", trace="trace-2").tests().comment("jane.doe", APPROVE)
    assert standing(world, "production") == ("delayed", "EnvironmentLocked")
    assert "Locked by dana: database migration. `/unlock production` opens it." in str(
        world.state.releases["production"].tree
    )
    assert world.deployer.running == {"staging": "2.0.0"}

    world.trace = first
    world.say(_unlock(world))
    world.trace = "trace-2"
    assert world.deployer.running["production"] == "2.0.0", "who waits is told at once"


def _unlock(world: World) -> object:
    from bot.domain.catalog import draft

    issued = p.CommandIssued(
        command="unlock", arguments=("production",), line="/unlock production", via="api", correlation="u1",
        written_at=world.now,
    )  # fmt: skip
    return draft("CommandIssued", issued, actor="dana")


def test_a_lock_does_not_keep_a_change_from_being_merged() -> None:
    world = world_of().comment("dana", "/lock production migration").tests().comment("jane.doe", APPROVE)
    assert "ChangeMerged" in world.types()
    assert world.deployer.running == {"staging": "1.0.0"}
    world.comment("dana", "/unlock-environment production")
    assert reply(world) == "🔓 **production** is open again; `dana` had locked it."
    assert world.deployer.running["production"] == "1.0.0"


def test_a_lock_stands_also_where_the_policy_lists_its_gate() -> None:
    listed = MANAGED.replace("      - approvals:", "      - environment-lock\n      - approvals:")
    world = world_of(listed).comment("dana", "/lock-environment production x").tests()
    world.comment("jane.doe", APPROVE)
    tree = world.state.releases["production"].tree
    named = [child["name"] for child in tree["children"]]  # type: ignore[attr-defined]
    assert named.count("environment-lock") == 1


@pytest.mark.parametrize(
    ("who", "said", "code", "message"),
    [
        ("mallory", "/lock production mine", "NotAuthorised", "`mallory` may not use `/lock`; it takes dana."),
        ("mallory", "/unlock production", "NotAuthorised", "`mallory` may not use `/unlock`; it takes dana."),
        ("dana", "/lock production", "InvalidArguments",
         "The reason is missing. Usage: `/lock <environment> <reason...>`"),
        ("dana", "/unlock production", "NotLocked", "Nobody has locked production."),
        ("dana", "/lock moon because", "UnknownEnvironment",
         "There is no environment `moon` in the policy; there is staging, production."),
    ],
)  # fmt: skip
def test_what_is_no_lock(who: str, said: str, code: str, message: str) -> None:
    world = world_of().comment(who, said)
    assert refusal(world) == (code, message)
    assert world.locks == {}


def test_a_second_lock_changes_nothing() -> None:
    world = world_of().comment("dana", "/lock production one").comment("dana", "/lock production two")
    assert refusal(world) == ("LockedAlready", "`dana` has locked production already.")
    assert world.locks["production"].reason == "one"
