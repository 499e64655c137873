"""JUnit XML: how many tests ran, and which failed."""

from __future__ import annotations

from collections.abc import Iterator

from junitparser import JUnitXml, TestCase

from bot.domain.errors import Invalid
from bot.domain.payloads import TestReport
from bot.domain.payloads.evidence import NAMED
from bot.evidence.xml import root_of

LONGEST = 200
"""Characters of a test's name that are kept."""


def read(content: bytes) -> TestReport:
    """The tests of a report. Raises Invalid.

    A suite may count failures that it does not list: then it is believed, since nothing good follows from it.
    """
    root = root_of(content, "testsuites", "testsuite")
    report = JUnitXml.fromroot(root)  # type: ignore[arg-type]  # it means an element of XML, and names its own
    cases = list(_cases(report))
    failing = [_name(case) for case in cases if case.is_failure or case.is_error]
    claimed = sum(_count(suite, "failures") + _count(suite, "errors") for suite in report)
    failed = max(len(failing), claimed)
    total = max(len(cases), failed)
    if not total:
        raise Invalid("NoTests", "the report has no test: nothing follows from it", path="/testsuites")
    skipped = sum(bool(case.is_skipped) for case in cases)
    return TestReport(total=total, failed=failed, skipped=skipped, failing=tuple(failing[:NAMED]))


def _cases(report: JUnitXml) -> Iterator[TestCase]:
    for suite in report:
        yield from suite


def _name(case: TestCase) -> str:
    return ".".join(part for part in (case.classname, case.name) if part)[:LONGEST] or "a test without a name"


def _count(suite: object, name: str) -> int:
    try:
        return max(0, int(getattr(suite, name) or 0))
    except ValueError as error:
        raise Invalid(
            "NotJUnit", f"{name} of a test suite is not a number", path=f"/testsuite/@{name}"
        ) from error
