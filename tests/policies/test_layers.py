"""What lies over what: organisation, pack or file, the file itself, tenant; and where each value was written."""

# ruff: noqa: ISC004  sentences are asserted whole, beside what causes them

from __future__ import annotations

import pytest

from policies import Policy, PolicyErrors, load
from policies.load import extended
from policies.resolved import values

ORGANISATION = """\
version: 1
extends: strict
roles:
  ReleaseManager: {teams: [acme/release]}
environments:
  "*":
    gates: [required-labels: [reviewed]]
  production:
    gates: [{coverage: {minimum: 90}}]
mode: observe
tenants:
  regulated-1: {merge: {when: manual}}
"""
BASE = """\
version: 1
roles:
  Deployer: {users: [dan]}
environments:
  "*":
    gates: [hold]
freezes:
  - {name: weekend, cron: "0 18 * * FRI", duration: 62h}
"""
FILE = """\
version: 1
extends: policies/base.yaml
environments:
  production:
    gates: [{coverage: {minimum: 70}}]
"""
FILES = (("policies/base.yaml", BASE),)


def gates(policy: Policy, environment: str = "production") -> list[str]:
    return [item.gate.name for item in policy.environments[environment].gates]


def origins(policy: Policy) -> dict[str, str]:
    return {value.path: f"{value.origin}:{value.line}" for value in values(policy)}


def refused(text: str, **said: object) -> str:
    with pytest.raises(PolicyErrors) as caught:
        load(text, **said)  # type: ignore[arg-type]
    return str(caught.value)


def test_a_file_lies_over_the_file_it_extends() -> None:
    policy = load(FILE, files=FILES)
    assert gates(policy) == ["tests-passed", "hold", "coverage"]
    assert policy.roles["Deployer"].users == ("dan",)
    assert origins(policy)["freezes[0].name"] == "policies/base.yaml:8"
    assert origins(policy)["environments.production.gates[0]"] == "pack default:6"
    assert origins(policy)["environments.production.gates[2].coverage.minimum"] == "policy.yaml:5"


def test_a_file_lies_over_its_organisation() -> None:
    policy = load("version: 1\nenvironments: {lab: {}, production: {}}\n", organisation=ORGANISATION)
    assert gates(policy, "lab") == ["tests-passed", "coverage", "hold", "approvals", "required-labels"]
    assert policy.mode == "observe"
    assert origins(policy)["mode"] == "organisation:10"
    (coverage,) = (
        item.gate for item in policy.environments["production"].gates if item.gate.name == "coverage"
    )
    assert coverage.minimum == 90  # type: ignore[attr-defined]
    assert policy.of("regulated-1").merge.when == "manual"
    assert policy.merge.when == "approved"


def test_the_upper_one_wins_over_three_layers() -> None:
    policy = load(FILE, files=FILES, organisation=ORGANISATION)
    assert gates(policy) == ["tests-passed", "approvals", "required-labels", "hold", "coverage"]
    coverage = policy.environments["production"].gates[-1].gate
    assert coverage.minimum == 70  # type: ignore[attr-defined]
    assert {value.split(":")[0] for value in origins(policy).values()} == {
        "policy.yaml", "policies/base.yaml", "organisation", "pack strict"
    }  # fmt: skip


def test_environments_of_an_organisation_stay_when_a_file_names_others() -> None:
    policy = load("version: 1\nenvironments: {lab: {}}\n", organisation=ORGANISATION)
    assert list(policy.environments) == ["production", "lab"]


@pytest.mark.parametrize(
    ("text", "files", "said"),
    [
        (FILE, (), "policy.yaml:2:10: extends: there is no file 'policies/base.yaml' in the repository"),
        (FILE, (("policies/base.yaml", FILE),),
         "policy.yaml:2:10: extends: extends itself: policies/base.yaml -> policies/base.yaml "
         "(asked for by the policies/base.yaml, line 2)"),
        (FILE, (("policies/base.yaml", "version: ["),),
         "policy.yaml:2:10: extends: policies/base.yaml:1:11: while parsing a flow node: expected the node "
         "content, but found '<stream end>'"),
        (FILE, (("policies/base.yaml", "version: 1\nmod: observe\n"),),
         "policy.yaml:2:10: mod: unknown key 'mod' (asked for by the policies/base.yaml, line 2) (did you mean 'mode'?)"),
    ],
)  # fmt: skip
def test_what_is_wrong_below_is_told_where_it_is_extended(
    text: str, files: tuple[tuple[str, str], ...], said: str
) -> None:
    assert refused(text, files=files) == said


def test_what_is_wrong_with_the_organisation_blocks_its_repositories() -> None:
    good = "version: 1\nenvironments: {lab: {}}\n"
    assert refused(good, organisation="version: 1\nmode: off\n") == (
        "policy.yaml:1:1: mode: 'off' is not one of: observe, enforce (asked for by the organisation, line 2)"
    )
    assert refused(good, organisation="version: 1\nextends: base.yaml\n") == (
        "policy.yaml:1:1: extends: there is no pack 'base.yaml': extend compliance, default, strict or a .yaml file "
        "(asked for by the organisation, line 2)"
    )


def test_a_tenant_extends_packs_only() -> None:
    said = refused(f"{FILE}tenants:\n  one:\n    extends: policies/base.yaml\n", files=FILES)
    assert said.startswith("policy.yaml:8:14: tenants.one.extends: there is no pack 'policies/base.yaml'")


def test_other_texts_below_are_another_policy() -> None:
    digests = {
        load(FILE, files=FILES).digest,
        load(FILE, files=(("policies/base.yaml", BASE + "\n"),)).digest,
        load(FILE, files=FILES, organisation=ORGANISATION).digest,
    }
    assert len(digests) == 3


def test_which_file_a_text_extends() -> None:
    assert extended(FILE) == "policies/base.yaml"
    assert extended("version: 1\nextends: strict\n") is None
    assert extended("extends: [") is None


def test_origins_of_a_tenant() -> None:
    policy = load("version: 1\nenvironments: {lab: {}}\ntenants:\n  one: {mode: observe}\n")
    assert (origins(policy)["version"], "mode" in origins(policy)) == ("policy.yaml:1", False)
    assert origins(policy.of("one"))["mode"] == "policy.yaml:4"
