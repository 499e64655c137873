"""A policy that extends a file of its repository, and one that only observes, through the whole loop."""

from __future__ import annotations

import pytest

from tests.handlers.test_journey import pushed
from tests.handlers.world import POLICY, World

EXTENDS = "version: 1\nextends: .pointsman/base.yaml\nenvironments: {staging: {}, production: {}}\n"


def test_a_file_below_the_policy_is_read_from_the_base_branch() -> None:
    world = World(policy=EXTENDS)
    world.forge.branches["main"][".pointsman/base.yaml"] = POLICY
    world.submit().tests()

    verdict = world.state.releases["production"]
    assert (verdict.shown_state, verdict.reason_code) == ("delayed", "ApprovalMissing")
    world.comment("jane.doe", "/approve-release production looks right")
    assert world.types("ChangeMerged") == ["ChangeMerged"]
    assert world.types("AgentTaskFailed") == [], "nobody gives up on a policy that is still being read"
    assert set(world.state.infra) == {"staging", "production"}


def test_a_file_below_that_is_not_there_blocks_and_says_so() -> None:
    world = World(policy=EXTENDS).submit().tests()

    verdict = world.state.releases["production"]
    assert (verdict.shown_state, verdict.reason_code) == ("rejected", "PolicyInvalid")
    assert "there is no file '.pointsman/base.yaml' in the repository" in str(verdict.tree["message"])
    assert world.types("ChangeMerged") == []


def test_files_below_files_are_read_one_after_the_other() -> None:
    world = World(policy=EXTENDS)
    world.forge.branches["main"][".pointsman/base.yaml"] = "version: 1\nextends: more.yaml\n"
    world.forge.branches["main"]["more.yaml"] = POLICY
    world.submit().tests()

    assert world.state.releases["production"].reason_code == "ApprovalMissing"
    assert set(world.state.policy_files) == {".pointsman/base.yaml", "more.yaml"}


def test_another_file_below_is_another_policy_version() -> None:
    world = World(policy=EXTENDS)
    world.forge.branches["main"][".pointsman/base.yaml"] = POLICY
    world.submit().tests()
    before = world.last("pointsman.VerdictChanged").data["policyDigest"]

    world.forge.branches["main"][".pointsman/base.yaml"] = POLICY.replace("jane.doe", "sam")
    pushed(world, ".pointsman/base.yaml")

    assert "sam" in str(world.state.releases["production"].tree)
    assert world.last("pointsman.VerdictChanged").data["policyDigest"] != before


def test_observing_everything_is_said_and_nothing_is_blocked() -> None:
    world = World(policy=f"{POLICY}mode: observe\n").submit().tests()

    check = world.forge.checks["pointsman/release: production"]
    assert check.conclusion == "neutral"
    assert (
        check.title == "Would be blocked: Needs an approval by ProductOwner: `/approve-release production`."
    )
    assert world.forge.checks["pointsman/merge"].conclusion == "neutral"
    said = next(body for body in world.forge.comments.values() if "production" in body)
    would = "**production** would be blocked (mode: observe blocks nothing):"
    assert f"{would}\n\n- ⏳ **approvals**: Needs an approval by" in said


def test_observing_the_bot_itself_merges_only_what_is_approved() -> None:
    world = World(policy=f"{POLICY}mode: observe\n").submit().tests()
    assert world.types("ChangeMerged") == []
    world.comment("jane.doe", "/approve-release production looks right")
    assert world.types("ChangeMerged") == ["ChangeMerged"]


PAUSED = (
    POLICY
    + "freezes:\n  - {name: f, environments: staging, from: 2026-11-20T12:00, to: 2026-11-21, in-progress: %s}\n"
)


@pytest.mark.parametrize(("word", "attempts"), [("finish", 2), ("pause", 1)])
def test_what_has_started_goes_on_or_goes_back_when_a_freeze_begins(word: str, attempts: int) -> None:
    world = World(policy=PAUSED % word)
    world.deployer.hold = True
    world.submit().tests()
    world.comment("jane.doe", "/approve-release production looks right")
    assert world.types("DeploymentStarted") == ["DeploymentStarted"]

    world.deployer.sick = {"1.0.0"}
    world.now = world.now.replace(hour=13)
    world.release_held()

    assert [attempt for _, _, attempt in world.deployer.applied] == list(range(1, attempts + 1))
    assert world.types("RollbackTriggered") == ["RollbackTriggered"]


ORGANISATION = """\
version: 1
roles: {ProductOwner: {users: [sam]}}
environments:
  production: {gates: [{approvals: {role: ProductOwner}}, hold]}
"""


def gates_of(world: World, environment: str = "production") -> list[str]:
    return [child["name"] for child in world.state.releases[environment].tree["children"]]  # type: ignore[index, attr-defined]


def test_the_organisations_policy_holds_where_a_repository_has_none() -> None:
    world = World(policy=None)  # type: ignore[arg-type]
    world.forge.organisation = ORGANISATION
    world.submit().tests()
    assert {"approvals", "hold", "tests-passed"} <= set(gates_of(world)), "over the default pack"
    world.comment("jane.doe", "/approve-release production")
    assert world.last("CommandRefused").data["reasonCode"] == "UnauthorizedApprover"
    world.comment("sam", "/approve-release production")
    assert world.state.merged


def test_a_repositorys_policy_lies_over_the_organisations() -> None:
    world = World()
    world.forge.organisation = ORGANISATION
    world.submit().tests()
    assert "hold" in gates_of(world)
    assert world.state.releases["production"].tree["who_can"] == ["jane.doe"]


def test_a_broken_policy_of_the_organisation_blocks_and_says_which() -> None:
    world = World()
    world.forge.organisation = "version: 1\nrols: {}\n"
    world.submit().tests()
    verdict = world.state.releases["production"]
    assert (verdict.shown_state, verdict.reason_code) == ("rejected", "PolicyInvalid")
    assert "organisation" in str(verdict.tree["message"])


def test_another_policy_of_the_organisation_is_another_policy_version() -> None:
    world = World()
    world.forge.organisation = ORGANISATION
    world.submit().tests()
    before = world.last("pointsman.VerdictChanged").data["policyDigest"]
    world.forge.organisation = ORGANISATION.replace("hold", "{required-labels: [seen]}")
    pushed(world, ".pointsman/policy.yaml")
    assert world.last("pointsman.VerdictChanged").data["policyDigest"] != before
    assert "required-labels" in gates_of(world)


def test_a_policy_that_is_taken_away_does_not_go_on() -> None:
    world = World(policy=POLICY).submit().tests()
    assert world.state.releases["production"].tree["who_can"] == ["jane.doe"]
    world.forge.policy = None
    pushed(world, ".pointsman/policy.yaml")
    assert "policyText" not in world.state.facts
    assert "jane.doe" not in str(world.state.releases["production"].tree)
