"""`/plan-release`, `/explain at=...`, `/refresh`, `/provision`: questions, and infrastructure that waits."""

from __future__ import annotations

import pytest

from bot.domain import effect as fx
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.errors import Permanent
from bot.domain.model import Model
from tests.handlers.fake_forge import FakeDeployer
from tests.handlers.said import refusal, reply, standing
from tests.handlers.world import FROZEN, POLICY, World

APPROVE = "/approve-release production fine"


def test_a_plan_says_every_step_and_does_nothing() -> None:
    world = World().submit().tests()
    before = len(world.deployed)
    world.comment("reader", "/plan-release production")
    said, _, verdict = reply(world).partition("\n\n⏳")
    assert said == (
        "Plan of **production**; nothing was done.\n\n"
        "1. The bot merges the change (squash).\n"
        "2. Before it: staging.\n"
        "3. 1.0.0 is deployed to production by `process`, where nothing runs yet.\n"
        "4. If it does not get healthy it is tried 1 more time, and then nothing runs there."
    )
    assert verdict.startswith(" **production** waits:")
    assert (len(world.deployed), "ChangeMerged" in world.types()) == (before, False)


def test_a_plan_knows_what_runs_and_what_comes_back() -> None:
    manual = (
        POLICY.replace("rollback: automatic", "rollback: manual") + "merge: {when: manual, method: merge}\n"
    )
    world = World().submit().tests().comment("jane.doe", APPROVE)
    world.forge.change, world.forge.policy = None, manual
    world.submit("2.0.0", trace="trace-2").tests().comment("reader", "/plan-release staging")
    assert (
        "1. A person merges the change (merge).\n2. 2.0.0 is deployed to staging by `process`, in place of 1.0.0.\n"
        in reply(world)
    )
    assert "and then a person decides: the policy says `rollback: manual`." in reply(world)
    world.forge.policy = POLICY
    world.comment("reader", "/refresh").comment("reader", "/plan-release staging")
    assert reply(world).partition("\n\n✅")[0].endswith("tried 1 more time, and then 1.0.0 comes back.")


def test_a_plan_of_what_is_done() -> None:
    world = (
        World().submit().tests().comment("jane.doe", APPROVE).comment("reader", "/plan-release production")
    )
    assert "1. 1.0.0 runs in production already." in reply(world)


def test_explain_another_moment() -> None:
    world = World(policy=FROZEN)
    world.at("2026-12-20T12:00:00+00:00")
    world.submit().tests().comment("reader", "/explain production")
    assert "❌" not in reply(world)
    assert "year-end" in reply(world)
    before = world.types().count("pointsman.VerdictChanged")
    world.comment("reader", "/explain production at=2027-01-05T09:00")
    assert reply(world).startswith("As it would be Tue 2027-01-05 09:00 UTC, if nothing else changes:\n\n⏳")
    assert "year-end" not in reply(world)
    assert world.types().count("pointsman.VerdictChanged") == before, "asking changes no verdict"
    world.comment("reader", "/explain at=tomorrow")
    assert refusal(world)[0] == "InvalidMoment"


def test_refresh_looks_at_the_policy_and_the_people_again() -> None:
    world = World().submit().tests()
    world.forge.policy = POLICY.replace("ProductOwner: {users: [jane.doe]}", "ProductOwner: {users: [sam]}")
    world.comment("reader", "/refresh")
    assert reply(world) == "🔄 Everything is looked at again: the change, the people, the policy."
    assert "sam" in str(world.state.releases["production"].tree)
    assert standing(world, "production") == ("delayed", "ApprovalMissing")


PROVISIONED = POLICY.replace("Deployer:", "CloudArchitect: {users: [cleo]}\n  Deployer:")


class Broken(FakeDeployer):
    """Makes no infrastructure while `down`."""

    down = True

    def perform(self, effect: fx.Effect, world: object) -> Model | None:
        if isinstance(effect, fx.Provision) and self.down:
            raise Permanent("QuotaExceeded", "no quota is left")
        return super().perform(effect, world)


def architect(deployer: FakeDeployer) -> World:
    world = World(policy=PROVISIONED, deployer=deployer)
    world.forge.people["cleo"] = p.Actor(login="cleo", permission="write")
    return world.submit()


def test_infrastructure_that_failed_is_made_when_a_person_approves_it() -> None:
    deployer = Broken()
    world = architect(deployer)
    assert world.state.infra == {}
    deployer.down = False
    world.comment("cleo", "/provision staging")
    assert reply(world) == "🏗️ `cleo` has the infrastructure of **staging** made."
    assert list(world.state.infra) == ["staging"]
    approved = world.last("ProvisioningApproved")
    assert (approved.actor, approved.data["environment"]) == ("cleo", "staging")
    world.comment("cleo", "/provision production").tests().comment("jane.doe", APPROVE)
    assert world.types("ReleasePublished") == ["ReleasePublished"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "Nothing waits: staging is provisioned as `default-staging`."),
        ({"needs_infrastructure": False}, "Nothing waits: no infrastructure was asked for staging."),
    ],
)
def test_when_nothing_waits_it_says_so(more: dict[str, bool], message: str) -> None:
    world = World(policy=PROVISIONED)
    world.forge.people["cleo"] = p.Actor(login="cleo", permission="write")
    world.submit(**more).comment("cleo", "/provision staging")
    assert refusal(world) == ("NothingToProvision", message)
    assert "ProvisioningApproved" not in world.types()


def test_what_is_being_made_is_not_made_twice() -> None:
    class Slow(FakeDeployer):
        def perform(self, effect: fx.Effect, world: object) -> Model | None:
            return None if isinstance(effect, fx.Provision) else super().perform(effect, world)

    world = architect(Slow()).comment("cleo", "/provision staging")
    assert refusal(world) == ("NothingToProvision", "Nothing waits: staging is being provisioned.")


def test_only_those_may_provision_who_hold_the_right() -> None:
    world = architect(Broken()).comment("dana", "/provision staging")
    assert refusal(world) == ("NotAuthorised", "`dana` may not use `/provision`; it takes cleo.")


def test_a_question_is_asked_once_and_its_answer_is_a_fact() -> None:
    policy = POLICY.replace("Deployer:", "Architect: {users: [ada]}\n  Deployer:")
    world = World(policy=policy).submit()
    world.forge.people["ada"] = p.Actor(login="ada", permission="write")
    task = p.HumanTask(
        task_id="manual-456", title="Approve OAuth Settings", description="Confirm the redirect URIs.",
        options=("Approve", "Edit", "Reject"), required_role="Architect",
    )  # fmt: skip
    world.say(draft("HumanTaskRequested", task, actor="auth-agent"))
    assert world.forge.comments["task-manual-456"] == (
        "❓ **Approve OAuth Settings**\n\nConfirm the redirect URIs.\n\n"
        "Answer with `/resolve-task manual-456 Approve|Edit|Reject`. It takes the role `Architect`."
    )
    world.comment("reader", "/status")
    assert "- ❓ Approve OAuth Settings: `/resolve-task manual-456`" in reply(world)

    world.comment("dana", "/resolve-task manual-456 approve")
    assert refusal(world) == (
        "NotAuthorised",
        "`dana` may not answer this: it takes the role Architect (ada).",
    )
    world.comment("ada", "/resolve-task manual-456 later")
    assert refusal(world) == (
        "InvalidAnswer",
        "`later` is no answer to that; there is `Approve`, `Edit`, `Reject`.",
    )
    world.comment("ada", "/resolve-task manual-4 approve")
    assert refusal(world) == ("UnknownTask", "There is no open question `manual-4`; open: `manual-456`.")
    assert "HumanTaskResponseReceived" not in world.types()

    world.comment("ada", "/resolve-task manual-456 APPROVE")
    assert reply(world) == "✅ `ada` answered `manual-456`: Approve"
    answered = world.last("HumanTaskResponseReceived")
    assert (answered.actor, answered.data["response"], answered.data["role"]) == (
        "ada",
        "Approve",
        "Architect",
    )
    world.comment("ada", "/resolve-task manual-456 approve")
    assert refusal(world) == ("UnknownTask", "There is no open question `manual-456`; no question is open.")


def test_a_question_without_role_or_options_takes_any_word_of_whoever_may_write() -> None:
    world = World().submit()
    world.say(draft("HumanTaskRequested", p.HumanTask(task_id="t1", title="Which colour?")))
    assert world.forge.comments["task-t1"].endswith("Answer with `/resolve-task t1 <answer>`.")
    world.comment("reader", "/resolve-task t1 green")
    assert refusal(world)[0] == "NotAuthorised"
    world.comment("mallory", "/resolve-task t1 a dark green")
    assert world.last("HumanTaskResponseReceived").data["response"] == "a dark green"
