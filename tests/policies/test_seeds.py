"""The seeds' shapes of a policy mean what interfaces.md says they mean."""

# ruff: noqa: ISC004  sentences are asserted whole, beside what causes them

from __future__ import annotations

from typing import Any

import pytest

import policies
from policies import Policy, PolicyErrors, load
from policies.resolved import values
from tests.policies.builders import NOON, approval, facts

SECURITY = """\
version: 1
roles:
  ReleaseManager: {users: [rob]}
securityPolicy:
  requireApprovalFor:
    - environment: production
      roles: [ProductOwner, ReleaseManager]
  requireSignedImages: true
  enforceChangeFreeze: true
  allowedApprovers:
    vetclinic:
      - user: jane.doe
        role: ProductOwner
"""
RELEASE = """\
version: 1
roles:
  ReleaseManager: {users: [rob, both]}
  SecurityReviewer: {users: [kim, both]}
releasePolicy:
  environments:
    production:
      requiresApproval: true
      roles: ["ReleaseManager", "SecurityReviewer"]
      minDelayBeforeDeploy: 10m
      requireSignedArtifacts: true
      requireJustification: true
"""


def gates(policy: Policy, environment: str = "production") -> dict[str, Any]:
    return {item.gate.name: item.gate for item in policy.environments[environment].gates}


def approvals_of(policy: Policy, *given: str, tenant: str = "default") -> policies.Verdict:
    votes = tuple(approval(who, "x", comment="because") for who in given)
    verdict = policies.evaluate(policy, facts(approvals=votes, tenant=tenant), NOON)
    return next(child for child in verdict.children if child.name == "approvals")


def test_either_role_approves() -> None:
    policy = load(SECURITY)
    assert list(gates(policy)) == ["tests-passed", "signed-artifacts", "approvals"]
    assert approvals_of(policy, "rob").approved
    assert approvals_of(policy).state == "delayed"


def test_an_allowed_approver_is_one_in_the_own_tenant_only() -> None:
    policy = load(SECURITY)
    assert approvals_of(policy, "jane.doe", tenant="vetclinic").approved
    assert not approvals_of(policy, "jane.doe").approved
    assert not approvals_of(policy, "jane.doe", tenant="another").approved


def test_signed_images_are_wanted_everywhere() -> None:
    verdict = policies.evaluate(load(SECURITY), facts(), NOON)
    (signed,) = (child for child in verdict.children if child.name == "signed-artifacts")
    assert (signed.state, signed.reason_code) == ("delayed", "ArtifactsUnknown")


def test_of_a_release_policy_one_of_each_role_and_two_people_approve() -> None:
    policy = load(RELEASE)
    assert list(gates(policy)) == ["tests-passed", "approvals", "minimum-delay", "signed-artifacts"]
    assert approvals_of(policy, "rob", "kim").approved
    assert approvals_of(policy, "both").message == "Needs 2 different people; so far only both approved."
    assert approvals_of(policy, "rob").state == "delayed"


def test_a_reason_is_wanted() -> None:
    silent = tuple(approval(who, "x") for who in ("rob", "kim"))
    verdict = policies.evaluate(load(RELEASE), facts(approvals=silent), NOON)
    assert not next(child for child in verdict.children if child.name == "approvals").approved


def test_no_roles_are_either_of_the_two() -> None:
    text = (
        "version: 1\nroles: {ProductOwner: {users: [jane]}, ReleaseManager: {users: [rob]}}\nreleasePolicy:\n"
    )
    policy = load(f"{text}  environments: {{production: {{requiresApproval: true}}}}\n")
    assert approvals_of(policy, "jane").approved
    assert approvals_of(policy, "rob").approved
    none = load(f"{text}  environments: {{production: {{requiresApproval: false}}}}\n")
    assert list(gates(none)) == ["tests-passed"]


def test_nothing_is_deployed_by_itself() -> None:
    policy = load("version: 1\nreleasePolicy: {autoDeploy: false}\nenvironments: {lab: {}, production: {}}\n")
    assert policy.merge.when == "manual"
    assert [list(gates(policy, name)) for name in policy.environments] == [["tests-passed", "manual"]] * 2
    one = load(
        "version: 1\nreleasePolicy:\n  environments: {lab: {requiresApproval: false, autoDeploy: false}}\n"
    )
    assert (one.merge.when, list(gates(one, "lab"))) == ("approved", ["tests-passed", "manual"])


def test_the_files_own_words_win() -> None:
    policy = load(RELEASE + "environments:\n  production:\n    gates: [minimum-delay: 1h]\n")
    assert gates(policy)["minimum-delay"].delay.total_seconds() == 3600


def test_the_conversion_is_shown() -> None:
    shown = [str(value) for value in values(load(SECURITY)) if value.converted_from]
    assert shown == [
        "environments.production.gates[1] = signed-artifacts  # policy.yaml:8, from securityPolicy.requireSignedImages",
        "environments.production.gates[2].approvals.any[0].role = ProductOwner  # policy.yaml:7, from "
        "securityPolicy.requireApprovalFor[0].roles[0]",
        "environments.production.gates[2].approvals.any[1].role = ReleaseManager  # policy.yaml:7, from "
        "securityPolicy.requireApprovalFor[0].roles[1]",
    ]
    (jane,) = (v for v in values(load(SECURITY).of("vetclinic")) if v.path == "roles.ProductOwner.users[0]")
    assert jane.to_json() == {
        "path": "roles.ProductOwner.users[0]", "value": "jane.doe", "origin": "policy.yaml", "line": 12, "column": 15,
        "convertedFrom": "securityPolicy.allowedApprovers.vetclinic[0].user",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("requireSignedImages", "requireSignedImage",
         "policy.yaml:8:3: securityPolicy.requireSignedImage: unknown key 'requireSignedImage' (did you mean "
         "'requireSignedImages'?)"),
        ("enforceChangeFreeze: true", "enforceChangeFreeze: false",
         "policy.yaml:9:24: securityPolicy.enforceChangeFreeze: False is not one of: True"),
        ("roles: [ProductOwner, ReleaseManager]", "roles: []",
         "policy.yaml:7:14: securityPolicy.requireApprovalFor[0].roles: must not be empty"),
        ("[ProductOwner, ReleaseManager]", "[ProductOwnr, ReleaseManager]",
         "policy.yaml:7:15: securityPolicy.requireApprovalFor[0].roles[0]: there is no role 'ProductOwnr' "
         "(did you mean 'ProductOwner'?)"),
        ("        role: ProductOwner\n", "",
         "policy.yaml:12:9: securityPolicy.allowedApprovers.vetclinic[0].role: 'role' is missing"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_the_seeds_words(old: str, new: str, said: str) -> None:
    assert old in SECURITY
    with pytest.raises(PolicyErrors) as caught:
        load(SECURITY.replace(old, new, 1))
    assert said in str(caught.value).split("\n")


def test_a_role_that_only_tenants_fill_leaves_the_others_pending_never_approved() -> None:
    policy = load(SECURITY.replace("roles: [ProductOwner, ReleaseManager]", "roles: [ProductOwner]"))
    assert approvals_of(policy, "jane.doe", tenant="vetclinic").approved
    assert approvals_of(policy, "jane.doe").reason_code == "ApprovalImpossible"
