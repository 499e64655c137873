"""The main job as decisions: from submitted code to production and back, without a database, a clock or a
network."""

from __future__ import annotations

from typing import Any

import pytest

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.effect import File, Service
from bot.domain.event import Draft
from tests.handlers.world import FROZEN, POLICY, World


def delivered(policy: str = FROZEN, **more: str) -> World:
    """Version 1 in production, approved and, where a freeze covers the day, with the freeze lifted."""
    world = World(policy=policy)
    world.now = world.now.replace(month=12, day=20)
    world.submit(**more).tests()
    world.comment("jane.doe", "/approve-release production looks right")
    return world.comment("sam", "/override-freeze production the outage costs more")


def test_submitted_code_becomes_a_commit_with_trailers() -> None:
    world = World().submit()

    (commit, _pipeline) = world.forge.committed
    assert commit.branch == "feature/booking-service/trace-1234"
    assert commit.message == "feat: add booking-service 1.0.0\n\n- Book appointments"
    assert commit.trailers["Trace-Id"] == "trace-1234"
    assert commit.trailers["Module-Id"] == "booking-service"
    assert commit.trailers["Version"] == "1.0.0"
    assert commit.trailers["Agent-Id"] == "code-committer"
    assert commit.trailers["Changelog"].startswith("#")
    assert read(world.last("CommitReady"), p.CommitReady).signed


def test_the_change_has_the_seeds_title_and_a_trace_link() -> None:
    world = World().submit()

    assert world.forge.change
    assert world.forge.change["title"] == "feat: add booking-service for trace-1234"
    assert world.forge.change["labels"] == ["trace:trace-1234"]
    assert world.types("PullRequestCreated", "PipelineReady") == ["PullRequestCreated", "PipelineReady"]


def test_the_flow_goes_through_the_seeds_states_in_order() -> None:
    world = delivered()

    states = [event.data["toState"] for event in world.events if event.type == "LifecyclePhaseAdvanced"]
    assert states == [
        "trace_initialized", "commit_ready", "pull_request_created", "pipeline_ready", "release_evaluation", "release_approved",
        "release_evaluation", "release_approved", "release_evaluation", "deployment_completed",
    ]  # fmt: skip


def test_nothing_starts_without_approval_and_during_a_freeze() -> None:
    world = World(policy=FROZEN)
    world.now = world.now.replace(month=12, day=20)
    world.submit().tests()

    verdict = world.state.releases["production"]
    assert verdict.shown_state == "delayed"
    assert world.forge.checks["pointsman/release: production"].conclusion is None
    assert world.types("ReleaseDelayed", "ReleaseApproved", "ChangeMerged") == ["ReleaseDelayed"] * len(
        world.types("ReleaseDelayed")
    )
    assert world.deployer.running == {}


def test_the_wrong_role_is_refused_and_nothing_changes() -> None:
    world = World().submit().tests()
    before = world.state.releases["production"]

    world.comment("mallory", "/approve-release production let me")

    refused = read(world.last("CommandRefused"), p.CommandRefused)
    assert refused.reason_code == "UnauthorizedApprover"
    assert world.state.approvals == ()
    assert world.state.releases["production"].verdict == before.verdict
    assert ("-1") in {reaction for _, reaction in world.forge.reactions}


def test_approved_and_unfrozen_it_is_merged_then_staged_then_in_production() -> None:
    world = delivered()

    order = world.types(
        "ApprovalGranted",
        "FreezeOverridden",
        "AutoMergeOnApprove",
        "ChangeMerged",
        "pointsman.ApprovalsCarried",
        "ReleaseApproved",
        "DeploymentStarted",
        "DeploymentCompleted",
        "ReleasePublished",
    )
    assert order == [
        "ApprovalGranted", "FreezeOverridden", "AutoMergeOnApprove", "ChangeMerged", "pointsman.ApprovalsCarried",
        "ReleaseApproved", "DeploymentStarted", "DeploymentCompleted", "ReleaseApproved", "DeploymentStarted", "DeploymentCompleted",
        "ReleasePublished",
    ]  # fmt: skip
    assert world.deployer.running == {"staging": "1.0.0", "production": "1.0.0"}
    assert [environment for environment, _, _ in world.deployer.applied] == ["staging", "production"]


def test_a_version_that_does_not_get_ready_is_tried_again_then_rolled_back() -> None:
    world = delivered()
    world.deployer.sick.add("2.0.0")
    world.forge.change = None

    world.submit("2.0.0", "trace-2").tests()
    world.comment("jane.doe", "/approve-release production")
    world.comment("sam", "/override-freeze production still")

    assert [attempt for _, version, attempt in world.deployer.applied if version == "2.0.0"] == [1, 2]
    assert world.types("RollbackTriggered", "DeploymentFailed") == ["RollbackTriggered", "DeploymentFailed"]
    failed = read(world.last("DeploymentFailed"), p.DeploymentEnded)
    assert (failed.recoverable, failed.rolled_back_to) == (True, "1.0.0")
    assert world.deployer.running == {"staging": "1.0.0", "production": "1.0.0"}
    assert world.state.flow.state == "release_rejected"


def test_a_new_revision_ends_the_approval_of_the_old_one() -> None:
    world = World(policy=FROZEN)
    world.now = world.now.replace(month=12, day=20)
    world.submit().tests().comment("jane.doe", "/approve-release production")

    world.push("agent").tests()

    assert world.types("ApprovalInvalidated") == ["ApprovalInvalidated"]
    assert [a.ended for a in world.state.approvals] == ["invalidated"]
    world.comment("sam", "/override-freeze production now")
    assert world.types("ChangeMerged") == []


def test_an_approval_is_for_what_its_author_could_see() -> None:
    world = World(policy=FROZEN).submit().tests()
    shown = world.state.head
    said = world.forge.comment("jane.doe", "/approve-release production", world, "late")

    world.push("agent")
    world.say(said)

    refused = read(world.last("CommandRefused"), p.CommandRefused)
    assert refused.reason_code == "HeadMoved"
    assert shown and shown[:10] in refused.message


def test_an_approval_can_be_taken_back() -> None:
    world = World(policy=FROZEN)
    world.now = world.now.replace(month=12, day=20)
    world.submit().tests().comment("jane.doe", "/approve-release production").comment(
        "jane.doe", "/approve-release production cancel"
    )

    assert world.types("ApprovalGranted", "ApprovalRevoked") == ["ApprovalGranted", "ApprovalRevoked"]


def test_a_secret_in_a_file_refuses_the_commit() -> None:
    key = "AKIA" + "IOSFODNN7EXAMPLQ"
    world = World().submit(files=(File(path="settings.py", content=f'AWS = "{key}"\n'),))

    failed = read(world.last("AgentTaskFailed"), p.TaskEnded)
    assert failed.reason_code == "SecretFound"
    assert world.forge.committed == []
    assert key not in failed.message


def test_without_the_right_to_push_nothing_is_tried() -> None:
    world = World()
    world.forge.can_write = False
    world.submit()

    assert read(world.last("AgentTaskFailed"), p.TaskEnded).message == (
        "The bot may not push to demo/booking. Give its account write access, then /retry."
    )
    assert world.forge.committed == []


def test_the_same_module_said_twice_opens_one_change() -> None:
    world = World().submit()
    world.submit()

    opened = [effect for effect in world.forge.performed if effect.kind == "OpenChange"]
    assert len({(e.source, e.target_branch) for e in opened}) == 1  # type: ignore[attr-defined]
    assert world.state.change and world.state.change["number"] == 1


def test_deployments_of_one_environment_wait_for_each_other() -> None:
    world = World()
    world.deployer.hold = True
    world.submit().tests().comment("jane.doe", "/approve-release production")
    world.forge.change = None
    world.submit("1.1.0", "trace-2").tests().comment("jane.doe", "/approve-release production")

    assert "TaskStalled" in world.types("TaskStalled")
    assert world.slots["staging"].holder_trace == "trace-1234"
    world.release_held()

    world.trace = "trace-2"
    assert "NodeUnblocked" in world.types("NodeUnblocked")
    assert world.deployer.running["staging"] == "1.1.0"


def test_a_manual_rollback_goes_back_to_what_ran_before() -> None:
    world = delivered()
    world.forge.change = None
    world.submit("1.1.0", "trace-2").tests()
    world.comment("jane.doe", "/approve-release production").comment(
        "sam", "/override-freeze production again"
    )
    assert world.deployer.running["production"] == "1.1.0"

    world.comment("dana", "/request-rollback production to 1.0.0 customers see errors")

    assert world.deployer.running["production"] == "1.0.0"
    assert read(world.last("RollbackTriggered"), p.RollbackTriggered).by == "dana"


@pytest.mark.parametrize("who", ["mallory", "jane.doe"])
def test_a_rollback_needs_its_role(who: str) -> None:
    world = delivered().comment(who, "/request-rollback production I want to")

    assert read(world.last("CommandRefused"), p.CommandRefused).reason_code == "NotAuthorised"
    assert world.deployer.running["production"] == "1.0.0"


def test_a_freeze_that_ends_lets_the_release_go_by_itself() -> None:
    world = World(policy=FROZEN)
    world.now = world.now.replace(month=12, day=20)
    world.submit().tests().comment("jane.doe", "/approve-release production")
    assert world.types("ChangeMerged") == []

    world.at("2027-01-04T00:30:00+01:00")

    assert world.types("ChangeMerged", "ReleasePublished") == ["ChangeMerged", "ReleasePublished"]


def test_a_person_may_try_again_what_was_rolled_back_and_automation_may_not() -> None:
    world = delivered()
    world.deployer.sick.add("2.0.0")
    world.forge.change = None
    world.submit("2.0.0", "trace-2").tests()
    world.comment("jane.doe", "/approve-release production").comment(
        "sam", "/override-freeze production still"
    )
    tried = len(world.deployer.applied)
    world.say(draft("TriggerRequested", p.TriggerRequested(reason="a timer")))
    assert len(world.deployer.applied) == tried

    world.deployer.sick.clear()
    world.comment("dana", "/retry")

    assert world.deployer.running == {"staging": "2.0.0", "production": "2.0.0"}
    assert world.types("ReleasePublished") == ["ReleasePublished"]


def test_a_failed_task_escalates_once() -> None:
    world = World()
    world.forge.can_write = False
    world.submit()

    assert world.types("AgentTaskFailed", "TaskEscalated", "ManualInterventionRequired") == [
        "AgentTaskFailed",
        "TaskEscalated",
    ]


def test_without_an_automatic_rollback_a_person_is_called() -> None:
    world = World(policy=POLICY.replace("rollback: automatic", "rollback: never"))
    world.deployer.sick.add("1.0.0")
    world.submit().tests().comment("jane.doe", "/approve-release production")

    assert "RollbackTriggered" not in world.types()
    assert read(world.last("DeploymentFailed"), p.DeploymentEnded).recoverable is False
    told = read(world.last("ManualInterventionRequired"), p.Intervention)
    assert told.role == "StudioAdmin"
    assert told.message == (
        "1.0.0 is not healthy in staging (readiness never answered 200) and the policy forbids an automatic rollback. "
        "Use /request-rollback staging."
    )


def test_every_environment_provisioned_ends_the_provisioners_task() -> None:
    world = World().submit()

    ended = [e.agent_id for e in world.events if e.type == "AgentTaskCompleted"]
    assert ended.count("cloud-provisioner") == 1
    assert all(task["agent"] != "cloud-provisioner" for task in world.state.flow.tasks.values())


def pushed(world: World, *paths: str) -> World:
    """Somebody pushes to main, outside of any trace."""
    data = p.Pushed(
        repository="demo/booking", branch="main", before="0" * 40, after="b" * 40, pusher="rita", paths=paths
    )
    return world.say(draft("Pushed", data), trace="trace-of-the-push")


def test_a_new_policy_is_asked_of_every_open_release() -> None:
    world = World().submit().tests()
    assert world.state.releases["production"].shown_state == "delayed"

    world.forge.policy = POLICY.replace("      - approvals: {role: ProductOwner}\n", "")
    pushed(world, "README.md")
    assert world.types("ChangeMerged") == []
    pushed(world, ".pointsman/policy.yaml")

    assert world.types("ChangeMerged", "ReleasePublished") == ["ChangeMerged", "ReleasePublished"]


def test_a_stricter_policy_takes_the_release_back() -> None:
    world = World(policy=POLICY.replace("      - approvals: {role: ProductOwner}\n", ""))
    world.deployer.hold = True
    world.submit().tests()
    assert world.state.releases["staging"].verdict == "approved"

    world.forge.policy = POLICY
    pushed(world, ".pointsman/policy.yaml")
    world.release_held()

    assert world.deployer.running == {"staging": "1.0.0"}
    assert world.state.releases["production"].shown_state == "delayed"


CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//acme//holidays//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20261220
DTEND;VALUE=DATE:20261221
SUMMARY:Inventory
END:VEVENT
END:VCALENDAR
"""


def test_a_calendar_on_the_base_branch_freezes() -> None:
    world = World(
        policy=POLICY
        + "freezes:\n  - {name: holidays, ics: holidays.ics, environments: [production], timezone: Europe/Paris}\n"
    )
    world.forge.branches["main"]["holidays.ics"] = CALENDAR
    world.now = world.now.replace(month=12, day=20)
    world.submit().tests().comment("jane.doe", "/approve-release production")

    freeze = next(
        c for c in world.last("pointsman.VerdictChanged").data["verdict"]["children"] if c["name"] == "freeze"
    )
    assert (freeze["state"], freeze["reason_code"]) == ("delayed", "FreezeActive")
    assert world.types("ChangeMerged") == []

    world.at("2026-12-21T00:00:01+01:00")
    assert world.types("ChangeMerged") == ["ChangeMerged"]


def test_a_calendar_that_is_not_there_blocks_and_is_asked_for_once() -> None:
    world = World(
        policy=POLICY + "freezes:\n  - {name: holidays, ics: nowhere.ics, timezone: Europe/Paris}\n"
    )
    world.submit().tests().comment("jane.doe", "/approve-release production")

    assert world.state.releases["production"].reason_code == "CalendarUnusable"
    assert world.types("ChangeMerged") == []


def test_a_change_of_the_policy_file_has_a_rule_of_its_own() -> None:
    policy = POLICY.replace("ProductOwner: {", "ReleaseManager: {users: [rita]}\n  ProductOwner: {")
    world = World(policy=policy + "changes-to-this-file: {approvals: {role: ReleaseManager}}\n")
    world.forge.people["rita"] = p.Actor(login="rita", permission="write")
    world.submit().tests()
    assert world.forge.change
    world.forge.change["touchesPolicy"] = True

    world.comment("jane.doe", "/approve-release production")
    assert world.types("ChangeMerged") == []
    assert "changes-to-this-file" in world.forge.comments["verdict"]

    world.comment("rita", "/approve-release staging").comment("rita", "/approve-release production")
    assert world.types("ChangeMerged") == ["ChangeMerged"]


def by_hand(world: World, pipeline: str | None = "test: {script: [true]}\n") -> World:
    """A person opens a change of their own."""
    world.trace = "trace-by-hand"
    world.forge.heads["fix"] = "f" * 40
    world.forge.branches["fix"] = {"README.md": "better"} | ({".gitlab-ci.yml": pipeline} if pipeline else {})
    change = p.Change(
        repository="demo/booking",
        number=1,
        title="Fix a typo",
        author="mallory",
        source="fix",
        target="main",
        head="f" * 40,
        committers=("mallory",),
    )
    world.forge.change = change.to_json() | {"state": "open", "lastPusher": "mallory"}
    return world.say(draft("ChangeOpened", change, actor="mallory"))


def test_a_change_of_a_person_is_gated_and_merged_but_never_committed_to_or_deployed() -> None:
    world = by_hand(World()).tests().comment("jane.doe", "/approve-release production")

    assert world.types("PipelineReady", "ChangeMerged") == ["ChangeMerged"]
    assert world.forge.committed == []
    assert world.deployer.applied == []
    assert world.types("ReleaseApproved", "DeploymentStarted") == []
    assert world.forge.checks["pointsman/release: production"].conclusion == "success"


def test_a_change_of_a_person_without_a_pipeline_waits_for_its_tests() -> None:
    world = by_hand(World(), pipeline=None)

    assert world.state.releases["staging"].reason_code == "TestsMissing"


def test_a_module_that_needs_no_infrastructure_is_deployed_without() -> None:
    world = (
        World().submit(needs_infrastructure=False).tests().comment("jane.doe", "/approve-release production")
    )

    assert "InfraProvisioned" not in world.types()
    assert world.deployer.running == {"staging": "1.0.0", "production": "1.0.0"}


def died(world: World, environment: str = "production") -> World:
    """The watch has seen that the service of this trace's release is gone."""
    data = {
        "reason": "service-down",
        "environment": environment,
        "releaseId": world.state.deployments[environment].release_id,
        "pid": 1,
    }
    return world.say(Draft(type="TriggerRequested", data=data, environment=environment))


def test_a_service_that_dies_is_started_again() -> None:
    world = delivered()
    tried = len(world.deployer.applied)

    died(world)

    assert world.deployer.applied[tried:] == [("production", "1.0.0", 1)]
    assert "RollbackTriggered" not in world.types()


def test_a_crash_loop_goes_back_to_what_ran_before() -> None:
    world = delivered()
    world.forge.change = None
    world.submit("1.1.0", "trace-2").tests()
    world.comment("jane.doe", "/approve-release production").comment(
        "sam", "/override-freeze production again"
    )

    for _ in range(4):
        died(world)

    triggered = read(world.last("RollbackTriggered"), p.RollbackTriggered)
    assert (triggered.reason, triggered.to_version) == ("1.1.0 died 4 times after its deployment.", "1.0.0")
    assert world.deployer.running["production"] == "1.0.0"
    assert world.state.deployments["production"].status == "failed"


def test_a_service_that_does_not_come_back_and_has_nothing_before_it_calls_a_person() -> None:
    world = delivered()
    world.deployer.sick.add("1.0.0")

    died(world)

    assert world.types("RollbackTriggered", "DeploymentFailed", "ManualInterventionRequired") == [
        "RollbackTriggered",
        "DeploymentFailed",
        "ManualInterventionRequired",
    ]


def test_what_no_longer_runs_by_our_doing_is_not_started_again() -> None:
    old = delivered()
    old.forge.change = None
    old.submit("1.1.0", "trace-2").tests()
    old.comment("jane.doe", "/approve-release production").comment("sam", "/override-freeze production again")
    tried = len(old.deployer.applied)

    old.trace = "trace-1234"
    died(old)

    assert len(old.deployer.applied) == tried


def resubmitted(world: World, actor: str = "agent", **more: Any) -> World:
    """Somebody says `ModuleGenerated` once more for the trace."""
    module = p.ModuleGenerated(
        repository="demo/booking",
        module_id=more.pop("module_id", "booking-service"),
        version="1.0.0",
        files=(File(path="booking_service/__init__.py", content="VERSION = '1.0.0'\n"),),
        changelog=("Book appointments",),
        **more,
    )
    return world.say(draft("ModuleGenerated", module, actor=actor))


def test_the_start_command_is_what_was_approved() -> None:
    world = World(policy=FROZEN)
    world.now = world.now.replace(month=12, day=20)
    world.submit(service=Service(command=("python3", "-m", "good"))).tests()
    world.comment("jane.doe", "/approve-release production")

    resubmitted(world, service=Service(command=("sh", "-c", "evil")))

    assert [a.ended for a in world.state.approvals] == ["invalidated"]
    assert world.last("ApprovalInvalidated").data["reason"] == "the way the service is started has changed"
    world.tests().comment("sam", "/override-freeze production now")
    assert world.types("ChangeMerged") == []
    assert "`sh -c evil`" in messages.change_body(world.state, "http://bot")


def test_after_the_merge_the_trace_takes_no_other_code_in() -> None:
    world = World()
    world.deployer.hold = True
    world.submit(service=Service(command=("python3", "-m", "good"))).tests()
    world.comment("jane.doe", "/approve-release production")
    committed = len(world.forge.committed)

    resubmitted(world, service=Service(command=("sh", "-c", "evil")))
    world.release_held()

    assert len(world.forge.committed) == committed
    assert world.last("ManualInterventionRequired").data["message"] == (
        "This trace delivers booking-service of agent, and only that until it is merged. Submit this as a trace of its own."
    )
    started = [e.release.service.command for e in world.deployed]
    assert set(started) == {("python3", "-m", "good")}
    assert world.types("ReleasePublished") == ["ReleasePublished"]


@pytest.mark.parametrize("foreign", [{"actor": "mallory"}, {"module_id": "other-service"}])
def test_a_trace_is_not_taken_over_by_another_submitter_or_module(foreign: dict[str, str]) -> None:
    world = World().submit()
    before = world.state.model_copy(update={"sequence": 0})

    resubmitted(world, **foreign)

    assert (world.state.submitter, world.state.module_id) == ("agent", "booking-service")
    assert world.state.module_event == before.module_event
    assert world.state.flow.state == before.flow.state


def test_a_command_on_another_change_says_nothing_here() -> None:
    world = World().submit().tests()
    said = p.Comment(
        repository="demo/booking",
        change=7,
        comment_id="c7",
        author="jane.doe",
        body="/approve-release production",
        created_at=world.now,
    )

    world.say(draft("CommentCreated", said, actor="jane.doe"))

    refused = read(world.last("CommandRefused"), p.CommandRefused)
    assert (refused.reason_code, refused.message) == (
        "AnotherChange",
        "This trace is about change #1: say it there.",
    )
    assert world.state.approvals == ()


def test_the_merge_of_another_change_is_not_ours() -> None:
    world = World().submit().tests()
    merged = dict(world.forge.change or {}) | {
        "number": 9,
        "mergeSha": "e" * 40,
        "tree": "t",
        "headTree": "t",
    }

    world.say(Draft(type="ChangeMerged", data={k: v for k, v in merged.items() if k != "state"}))

    assert not world.state.merged


def test_a_changelog_entry_that_is_none_is_refused_before_anything_is_committed() -> None:
    world = World().submit(changelog=("c",))

    assert read(world.last("AgentTaskFailed"), p.TaskEnded).reason_code == "ChangelogInvalid"
    assert world.forge.committed == []
