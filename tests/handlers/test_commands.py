"""What people read: the exact answers to commands, refusals with their codes, and nothing half done."""

from __future__ import annotations

import pytest

from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.view import View
from handlers.decide import _answers_something, registry
from handlers.declare import Answer, Call, command
from policies.roles import Permission
from tests.handlers.world import FROZEN, POLICY, World

TWO_OWNERS = POLICY.replace("{users: [jane.doe]}", "{users: [jane.doe, joe]}").replace(
    "- approvals: {role: ProductOwner}", "- approvals: {role: ProductOwner, count: 2}"
)


def ready(policy: str = TWO_OWNERS) -> World:
    """A release that waits for two owners."""
    world = World(policy=policy)
    world.now = world.now.replace(month=12, day=20)
    return world.submit().tests()


def reply(world: World) -> str:
    """The last answer on the change."""
    return next(text for name, text in reversed(world.forge.comments.items()) if name.startswith("reply-"))


def refusal(world: World) -> p.CommandRefused:
    return read(world.last("CommandRefused"), p.CommandRefused)


def test_help_shows_only_what_the_asker_may_do() -> None:
    world = ready().comment("reader", "/help")

    assert reply(world).splitlines()[0] == "What `reader` may say here:"
    assert "`/explain [environment] [at=<moment>]`" in reply(world)
    assert "/override-freeze" not in reply(world)
    assert "/request-rollback" not in reply(world)


def test_help_shows_more_to_those_who_may_more() -> None:
    assert "`/override-freeze <environment> <reason...>`" in reply(ready().comment("sam", "/help"))


def test_every_command_of_the_table_is_there() -> None:
    assert set(registry().commands) == {
        "approve-release", "reject-release", "delay-release", "override-freeze", "request-rollback", "deploy",
        "hotfix", "retry", "provision", "plan-release", "explain", "hold", "unhold", "pause", "resume", "lock",
        "unlock", "generate-pipeline", "update-pipeline", "resolve-task", "status", "refresh", "help",
    }  # fmt: skip


def test_an_approval_is_acknowledged_with_a_rocket_and_shown_on_the_change() -> None:
    world = ready().comment("jane.doe", "/approve-release production fine by me")

    head = (world.state.head or "")[:10]
    (answered,) = [event for event in world.events if event.type == "TaskCompleted"]
    assert answered.data["reply"] == f"✅ `jane.doe` (ProductOwner) approved `{head}` for **production**."
    assert not [name for name in world.forge.comments if name.startswith("reply-")], "no comment of its own"
    assert "`jane.doe`" in world.forge.comments["verdict"]
    assert [reaction for _, reaction in world.forge.reactions] == ["eyes", "rocket"]
    assert world.state.approvals[0].comment == "fine by me"


def test_approving_twice_changes_nothing() -> None:
    world = ready().comment("jane.doe", "/approve-release production")
    world.comment("jane.doe", "/approve-release production")

    head = (world.state.head or "")[:10]
    assert reply(world) == f"You had approved `{head}` for **production** already; nothing changed."
    assert len(world.state.approvals) == 1


@pytest.mark.parametrize(
    ("who", "said", "code", "message"),
    [
        ("jane.doe", "/approve-release", "EnvironmentRequired", "Say which environment: `/approve-release staging|production ...`."),
        ("jane.doe", "/approve-release prod", "UnknownEnvironment",
         "There is no environment `prod` in the policy; there is staging, production."),
        ("jane.doe", "/approve-release production cancel", "NothingToCancel", "You have no approval for production to take back."),
        ("sam", "/override-freeze production because", "NoActiveFreeze", "No freeze closes production now."),
        ("dana", "/request-rollback production broken", "NotRunning",
         "Version 1.0.0 of this change does not run in production: ask on the change whose version runs there."),
        ("jane.doe", "/override-freeze production because", "NotAuthorised",
         "`jane.doe` may not use `/override-freeze`; it takes sam."),
    ],
)  # fmt: skip
def test_refusals_say_what_to_do(who: str, said: str, code: str, message: str) -> None:
    world = ready().comment(who, said)

    assert (refusal(world).reason_code, refusal(world).message) == (code, message)
    assert world.state.approvals == ()
    assert world.state.overrides == ()
    assert [reaction for _, reaction in world.forge.reactions] == ["eyes", "-1"]


def test_missing_arguments_are_answered_with_the_usage() -> None:
    world = ready().comment("sam", "/override-freeze production")

    assert refusal(world).reason_code == "InvalidArguments"
    assert "/override-freeze <environment> <reason...>" in refusal(world).message


def test_several_commands_are_answered_once_in_their_order() -> None:
    world = ready().comment("jane.doe", "Looks good.\n\n/approve-release production\n/status\n")

    assert reply(world).startswith("Trace [trace-1234]"), "the approval is shown, the question is answered"
    assert sum(name.startswith("reply-") for name in world.forge.comments) == 1


def test_a_later_command_sees_what_an_earlier_one_did() -> None:
    world = ready().comment("jane.doe", "/approve-release production\n/approve-release production cancel\n")

    assert world.types("ApprovalGranted", "ApprovalRevoked") == ["ApprovalGranted", "ApprovalRevoked"]


@pytest.mark.parametrize(
    "body",
    ["```\n/approve-release production\n```", "> /approve-release production", "    /approve-release production",
     "please /approve-release production", "<!-- \n/approve-release production\n-->", "/approve", "/merge", "/deployy-nothing-like-it"],
)  # fmt: skip
def test_what_is_no_command_is_met_with_silence(body: str) -> None:
    world = ready()
    before = len(world.events)

    world.comment("jane.doe", body)

    assert [event.type for event in world.events[before:]] == ["CommentCreated"]
    assert world.forge.reactions == []


def test_the_bots_own_comments_are_never_commands() -> None:
    world = ready().comment("pointsman[bot]", "/approve-release production")

    assert "CommandIssued" not in world.types()


def test_a_near_miss_is_answered_to_those_who_may_write() -> None:
    world = ready().comment("jane.doe", "/aprove-release production")

    assert refusal(world).message == "There is no `/aprove-release`. Did you mean `/approve-release`?"


def test_an_edit_is_never_executed_and_is_told_so_once() -> None:
    world = ready()
    edited = p.Comment(
        repository="demo/booking", change=1, comment_id="c9", author="jane.doe", body="/approve-release production",
        created_at=world.now,
    )  # fmt: skip

    world.say(draft("CommentEdited", edited, actor="jane.doe")).say(
        draft("CommentEdited", edited, actor="jane.doe")
    )

    assert world.state.approvals == ()
    told = [text for name, text in world.forge.comments.items() if name == "edited-c9"]
    assert told == ["`jane.doe`, an edited comment is never executed. Write the command in a new comment."]


def test_the_author_is_not_their_own_second_party() -> None:
    world = ready(POLICY.replace("[jane.doe]", "[agent, jane.doe]")).comment(
        "agent", "/approve-release production"
    )

    assert refusal(world).reason_code == "AuthorCannotApprove"
    assert world.state.approvals == ()


def test_a_rejection_stands_for_its_revision() -> None:
    world = World(policy=POLICY.replace("[dana]", "[dana]}\n  ReleaseManager: {users: [rita]"))
    world.forge.people["rita"] = p.Actor(login="rita", permission="write")
    world.submit().tests().comment("rita", "/reject-release production wrong colour")

    rejected = read(world.last("ReleaseRejected"), p.ReleaseVerdict)
    assert rejected.reasons == ("wrong colour",)
    assert world.state.releases["production"].shown_state == "rejected"
    world.comment("jane.doe", "/approve-release production")
    assert "ChangeMerged" not in world.types()

    world.push("agent").tests()
    assert world.state.releases["production"].shown_state == "delayed"


def test_explain_shows_the_whole_tree() -> None:
    world = ready(FROZEN).comment("reader", "/explain production")

    lines = reply(world).splitlines()
    assert lines[0] == "⏳ **production** waits:"
    names = [line.split("**")[1] for line in lines if line.startswith("- ")]
    assert names == ["freeze", "approvals", "promoted-from", "tests-passed"]
    assert "Can help: " in reply(world)


def test_retry_runs_the_failed_pipeline_again() -> None:
    world = World().submit().tests("failed").comment("dana", "/retry")

    again = [effect for effect in world.forge.performed if effect.kind == "RunPipeline"]
    assert [(e.branch, e.revision) for e in again] == [
        ("feature/booking-service/trace-1234", world.state.head)
    ]  # type: ignore[attr-defined]


def test_a_command_given_over_http_is_answered_in_the_log() -> None:
    world = ready()
    issued = p.CommandIssued(
        command="approve-release", arguments=("production",), line="/approve-release production", via="cli", correlation="abc",
        written_at=world.now,
    )  # fmt: skip

    world.say(draft("CommandIssued", issued, actor="jane.doe"))

    answered = world.last("TaskCompleted")
    assert answered.data["correlation"] == "abc"
    assert answered.data["reply"].startswith("✅ `jane.doe`")
    assert world.state.approvals[0].method == "CLI"
    assert world.forge.reactions == []


def test_a_broken_policy_blocks_and_says_where() -> None:
    world = World(policy="version: 1\nenvironments:\n  production:\n    gates: [tests-past]\n")
    world.submit().tests()

    said = world.state.releases["production"]
    assert (said.shown_state, said.reason_code) == ("rejected", "PolicyInvalid")
    assert "tests-past" in world.forge.checks["pointsman/release: production"].title
    world.comment("jane.doe", "/approve-release production")
    assert refusal(world).reason_code == "PolicyInvalid"


def test_names_of_people_never_become_markup_or_mentions() -> None:
    world = ready()
    world.forge.people["<img>`x`"] = p.Actor(login="<img>`x`", permission="read")

    world.comment("<img>`x`", "/override-freeze production @all **now**")

    assert "<img>`x`" not in reply(world).replace("`<img>ʼxʼ`", "")


def test_an_approval_that_starts_nothing_says_what_would() -> None:
    world = World(policy=POLICY)
    world.deployer.sick.add("1.0.0")
    world.submit().tests().comment("jane.doe", "/approve-release production")
    assert world.types("DeploymentFailed") == ["DeploymentFailed"]
    world.comment("jane.doe", "/approve-release production cancel")

    world.comment("jane.doe", "/approve-release production once more")

    assert reply(world).endswith(
        "But 1.0.0 has failed in **staging**: nothing starts before a `/retry`, or a new version."
    )


def test_a_reaction_that_declares_nothing_stops_the_start() -> None:
    with pytest.raises(TypeError, match="registers nothing: declare"):
        _answers_something("handlers.on_nothing", is_package=False)
    _answers_something("handlers.targets", is_package=False)


def test_two_commands_of_one_name_stop_the_start() -> None:
    def helpless(_call: Call, _view: View) -> Answer:
        """Say nothing."""
        return Answer()

    with pytest.raises(TypeError, match="two handlers answer 'help'"):
        command("/help", needs=Permission.READ)(helpless)


def test_from_approval_to_release_costs_two_comments_and_three_looks() -> None:
    """Forges count what is written (GitHub: 80 contents a minute), and people are told of each comment."""
    policy = "version: 1\nroles:\n  ProductOwner: {users: [jane.doe]}\nenvironments:\n  production:\n"
    policy += (
        "    gates: [tests-passed, {approvals: {role: ProductOwner}}]\n    deploy: {strategy: process}\n"
    )
    world = World(policy=policy).submit().tests()
    before = len(world.forge.performed)
    world.comment("jane.doe", "/approve-release production")
    assert "ReleasePublished" in world.types()
    done = [effect.kind for effect in world.forge.performed[before:]]
    assert (done.count("PostComment"), done.count("GatherFacts")) == (2, 3)


def test_a_change_that_leads_elsewhere_is_approved_anew() -> None:
    """Approved towards a branch that nobody minds, then turned towards main: that is another merge."""
    policy = "version: 1\nroles:\n  ProductOwner: {users: [jane.doe, joe]}\nenvironments:\n  production:\n"
    policy += "    gates: [tests-passed, {approvals: {role: ProductOwner, count: 2}}]\n    deploy: {strategy: process}\n"
    world = World(policy=policy).submit().tests().comment("jane.doe", "/approve-release production")
    change = dict(world.forge.change or {}) | {"target": "release/prod"}
    assert world.forge.change
    world.forge.change["target"] = "release/prod"
    world.say(draft("ChangeUpdated", p.Change.model_validate(change), actor="mallory"))
    (approval,) = world.state.approvals
    assert (approval.ended, approval.why) == (
        "invalidated",
        "the change leads to release/prod now, not to main",
    )
    world.comment("joe", "/approve-release production")
    assert "AutoMergeOnApprove" not in world.types()
