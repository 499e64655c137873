"""Which branch a trace commits to: the sprint's while nobody else has it, else one of its own."""

from __future__ import annotations

from bot.domain import effect as fx
from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.errors import Permanent
from tests.handlers.world import World

SPRINT = "feature/booking-service/sprint-3"


def commits(world: World) -> list[fx.CommitFiles]:
    return [commit for commit in world.forge.committed if commit.purpose == "module"]


def test_the_first_trace_of_a_sprint_has_the_sprint_s_branch_and_keeps_it() -> None:
    world = World().submit(sprintId="sprint-3").submit("1.0.1", sprintId="sprint-3")
    assert [(commit.branch, commit.fresh) for commit in commits(world)] == [(SPRINT, True), (SPRINT, False)]


def test_the_next_trace_of_the_sprint_has_a_branch_of_its_own() -> None:
    world = World().submit(sprintId="sprint-3")
    world.forge.change = None
    before = world.forge.heads[SPRINT]

    world.submit("1.1.0", "trace-2", sprintId="sprint-3")

    assert [commit.branch for commit in commits(world)] == [SPRINT, "feature/booking-service/trace-2"]
    assert world.forge.heads[SPRINT] == before
    assert read(world.last("PullRequestCreated"), p.PullRequestCreated).source == (
        "feature/booking-service/trace-2"
    )
    world.submit("1.1.1", "trace-2", sprintId="sprint-3")
    assert commits(world)[-1].branch == "feature/booking-service/trace-2"


def test_a_branch_that_was_taken_between_looking_and_committing_is_given_up() -> None:
    world = World()
    perform = world.forge.do_commit_files

    def overtaken(effect: fx.CommitFiles, inside: object) -> object:
        world.forge.do_commit_files = perform  # type: ignore[method-assign]
        world.forge.heads[SPRINT] = "f" * 40
        world.forge.branches[SPRINT] = {}
        assert effect.fresh
        raise Permanent("BranchTaken", f"{SPRINT} is there already, made by somebody else")

    world.forge.do_commit_files = overtaken  # type: ignore[assignment, method-assign]
    world.submit(sprintId="sprint-3")
    failed = read(world.last("AgentTaskFailed"), p.TaskEnded)
    assert (failed.reason_code, failed.message) == (
        "BranchTaken",
        f"{SPRINT} is there already, made by somebody else",
    )

    world.comment("dana", "/retry")
    assert [commit.branch for commit in commits(world)] == ["feature/booking-service/trace-1234"]
