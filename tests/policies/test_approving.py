"""Who may approve and lift, as what, and what they are told when they may not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.errors import Refused
from bot.domain.payloads import Actor
from policies import (
    Permission,
    allowed,
    approve,
    environment_of,
    evaluate,
    holders,
    lift,
    permissions_of,
    roles_of,
    seats,
)
from policies.freezes import status
from tests.policies.builders import HEAD, MERGED, NOON, OLD, approval, facts, of_gates, people, policy

JANE = Actor(login="Jane.Doe", permission="write")
RITA = Actor(login="rita", permission="write", teams=("ACME/release",))
SAM = Actor(login="sam", permission="read")
EVE = Actor(login="eve", permission="admin")
FRIDAY = datetime(2026, 11, 20, 18, tzinfo=UTC)


def refusal(*arguments: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        approve(*arguments)
    return caught.value.reason_code, caught.value.message


def test_the_role_one_approves_in() -> None:
    assert approve(policy(), facts(), JANE, "production", HEAD) == "ProductOwner"
    assert approve(policy(), facts(), RITA, "production", HEAD) == "ReleaseManager"
    sre = Actor(login="sid", teams=("acme/sre",))
    assert approve(policy(), facts(), sre, "production", HEAD) == "team:acme/sre"


@pytest.mark.parametrize(
    ("actor", "environment", "revision", "code", "message"),
    [
        (EVE, "production", HEAD, "UnauthorizedApprover",
         "eve is without a role here; production is approved by ProductOwner or ReleaseManager or team acme/sre or team acme/dba."),
        (SAM, "production", HEAD, "UnauthorizedApprover",
         "sam is StudioApprover here; production is approved by ProductOwner or ReleaseManager or team acme/sre or team acme/dba."),
        (JANE, "production", OLD, "HeadMoved",
         "You looked at bbbbbbb, but the head is aaaaaaa by now. Look again, then approve again."),
        (JANE, "production", HEAD[:7], "HeadMoved",
         "You looked at aaaaaaa, but the head is aaaaaaa by now. Look again, then approve again."),
        (JANE, None, HEAD, "EnvironmentRequired", "Say which environment: staging, production."),
        (JANE, "prod", HEAD, "UnknownEnvironment", "There is no environment 'prod' in the policy: staging, production."),
    ],
)  # fmt: skip
def test_what_is_refused(actor: Actor, environment: str, revision: str, code: str, message: str) -> None:
    assert refusal(policy(), facts(), actor, environment, revision) == (code, message)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"author": "jane.doe"}, "is the author"),
        ({"committers": ("bob", "JANE.DOE")}, "committed to it"),
        ({"last_pusher": "jane.doe"}, "pushed last"),
    ],
)
def test_nobody_is_his_own_second_party(said: Any, why: str) -> None:
    assert refusal(policy(), facts(**said), JANE, "production", HEAD) == (
        "AuthorCannotApprove", f"Jane.Doe {why}: somebody else must approve it."
    )  # fmt: skip


def test_unless_the_policy_says_so() -> None:
    own = of_gates("approvals: {user: jane.doe, exclude: []}")
    assert approve(own, facts(author="jane.doe"), JANE, "production", HEAD) == "user"
    assert evaluate(own, facts(author="jane.doe", approvals=(approval("jane.doe", "user"),)), NOON).approved


def test_a_bot_never_approves_by_role() -> None:
    bot = Actor(login="jane.doe", bot=True)
    assert refusal(policy(), facts(), bot, "production", HEAD)[0] == "UnauthorizedApprover"


def test_a_reason_may_be_required() -> None:
    own = of_gates("approvals: {user: jane.doe, justification: true}")
    said = refusal(own, facts(), JANE, None, HEAD, "  ")
    assert said == ("JustificationRequired", "Say why: `/approve-release production <reason>`.")
    assert approve(own, facts(), JANE, None, HEAD, "checked by hand") == "user"
    silent, said_why = approval("jane.doe", "user"), approval("jane.doe", "user", comment="checked by hand")
    assert evaluate(own, facts(approvals=(silent,)), NOON).state == "delayed"
    assert evaluate(own, facts(approvals=(said_why,)), NOON).state == "approved"


def test_without_an_approval_gate_the_seeded_roles_may_say_yes() -> None:
    assert approve(policy(), facts(), RITA, "staging", HEAD) == "ReleaseManager"
    assert refusal(policy(), facts(), EVE, "staging", HEAD) == (
        "UnauthorizedApprover",
        "eve is without a role here; staging is approved by jane.doe or team acme/product or team acme/release.",
    )


def test_after_the_merge_the_merge_is_the_head() -> None:
    assert approve(policy(), facts(revision=MERGED), JANE, "production", MERGED) == "ProductOwner"
    assert refusal(policy(), facts(revision=MERGED), JANE, "production", HEAD)[0] == "HeadMoved"


def test_the_only_environment_needs_no_name() -> None:
    assert environment_of(of_gates(), None) == "production"


def leaf(rule: str, **said: Any) -> tuple[str, str, str, tuple[str, ...]]:
    """State, reason, sentence and helpers of an environment's one approval rule."""
    roles = (
        "{Owner: {users: [ann, ben]}, Lead: {teams: [acme/leads]}, Both: {users: [cy], teams: [acme/leads]}}"
    )
    own = of_gates(f"approvals: {rule}", roles=roles)
    (verdict,) = [child for child in evaluate(own, facts(**said), NOON).children if child.name == "approvals"]
    return verdict.state, verdict.reason_code, verdict.message, verdict.who_can


COMMAND = "`/approve-release production`"


def test_a_pending_rule_says_who_can_help() -> None:
    assert leaf("{role: Owner}") == (
        "delayed",
        "ApprovalMissing",
        f"Needs an approval by Owner: {COMMAND}.",
        ("ann", "ben"),
    )
    assert leaf("{role: Both}")[3] == ("cy", "team acme/leads")
    assert leaf("{permission: maintain}")[2:] == (
        f"Needs an approval by somebody with maintain permission: {COMMAND}.", ("somebody with maintain permission",)
    )  # fmt: skip
    assert leaf("{role: Owner, count: 2}", approvals=(approval("ANN", "Owner"),)) == (
        "delayed", "ApprovalMissing", f"Needs 1 more approval by Owner: {COMMAND}.", ("ben",)
    )  # fmt: skip


def test_a_rule_nobody_is_left_for_is_impossible() -> None:
    assert leaf("{role: Owner}", author="ann", last_pusher="Ben") == (
        "rejected", "ApprovalImpossible",
        "Nobody can approve as Owner: ann is the author, ben pushed last. Name somebody else in the policy.", (),
    )  # fmt: skip
    assert leaf("{role: Owner, count: 2}", author="ann")[2] == (
        "Only 1 of 2 can approve as Owner: ann is the author. Name somebody else in the policy."
    )
    assert leaf("{any: [{role: Owner}, {role: Lead}]}", author="ann", last_pusher="ben")[0] == "delayed"


def test_a_right_that_was_lost_rejects() -> None:
    given = (approval("lea", "Lead"),)
    assert leaf("{role: Lead}", approvals=given, actors=people(lea="acme/leads"))[0] == "approved"
    assert leaf("{role: Lead}", approvals=given, actors=people(lea="acme/guests")) == (
        "rejected", "UnauthorizedApprover", "lea approved as Lead, but is not that any more.", ("team acme/leads",)
    )  # fmt: skip
    both = (*given, approval("max", "Lead"))
    assert (
        leaf("{role: Lead}", approvals=both, actors=people(lea="acme/guests", max="acme/leads"))[0]
        == "approved"
    )


def test_membership_that_the_forge_did_not_speak_of_is_as_it_was_when_the_approval_was_given() -> None:
    assert leaf("{role: Lead}", approvals=(approval("lea", "Lead"),))[0] == "approved"
    assert leaf("{role: Lead}", approvals=(approval("lea", "Owner"),))[0] == "delayed"
    assert leaf("{team: acme/leads}", approvals=(approval("lea", "team:acme/leads"),))[0] == "approved"
    assert leaf("{role: Owner}", approvals=(approval("lea", "Owner"),))[1] == "UnauthorizedApprover"


def test_approvals_that_do_not_count_are_spoken_of() -> None:
    assert leaf("{role: Owner}", approvals=(approval("ann", "Owner", revision=OLD),))[2] == (
        f"Needs an approval by Owner: {COMMAND}. ann approved bbbbbbb, which is not this revision."
    )
    assert leaf("{role: Owner}", approvals=(approval("ann", "Owner"),), author="ann")[2] == (
        f"Needs an approval by Owner: {COMMAND}. ann is the author, so it does not count."
    )
    assert leaf("{role: Owner}", approvals=(approval("ann", "Owner", ended="revoked"),))[2] == (
        f"Needs an approval by Owner: {COMMAND}."
    )


def test_exclusions_by_name() -> None:
    given = (approval("ann", "Owner"),)
    bot = {"ann": Actor(login="ann", bot=True)}
    assert leaf("{role: Owner, exclude: [co-authors]}", approvals=given, co_authors=("Ann",))[0] == "delayed"
    assert (
        leaf("{role: Owner, exclude: [author]}", approvals=given, committers=("ann",), last_pusher="ann")[0]
        == "approved"
    )
    assert leaf("{users: [ann, ben], exclude: bots}", approvals=given, actors=bot)[0] == "delayed"


def test_different_people() -> None:
    rule = "{all: [{role: Owner}, {users: [ann, cy]}], people: 2}"
    assert leaf(rule, approvals=(approval("ann", "Owner"),)) == (
        "delayed", "ApprovalMissing", "Needs 2 different people; so far only ann approved.", ("ben", "cy")
    )  # fmt: skip
    assert leaf(rule, approvals=(approval("ann", "Owner"), approval("cy", "user")))[0] == "approved"


def test_one_person_counts_once() -> None:
    twice = (approval("ann", "Owner"), approval("Ann", "Owner", id="second"))
    assert leaf("{role: Owner, count: 2}", approvals=twice)[0] == "delayed"


def test_roles_and_what_they_allow() -> None:
    own = policy()
    assert roles_of(own, JANE) == ["ProductOwner"]
    assert roles_of(own, RITA) == ["ReleaseManager"]
    assert permissions_of(own, SAM) == {Permission.READ, Permission.OVERRIDE_FREEZE}
    assert permissions_of(own, EVE) == {Permission.READ, Permission.WRITE}
    assert permissions_of(own, RITA) == {
        Permission.READ, Permission.WRITE, Permission.APPROVE_RELEASE, Permission.REJECT_RELEASE
    }  # fmt: skip
    assert holders(own, Permission.DEPLOY) == ("dan",)
    assert holders(own, Permission.APPROVE_RELEASE) == ("jane.doe", "team acme/product", "team acme/release")


SEEDS = {
    "ProductOwner": {"approve.release"},
    "ReleaseManager": {"approve.release", "reject.release"},
    "StudioAdmin": {"rollback"},
    "StudioApprover": set(),
    "Deployer": {"rollback", "retry", "deploy"},
    "DevOpsEngineer": {"rollback", "retry"},
    "InfraAdmin": {"provision"},
    "CloudArchitect": {"provision"},
    "SecurityReviewer": set(),
    "Stranger": set(),
}


@pytest.mark.parametrize("role", SEEDS)
@pytest.mark.parametrize("permission", list(Permission))
def test_the_seeds_matrix(role: str, permission: Permission) -> None:
    own = of_gates(roles=f"{{{role}: {{users: [ann]}}}}")
    ann = Actor(login="ann", permission="read")
    assert allowed(own, ann, permission, "production") == (permission in SEEDS[role] | {"read"})
    assert (
        not allowed(own, ann.model_copy(update={"bot": True}), permission, "production")
        or permission == "read"
    )


def test_a_role_may_be_of_some_environments_only() -> None:
    own = policy_with_scope()
    ann = Actor(login="ann")
    assert allowed(own, ann, Permission.DEPLOY, "staging")
    assert not allowed(own, ann, Permission.DEPLOY, "production")
    assert not allowed(own, ann, Permission.DEPLOY)


def policy_with_scope() -> Any:
    from policies import load

    return load(
        "version: 1\nroles: {Deployer: {users: [ann], environments: [staging]}}\nenvironments: {staging: {}, production: {}}\n"
    )


def test_being_named_in_a_rule_allows_to_approve() -> None:
    sre = Actor(login="sid", teams=("acme/sre",))
    assert seats(policy(), sre, "production") == ["team:acme/sre"]
    assert allowed(policy(), sre, Permission.APPROVE_RELEASE, "production")
    assert not allowed(policy(), sre, Permission.APPROVE_RELEASE, "staging")


def test_lifting_a_freeze_names_its_window_and_ends_with_it() -> None:
    (lifted,) = lift(policy(), facts(), SAM, "production", "outage", FRIDAY)
    assert lifted.model_dump(exclude={"at", "until"}) == {
        "environment": "production", "window": "weekend", "by": "sam", "role": "StudioApprover", "reason": "outage",
        "revision": HEAD,
    }  # fmt: skip
    assert lifted.until == datetime(2026, 11, 23, 7, tzinfo=UTC)
    own = policy()
    free = facts(overrides=(lifted,))
    assert not status(own.freezes, free, FRIDAY).closed
    assert not status(own.freezes, free, lifted.until - timedelta(minutes=1)).closed
    assert status(own.freezes, free, FRIDAY + timedelta(days=7)).closed, "it died with its window"
    assert status(own.freezes, facts(overrides=(lifted,), revision=OLD), FRIDAY).closed, "another revision"
    assert not status(
        own.freezes, facts(overrides=(lifted,), revision=MERGED, carried={MERGED: HEAD}), FRIDAY
    ).closed


@pytest.mark.parametrize(
    ("actor", "reason", "now", "code", "message"),
    [
        (
            JANE,
            "x",
            FRIDAY,
            "UnauthorizedApprover",
            "Jane.Doe may not override a freeze of production; sam may.",
        ),
        (SAM, " ", FRIDAY, "JustificationRequired", "Say why: `/override-freeze production <reason>`."),
        (SAM, "x", NOON, "NoActiveFreeze", "No freeze closes production now."),
    ],
)
def test_lifting_that_is_refused(actor: Actor, reason: str, now: datetime, code: str, message: str) -> None:
    with pytest.raises(Refused) as caught:
        lift(policy(), facts(), actor, "production", reason, now)
    assert (caught.value.reason_code, caught.value.message) == (code, message)
