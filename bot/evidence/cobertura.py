"""Cobertura XML: how many lines there are, and how many of them the tests reach."""

from __future__ import annotations

from io import BytesIO

from pycobertura import Cobertura

from bot.domain.errors import Invalid
from bot.domain.payloads import CoverageReport
from bot.evidence.xml import root_of


def read(content: bytes) -> CoverageReport:
    """The lines of a report, counted one by one: what the root element claims is not asked. Raises
    Invalid.
    """
    root_of(content, "coverage")
    try:
        # As a file: a text would be tried as the name of one first.
        report = Cobertura(BytesIO(content))
        valid, covered = report.total_statements(), report.total_hits()
    except (Cobertura.InvalidCoverageReport, KeyError, ValueError, TypeError) as error:
        raise Invalid(
            "NotCobertura", f"the file is not a Cobertura report ({_said(error)})", path="/coverage"
        ) from error
    if not valid:
        raise Invalid("NoLines", "the report has no line: nothing follows from it", path="/coverage/packages")
    return CoverageReport(covered=covered, valid=valid)


def _said(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error).splitlines()[0][:200]
