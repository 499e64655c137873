"""Reports as tools write them, made here: small, and named after what they say."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

SHA = "a" * 40
OTHER = "b" * 40
DIGEST = "c" * 64

JUNIT_ONE_FAILED = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites>
  <testsuite name="unit" tests="4" failures="1" errors="1" skipped="1">
    <testcase classname="tests.test_clock" name="test_ticks" time="0.01"/>
    <testcase classname="tests.test_clock" name="test_strikes"><failure message="11 != 12">at noon</failure></testcase>
    <testcase classname="tests.test_clock" name="test_alarm"><error message="no bell"/></testcase>
    <testcase classname="tests.test_clock" name="test_tide"><skipped/></testcase>
  </testsuite>
</testsuites>
"""
JUNIT_ALL_PASSED = b"""<testsuite name="unit" tests="2"><testcase classname="c" name="a"/><testcase classname="c" name="b"/></testsuite>"""

COBERTURA_THREE_OF_FOUR = b"""<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage version="7.6" line-rate="1" lines-valid="4" lines-covered="4" branch-rate="0" timestamp="1">
  <packages><package name="clock" line-rate="0.75"><classes>
    <class name="clock.py" filename="clock.py" line-rate="0.75"><methods/><lines>
      <line number="1" hits="1"/><line number="2" hits="3"/><line number="3" hits="0"/><line number="4" hits="1"/>
    </lines></class>
  </classes></package></packages>
</coverage>
"""


def sarif(
    *results: dict[str, Any], tool: str = "scanner", rules: tuple[dict[str, Any], ...] = (), **run: Any
) -> bytes:
    said = {"tool": {"driver": {"name": tool, "rules": list(rules)}}, "results": list(results)} | run
    return json.dumps(
        {"version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": [said]}
    ).encode()


def result(rule: str, level: str | None = None, uri: str = "clock.py", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": rule,
        "message": {"text": "look here"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 3}}}],
    }
    return found | ({"level": level} if level else {}) | more


def scored(rule: str, score: str) -> dict[str, Any]:
    return {"id": rule, "properties": {"security-severity": score}}


def bom(*parts: tuple[str, list[dict[str, Any]]], version: str = "1.6", **more: Any) -> bytes:
    listed = [
        {"type": "library", "name": name, "version": "1.0", "licenses": licences} for name, licences in parts
    ]
    said = {"bomFormat": "CycloneDX", "specVersion": version, "version": 1, "components": listed}
    return json.dumps(said | more).encode()


def licence(name: str) -> list[dict[str, Any]]:
    return [{"license": {"id": name}}]


def expression(text: str) -> list[dict[str, Any]]:
    return [{"expression": text}]


def provenance(revision: str | None = SHA, digest: str = DIGEST) -> dict[str, Any]:
    """SLSA provenance 1.0 of one file; of no revision at all when it is None."""
    source = (
        {"uri": "git+https://example.org/acme/clock", "digest": {"gitCommit": revision}} if revision else None
    )
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "clock-1.0.0.tar.gz", "digest": {"sha256": digest}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://example.org/build/v1",
                "externalParameters": {},
                "resolvedDependencies": [source] if source else [],
            },
            "runDetails": {"builder": {"id": "https://example.org/builder"}},
        },
    }


def key() -> tuple[Ed25519PrivateKey, str]:
    """A pair: the private key, and the public one in PEM."""
    private = Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, pem.decode()


def signed(statement: dict[str, Any], *keys: Ed25519PrivateKey) -> dict[str, Any]:
    """A statement in an envelope, signed as `securesystemslib` signs."""
    envelope = Envelope(json.dumps(statement).encode(), "application/vnd.in-toto+json", {})
    for one in keys:
        envelope.sign(CryptoSigner(one))
    found: dict[str, Any] = envelope.to_dict()
    return found


def with_payload(envelope: dict[str, Any], statement: dict[str, Any]) -> dict[str, Any]:
    """The same signatures over other words."""
    return envelope | {"payload": b64encode(json.dumps(statement).encode()).decode()}
