"""What each kind of report says, and what of it is refused, in which words."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from bot.domain.errors import Invalid
from bot.domain.payloads import EvidenceAdded, LicenceKind
from bot.domain.payloads.evidence import KINDS, NAMED
from bot.evidence.read import CAP, About, Given, Reader, kind_of
from tests.evidence import files as f

ABOUT = About("acme/clock", f.SHA, "upload")


def read(content: bytes, **given: Any) -> EvidenceAdded:
    return Reader().read(Given(content, **given), ABOUT)


def refused(content: bytes, **given: Any) -> tuple[str, str, str]:
    with pytest.raises(Invalid) as error:
        read(content, **given)
    return error.value.reason_code, error.value.message, error.value.path


def test_junit_counts_failures_and_errors_and_names_them() -> None:
    said = read(f.JUNIT_ONE_FAILED, path="out/junit.xml")
    assert said.kind == "junit"
    assert said.tests is not None
    assert said.tests.to_json() == {
        "total": 4, "failed": 2, "skipped": 1,
        "failing": ["tests.test_clock.test_strikes", "tests.test_clock.test_alarm"],
    }  # fmt: skip
    assert (said.name, said.path, said.size) == ("out/junit.xml", "out/junit.xml", len(f.JUNIT_ONE_FAILED))


def test_a_suite_that_counts_failures_it_does_not_list_is_believed() -> None:
    said = read(b'<testsuite tests="5" failures="2"><testcase name="a"/></testsuite>')
    assert said.tests is not None
    assert (said.tests.total, said.tests.failed) == (2, 2)


def test_junit_that_says_nothing_is_refused() -> None:
    assert refused(b"<testsuites/>") == (
        "NoTests",
        "the report has no test: nothing follows from it",
        "/testsuites",
    )
    code, message, path = refused(b'<testsuite failures="many"><testcase name="a"/></testsuite>')
    assert (code, message, path) == (
        "NotJUnit",
        "failures of a test suite is not a number",
        "/testsuite/@failures",
    )


def test_cobertura_counts_lines_and_believes_no_claim() -> None:
    said = read(f.COBERTURA_THREE_OF_FOUR)
    assert said.kind == "cobertura"
    assert said.coverage is not None
    assert (said.coverage.covered, said.coverage.valid) == (3, 4)


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"<coverage><packages/></coverage>", "NoLines", "the report has no line: nothing follows from it"),
        (
            b"<coverage><packages><package><classes><class><lines/></class></classes></package></packages></coverage>",
            "NotCobertura", "the file is not a Cobertura report ('filename' is missing)",
        ),
    ],
)  # fmt: skip
def test_cobertura_that_says_nothing_is_refused(content: bytes, code: str, message: str) -> None:
    assert refused(content)[:2] == (code, message)


LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>
<testsuite><testcase name="&lol2;"/></testsuite>"""
THIEF = b"""<!DOCTYPE coverage [<!ENTITY x SYSTEM "file:///etc/passwd">]><coverage><packages>&x;</packages></coverage>"""


@pytest.mark.parametrize("content", [LAUGHS, THIEF])
@pytest.mark.parametrize("kind", ["", "junit", "cobertura"])
def test_xml_defines_nothing(content: bytes, kind: str) -> None:
    assert refused(content, kind=kind) == (
        "UnsafeXml", "the file defines entities or names other documents, which is refused", "",
    )  # fmt: skip


def test_xml_that_ends_early_is_no_report() -> None:
    code, message, _ = refused(b"<testsuite><testcase>")
    assert (code, message[:20]) == ("NotXml", "the file is not XML:")


def test_sarif_takes_the_score_before_the_level_and_counts_by_rule() -> None:
    content = f.sarif(
        f.result("CVE-2026-1", "note"),
        f.result("CVE-2026-1", "note", "other.py"),
        f.result("CVE-2026-2", "error"),
        f.result("CVE-2026-3"),
        f.result("style", "none"),
        rules=(
            f.scored("CVE-2026-1", "9.8"),
            {"id": "CVE-2026-3", "defaultConfiguration": {"level": "note"}},
        ),
    )
    said = read(content)
    assert said.kind == "sarif"
    assert said.scan is not None
    assert said.name == "scanner"
    assert [one.to_json() for one in said.scan.findings] == [
        {"id": "CVE-2026-1", "severity": "critical", "component": "clock.py", "count": 2},
        {"id": "CVE-2026-2", "severity": "high", "component": "clock.py", "count": 1},
        {"id": "CVE-2026-3", "severity": "low", "component": "clock.py", "count": 1},
    ]
    assert (said.scan.total, said.scan.more) == (4, {})


@pytest.mark.parametrize(
    ("score", "severity"),
    [
        ("10", "critical"),
        ("9.0", "critical"),
        ("8.9", "high"),
        ("7", "high"),
        ("6.9", "medium"),
        ("4.0", "medium"),
        ("3.9", "low"),
        ("0.0", "low"),
    ],
)
def test_a_score_is_rated_as_cvss_rates_it(score: str, severity: str) -> None:
    scan = read(f.sarif(f.result("r"), rules=(f.scored("r", score),))).scan
    assert scan is not None
    assert scan.findings[0].severity == severity


def test_what_the_author_suppressed_counts_all_the_same() -> None:
    scan = read(
        f.sarif(f.result("CVE-1", "error", suppressions=[{"kind": "inSource", "status": "accepted"}]))
    ).scan
    assert scan is not None
    assert scan.total == 1


def test_what_passed_and_what_is_gone_is_no_finding() -> None:
    gone = (
        f.result("a", "error", kind="pass"),
        f.result("b", "error", baselineState="absent"),
        f.result("c", kind="notApplicable"),
    )
    scan = read(f.sarif(*gone)).scan
    assert scan is not None
    assert (scan.total, scan.findings) == (0, ())


def test_a_result_may_name_its_rule_by_place_or_by_reference() -> None:
    by_place = {"ruleIndex": 1, "message": {"text": "x"}, "level": "error"}
    by_reference = {"rule": {"id": "r9"}, "message": {"text": "x"}, "level": "error"}
    scan = read(f.sarif(by_place, by_reference, rules=({"id": "r0"}, {"id": "r1"}))).scan
    assert scan is not None
    assert [one.id for one in scan.findings] == ["r1", "r9"]


def test_many_findings_are_bounded_and_none_is_lost_from_the_count() -> None:
    results = [f.result(f"CVE-{n:03}", "error") for n in range(70)] + [f.result("worst", "error")] * 2
    scan = read(f.sarif(*results, rules=(f.scored("worst", "9.9"),))).scan
    assert scan is not None
    assert (len(scan.findings), scan.total, scan.findings[0].id) == (NAMED, 72, "worst")
    assert sum(one.count for one in scan.findings) + sum(scan.more.values()) == 72
    assert scan.more == {"high": 21}


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b'{"version": "2.0.0", "runs": []}', "NotSarif", "version: Input should be '2.1.0'"),
        (
            b'{"version": "2.1.0", "runs": []}',
            "NotSarif",
            "runs: Tuple should have at least 1 item after validation, not 0",
        ),
        (b'{"version": "2.1.0", "runs": [{"tool": {}}]}', "NotSarif", "runs.0.tool.driver: Field required"),
        (
            b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}}]}',
            "ScanFailed",
            "runs.0.results is missing: that scan gave no answer",
        ),
    ],
)
def test_sarif_that_gives_no_answer_is_refused(content: bytes, code: str, message: str) -> None:
    assert refused(content)[:2] == (code, message)


def test_a_parts_list_is_told_by_licence() -> None:
    content = f.bom(
        ("a", f.licence("MIT")),
        ("b", f.licence("MIT")),
        ("c", f.expression("MIT OR (Apache-2.0 AND GPL-2.0-only)")),
        ("d", [{"license": {"name": "Our own"}}]),
        ("e", [*f.licence("MIT"), *f.licence("GPL-3.0-only")]),
        ("f", []),
    )
    said = read(content, path="sbom.json")
    assert said.kind == "cyclonedx"
    assert said.parts is not None
    assert (said.parts.total, said.parts.spec_version) == (6, "1.6")
    assert said.parts.licences == (
        LicenceKind(licences=(), count=1, names=("f@1.0",)),
        LicenceKind(licences=("Apache-2.0 AND GPL-2.0-only", "MIT"), count=1, names=("c@1.0",)),
        LicenceKind(licences=("GPL-3.0-only AND MIT",), count=1, names=("e@1.0",)),
        LicenceKind(licences=("MIT",), count=2, names=("a@1.0", "b@1.0")),
        LicenceKind(licences=("Our own",), count=1, names=("d@1.0",)),
    )


def test_parts_inside_parts_count() -> None:
    document = json.loads(f.bom(("a", f.licence("MIT"))))
    document["components"][0]["components"] = [
        {"type": "library", "name": "inside", "licenses": f.licence("GPL-3.0-only")}
    ]
    parts = read(json.dumps(document).encode()).parts
    assert parts is not None
    assert parts.total == 2


def test_a_licence_with_too_many_choices_is_unknown() -> None:
    names = ("MIT", "ISC", "0BSD", "Zlib", "X11", "NTP", "Unlicense", "curl", "Ruby", "PSF-2.0")
    parts = read(f.bom(("a", f.expression(" OR ".join(names))))).parts
    assert parts is not None
    assert parts.licences[0].licences == ()


@pytest.mark.parametrize("version", ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"])
def test_every_version_is_held_against_its_own_schema(version: str) -> None:
    good = f.bom(("a", f.licence("MIT")), version=version)
    assert read(good).parts is not None
    bad = json.loads(good)
    bad["components"][0]["type"] = "lib"
    code, message, path = refused(json.dumps(bad).encode())
    assert (code, path) == ("NotCycloneDx", "components[0].type")
    assert message.startswith('components[0].type: "lib" is not one of')


def test_a_parts_list_of_an_unknown_version_is_refused() -> None:
    assert refused(f.bom(version="9.0")) == (
        "NotCycloneDx", "specVersion is '9.0', not one of 1.2, 1.3, 1.4, 1.5, 1.6, 1.7", "specVersion",
    )  # fmt: skip
    assert refused(f.bom(("a", f.licence("MITT"))))[2] == "components[0].licenses"


def test_parts_under_more_licences_than_can_be_kept_are_refused() -> None:
    many = [(f"p{n}", [{"license": {"name": f"Licence number {n}"}}]) for n in range(201)]
    assert refused(f.bom(*many)) == (
        "TooManyLicences", "the parts have 201 different licences; 200 can be kept", "components",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (f.JUNIT_ONE_FAILED, "junit"),
        (f.JUNIT_ALL_PASSED, "junit"),
        (b"\xef\xbb\xbf\n " + f.JUNIT_ALL_PASSED, "junit"),
        (f.COBERTURA_THREE_OF_FOUR, "cobertura"),
        (f.sarif(), "sarif"),
        (f.bom(), "cyclonedx"),
        (b'{"payload": "", "payloadType": "x", "signatures": []}', "dsse"),
        (
            b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {}}',
            "sigstore",
        ),
    ],
)
def test_the_content_tells_what_it_is(content: bytes, kind: str) -> None:
    assert kind_of(Given(content)) == kind


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "neither XML nor JSON"),
        (b"PK\x03\x04", "neither XML nor JSON"),
        (b"<html/>", "the root element is <html>"),
        (b"{}", "it has none of bomFormat, runs, payloadType, verificationMaterial"),
    ],
)
def test_what_it_is_not_is_said(content: bytes, why: str) -> None:
    message = f"this is no report that is known ({why}): say `kind`, one of {', '.join(KINDS)}"
    assert refused(content) == ("UnknownKind", message, "kind")


def test_a_kind_that_is_none_and_a_kind_that_does_not_fit() -> None:
    assert refused(b"<x/>", kind="jacoco")[0] == "UnknownKind"
    assert refused(f.COBERTURA_THREE_OF_FOUR, kind="junit") == (
        "WrongRoot", "the root element is <coverage>, not <testsuites>", "/coverage",
    )  # fmt: skip
    assert refused(b"[" * 100_000, kind="cyclonedx")[0] == "NotJson"
    assert refused(b'{"a": NaN}', kind="dsse")[0] == "NotJson"


def test_a_file_over_the_cap_is_not_looked_at() -> None:
    assert refused(b"<" * (CAP + 1)) == (
        "ReportTooLarge",
        f"the file has {CAP + 1} bytes; up to {CAP} are read",
        "",
    )


def test_a_revision_is_whole() -> None:
    with pytest.raises(Invalid, match=re.escape("revision: String should match pattern")):
        Reader().read(Given(f.JUNIT_ALL_PASSED), About("acme/clock", "abc1234", "upload"))


def test_eight_mebibytes_are_read_within_seconds() -> None:
    listed = [
        (f"part-{n}", f.licence("MIT") if n % 2 else f.expression("MIT OR Apache-2.0")) for n in range(60_000)
    ]
    content = f.bom(*listed)
    assert CAP // 2 < len(content) <= CAP
    parts = read(content).parts
    assert parts is not None
    assert parts.total == 60_000
