"""What jobs kept, packed by whoever can push: read within limits, and believed of nothing."""

from __future__ import annotations

import stat
import zipfile
from io import BytesIO

import pytest

from bot.domain.errors import Permanent, Retryable
from bot.forges.gitlab import reports
from bot.forges.port import REPORT_CAP
from tests.forges.gitlab.conftest import Desk
from tests.forges.gitlab.fake.state import Status, now

JUNIT = b"<testsuite/>"


def kept(desk: Desk, files: dict[str, bytes]) -> str:
    return desk.stage.keep_reports(str(desk.stage.head("main")), files)


def archive_of(desk: Desk) -> Status:
    return desk.world.project.pipelines[-1].jobs[0]


def read(desk: Desk, run: str) -> dict[str, bytes | None]:
    return {one.path: one.content for one in desk.forge.reports(desk.stage.repository, run)}


def test_two_jobs_may_keep_a_file_of_one_name(desk: Desk) -> None:
    run = kept(desk, {"junit.xml": JUNIT})
    other = Status(desk.world.state.next_id("status"), "lint", "success", desk.world.owner, now())
    other.archive = archive_of(desk).archive
    desk.world.project.pipelines[-1].jobs.append(other)
    assert read(desk, run) == {"junit.xml": JUNIT, "lint/junit.xml": JUNIT}


def test_what_has_expired_is_told_and_the_rest_is_read(desk: Desk) -> None:
    run = kept(desk, {"junit.xml": JUNIT})
    gone = Status(desk.world.state.next_id("status"), "scan", "success", desk.world.owner, now())
    gone.archive, gone.expired = b"x", True
    desk.world.project.pipelines[-1].jobs.append(gone)
    assert read(desk, run) == {"junit.xml": JUNIT, "scan": None}


def test_an_archive_that_is_too_large_is_told_and_not_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = kept(desk, {"junit.xml": JUNIT})
    monkeypatch.setattr(reports, "LARGEST", 10)
    assert read(desk, run) == {"test": None}


def hostile(desk: Desk, *entries: zipfile.ZipInfo) -> str:
    run = kept(desk, {})
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            archive.writestr(entry, b"secret")
        archive.writestr("junit.xml", JUNIT)
    archive_of(desk).archive = packed.getvalue()
    return run


def link() -> zipfile.ZipInfo:
    made = zipfile.ZipInfo("report.sarif")
    made.external_attr = (stat.S_IFLNK | 0o777) << 16
    return made


@pytest.mark.parametrize(
    "entry",
    [zipfile.ZipInfo("../outside.xml"), zipfile.ZipInfo("/etc/passwd"), link()],
    ids=lambda one: one.filename,
)
def test_what_leads_out_of_the_archive_has_no_content(desk: Desk, entry: zipfile.ZipInfo) -> None:
    assert read(desk, hostile(desk, entry)) == {entry.filename: None, "junit.xml": JUNIT}


def test_a_bomb_is_unpacked_up_to_the_cap(desk: Desk) -> None:
    run = kept(desk, {})
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.xml", b"\0" * (REPORT_CAP * 4))
    archive_of(desk).archive = packed.getvalue()
    assert len(packed.getvalue()) < 100_000
    assert read(desk, run) == {"bomb.xml": None}


@pytest.mark.parametrize("kind", ["truncated", "reset"])
def test_an_archive_that_is_cut_is_asked_for_again(desk: Desk, kind: str) -> None:
    run = kept(desk, {"junit.xml": JUNIT})
    desk.fault("GET", "/artifacts$", kind=kind)
    with pytest.raises(Retryable):
        read(desk, run)
    assert read(desk, run) == {"junit.xml": JUNIT}


@pytest.mark.parametrize("run", ["", "1/../2", "x", "²"])
def test_what_is_no_id_is_not_asked_for(desk: Desk, run: str) -> None:
    begun = len(desk.server.asked)
    with pytest.raises(Permanent) as refused:
        read(desk, run)
    assert (refused.value.reason_code, desk.server.asked[begun:]) == ("NotFound", [])
