"""Numbers and test cases out of what a job left behind.

A report that can not be read is no reason to fail a job.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse as parse_xml

from bot.forges.local.runner import scan_coverage
from bot.forges.local.runner.results import CaseResult

SCAN_S = 10
MAX_XML_BYTES = 16 * 1024 * 1024
MAX_CASES = 20_000


def coverage(pattern: str, log: Path) -> float | None:
    """Percent as found in a log by GitLab's rules.

    None when nothing is found, or not within SCAN_S seconds.
    """
    command = [sys.executable, "-I", "-S", scan_coverage.__file__, pattern, str(log)]
    try:
        found = subprocess.run(command, env={}, capture_output=True, text=True, timeout=SCAN_S, check=False)
    except subprocess.TimeoutExpired:
        return None
    return float(found.stdout) if found.returncode == 0 and found.stdout else None


def junit(folder: Path) -> tuple[list[CaseResult], list[str]]:
    """Cases of every `*.xml` below a folder, at most MAX_CASES, and the names of files that are no report."""
    cases: list[CaseResult] = []
    unreadable: list[str] = []
    for path in sorted(folder.rglob("*.xml")):
        try:
            cases += _cases(path)
        except (ParseError, DefusedXmlException, ValueError, OSError):
            unreadable.append(str(path.relative_to(folder)))
    return cases[:MAX_CASES], unreadable


def _cases(path: Path) -> list[CaseResult]:
    if path.is_symlink() or path.stat().st_size > MAX_XML_BYTES:
        raise ValueError("a link, or too large")
    root = parse_xml(path, forbid_dtd=True).getroot()
    if root is None or root.tag not in ("testsuites", "testsuite"):
        raise ValueError("no JUnit report")
    return [
        CaseResult(name=case.get("name", ""), classname=case.get("classname", ""), status=_status(case))
        for case in root.iter("testcase")
    ]


def _status(case: Element) -> Literal["passed", "failed", "error", "skipped"]:
    if case.find("failure") is not None:
        return "failed"
    if case.find("error") is not None:
        return "error"
    return "skipped" if case.find("skipped") is not None else "passed"
