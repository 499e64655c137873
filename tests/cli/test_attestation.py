"""`pointsman attestation show | verify` and `pointsman evidence add`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization

from bot.attestations import summary
from bot.audit.keys import KeyFile
from bot.audit.signer import signed
from bot.projections.trace_keys import KEYS
from tests.audit.test_signing import ABOUT
from tests.cli.conftest import Pointsman
from tests.evidence import files as f
from tests.support.house import House
from tests.support.story import SHA

PRIVATE, PUBLIC = f.key()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with `release.json`, signed, the key in `key.pem` and `key.pub`, another one in `other.pub`."""
    kind = serialization.PrivateFormat.PKCS8
    key = PRIVATE.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(key)
    (tmp_path / "key.pem").chmod(0o600)
    (tmp_path / "key.pub").write_text(PUBLIC)
    (tmp_path / "other.pub").write_text(f.key()[1])
    envelope = signed(summary.verification_summary(ABOUT), KeyFile.read(tmp_path / "key.pem"))
    (tmp_path / "release.json").write_text(json.dumps(envelope))
    return tmp_path


SHOWN = f"""\
clock@1.0.0  gitCommit:{f.SHA}
clock.tar.gz  sha256:{f.DIGEST}
https://slsa.dev/verification_summary/v1
verificationResult: PASSED
timeVerified: 2026-11-20T09:00:00.000Z
resourceUri: pkg:github/acme/clock@{f.SHA}
"""


def test_an_envelope_is_shown_and_verified(pointsman: Pointsman, place: Path) -> None:
    shown = pointsman("attestation", "show", place / "release.json")
    assert (shown.code, shown.out) == (0, f"Not verified: `pointsman attestation verify` does that.\n{SHOWN}")
    good = pointsman(
        "attestation", "verify", place / "release.json", "--key", place / "key.pub", "--revision", f.SHA
    )
    assert (good.code, good.out) == (0, f"Verified.\n{SHOWN}")
    told = pointsman(
        "attestation", "verify", place / "release.json", "--key", place / "key.pub", "--output", "json"
    )
    said: dict[str, Any] = json.loads(told.out)
    assert said["ok"] is True
    assert said["statement"]["predicate"]["verificationResult"] == "PASSED"


def test_what_must_not_be_believed_ends_with_one(pointsman: Pointsman, place: Path) -> None:
    def said(*more: str | Path) -> tuple[int, str]:
        told = pointsman("attestation", "verify", place / "release.json", *more)
        return told.code, told.err

    assert said("--key", place / "other.pub") == (
        1,
        "Error: No signature of this envelope was made by this key over these words.\n",
    )
    assert said("--key", place / "key.pub", "--revision", f.OTHER) == (
        1,
        f"Error: This summary is not about gitCommit:{f.OTHER}.\n",
    )
    assert said("--key", place / "key.pub", "--environment", "staging") == (
        1,
        "Error: This summary is about production, not staging.\n",
    )
    code, err = said("--key", place / "key.pem")
    assert (code, err.endswith("this is a private key: paste the public one, and make a new pair.\n")) == (
        1,
        True,
    )
    (place / "release.json").write_text("{}")
    assert said("--key", place / "key.pub")[1].endswith("release.json: payload must be text.\n")
    (place / "release.json").write_text("no")
    assert said("--key", place / "key.pub")[1].endswith("release.json is not JSON.\n")
    assert said("--key", place / "gone.pub")[0] == 1


def test_a_report_is_handed_in(
    pointsman: Pointsman, served: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served.store.begin() as session:
        session.execute(
            sa.insert(KEYS), {"tenant": "acme", "key": f"local:acme/booking={SHA}", "trace": "trace-1"}
        )
    monkeypatch.setenv("POINTSMAN_TOKEN", served.token("ci", scopes=("evidence:write",)))
    report = tmp_path / "junit.xml"
    report.write_bytes(f.JUNIT_ONE_FAILED)
    said = pointsman("evidence", "add", report, "--repo", "acme/booking", "--revision", SHA)
    assert not said.err
    assert (said.code, said.out.splitlines()) == (
        0, ["junit: total 4, failed 2, skipped 1", "trace-1: http://127.0.0.1:8080/traces/trace-1"],
    )  # fmt: skip
    other = pointsman("evidence", "add", report, "--repo", "acme/booking", "--revision", f.OTHER)
    assert (
        other.code,
        other.err.startswith(f"Error: No trace is about {f.OTHER} of local:acme/booking."),
    ) == (1, True)
    wrong = pointsman(
        "evidence",
        "add",
        report,
        "--repo",
        "acme/booking",
        "--revision",
        SHA,
        "--kind",
        "sarif",
        "--output",
        "json",
    )
    assert json.loads(wrong.out)["error"]["reasonCode"] == "NotSarif"
    report.write_bytes(b"")
    empty = pointsman("evidence", "add", report, "--repo", "acme/booking", "--revision", SHA)
    assert (empty.code, empty.err) == (2, f"Error: {report} is empty.\n")
    monkeypatch.setenv("POINTSMAN_TOKEN", served.token("ci", scopes=("read",)))
    report.write_bytes(f.JUNIT_ALL_PASSED)
    assert pointsman("evidence", "add", report, "--repo", "acme/booking", "--revision", SHA).code == 4


def test_doctor_says_whether_anything_is_signed(
    pointsman: Pointsman, served: House, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def signing() -> dict[str, str]:
        told = json.loads(pointsman("doctor", "--output", "json", "--repository", "local:acme/gone").out)
        found: dict[str, str] = next(one for one in told["findings"] if one["about"] == "signing")
        return found

    assert (signing()["standing"], signing()["says"]) == (
        "warning",
        "there is no key: no release summary is signed",
    )
    monkeypatch.setenv("POINTSMAN_ATTESTATION_KEY", str(place / "key.pem"))
    assert signing()["standing"] == "ok"
    assert signing()["says"] == f"release summaries are signed with {KeyFile.read(place / 'key.pem').key_id}"
    (place / "key.pem").chmod(0o644)
    assert (signing()["standing"], signing()["do"]) == ("warning", f"chmod 600 {place / 'key.pem'}")
    (place / "key.pem").write_text("nonsense")
    assert signing()["standing"] == "broken"


def test_a_bot_with_an_unusable_key_does_not_start(
    pointsman: Pointsman, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_ATTESTATION_KEY", str(place / "other.pub"))
    said = pointsman("serve", "--port", "0")
    assert (said.code, said.err) == (
        1,
        f"Error: POINTSMAN_ATTESTATION_KEY: {place / 'other.pub'} is no private key in PEM: make one with `openssl genpkey`.\n",
    )
