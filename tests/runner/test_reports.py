"""Coverage out of logs, cases out of JUnit reports; what can not be read is no reason to fail."""

import time
from pathlib import Path

import pytest

from bot.forges.local.runner import CaseResult, reports


def written(folder: Path, text: str) -> Path:
    (folder / "log").write_text(text)
    return folder / "log"


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"TOTAL (\d+)%", "TOTAL 10%\nTOTAL 90%\nother\n", 90.0),
        (r"TOTAL \d+%", "TOTAL 42%\n", 42.0),
        (
            r"(\d+)% of lines|(\d+)% of branches",
            "80% of lines\n",
            None,
        ),  # the last group is empty, as in GitLab
        (r"\d+\.\d+", "1.5 then 99.25\n", 99.25),
        (r"^Coverage: (.+)$", "Coverage: about 77 percent\n", 77.0),
        (r"^Coverage: (.+)$", "Coverage: 66\nCoverage: unknown\n", 66.0),
        (r"nothing (\d+)", "TOTAL 10%\n", None),
        (r"TOTAL (\d+)%", "", None),
        ("(", "TOTAL 10%\n", None),
    ],
)
def test_coverage(pattern: str, text: str, expected: float | None, tmp_path: Path) -> None:
    assert reports.coverage(pattern, written(tmp_path, text)) == expected


def test_bytes_that_are_no_text_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\xff\xfe TOTAL 10%\n")
    assert reports.coverage(r"TOTAL (\d+)%", tmp_path / "log") == 10.0


def test_a_pattern_that_takes_for_ever_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "SCAN_S", 1)
    began = time.monotonic()
    assert reports.coverage("^(a+)+$", written(tmp_path, "a" * 60 + "b")) is None
    assert time.monotonic() - began < 10


def test_cases_of_all_reports_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.xml").write_text(
        "<testsuite><testcase name='two' classname='B'><error/></testcase></testsuite>"
    )
    (tmp_path / "a.xml").write_text(
        "<testsuites><testsuite><testcase name='one'/>"
        "<testcase name='s'><skipped/></testcase></testsuite></testsuites>"
    )
    cases, unreadable = reports.junit(tmp_path)
    assert cases == [
        CaseResult(name="one", classname="", status="passed"),
        CaseResult(name="s", classname="", status="skipped"),
        CaseResult(name="two", classname="B", status="error"),
    ]
    assert unreadable == []


BAD = {
    "empty": "",
    "not closed": "<testsuite>",
    "something else": "<html><testcase name='x'/></html>",
    "entities": "<!DOCTYPE t [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]><testsuite>&b;</testsuite>",
    "outside": "<!DOCTYPE t [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><testsuite>&f;</testsuite>",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_report_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "bad.xml").write_text(BAD[name])
    assert reports.junit(tmp_path) == ([], ["bad.xml"])


def test_links_and_large_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MAX_XML_BYTES", 30)
    good = "<testsuite><testcase name='long enough'/></testsuite>"
    (tmp_path / "reports").mkdir()
    (tmp_path / "elsewhere").write_text("<testsuite/>")
    (tmp_path / "reports" / "link.xml").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "reports" / "large.xml").write_text(good)
    assert reports.junit(tmp_path / "reports") == ([], ["large.xml", "link.xml"])


def test_a_missing_folder_has_no_cases(tmp_path: Path) -> None:
    assert reports.junit(tmp_path / "none") == ([], [])
