"""What a release rests on: reports about its revision, and the signed summary at its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from tests.audit.test_signing import generic
from tests.evidence import files as f
from tests.journeys import modules
from tests.journeys.house import House, living
from tests.journeys.rules import DEPLOY, ROLES

CI, CI_PUBLIC = f.key()
BOT, BOT_PUBLIC = f.key()
TRUST = "trust:\n  keys:\n    ci: |\n" + "".join(f"      {line}\n" for line in CI_PUBLIC.splitlines())
POLICY = f"""\
{ROLES}environments:
  staging:
    gates:
      - tests-passed: {{accept: [pipeline, evidence]}}
      - licences: {{deny: [GPL-3.0-only]}}
      - signed-artifacts
    {DEPLOY}
{TRUST}"""


def handed_in(house: House, folder: Path, name: str, content: bytes, revision: str) -> dict[str, Any]:
    """A report, from the command line, with a token that may do nothing else."""
    house.token("ci", ("evidence:write",))
    (folder / name).write_bytes(content)
    told = house.cli(
        "evidence", "add", str(folder / name), "--repo", "acme/clock", "--revision", revision, "--output", "json", login="ci",
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    said: dict[str, Any] = json.loads(told.stdout)
    return said


def keys(folder: Path) -> tuple[Path, Path]:
    """Files with the bot's key and its public half."""
    key, public = folder / "attestation.pem", folder / "attestation.pub"
    kind = serialization.PrivateFormat.PKCS8
    key.write_bytes(BOT.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()))
    public.write_text(BOT_PUBLIC)
    return key, public


@pytest.mark.timeout(400)
def test_a_release_rests_on_reports_and_ends_in_a_summary_that_anybody_can_verify(tmp_path: Path) -> None:
    key, public = keys(tmp_path)
    with living(tmp_path / "home", attestation_key=str(key)) as house:
        house.repository("acme/clock", POLICY)
        trace = house.submit("acme/clock", "clock", modules.files())
        head = house.tested(trace).data["revision"]
        asked = house.event(trace, "AgentActionCompleted", effect="GatherEvidence")
        assert asked.data["request"]["kinds"] == ["cyclonedx", "dsse", "junit", "sigstore"]
        assert asked.data["result"] == {"evidence": [], "refused": {}}, "this template keeps no report"
        house.event(trace, "pointsman.VerdictChanged", reasonCode="SbomMissing", revision=head)

        handed_in(house, tmp_path, "junit.xml", f.JUNIT_ALL_PASSED, head)
        handed_in(house, tmp_path, "bom.json", f.bom(("left-pad", f.licence("MIT"))), head)
        stranger = json.dumps(f.signed(f.provenance(head), f.key()[0])).encode()
        handed_in(house, tmp_path, "stranger.json", stranger, head)
        house.event(trace, "pointsman.VerdictChanged", reasonCode="SignatureInvalid", revision=head)
        assert "ChangeMerged" not in house.types(trace)

        handed_in(
            house, tmp_path, "provenance.json", json.dumps(f.signed(f.provenance(head), CI)).encode(), head
        )
        attested = house.event(trace, "pointsman.ReleaseAttested", environment="staging")
        house.event(trace, "ReleasePublished")
        said = generic(attested.data["envelope"], BOT_PUBLIC)
        merged = house.event(trace, "ChangeMerged").data["mergeSha"]
        assert said["subject"][0] == {"name": "clock@1.0.0", "digest": {"gitCommit": merged}}
        uris = {one["uri"].partition(":")[0] for one in said["predicate"]["inputAttestations"]}
        assert uris == {"junit", "cyclonedx", "dsse"}
        place = house.wait(
            lambda: next((house.home / "memory").rglob("VerificationSummary.dsse.json"), None), "the artefact"
        )
        good = house.cli(
            "attestation",
            "verify",
            str(place),
            "--key",
            str(public),
            "--revision",
            merged,
            "--environment",
            "staging",
        )
        assert good.returncode == 0, good.stderr
        assert (
            house.cli(
                "attestation", "verify", str(place), "--key", str(public), "--revision", head
            ).returncode
            == 1
        )
