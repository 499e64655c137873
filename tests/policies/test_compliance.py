"""Compliance mode: what switches it on, what it asks then, and that nothing written weaker gets around it."""

from __future__ import annotations

from typing import Any

import pytest

import policies
from policies import Policy, PolicyErrors, load
from policies.compliance import applies, required
from policies.facts import Artifact, Commit, Component, Signature
from tests.policies.builders import HEAD, NOON, approval, facts

PEOPLE = "roles: {ReleaseManager: {users: [ann]}, SecurityReviewer: {users: [kim]}}\n"
PLAIN = (
    "version: 1\n"
    + PEOPLE
    + "environments:\n  staging: {gates: [tests-passed]}\n  production: {gates: [tests-passed]}\n"
)
ASKED = {
    "tests-passed", "coverage", "hold", "target-branch", "commit-message", "commit-signatures", "sbom-present",
    "signed-artifacts", "namespace-authorised", "rollback-plan", "approvals", "minimum-delay",
}  # fmt: skip


def gates(policy: Policy, **said: Any) -> list[str]:
    known = facts(**said)
    return [item.gate.name for item in policy.of(known.tenant).items(known)]


SWITCHES: list[tuple[str, str, dict[str, Any]]] = [
    ("the policy", PLAIN + "regulated: true\n", {}),
    ("the tenant", PLAIN + "tenants: {vetclinic-001: {regulated: true}}\n", {"tenant": "vetclinic-001"}),
    ("the environment", PLAIN.replace("production: {gates", "production: {compliance: true, gates"), {}),
    ("what was submitted", PLAIN, {"compliance_mode": True}),
    ("the pack", "version: 1\nextends: compliance\n" + PEOPLE, {}),
]


@pytest.mark.parametrize(("switch", "text", "said"), SWITCHES, ids=[row[0] for row in SWITCHES])
def test_what_switches_it_on(switch: str, text: str, said: dict[str, Any]) -> None:
    policy, known = load(text), facts(**said)
    assert applies(policy.of(known.tenant), known)
    assert set(gates(policy, **said)) >= ASKED


def test_what_is_not_under_it_is_as_it_was() -> None:
    tenant = load(PLAIN + "tenants: {vetclinic-001: {regulated: true}}\n")
    assert gates(tenant, tenant="somebody") == ["tests-passed"]
    environment = load(PLAIN.replace("production: {gates", "production: {compliance: true, gates"))
    assert gates(environment, environment="staging") == ["tests-passed"]
    assert gates(load(PLAIN)) == ["tests-passed"]


def test_the_pack_asks_nothing_twice() -> None:
    named = gates(load("version: 1\nextends: compliance\n" + PEOPLE), environment="staging")
    assert sorted(named) == sorted(ASKED)


def test_what_is_written_weaker_is_asked_beside_what_compliance_asks() -> None:
    weaker = (
        "version: 1\nextends: compliance\n"
        + PEOPLE
        + "environments: {production: {gates: [{coverage: {minimum: 10}}, {minimum-delay: 1m}]}}\n"
    )
    named = gates(load(weaker))
    assert (named.count("coverage"), named.count("minimum-delay")) == (2, 2)
    verdict = policies.evaluate(load(weaker), facts(coverage={HEAD: 50.0}), NOON)
    assert {child.state for child in verdict.children if child.name == "coverage"} == {"approved", "rejected"}


def test_under_a_condition_a_gate_is_no_answer() -> None:
    conditional = PLAIN.replace(
        "production: {gates: [tests-passed]}",
        "production: {gates: [tests-passed, {when: 'change.draft', target-branch: [x]}]}",
    )
    assert gates(load(conditional + "regulated: true\n")).count("target-branch") == 2


def test_the_branch_is_the_houses_choice() -> None:
    own = PLAIN.replace(
        "production: {gates: [tests-passed]}",
        "production: {gates: [tests-passed, {target-branch: [master]}]}",
    )
    assert gates(load(own + "regulated: true\n")).count("target-branch") == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("regulated: true\n", "policy.yaml:6:12: regulated.approvals.all[1].role: "),
        (
            "tenants: {t: {regulated: true}}\n",
            "policy.yaml:6:26: tenants.t.regulated.approvals.all[1].role: ",
        ),
    ],
)
def test_people_of_both_roles_must_be_named(more: str, said: str) -> None:
    with pytest.raises(PolicyErrors) as error:
        load(PLAIN.replace(PEOPLE, "roles: {ReleaseManager: {users: [ann]}}\n") + more)
    why = "nobody holds the role 'SecurityReviewer': name users or teams under `roles`"
    assert f"{said}{why}" in str(error.value)


def compliant(**more: Any) -> dict[str, Any]:
    signature = Signature(identity="ci", verified=True)
    return {
        "title": "feat: add bookings",
        "commits": (Commit(sha=HEAD, message="feat: add bookings", signed=True, signer="bot"),),
        "components": {HEAD: (Component(name="a", licences=("MIT",)),)},
        "artifacts": {HEAD: (Artifact(name="booking", signatures=(signature,)),)},
        "namespace": "default-production",
        "approvals": (
            approval("ann", role="ReleaseManager", comment="checked"),
            approval("kim", role="SecurityReviewer", comment="checked"),
        ),
    } | more


@pytest.mark.parametrize(
    ("missing", "gate"),
    [
        ({"approvals": (approval("ann", role="ReleaseManager", comment="checked"),)}, "approvals"),
        (
            {
                "approvals": (
                    approval("ann", role="ReleaseManager", comment="x"),
                    approval("kim", role="SecurityReviewer"),
                )
            },
            "approvals",
        ),
        ({"commits": (Commit(sha=HEAD, signed=False),)}, "commit-signatures"),
        ({"components": {}}, "sbom-present"),
        ({"artifacts": {HEAD: (Artifact(name="booking"),)}}, "signed-artifacts"),
        ({"base_branch": "develop"}, "target-branch"),
        ({"title": "bookings"}, "commit-message"),
        ({"coverage": {HEAD: 70.0}}, "coverage"),
        ({"tests": {HEAD: "failed"}}, "tests-passed"),
        ({"labels": ("hold",)}, "hold"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_thing_that_is_missing_stops_the_release(missing: dict[str, Any], gate: str) -> None:
    policy = load(PLAIN + "regulated: true\n")
    assert policies.evaluate(policy, facts(**compliant()), NOON).state == "approved"
    verdict = policies.evaluate(policy, facts(**compliant(**missing)), NOON)
    assert [child.name for child in verdict.children if child.state in {"delayed", "rejected"}] == [gate]


def test_time_to_think_and_the_namespace_are_asked_after_the_merge() -> None:
    policy = load(PLAIN + "regulated: true\n")
    verdict = policies.evaluate(
        policy, facts(**compliant(phase="deployment", namespace="other-production")), NOON
    )
    assert {child.name for child in verdict.children if child.state in {"delayed", "rejected"}} == {
        "minimum-delay",
        "namespace-authorised",
    }


def test_no_way_back_is_no_plan() -> None:
    text = PLAIN.replace(
        "production: {gates: [tests-passed]}",
        "production: {gates: [tests-passed], deploy: {rollback: never}}",
    )
    verdict = policies.evaluate(load(text + "regulated: true\n"), facts(**compliant()), NOON)
    (gate,) = [child for child in verdict.children if child.state == "rejected"]
    assert (
        gate.message == "There is no way back from production: let `deploy.rollback` be automatic or manual."
    )


def test_it_reads_the_reports_that_it_needs() -> None:
    assert load(PLAIN).evidence() == set()
    assert load(PLAIN).evidence(compliance=True) == {"cobertura", "cyclonedx", "dsse", "sigstore"}
    assert load(PLAIN + "regulated: true\n").evidence() == load(PLAIN).evidence(compliance=True)


def test_what_it_requires_is_the_packs_list() -> None:
    assert {item.gate.name for item in required()} == ASKED
