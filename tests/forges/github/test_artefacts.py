"""What runs kept: from another host, without a token, and never more than may be read."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

import pytest

from bot.domain.errors import Permanent, Retryable
from bot.forges.github import artefacts
from tests.forges.conformance.stages.github import GitHubStage
from tests.forges.github.fake.hub import Json
from tests.forges.github.fake.routes_beside import keep
from tests.forges.github.fake.routes_reports import end_run


def ran(stage: GitHubStage) -> Json:
    run = stage.start_run(str(stage.head("main")))
    end_run(stage.repo, run, "success", None)
    return run


def told(stage: GitHubStage, run: Json) -> dict[str, bytes | None]:
    listed = list(stage.forge.reports(stage.repository, str(run["id"])))
    assert len({report.path for report in listed}) == len(listed)
    return {report.path: report.content for report in listed}


def kept(stage: GitHubStage, **archives: bytes | Mapping[str, bytes]) -> Json:
    run = ran(stage)
    for name, archive in archives.items():
        keep(stage.repo, run, name, archive)
    return run


def test_the_other_host_never_sees_a_token(stage: GitHubStage) -> None:
    run = kept(stage, tests={"junit.xml": b"<testsuite/>"})
    assert told(stage, run) == {"junit.xml": b"<testsuite/>"}
    (there,) = stage.server.asked("^GET /storage/")
    assert there.headers["host"].startswith("localhost:")
    assert not {"authorization", "cookie"} & set(there.headers)
    assert not any(token in f"{there.path}{there.query}{there.headers}" for token in stage.hub.bearers)


def test_a_token_may_read_actions_and_nothing_else(stage: GitHubStage) -> None:
    told(stage, kept(stage, tests={"junit.xml": b"x"}))
    assert [one.answer["permissions"] for one in stage.server.asked("access_tokens")] == [
        {"actions": "read", "metadata": "read"}
    ]


def test_jobs_of_a_matrix_keep_files_of_the_same_name(stage: GitHubStage) -> None:
    run = kept(stage, linux={"junit.xml": b"1", "x": b"x"}, mac={"junit.xml": b"2"})
    assert told(stage, run) == {"junit.xml": b"1", "x": b"x", "mac/junit.xml": b"2"}


def test_of_a_run_that_was_run_again_the_newest_counts(stage: GitHubStage) -> None:
    run = kept(stage, tests={"junit.xml": b"failed"})
    keep(stage.repo, run, "tests", {"junit.xml": b"passed"})
    assert told(stage, run) == {"junit.xml": b"passed"}


def test_many_artefacts_are_all_read(stage: GitHubStage) -> None:
    run = ran(stage)
    for number in range(101):
        keep(stage.repo, run, f"a{number}", {f"{number}.xml": b"x"})
    assert len(told(stage, run)) == 101


def test_what_has_expired_or_is_too_large_is_named(
    stage: GitHubStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = kept(stage, good={"junit.xml": b"x"})
    keep(stage.repo, run, "old", {"a": b"a"})["expired"] = True
    keep(stage.repo, run, "image", {"b": b"b"})["size"] = artefacts.LARGEST + 1
    assert told(stage, run) == {"junit.xml": b"x", "old": None, "image": None}
    assert len(stage.server.asked("^GET /storage/")) == 1, "nothing is fetched in vain"
    monkeypatch.setattr(artefacts, "LARGEST", 10)
    liar = keep(stage.repo, run, "liar", {"c": b"c" * 1000})
    liar["size"] = 5
    assert told(stage, run)["liar"] is None, "what it says of its size is a claim"


def packed(*entries: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for entry, content in entries:
            opened.writestr(entry, content)
    return archive.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = 0o120777 << 16
    return made


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "a\\x", "a//x", "./x"])
def test_a_name_that_leads_out_is_told_without_content(stage: GitHubStage, name: str) -> None:
    run = kept(stage, bad=packed((name, b"x"), ("junit.xml", b"good")))
    assert told(stage, run) == {name: None, "junit.xml": b"good"}


def test_a_link_is_told_without_content(stage: GitHubStage) -> None:
    run = kept(stage, bad=packed((link("passwd"), b"/etc/passwd")))
    assert told(stage, run) == {"passwd": None}


def test_a_bomb_does_not_go_off(stage: GitHubStage) -> None:
    run = kept(stage, bomb=packed(("junit.xml", bytes(64 * 1024 * 1024))), good={"ok": b"ok"})
    assert told(stage, run) == {"junit.xml": None, "ok": b"ok"}


def damaged(*, content: bool) -> bytes:
    whole = bytearray(packed(("junit.xml", bytes(range(256)) * 64)))
    if not content:
        return bytes(whole[: len(whole) // 2])
    whole[60:80] = b"\xff" * 20
    return bytes(whole)


@pytest.mark.parametrize(
    "archive",
    [b"", b"no zip", damaged(content=False), damaged(content=True)],
    ids=["empty", "no zip", "half", "overwritten"],
)
def test_what_is_no_archive_does_not_hide_the_others(stage: GitHubStage, archive: bytes) -> None:
    run = kept(stage, broken=archive, good={"ok": b"ok"})
    assert told(stage, run) == {"broken": None, "ok": b"ok"}


@pytest.mark.parametrize(
    ("fault", "message"),
    [({"status": 503}, "GitHub answered 503"), ({"reset": True}, r"GitHub cannot be reached: ReadError")],
)
@pytest.mark.parametrize("path", ["/artifacts$", "/zip$", "^GET /storage/"])
def test_what_fails_on_the_way_is_tried_again(
    stage: GitHubStage, path: str, fault: Json, message: str
) -> None:
    run = kept(stage, tests={"junit.xml": b"x"})
    stage.server.fail(path, **fault)
    with pytest.raises(Retryable) as failed:
        told(stage, run)
    assert re.fullmatch(message, failed.value.message)
    assert told(stage, run) == {"junit.xml": b"x"}


def test_an_app_that_may_not_read_actions_says_so(stage: GitHubStage) -> None:
    run = kept(stage, tests={"junit.xml": b"x"})
    assert stage.hub.installation
    del stage.hub.installation.permissions["actions"]
    with pytest.raises(Permanent) as refused:
        told(stage, run)
    assert refused.value.reason_code == "NoReadAccess"
    assert refused.value.message == (
        "the App may not read actions in acme/booking: give it that permission, and accept it in the installation"
    )


def test_a_user_reads_them_as_well(user_stage: GitHubStage) -> None:
    assert told(user_stage, kept(user_stage, tests={"junit.xml": b"x"})) == {"junit.xml": b"x"}
