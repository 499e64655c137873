"""What is said of a broken policy: exact line, column, path, sentence and suggestion."""

# ruff: noqa: ISC004  each sentence is asserted whole, beside the words that cause it

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import policies
from policies import PolicyError, PolicyErrors, load
from policies.gates import GATES, discover
from policies.model import Policy
from tests.policies.builders import TEXT, policy


def errors(text: str) -> list[str]:
    with pytest.raises(PolicyErrors) as caught:
        load(text)
    return str(caught.value).split("\n")


def broken(old: str, new: str) -> list[str]:
    """What is said when one thing of a good policy is written otherwise."""
    assert old in TEXT
    return errors(TEXT.replace(old, new, 1))


KNOWN = ", ".join(sorted(GATES.keys() - {"freeze"}))
ENVIRONMENT = "environments:\n  production:\n    gates: []\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "policy.yaml:1:1: the file is empty (did you mean 'version: 1'?)"),
        ("- 1", "policy.yaml:1:1: a policy is a mapping (did you mean 'version: 1'?)"),
        ("a: &x 1\nb: *x", "policy.yaml:1:4: anchors and aliases are not allowed"),
        ("a: 1\nb: *x", "policy.yaml:2:4: anchors and aliases are not allowed"),
        ("a: !!python/object:os.system x", "policy.yaml:1:4: tags are not allowed"),
        ("a: 1\na: 2", "policy.yaml:2:1: a: 'a' is written twice (first in line 1)"),
        ("? [a]\n: b", "policy.yaml:1:3: a key must be a word"),
        (
            "a: 1\n---\nb: 2",
            "policy.yaml:2:1: expected a single document in the stream: but found another document",
        ),
        ("%YAML 1.1\n---\na: yes", "policy.yaml:2:1: a policy is YAML 1.2"),
        (
            "a: [",
            "policy.yaml:1:5: while parsing a flow node: expected the node content, but found '<stream end>'",
        ),
        (
            "a: \x00",
            "policy.yaml:1:1: not YAML: unacceptable character #x0000: special characters are not allowed",
        ),
        ("a: 08", "policy.yaml:1:4: a: '08' is not a number we can read: quote it if it is text"),
        ("x" * 131_073, "policy.yaml:1:1: a policy may have 131072 bytes, this one has 131073"),
        ("a: " + "[" * 60_000, "policy.yaml:1:28: nested deeper than 24 levels"),
        ("a: 1\n" * 22, "policy.yaml:22:1: more than 20 keys are written twice"),
        ("[" + "x," * 20_000, "policy.yaml:1:40000: more than 20000 keys and values"),
        (ENVIRONMENT, "policy.yaml:1:1: version: 'version' is missing (did you mean 'version: 1'?)"),
        ("version: 2\n" + ENVIRONMENT, "policy.yaml:1:10: version: 2 is not one of: 1"),
        (
            "version: 1\nextends: stict\n" + ENVIRONMENT,
            "policy.yaml:2:10: extends: there is no pack 'stict': extend compliance, default, strict or a .yaml file (did you mean 'strict'?)",
        ),
    ],
)
def test_what_is_no_policy_at_all(text: str, said: str) -> None:
    assert errors(text) == [said]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "gates: [tests-passed]",
            "gates: [test-passed]",
            "policy.yaml:9:13: environments.staging.gates[0].test-passed: there is no gate 'test-passed': "
            f"{KNOWN} (did you mean 'tests-passed'?)",
        ),
        (
            "gates: [tests-passed]",
            "gates: [freeze]",
            "policy.yaml:9:13: environments.staging.gates[0].freeze: the gate 'freeze' is always on: write its windows "
            "under `freezes`",
        ),
        (
            "coverage: {minimum: 80}",
            "coverage: {minmum: 80}",
            "policy.yaml:14:20: environments.production.gates[1].coverage.minmum: unknown key 'minmum' (did you mean 'minimum'?)",
        ),
        ("{minimum: 80}", "{minimum: lots}", "policy.yaml:14:29: environments.production.gates[1].coverage.minimum: 'lots': expected a number"),
        (
            "minimum-delay: 10m",
            "minimum-delay: soon",
            "policy.yaml:19:24: environments.production.gates[3].minimum-delay.delay: 'soon' is not a duration: write it "
            "like 10m, 36h or 1d12h",
        ),
        ("retries: 3", "retires: 3", "policy.yaml:22:32: environments.production.deploy.retires: unknown key 'retires' (did you mean 'retries'?)"),
        ("retries: 3", "retries: true", "policy.yaml:22:41: environments.production.deploy.retries: True: expected a whole number"),
        (
            "rollback: automatic",
            "rollback: auto",
            "policy.yaml:22:54: environments.production.deploy.rollback: 'auto' is not one of: automatic, manual, never "
            "(did you mean 'automatic'?)",
        ),
        ("mode: enforce", "mode: on", "policy.yaml:23:7: mode: 'on' is not one of: observe, enforce"),
        ("update-branch: true", "update-branch: yes", "policy.yaml:24:56: merge.update-branch: 'yes': expected true or false"),
        (
            "timezone: Europe/Paris}",
            "timezone: Europe/Pairs}",
            "policy.yaml:27:96: freezes[0].timezone: 'Europe/Pairs' is not a time zone: use an IANA name like Europe/Paris "
            "(did you mean 'Europe/Paris'?)",
        ),
        ('"0 18 * * FRI"', '"0 25 * * FRI"', "policy.yaml:27:55: freezes[0].cron: '0 25 * * FRI' is not a cron expression: Bad hour"),
        (
            '"0 18 * * FRI"',
            '"0 0 18 * * FRI"',
            "policy.yaml:27:55: freezes[0].cron: '0 0 18 * * FRI' is not a cron expression: write minute hour day month "
            "weekday, like '0 18 * * FRI'",
        ),
        ('"0 18 * * FRI"', '"0 0 31 2 *"', "policy.yaml:27:55: freezes[0].cron: '0 0 31 2 *' is not a cron expression: Bad day-of-month"),
        ("to: 2027-01-04", "to: 2026-12-18", "policy.yaml:28:5: freezes[1]: the freeze 'year-end' ends before it begins"),
        (
            "from: 2026-12-18",
            "from: 2026-13-18",
            "policy.yaml:29:11: freezes[1].from: '2026-13-18' is neither a date (2026-12-18) nor a time (2026-12-18T18:00)",
        ),
        (", duration: 62h", "", "policy.yaml:27:5: freezes[0]: a freeze has either `cron` and `duration`, or `from` and `to`, or `ics`"),
        (
            "allow: {labels: [hotfix]}",
            "allow: {}",
            "policy.yaml:32:12: freezes[1].allow: an exception names labels, modules, authors, roles or severities: an empty one would lift the freeze for all",
        ),
        (
            "environments: [production], cron",
            "environments: [prodution], cron",
            "policy.yaml:27:36: freezes[0].environments[0]: there is no environment 'prodution' (did you mean 'production'?)",
        ),
        ("after: [staging]", "after: [stagin]", "policy.yaml:11:13: environments.production.after[0]: there is no environment 'stagin' (did you mean 'staging'?)"),
        ("after: [staging]", "after: [production]", "policy.yaml:11:12: environments.production.after: waits for itself: production after production"),
        (
            "{role: ProductOwner}",
            "{role: ProdctOwner}",
            "policy.yaml:17:22: environments.production.gates[2].approvals.all[0].role: there is no role 'ProdctOwner' "
            "(did you mean 'ProductOwner'?)",
        ),
        (
            "{role: ProductOwner}",
            "{role: InfraAdmin}",
            "policy.yaml:17:22: environments.production.gates[2].approvals.all[0].role: nobody holds the role 'InfraAdmin': "
            "name users or teams under `roles`",
        ),
        (
            "{role: ProductOwner}",
            "{role: Deployer, count: 2}",
            "policy.yaml:17:39: environments.production.gates[2].approvals.all[0].count: asks for 2 approvals by Deployer, "
            "but names 1: dan",
        ),
        (
            "{role: ProductOwner}",
            "{role: ProductOwner, user: ann}",
            "policy.yaml:17:15: environments.production.gates[2].approvals.all[0]: a rule has one of: all, any, role, team, "
            "user, users, permission, code-owners",
        ),
        (
            'l == "schema"',
            "l == 1",
            "policy.yaml:20:15: environments.production.gates[4].when: found no matching overload for '_==_' applied to "
            "'(string, int)' (at 1:27)",
        ),
        (
            "change.labels",
            "change.label",
            "policy.yaml:20:15: environments.production.gates[4].when: there is no 'change.label' in a condition "
            "(did you mean 'change.labels'?)",
        ),
        (
            "permissions: [override.freeze]",
            "permissions: [overide.freeze]",
            "policy.yaml:5:48: roles.StudioApprover.permissions[0]: 'overide.freeze' is not one of: read, write, approve.release, "
            "reject.release, override.freeze, rollback, deploy, retry, provision (did you mean 'override.freeze'?)",
        ),
        ("users: [sam]", "users: [5]", "policy.yaml:5:28: roles.StudioApprover.users[0]: 5: expected text: quote it"),
        (
            "SecurityReviewer: {users: [kim]}",
            "SecurityReviewr: {users: [kim]}",
            "policy.yaml:35:14: tenants.vetclinic-001.environments.production.gates[11].approvals.all[1].role: nobody holds the "
            "role 'SecurityReviewer': name users or teams under `roles` (asked for by the pack compliance)",
        ),
        ("extends: compliance", "tenants: {}", "policy.yaml:35:5: tenants.vetclinic-001.tenants: a tenant has no tenants"),
        ("extends: compliance", "mod: observe", "policy.yaml:35:5: tenants.vetclinic-001.mod: unknown key 'mod' (did you mean 'mode'?)"),
    ],
)  # fmt: skip
def test_one_thing_written_wrong(old: str, new: str, said: str) -> None:
    assert said in broken(old, new)


def test_errors_are_said_once_in_the_order_of_the_file() -> None:
    said = errors(TEXT.replace("retries: 3", "retires: 3").replace("mode: enforce", "mod: enforce"))
    assert said == [
        "policy.yaml:22:32: environments.production.deploy.retires: unknown key 'retires' (did you mean 'retries'?)",
        "policy.yaml:23:1: mod: unknown key 'mod' (did you mean 'mode'?)",
    ]


def test_the_json_of_an_error() -> None:
    with pytest.raises(PolicyErrors) as caught:
        load("version: 1\nmod: x\n" + ENVIRONMENT)
    assert [error.to_json() for error in caught.value.errors] == [
        {"line": 2, "column": 1, "path": "mod", "message": "unknown key 'mod'", "suggestion": "mode"}
    ]


BOMBS = {
    "aliases": "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a, *a]\n" for i in range(2_000)),
    "lists": "[" * 65_000,
    "mappings": "{a: " * 16_000,
    "dashes": "- " * 32_000,
    "questions": "? " * 30_000,
    "backslashes": "a: '" + "\\" * 60_000,
    "size": "a: b\n" * 60_000,
    "twice": "a: 1\n" * 13_000,
    "tags": "a: !!python/object:os.system x\n" * 4_000,
    "anchors": "".join(f"k{i}: &x{i} 1\n" for i in range(4_000)),
}
GO_OFF = """
import resource, sys, time
import policies
policies.load("version: 1\\n")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
text, fastest = sys.stdin.read(), 9.0
for _ in range(3):
    began = time.process_time()
    try:
        policies.load(text)
    except policies.PolicyErrors as refused:
        errors = refused.errors
    fastest = min(fastest, time.process_time() - began)
print(len(errors), fastest, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_go_off_nowhere(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GO_OFF], input=BOMBS[name], text=True, capture_output=True, check=True
    )
    said, seconds, megabytes = map(float, done.stdout.split())
    assert said == 1
    assert seconds < 0.1
    assert megabytes < 64


def test_of_very_many_mistakes_the_first_are_told() -> None:
    said = errors("version: 1\n" + "".join(f"k{i}: 1\n" for i in range(3_000)) + ENVIRONMENT)
    assert said[0] == "policy.yaml:2:1: k0: unknown key 'k0'"
    assert said[-2] == "policy.yaml:51:1: and 2950 more mistakes"
    assert len(said) == 51


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.integers(0, len(TEXT) - 1), st.integers(0, 12), st.text("ab: {}[],-&*!\"'\n\t#0|>%", max_size=4))
def test_a_damaged_policy_is_read_or_refused(at: int, length: int, inserted: str) -> None:
    damaged = TEXT[:at] + inserted + TEXT[at + length :]
    try:
        found: tuple[PolicyError, ...] = ()
        assert isinstance(load(damaged), Policy)
    except PolicyErrors as refused:
        found = refused.errors
    last = damaged.count("\n") + 1
    assert all(1 <= error.line <= last and error.message for error in found)


def test_where_each_value_comes_from() -> None:
    origins = policy().of("vetclinic-001").origins
    assert str(origins["merge.when"].origin) == "pack compliance"
    assert (origins["mode"].origin, policy().origins["mode"].line) == ("pack compliance", 23)
    assert (origins["roles.ProductOwner.users[0]"].origin, origins["roles.ProductOwner.users[0]"].line) == (
        "policy.yaml",
        37,
    )


def test_a_tenant_has_its_own_policy_and_the_others_the_common_one() -> None:
    common, own = policy(), policy().of("vetclinic-001")
    assert common.of("somebody") is common
    assert (common.merge.when, own.merge.when) == ("approved", "manual")
    assert common.roles["ProductOwner"].teams == ("acme/product",)
    assert own.roles["ProductOwner"].teams == (), "a role is replaced whole"
    assert own.roles["ReleaseManager"] == common.roles["ReleaseManager"]
    assert own.environments["production"].deploy.strategy == "gitops"
    assert [item.gate.name for item in own.environments["production"].gates] == [
        "approvals", "tests-passed", "coverage", "hold", "target-branch", "commit-message", "commit-signatures", "sbom-present",
        "signed-artifacts", "namespace-authorised", "rollback-plan", "approvals", "minimum-delay",
    ]  # fmt: skip
    assert common.digest == own.digest
    assert len(common.digest) == 64


@pytest.mark.parametrize("name", ["default", "strict"])
def test_a_pack_is_a_policy_by_itself(name: str) -> None:
    alone = load(f"version: 1\nextends: {name}\n")
    assert list(alone.environments) == ["staging", "production"]
    assert alone.environments["production"].after == ("staging",)
    assert "tests-passed" in {item.gate.name for item in alone.environments["staging"].gates}


def test_the_compliance_pack_wants_its_people_named() -> None:
    assert errors("version: 1\nextends: compliance\n")[0] == (
        "policy.yaml:2:10: changes-to-this-file.approvals.role: nobody holds the role 'SecurityReviewer': name users or teams "
        "under `roles` (asked for by the pack compliance)"
    )


def test_every_environment_gets_the_packs_gates_and_keeps_its_own() -> None:
    own = load("version: 1\nextends: strict\nenvironments:\n  lab:\n    gates: [{coverage: {minimum: 10}}]\n")
    assert {item.gate.name: item.gate for item in own.environments["lab"].gates}["coverage"].minimum == 10  # type: ignore[attr-defined]
    assert [item.gate.name for item in own.environments["lab"].gates] == [
        "tests-passed",
        "hold",
        "approvals",
        "coverage",
    ]
    assert list(own.environments) == ["lab"]


def test_a_policy_as_large_as_may_be_is_read_in_time() -> None:
    windows = "".join(
        f'  - {{name: w{n}, cron: "0 18 * * FRI", duration: 62h, timezone: Europe/Paris}}\n'
        for n in range(750)
    )
    began = time.process_time()
    assert len(load(f"version: 1\nfreezes:\n{windows}").freezes) == 750
    assert time.process_time() - began < 4, "about 0.4 s on an idle machine"


def test_gates_are_found_by_folder() -> None:
    files = {path.stem for path in (Path(policies.__file__).parent / "gates").glob("[!_]*.py")}
    assert {name.replace("-", "_") for name in GATES} == files


def test_a_file_without_a_gate_is_an_error(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "emptygates").mkdir()
    (tmp_path / "emptygates" / "__init__.py").write_text("")
    (tmp_path / "emptygates" / "nothing.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match=r"emptygates\.nothing must hold exactly one gate, it holds 0"):
        discover("emptygates", [str(tmp_path / "emptygates")])
