"""Whose signature holds over what: one byte, another key, another payload, and it does not."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from bot.attestations import envelope, statement
from bot.domain.errors import Invalid
from tests.evidence import files as f

PRIVATE, PUBLIC = f.key()
GOOD = f.signed(f.provenance(), PRIVATE)


def pem_of(private: Any) -> str:
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(private.public_key().public_bytes(serialization.Encoding.PEM, kind).decode())


def test_a_signature_holds_for_its_key_and_no_other() -> None:
    assert envelope.signed_by(GOOD, PUBLIC)
    assert not envelope.signed_by(GOOD, f.key()[1])


@pytest.mark.parametrize(
    "private",
    [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)],
    ids=["ecdsa", "rsa"],
)
def test_other_kinds_of_key_hold_as_well(private: Any) -> None:
    said = Envelope(b"{}", "text/plain", {})
    said.sign(CryptoSigner(private))
    assert envelope.signed_by(said.to_dict(), pem_of(private))
    assert not envelope.signed_by(said.to_dict(), PUBLIC)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255), st.sampled_from(["payload", "sig"]))
def test_one_changed_byte_anywhere_ends_it(place: int, change: int, part: str) -> None:
    said = {**GOOD, "signatures": [dict(GOOD["signatures"][0])]}
    holder = said if part == "payload" else said["signatures"][0]
    raw = bytearray(b64decode(holder[part]))
    raw[place % len(raw)] ^= change
    holder[part] = b64encode(raw).decode()
    assert not envelope.signed_by(said, PUBLIC)


def test_another_payload_type_ends_it() -> None:
    assert not envelope.signed_by(GOOD | {"payloadType": "text/plain"}, PUBLIC)


def test_a_replaced_subject_ends_it() -> None:
    assert not envelope.signed_by(f.with_payload(GOOD, f.provenance(digest="d" * 64)), PUBLIC)


def test_a_key_id_is_a_hint_and_no_more() -> None:
    (one,) = GOOD["signatures"]
    for said in (
        {"sig": one["sig"]},
        {"sig": one["sig"], "keyid": ""},
        {"sig": one["sig"], "keyid": "somebody"},
    ):
        assert envelope.signed_by(GOOD | {"signatures": [said]}, PUBLIC)
    other = f.signed(f.provenance(), f.key()[0])["signatures"][0]
    assert envelope.signed_by(GOOD | {"signatures": [other | {"keyid": ""}, one | {"keyid": ""}]}, PUBLIC)
    assert not envelope.signed_by(GOOD | {"signatures": [other | {"keyid": one["keyid"]}]}, PUBLIC)


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        ([], "", "the document is not a JSON object"),
        ({}, "payload", "payload must be text"),
        ({"payload": ""}, "payloadType", "payloadType must be text"),
        ({"payload": "", "payloadType": "x", "signatures": []}, "signatures", "signatures must be a list of 1 to 10 signatures"),
        ({"payload": "", "payloadType": "x", "signatures": [{"sig": "eA=="}] * 11}, "signatures", "signatures must be a list of 1 to 10 signatures"),
        ({"payload": "", "payloadType": "x", "signatures": [{}]}, "signatures[0].sig", "signatures[0].sig must be text"),
        ({"payload": "a", "payloadType": "x", "signatures": [{"sig": ""}]}, "payload", "payload and signatures must be base64"),
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_named(document: Any, path: str, message: str) -> None:
    with pytest.raises(Invalid) as error:
        envelope.opened(document)
    assert (error.value.reason_code, error.value.path, error.value.message) == (
        "NotAnEnvelope",
        path,
        message,
    )


def test_a_private_key_and_an_unfit_key_are_no_public_key() -> None:
    text = PRIVATE.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    with pytest.raises(Invalid, match="this is a private key: paste the public one, and make a new pair"):
        envelope.public_key(text)
    for said in ("", "ssh-ed25519 AAAA", pem_of(dsa.generate_private_key(2048))):
        with pytest.raises(Invalid, match="this is not a public key in PEM"):
            envelope.public_key(said)


def test_the_commits_of_a_statement_are_found_in_every_version() -> None:
    def commits(predicate: dict[str, Any], **subject: str) -> frozenset[str]:
        said = f.provenance(None) | {"predicate": predicate}
        if subject:
            said["subject"] = [{"name": "source", "digest": subject}]
        return statement.commits(statement.Statement.model_validate(said))

    at = {"digest": {"sha1": f.SHA}}
    assert commits({"buildDefinition": {"resolvedDependencies": [{"digest": {"gitCommit": f.SHA}}]}}) == {
        f.SHA
    }
    assert commits({"materials": [at]}) == {f.SHA}
    assert commits({"invocation": {"configSource": at}}) == {f.SHA}
    assert commits({}, gitCommit=f.SHA.upper()) == {f.SHA}
    assert (
        commits({"materials": [{"uri": "x"}, "y"], "buildDefinition": [], "invocation": {"configSource": 1}})
        == frozenset()
    )


@pytest.mark.parametrize(
    ("payload", "kind", "path"),
    [
        (b"{}", "text/plain", "payloadType"),
        (b"{}", statement.PAYLOAD_TYPE, "payload._type"),
        (b"no", statement.PAYLOAD_TYPE, "payload"),
        (b'{"_type": "https://in-toto.io/Statement/v1", "predicateType": "x", "subject": []}', statement.PAYLOAD_TYPE, "payload.subject"),
        (b'{"_type": "https://in-toto.io/Statement/v1", "predicateType": "x", "subject": [{"digest": {}}]}', statement.PAYLOAD_TYPE, "payload.subject.0.digest"),
    ],
)  # fmt: skip
def test_what_is_no_statement_is_named(payload: bytes, kind: str, path: str) -> None:
    with pytest.raises(Invalid) as error:
        statement.read(payload, kind)
    assert (error.value.reason_code, error.value.path) == ("NotAStatement", path)
