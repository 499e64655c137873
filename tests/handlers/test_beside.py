"""What is told to a forge beside the delivery: release pages, environments, issues."""

from __future__ import annotations

import pytest

from bot.domain import effect as fx
from bot.domain import payloads as p
from tests.handlers.test_journey import delivered
from tests.handlers.world import POLICY, World

NOTES = """\
### Changes
- Book appointments

### Approved by
- `jane.doe` (ProductOwner) for **production**: looks right

Change #1, revision `{revision}`. Trace: [trace-1234](http://127.0.0.1:8080/traces/trace-1234)"""
NO_APPROVAL = POLICY.replace("      - approvals: {role: ProductOwner}\n", "")


def issues(on: str, policy: str = POLICY) -> str:
    return f"{policy}issues: {{on: {on}, labels: [incident]}}\n"


# -- release pages


def test_what_is_released_everywhere_gets_a_page_with_notes() -> None:
    world = delivered()

    (page,) = world.forge.wanted(fx.PublishRelease)
    assert (page.tag, page.title, page.prerelease) == ("v1.0.0", "booking-service 1.0.0", False)
    assert page.revision == world.state.head == world.forge.heads["main"]
    assert page.notes == NOTES.format(revision=page.revision[:10])
    assert (page.target, page.repository) == ("local", "demo/booking")


def test_nothing_on_the_way_to_production_waits_for_the_page() -> None:
    world = delivered()

    kinds = [effect.kind for effect in world.forge.performed]
    last = [
        effect
        for effect in world.forge.wanted(fx.RecordDeployment)
        if (effect.environment, effect.state) == ("production", "success")
    ]
    assert len(last) == 1
    assert kinds.index("PublishRelease") > kinds.index("MergeChange")
    assert not world.forge.wanted(fx.PublishRelease)[0].task_id


@pytest.mark.parametrize("version", ["1.0.0-rc.1", "2.0.0+build.5"])
def test_a_version_says_whether_it_is_a_prerelease(version: str) -> None:
    world = World(policy=NO_APPROVAL).submit(version).tests()
    (page,) = world.forge.wanted(fx.PublishRelease)
    assert (page.tag, page.prerelease) == (f"v{version}", "-" in version)


def test_of_several_modules_each_has_tags_of_its_own() -> None:
    world = World(policy=NO_APPROVAL).submit(path="services/booking").tests()
    (page,) = world.forge.wanted(fx.PublishRelease)
    assert page.tag == "booking-service-v1.0.0"


def test_notes_say_when_nobody_was_asked() -> None:
    world = World(policy=NO_APPROVAL).submit(changelog=()).tests()
    (page,) = world.forge.wanted(fx.PublishRelease)
    assert "### Approved by\nNobody was asked: the policy wants no approval.\n" in page.notes
    assert page.notes.startswith("### Changes\n- booking-service 1.0.0\n")


def test_an_approval_of_something_else_is_not_in_the_notes() -> None:
    world = World().submit().tests()
    world.comment("jane.doe", "/approve-release production looks right")
    world.forge.wanted(fx.PublishRelease).clear()
    other = World().submit().tests()
    other.comment("jane.doe", "/approve-release production the first one")
    (page,) = world.forge.wanted(fx.PublishRelease)
    assert page.notes.count("`jane.doe`") == 1
    assert "the first one" not in page.notes


def test_a_policy_may_do_without_pages() -> None:
    world = World(policy=f"{NO_APPROVAL}release-page: false\n").submit().tests()
    assert world.state.published
    assert world.forge.wanted(fx.PublishRelease) == []


def test_notes_cannot_be_written_into_by_a_changelog() -> None:
    world = World(policy=NO_APPROVAL).submit(changelog=("<!-- x --> @everybody [a](http://b)",)).tests()
    (page,) = world.forge.wanted(fx.PublishRelease)
    assert "<!--" not in page.notes.replace("\\<", "")
    assert "@everybody" not in page.notes


# -- environments


def test_an_environment_says_where_things_are() -> None:
    world = World().submit()
    wanted = {effect.environment: effect for effect in world.forge.wanted(fx.PrepareEnvironment)}
    assert set(wanted) == {"staging", "production"}
    infra = world.state.infra["staging"]
    assert wanted["staging"].variables == {
        "POINTSMAN_NAMESPACE": "default-staging",
        "POINTSMAN_ENDPOINT": infra["endpoint"],
    }
    assert infra["endpoint"]


def test_of_several_modules_each_has_an_endpoint_of_its_own() -> None:
    world = World().submit(path="services/booking")
    wanted = world.forge.wanted(fx.PrepareEnvironment)[0]
    assert set(wanted.variables) == {"POINTSMAN_NAMESPACE", "POINTSMAN_ENDPOINT_BOOKING_SERVICE"}


def test_no_secret_and_no_reference_to_one_is_told() -> None:
    world = World().submit()
    secrets = [value for ready in world.state.infra.values() for value in ready.get("secrets", {}).values()]
    told = [v for effect in world.forge.wanted(fx.PrepareEnvironment) for v in effect.variables.values()]
    assert secrets
    assert not set(secrets) & set(told)


# -- issues


def sick(policy: str, version: str = "1.0.0", before: str | None = None) -> World:
    """A release that never becomes healthy, perhaps after one that did."""
    world = World(policy=policy)
    if before:
        world.submit(before, trace="trace-0").tests()
        world.forge.change = None
    world.deployer.sick.add(version)
    return world.submit(version).tests()


@pytest.mark.parametrize("policy", [NO_APPROVAL, issues("[failure]", NO_APPROVAL)])
def test_no_issue_is_opened_that_the_policy_does_not_ask_for(policy: str) -> None:
    world = sick(policy, before="0.9.0")
    assert "RollbackTriggered" in world.types()
    assert world.forge.wanted(fx.OpenIssue) == []


def test_a_rollback_opens_one_issue_that_says_what_failed_and_what_to_do() -> None:
    world = sick(issues("rollback", NO_APPROVAL), "1.0.0", before="0.9.0")

    (issue,) = world.forge.wanted(fx.OpenIssue)
    assert issue.title == "booking-service 1.0.0 was rolled back in staging"
    assert issue.labels == ("incident",)
    reason = world.last("RollbackTriggered").data["reason"]
    assert issue.body == (
        f"The bot rolled it back; 0.9.0 runs again. {reason}\n"
        "\nThe end of its log:\n\n```text\nTraceback: boom\n```\n"
        "\nRepair it and submit a new version. To try the same one again, write `/retry` on its change.\n"
        "\nChange #1. Trace: [trace-1234](http://127.0.0.1:8080/traces/trace-1234)"
    )


def test_a_rollback_to_nothing_that_fails_opens_one_issue_not_two() -> None:
    world = sick(issues("[rollback, failure]", NO_APPROVAL))
    assert world.last("DeploymentFailed").data["rollback"] == "failed"
    (issue,) = world.forge.wanted(fx.OpenIssue)
    assert "nothing runs there now, as nothing good ran before" in issue.body


def test_a_rollback_that_failed_is_a_failure_where_rollbacks_have_no_issue() -> None:
    world = sick(issues("[failure]", NO_APPROVAL))
    (issue,) = world.forge.wanted(fx.OpenIssue)
    assert issue.title == "booking-service 1.0.0 could not be deployed to staging"
    assert "The rollback failed as well." in issue.body


def test_a_deployment_that_is_given_up_opens_an_issue_with_its_log() -> None:
    manual = issues("failure", NO_APPROVAL).replace("rollback: automatic", "rollback: manual")
    world = sick(manual, before="0.9.0")

    assert "RollbackTriggered" not in world.types()
    (issue,) = world.forge.wanted(fx.OpenIssue)
    assert issue.title == "booking-service 1.0.0 could not be deployed to staging"
    assert "It was not rolled back.\n\nThe end of its log:\n\n```text\nTraceback: boom\n```\n" in issue.body
    assert "Look at what runs in **staging** now." in issue.body


# -- links


def test_a_change_is_linked_to_what_its_submission_is_about() -> None:
    world = World().submit(issues=("#12", "AB#7"), close_issues=True)
    (link,) = world.forge.wanted(fx.LinkIssues)
    assert (link.change, link.references, link.closes) == (1, ("#12", "AB#7"), True)
    (opened,) = world.forge.wanted(fx.OpenChange)
    assert "### Issues\n- Closes #12\n- Closes AB#7\n" in opened.body


def test_the_links_stay_when_the_description_is_written_again() -> None:
    world = World().submit(issues=("#12",)).tests()
    (update,) = world.forge.wanted(fx.UpdateChange)
    assert "### Issues\n- About #12\n" in str(update.body)


def test_a_submission_about_nothing_links_nothing() -> None:
    world = World().submit()
    assert world.forge.wanted(fx.LinkIssues) == []
    assert "### Issues" not in world.forge.wanted(fx.OpenChange)[0].body


@pytest.mark.parametrize(
    "reference", ["12", "#0", "#", "see #12", "#12\n- Closes #13", "@all#1", "#1234567890"]
)
def test_a_reference_is_one_as_people_write_them(reference: str) -> None:
    with pytest.raises(ValueError, match="issues"):
        p.ModuleGenerated(repository="a/b", module_id="m", version="1.0.0", issues=(reference,))


# -- forges that have no such thing


@pytest.mark.parametrize("kind", ["PublishRelease", "OpenIssue", "LinkIssues", "PrepareEnvironment"])
def test_what_a_forge_does_not_have_calls_nobody(kind: str) -> None:
    world = World(policy=issues("[rollback, failure]", NO_APPROVAL))
    world.forge.unknown = frozenset({kind})
    world.submit(issues=("#12",)).tests()
    assert world.state.published
    assert world.types("ManualInterventionRequired") == []


def test_a_release_page_that_could_not_be_made_calls_a_person() -> None:
    world = World(policy=NO_APPROVAL)
    world.forge.do_publish_release = refuse  # type: ignore[method-assign,assignment]
    world.submit().tests()
    told = world.last("ManualInterventionRequired").data
    assert told["reasonCode"] == "TagTaken"
    assert "the tag v1.0.0 is on another revision" in told["message"]


def refuse(_effect: fx.Effect, _world: object) -> None:
    from bot.domain.errors import Permanent

    raise Permanent("TagTaken", "the tag v1.0.0 is on another revision")
