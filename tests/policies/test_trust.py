"""`trust`: whose signatures count, and what is no key."""

from __future__ import annotations

import pytest

import policies
from policies import PolicyErrors
from policies.facts import Artifact, Signature
from tests.evidence import files
from tests.policies.builders import HEAD, NOON, facts, of_gates

_, PEM = files.key()
KEY = "\n".join(f"      {line}" for line in PEM.strip().splitlines())
TRUST = f"""trust:
  keys:
    ci: |
{KEY}
  identities:
    - {{subject: "https://github.com/acme/*", issuer: https://token.actions.githubusercontent.com}}
"""


def test_keys_and_identities_are_read() -> None:
    trust = of_gates("signed-artifacts", more=TRUST).trust
    assert trust.keys == {"ci": PEM}
    assert [(one.subject, one.issuer) for one in trust.identities] == [
        ("https://github.com/acme/*", "https://token.actions.githubusercontent.com")
    ]
    assert not trust.nobody
    assert of_gates("signed-artifacts").trust.nobody


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("trust: {keys: {ci: nonsense}}\n", "trust.keys.ci: this is not a public key in PEM (-----BEGIN PUBLIC KEY-----)"),
        (f"trust: {{keys: {{ci: '{'-----BEGIN PRIVATE ' + 'KEY-----'}'}}}}\n",
         "trust.keys.ci: this is a private key: paste the public one, and make a new pair"),
        ("trust: {identities: [{subject: '*'}]}\n", "trust.identities[0].issuer: 'issuer' is missing"),
        ("trust: {key: {}}\n", "trust.key: unknown key 'key' (did you mean 'keys'?)"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_an_error_with_its_place(more: str, said: str) -> None:
    with pytest.raises(PolicyErrors) as error:
        of_gates("signed-artifacts", more=more)
    assert "policy.yaml:6:" in str(error.value)
    assert said in str(error.value)


def test_a_signature_of_nobody_whom_the_policy_trusts_does_not_hold() -> None:
    artifact = Artifact(name="booking", signatures=(Signature(),))
    said = policies.evaluate(
        of_gates("signed-artifacts", more=TRUST), facts(artifacts={HEAD: (artifact,)}), NOON
    )
    gate = next(child for child in said.children if child.name == "signed-artifacts")
    assert (gate.state, gate.reason_code, gate.message) == (
        "rejected", "SignatureInvalid",
        "No signature of booking holds for whom the policy trusts. Build it again, signed.",
    )  # fmt: skip


def test_a_policy_says_which_reports_it_reads() -> None:
    def read(*gates: str) -> set[str]:
        return set(of_gates(*gates).evidence())

    assert read("tests-passed") == set()
    assert read("tests-passed: {accept: evidence}") == {"junit"}
    assert read("coverage: {minimum: 80}", "vulnerabilities") == {"cobertura", "sarif"}
    assert read("licences: {deny: [GPL-3.0-only]}", "sbom-present", "signed-artifacts") == {
        "cyclonedx",
        "dsse",
        "sigstore",
    }
    assert of_gates("coverage: {no-drop: true}").compares_coverage
    assert not of_gates("coverage: {minimum: 80}").compares_coverage
