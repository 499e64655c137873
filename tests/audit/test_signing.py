"""A release summary is signed when its deployment starts, and anybody can verify it without our code."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from bot.attestations import summary
from bot.attestations.verify import verified
from bot.audit.keys import KeyFile, KeyUnusable
from bot.audit.signer import Signer, signed
from bot.domain import effect as fx
from bot.domain.errors import Invalid, Permanent, Refused
from bot.domain.payloads import Subject
from bot.domain.performer import EffectContext
from handlers.policy import full_policy_digest
from tests.evidence import files as f
from tests.handlers.world import POLICY, World

PRIVATE, PUBLIC = f.key()
NOWHERE = EffectContext("default", "trace-1", lambda _: None)
ABOUT = summary.Verified(
    verifier="https://bot.example.org",
    time="2026-11-20T09:00:00.000Z",
    forge="github",
    repository="acme/clock",
    module="clock",
    version="1.0.0",
    environment="production",
    revision=f.SHA,
    policy_path=".pointsman/policy.yaml",
    policy_revision=f.OTHER,
    policy_digest="d" * 64,
    artifacts=(Subject(name="clock.tar.gz", digest=f"sha256:{f.DIGEST}"),),
    inputs=(Subject(name="sarif:scanner", digest="sha256:" + "e" * 64),),
    approvers=("jane.doe",),
)


FIELDS = (
    "verifier", "timeVerified", "resourceUri", "policy", "inputAttestations", "verificationResult",
    "verifiedLevels", "dependencyLevels", "slsaVersion",
)  # fmt: skip


def pem(key: Any, **kind: Any) -> bytes:
    whole = {
        "encoding": serialization.Encoding.PEM,
        "format": serialization.PrivateFormat.PKCS8,
        "encryption_algorithm": serialization.NoEncryption(),
    } | kind
    return bytes(key.private_bytes(**whole))


@pytest.fixture
def key(tmp_path: Path) -> KeyFile:
    place = tmp_path / "key.pem"
    place.write_bytes(pem(PRIVATE))
    return KeyFile.read(place)


def generic(envelope: dict[str, Any], public: str) -> dict[str, Any]:
    """What somebody does who has only the specifications: DSSE's PAE, Ed25519, in-toto's own models."""
    kind, payload = envelope["payloadType"].encode(), b64decode(envelope["payload"])
    text = (
        b"DSSEv1 "
        + str(len(kind)).encode()
        + b" "
        + kind
        + b" "
        + str(len(payload)).encode()
        + b" "
        + payload
    )
    verifier = serialization.load_pem_public_key(public.encode())
    assert isinstance(verifier, Ed25519PublicKey)
    verifier.verify(b64decode(envelope["signatures"][0]["sig"]), text)
    statement = Statement.copy_from_pb(json_format.Parse(payload, statement_pb2.Statement()))
    statement.validate()
    said: dict[str, Any] = json_format.MessageToDict(statement.pb)
    return said


def test_anybody_can_verify_a_summary_without_our_code(key: KeyFile) -> None:
    envelope = signed(summary.verification_summary(ABOUT), key)
    said = generic(envelope, PUBLIC)
    assert said["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert said["subject"] == [
        {"name": "clock@1.0.0", "digest": {"gitCommit": f.SHA}},
        {"name": "clock.tar.gz", "digest": {"sha256": f.DIGEST}},
    ]
    assert envelope["signatures"][0]["keyid"] == key.key_id
    der = PRIVATE.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert key.key_id == f"sha256:{sha256(der).hexdigest()}"


def test_the_predicate_is_that_of_the_specification(key: KeyFile) -> None:
    predicate = summary.verification_summary(ABOUT)["predicate"]
    assert predicate.keys() - {"pointsman_release"} <= set(FIELDS)
    assert (predicate["verificationResult"], predicate["resourceUri"]) == (
        "PASSED",
        f"pkg:github/acme/clock@{f.SHA}",
    )
    assert predicate["verifier"]["id"] == "https://bot.example.org"
    assert predicate["verifiedLevels"] == ["SLSA_BUILD_LEVEL_UNEVALUATED", "POINTSMAN_POLICY_APPROVED"]
    assert predicate["policy"] == {
        "uri": f"pkg:github/acme/clock@{f.OTHER}#.pointsman/policy.yaml", "digest": {"sha256": "d" * 64},
    }  # fmt: skip
    assert predicate["inputAttestations"] == [{"uri": "sarif:scanner", "digest": {"sha256": "e" * 64}}]
    assert summary.resource("azure", "acme/the clock", "") == "pkg:generic/acme/the%20clock"


@pytest.mark.parametrize("part", ["payload", "sig"])
def test_one_byte_more_or_less_and_no_verifier_believes_it(key: KeyFile, part: str) -> None:
    envelope = signed(summary.verification_summary(ABOUT), key)
    holder = envelope if part == "payload" else envelope["signatures"][0]
    raw = bytearray(b64decode(holder[part]))
    raw[30] ^= 1
    holder[part] = b64encode(raw).decode()
    with pytest.raises(InvalidSignature):
        generic(envelope, PUBLIC)
    with pytest.raises((Refused, Invalid)):
        verified(envelope, PUBLIC)


def test_our_verifier_says_why_it_does_not_believe(key: KeyFile) -> None:
    def why(envelope: dict[str, Any], public: str = PUBLIC, **asked: str) -> tuple[str, str]:
        with pytest.raises(Refused) as refused:
            verified(envelope, public, **asked)
        return refused.value.reason_code, refused.value.message

    good = signed(summary.verification_summary(ABOUT), key)
    assert verified(good, PUBLIC, revision=f.SHA, digest=f"sha256:{f.DIGEST}", environment="production")
    assert why(good, f.key()[1]) == (
        "SignatureInvalid", "No signature of this envelope was made by this key over these words.",
    )  # fmt: skip
    assert why(good, revision=f.OTHER) == ("OtherSubject", f"This summary is not about gitCommit:{f.OTHER}.")
    assert why(good, digest="sha256:" + "f" * 64)[0] == "OtherSubject"
    assert why(good, environment="staging") == (
        "OtherEnvironment",
        "This summary is about production, not staging.",
    )
    assert why(f.signed(f.provenance(), PRIVATE)) == (
        "NotASummary", "This is no verification summary, but https://slsa.dev/provenance/v1.",
    )  # fmt: skip
    failed = summary.verification_summary(ABOUT)
    failed["predicate"]["verificationResult"] = "FAILED"
    assert why(signed(failed, key)) == (
        "NotPassed",
        "The verification did not pass: verificationResult is 'FAILED'.",
    )
    replaced = summary.verification_summary(ABOUT)
    replaced["subject"][1]["digest"]["sha256"] = "f" * 64
    assert why(f.with_payload(good, replaced))[0] == "SignatureInvalid"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can not be read: No such file or directory."),
        (b"nonsense", "is no private key in PEM: make one with `openssl genpkey`."),
        (PUBLIC.encode(), "is no private key in PEM: make one with `openssl genpkey`."),
        (pem(PRIVATE, encryption_algorithm=serialization.BestAvailableEncryption(b"x")), "is protected by a passphrase: give a key without one."),
        (pem(ec.generate_private_key(ec.SECP256R1())), "is not an Ed25519 key: `openssl genpkey -algorithm ed25519` makes one."),
    ],
)  # fmt: skip
def test_a_key_that_cannot_sign_is_said_without_showing_it(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    place = tmp_path / "key.pem"
    if content is not None:
        place.write_bytes(content)
    with pytest.raises(KeyUnusable) as error:
        KeyFile.read(place)
    assert str(error.value) == f"{place} {message}"


def test_the_performer_signs_statements_and_nothing_else(key: KeyFile) -> None:
    asked = fx.SignStatement(
        environment="production",
        release_id="r",
        revision=f.SHA,
        statement=summary.verification_summary(ABOUT),
    )
    result = Signer(key).perform("e1", asked, NOWHERE)
    assert isinstance(result, fx.SignedResult)
    assert verified(result.envelope, PUBLIC, revision=f.SHA)
    with pytest.raises(Permanent, match="WriteMemory is nothing to sign"):
        Signer(key).perform("e2", fx.WriteMemory(), NOWHERE)


def released(world: World) -> World:
    world.submit().tests()
    world.comment("jane.doe", "/approve-release production looks right")
    return world


def test_each_release_that_starts_is_attested_once() -> None:
    world = released(World(attests=True))
    assert [
        event.data["environment"] for event in world.events if event.type == "pointsman.ReleaseAttested"
    ] == ["staging", "production"]
    assert world.types().count("DeploymentStarted") == 2
    said = world.last("pointsman.ReleaseAttested")
    statement = said.data["envelope"]["statement"]
    started = world.last("DeploymentStarted")
    assert statement["subject"][0] == {
        "name": "booking-service@1.0.0",
        "digest": {"gitCommit": started.data["revision"]},
    }
    predicate = statement["predicate"]
    assert predicate["policy"]["digest"] == {"sha256": sha256(POLICY.encode()).hexdigest()}
    assert predicate["policy"]["digest"]["sha256"] == full_policy_digest(world.state)
    assert predicate["pointsman_release"]["approvers"] == ["jane.doe"]
    assert predicate["pointsman_release"]["environment"] == "production"
    assert world.state.attested == {"staging": world.state.attested["staging"], "production": said.id}


def test_a_second_attempt_is_the_same_release() -> None:
    world = World(attests=True)
    world.deployer.sick = {"1.0.0"}
    released(world)
    assert len(world.deployed) > 1
    assert world.types().count("pointsman.ReleaseAttested") == 1


def test_what_was_built_and_what_was_read_stand_in_the_summary() -> None:
    from bot.domain.catalog import draft
    from tests.handlers.test_evidence import said

    world = World(attests=True).submit()
    head = str((world.state.change or {})["head"])
    for content in (json.dumps(f.signed(f.provenance(head), PRIVATE)).encode(), f.sarif()):
        world.say(draft("pointsman.EvidenceAdded", said(content, head, "upload"), actor="ci"))
    world.tests().comment("jane.doe", "/approve-release production looks right")
    statement = world.last("pointsman.ReleaseAttested").data["envelope"]["statement"]
    assert statement["subject"][1] == {"name": "clock-1.0.0.tar.gz", "digest": {"sha256": f.DIGEST}}
    assert [one["uri"] for one in statement["predicate"]["inputAttestations"]][1] == "sarif:scanner"


def test_without_a_key_nothing_is_signed() -> None:
    world = released(World())
    assert "DeploymentCompleted" in world.types()
    assert not [effect for effect in world.forge.performed if isinstance(effect, fx.SignStatement)]
