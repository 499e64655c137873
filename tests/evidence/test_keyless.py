"""Keyless signatures, made by an instance of our own as the public one makes them, and what breaks each link."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from bot.domain import payloads as p
from bot.domain.errors import Invalid
from bot.domain.payloads import AttestationReport, Signer
from bot.domain.trace import TraceState
from bot.evidence import keyless
from bot.evidence.read import About, Given, Reader
from handlers.evidence_facts import evidence_facts
from policies.facts import Signature
from policies.trust import Identity, Trust
from tests.evidence import files as f
from tests.evidence.instance import Instance

OURS = Instance(commit=f.SHA)
STATEMENT = OURS.statement(f.provenance())
BLOB = OURS.blob(b"a clock")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("root") / "trusted_root.json"
    place.write_text(json.dumps(OURS.trusted_root))
    return place


def read(bundle: dict[str, Any], root: Path | None, revision: str = f.SHA) -> AttestationReport:
    return keyless.read(json.dumps(bundle).encode(), revision, root)


def test_a_signed_statement_tells_who_signed_what_of_which_revision(root: Path) -> None:
    said = read(STATEMENT, root)
    assert said.refused == ""
    assert said.signers == (Signer(identity=OURS.identity, issuer=OURS.issuer),)
    assert (said.predicate_type, said.names_revision) == ("https://slsa.dev/provenance/v1", True)
    assert said.subjects == (p.Subject(name="clock-1.0.0.tar.gz", digest=f"sha256:{f.DIGEST}"),)
    assert said.envelope is None


def test_a_signed_file_is_of_the_revision_that_the_certificate_names(root: Path) -> None:
    said = read(BLOB, root)
    assert (said.refused, said.names_revision, said.signers[0].identity) == ("", True, OURS.identity)
    unnamed = Instance(
        authority=OURS.authority, certificate_log=OURS.certificate_log, transparency_log=OURS.transparency_log
    )
    unnamed.root = OURS.root
    assert not read(unnamed.blob(b"a clock"), root).names_revision
    with pytest.raises(Invalid) as error:
        read(BLOB, root, f.OTHER)
    assert (error.value.reason_code, error.value.message) == (
        "OtherRevision",
        f"the certificate is about {f.SHA}, not {f.OTHER}",
    )


def test_a_statement_of_another_revision_is_refused(root: Path) -> None:
    with pytest.raises(Invalid) as error:
        read(OURS.statement(f.provenance(f.OTHER)), root)
    assert error.value.reason_code == "OtherRevision"


def flipped(text: str, place: int = 20) -> str:
    raw = bytearray(b64decode(text))
    raw[place] ^= 1
    return b64encode(raw).decode()


def entry_of(bundle: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = bundle["verificationMaterial"]["tlogEntries"][0]
    return entry


def another_subject(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"] = f.with_payload(bundle["dsseEnvelope"], f.provenance(digest="d" * 64))


def another_signature(bundle: dict[str, Any]) -> None:
    one = bundle["dsseEnvelope"]["signatures"][0]
    one["sig"] = flipped(one["sig"])


def another_certificate(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["certificate"] = OURS.statement(f.provenance())["verificationMaterial"][
        "certificate"
    ]


def another_promise(bundle: dict[str, Any]) -> None:
    promise = entry_of(bundle)["inclusionPromise"]
    promise["signedEntryTimestamp"] = flipped(promise["signedEntryTimestamp"])


def another_time(bundle: dict[str, Any]) -> None:
    entry = entry_of(bundle)
    entry["integratedTime"] = str(int(entry["integratedTime"]) + 3600)


def another_entry(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["tlogEntries"] = OURS.statement(f.provenance())["verificationMaterial"][
        "tlogEntries"
    ]


def another_root_hash(bundle: dict[str, Any]) -> None:
    proof = entry_of(bundle)["inclusionProof"]
    proof["rootHash"] = flipped(proof["rootHash"])


def another_checkpoint(bundle: dict[str, Any]) -> None:
    proof = entry_of(bundle)["inclusionProof"]
    proof["checkpoint"]["envelope"] = proof["checkpoint"]["envelope"].replace("\n1\n", "\n2\n")


TAMPERED: list[Callable[[dict[str, Any]], None]] = [
    another_subject, another_signature, another_certificate, another_promise, another_time, another_entry,
    another_root_hash, another_checkpoint,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERED)
def test_each_broken_link_is_kept_with_its_reason_and_names_nobody(
    tamper: Callable[[dict[str, Any]], None], root: Path
) -> None:
    bundle = deepcopy(STATEMENT)
    tamper(bundle)
    said = read(bundle, root)
    assert said.refused
    assert said.signers == ()


def test_who_is_not_of_the_trust_root_is_refused(root: Path) -> None:
    for other in (
        Instance(commit=f.SHA),
        Instance(commit=f.SHA, certificate_log=OURS.certificate_log, transparency_log=OURS.transparency_log),
    ):
        assert "failed to build" in read(other.statement(f.provenance()), root).refused
    no_log = Instance(commit=f.SHA, authority=OURS.authority, certificate_log=OURS.certificate_log)
    no_promise = Instance(commit=f.SHA, authority=OURS.authority, transparency_log=OURS.transparency_log)
    for other in (no_log, no_promise):
        other.root = OURS.root
        assert read(other.statement(f.provenance()), root).refused


def test_the_public_instance_is_trusted_where_no_other_is_named() -> None:
    said = read(STATEMENT, None)
    assert said.refused.startswith("failed to build timestamp certificate chain")
    assert keyless._verifier(None) is not None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{}", "NotABundle"),
        (b"no", "NotABundle"),
        (json.dumps(STATEMENT | {"mediaType": "text/plain"}).encode(), "NotABundle"),
    ],
)
def test_what_is_no_bundle_is_refused(content: bytes, code: str, root: Path) -> None:
    with pytest.raises(Invalid) as error:
        keyless.read(content, f.SHA, root)
    assert error.value.reason_code == code
    assert error.value.message.startswith("the file is not a Sigstore bundle: ")


def test_a_trust_root_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "root.json").write_text("{}")
    for place in (tmp_path / "root.json", tmp_path / "gone.json"):
        with pytest.raises(Invalid) as error:
            read(STATEMENT, place)
        assert error.value.reason_code == "TrustedRootUnusable"


GITHUB = "https://token.actions.githubusercontent.com"


@pytest.mark.parametrize(
    ("subject", "issuer", "counts"),
    [
        ("https://github.com/acme/*", GITHUB, True),
        (OURS.identity, GITHUB, True),
        ("https://github.com/evil/*", GITHUB, False),
        ("https://github.com/acme/*", "https://accounts.example.org", False),
        ("*", "*", False),
    ],
)
def test_whose_signature_counts_is_the_policys_word(
    root: Path, subject: str, issuer: str, *, counts: bool
) -> None:
    content = json.dumps(STATEMENT).encode()
    evidence = Reader(root).read(Given(content), About("acme/clock", f.SHA, "upload"))
    assert evidence.kind == "sigstore"
    state = TraceState(tenant_id="t", trace_id="x", evidence={f.SHA: (evidence,)})
    trust = Trust(identities=(Identity(subject=subject, issuer=issuer),))
    (artifact,) = evidence_facts(state, trust)["artifacts"][f.SHA]
    assert artifact.signatures == (Signature(identity=OURS.identity, verified=counts, names_revision=True),)
