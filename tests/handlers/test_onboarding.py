"""A repository without a policy gets one proposed, and is told what it would have said so far."""

from __future__ import annotations

import policies
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.effect import CommitFiles, OpenChange
from tests.handlers.world import World

PAST = (
    p.PastChange(
        number=12, title="Add | pipes", author="agent", merged_by="jane.doe", head="a" * 40,
        approvers=("joe",), tests="passed",
    ),
    p.PastChange(number=11, title="Fix it", author="jane.doe", merged_by="jane.doe", head="b" * 40, tests="passed"),
    p.PastChange(
        number=10, title="Hurry", author="joe", merged_by="joe", head="c" * 40, approvers=("jane.doe",),
        tests="failed",
    ),
)  # fmt: skip


def onboarded(*past: p.PastChange, policy: str | None = None) -> World:
    world = World()
    world.forge.policy = policy
    if policy is not None:
        world.forge.branches["main"][".pointsman/policy.yaml"] = policy
    world.forge.past = past
    asked = p.OnboardingRequested(repository=world.forge.repository)
    return world.say(draft("pointsman.OnboardingRequested", asked, actor="ada"))


def opened(world: World) -> OpenChange:
    (change,) = [e for e in world.forge.performed if isinstance(e, OpenChange)]
    return change


def test_the_change_says_what_the_policy_would_have_said() -> None:
    change = opened(onboarded(*PAST))
    assert (change.source, change.target_branch, change.title) == (
        "pointsman/onboarding",
        "main",
        "chore: propose a release policy",
    )
    assert change.body == (
        "This adds `.pointsman/policy.yaml`. It **only observes**: nothing is blocked until the file says "
        "`mode: enforce`. Edit it here as you like, then merge; close this change to stay without a policy.\n"
        "\n"
        "It would have held up 2 of the last 3 merged changes; approving reviews count:\n"
        "\n"
        "| change | author | verdict |\n"
        "|---|---|---|\n"
        "| #12 Add \\| pipes | `agent` | ✅ aaaaaaa may be merged for production. |\n"
        "| #11 Fix it | `jane.doe` | ⏳ Needs an approval by ReleaseManager: `/approve-release production`. |\n"
        "| #10 Hurry | `joe` | ❌ The tests of ccccccc failed: push a fix, or /retry if it was not the code. |"
    )


def test_the_proposal_is_a_policy_that_only_observes_and_names_who_signs_off_today() -> None:
    world = onboarded(*PAST)
    (commit,) = [e for e in world.forge.performed if isinstance(e, CommitFiles)]
    (file,) = commit.files
    assert file.path == ".pointsman/policy.yaml"
    policy = policies.load(file.content)
    assert policy.mode == "observe"
    assert policy.roles["ReleaseManager"].users == ("jane.doe", "joe")
    assert "these people have merged or approved the last changes" in file.content


def test_a_new_repository_gets_a_proposal_that_loads() -> None:
    world = onboarded()
    (commit,) = [e for e in world.forge.performed if isinstance(e, CommitFiles)]
    assert (
        "- approvals: {permission: maintain, exclude: [author], accept: [commands, reviews]}"
        in commit.files[0].content
    )
    assert policies.load(commit.files[0].content).mode == "observe"
    assert opened(world).body.endswith("so there is nothing to compare it with.")


def test_a_login_that_yaml_would_read_as_something_else_stays_a_name() -> None:
    change = p.PastChange(number=1, author="agent", merged_by="no", head="a" * 40, approvers=("1e3", "on"))
    (commit,) = [e for e in onboarded(change).forge.performed if isinstance(e, CommitFiles)]
    assert policies.load(commit.files[0].content).roles["ReleaseManager"].users == ("no", "1e3", "on")


def test_a_policy_that_is_there_is_left_alone() -> None:
    world = onboarded(*PAST, policy="version: 1\n")
    assert not [e for e in world.forge.performed if isinstance(e, (CommitFiles, OpenChange))]
    (told,) = [event for event in world.events if event.type == "ManualInterventionRequired"]
    assert told.data["message"] == "`demo/booking` has a policy already: nothing was proposed."
