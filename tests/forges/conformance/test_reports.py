"""Reports that a pipeline run kept are read, file by file, each no larger than the cap."""

from __future__ import annotations

import pytest

from bot.domain.errors import Permanent
from bot.forges.capabilities import Feature
from bot.forges.port import REPORT_CAP, Report
from tests.forges.conformance.stage import Stage

JUNIT = b'<testsuite tests="1"><testcase name="moves" classname="bookings"/></testsuite>'
SARIF = b'{"version": "2.1.0", "runs": []}'


def lacks(stage: Stage) -> bool:
    """Whether this forge says, with a reason, that it has none: then it tells none."""
    support = stage.forge.capabilities[Feature.REPORTS]
    return not support.yes and bool(support.note)


def kept(stage: Stage, files: dict[str, bytes]) -> str:
    return stage.keep_reports(str(stage.head("main")), files)


def read(stage: Stage, run: str) -> dict[str, bytes | None]:
    """Every report by its path; no path twice."""
    told: list[Report] = list(stage.forge.reports(stage.repository, run))
    found = {report.path: report.content for report in told}
    assert len(found) == len(told)
    return found


def test_what_a_run_kept_is_read_byte_for_byte(stage: Stage) -> None:
    if lacks(stage):
        return
    files = {
        "junit.xml": JUNIT,
        "reports/scan.sarif": SARIF,
        "signature.dsse.json": b'{"payload": "\xc3\xa4"}\r\n',
    }
    assert read(stage, kept(stage, files)) == files


def test_reading_takes_nothing_away(stage: Stage) -> None:
    if lacks(stage):
        return
    run = kept(stage, {"junit.xml": JUNIT})
    assert read(stage, run) == read(stage, run) == {"junit.xml": JUNIT}


def test_runs_do_not_know_each_others_reports(stage: Stage) -> None:
    if lacks(stage):
        return
    first = kept(stage, {"junit.xml": JUNIT})
    second = kept(stage, {"scan.sarif": SARIF})
    assert (read(stage, first), read(stage, second)) == ({"junit.xml": JUNIT}, {"scan.sarif": SARIF})


def test_a_run_that_kept_nothing(stage: Stage) -> None:
    if lacks(stage):
        return
    assert read(stage, kept(stage, {})) == {}


def test_what_is_too_large_is_named_and_not_read(stage: Stage) -> None:
    if lacks(stage):
        return
    files = {"junit.xml": JUNIT, "sbom.cdx.json": b"x" * (REPORT_CAP + 1), "fits.sarif": b"y" * REPORT_CAP}
    assert read(stage, kept(stage, files)) == files | {"sbom.cdx.json": None}


def test_a_run_that_is_not_there(stage: Stage) -> None:
    if lacks(stage):
        return
    kept(stage, {"junit.xml": JUNIT})
    with pytest.raises(Permanent) as refused:
        list(stage.forge.reports(stage.repository, "987654321"))
    assert refused.value.reason_code == "NotFound"
