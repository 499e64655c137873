"""`CommitFiles` on every forge."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.event import Event
from bot.forges.capabilities import Feature
from tests.forges.conformance.conftest import Do
from tests.forges.conformance.stage import Stage

APP = e.File(path="app.py", content="print('one')\n")


def files(*wanted: e.File, **more: Any) -> e.CommitFiles:
    said = {
        "branch": "feature/booking",
        "base": "main",
        "message": "feat: add booking",
        "files": wanted or (APP,),
    }
    return e.CommitFiles(**(said | {"trailers": {"Trace-Id": "trace-1", "Version": "1.0.0"}} | more))


def committed(do: Do, effect: e.CommitFiles, effect_id: str = "trace-1.000007.0") -> e.CommitResult:
    result = do(effect, effect_id)
    assert isinstance(result, e.CommitResult)
    return result


def test_a_missing_branch_begins_at_its_base(stage: Stage, do: Do) -> None:
    main = stage.head("main")
    result = committed(do, files())
    assert stage.head("feature/booking") == result.sha
    assert stage.head("main") == main
    assert (result.parent, result.branch, result.files) == (main, "feature/booking", ("app.py",))
    assert stage.parents(result.sha) == [main]
    assert stage.files(result.sha) == {"README.md": b"# Booking\n", "app.py": b"print('one')\n"}


def test_the_message_carries_the_trailers_that_git_reads_back(stage: Stage, do: Do) -> None:
    result = committed(do, files(message="feat: add booking\n\nIt books."))
    message = stage.message(result.sha)
    assert message.startswith("feat: add booking\n\nIt books.\n\n")
    parsed = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=message, capture_output=True, text=True, check=True
    ).stdout
    assert parsed == "Trace-Id: trace-1\nVersion: 1.0.0\nEffect-Id: trace-1.000007.0\n"


def test_a_trailer_cannot_smuggle_another_in(stage: Stage, do: Do) -> None:
    result = committed(do, files(trailers={"Version": "1.0.0\nApproved-By: boss"}))
    assert "\nVersion: 1.0.0 Approved-By: boss\n" in stage.message(result.sha)


def test_done_twice_is_once(stage: Stage, do: Do) -> None:
    first = committed(do, files())
    assert committed(do, files()) == first
    assert stage.head("feature/booking") == first.sha


def test_done_twice_is_once_also_when_somebody_went_on(stage: Stage, do: Do) -> None:
    first = committed(do, files())
    stage.person("jane", "write")
    later = stage.push("jane", "feature/booking", {"app.py": "print('hers')\n"}, "fix: hers")
    assert committed(do, files()) == first
    assert stage.head("feature/booking") == later


def test_a_branch_that_must_be_new_is_made_once_and_never_taken_over(stage: Stage, do: Do) -> None:
    first = committed(do, files(fresh=True))
    assert committed(do, files(fresh=True)) == first, "its answer was lost"
    with pytest.raises(Permanent) as refused:
        do(files(e.File(path="b.py", content="b\n"), fresh=True), "trace-2.000007.0")
    assert refused.value.reason_code == "BranchTaken"
    assert stage.head("feature/booking") == first.sha


def test_another_effect_is_another_commit(stage: Stage, do: Do) -> None:
    first = committed(do, files())
    second = committed(do, files(e.File(path="b.py", content="b\n")), "trace-1.000009.0")
    assert second.parent == first.sha


def test_bytes_modes_and_deletions(stage: Stage, do: Do) -> None:
    result = committed(
        do,
        files(
            e.File(path="logo.bin", content="AP/+", encoding="base64"),
            e.File(path="bin/run", content="#!/bin/sh\n", executable=True),
            e.File(path="über/größe.txt", content="ü\n"),
            e.File(path="README.md", delete=True),
        ),
    )
    assert stage.files(result.sha)["logo.bin"] == b"\x00\xff\xfe"
    assert "README.md" not in stage.files(result.sha)
    can = stage.forge.capabilities[Feature.EXECUTABLE_BIT].yes
    assert stage.executables(result.sha) == ({"bin/run"} if can else set())
    assert set(result.files) == {"logo.bin", "bin/run", "über/größe.txt", "README.md"}


def test_the_files_of_an_event_go_below_their_prefix_and_clean_it(
    stage: Stage, do: Do, events: dict[str, Event]
) -> None:
    committed(
        do,
        files(
            e.File(path="services/booking/old.py", content="old\n"),
            e.File(path="services/x.py", content="x\n"),
        ),
    )
    data = {
        "repository": stage.repository,
        "moduleId": "booking",
        "version": "1.0.0",
        "files": [{"path": "app.py", "content": "new\n"}],
    }
    events["event-1"] = Event(
        id="event-1",
        source="api",
        type="ModuleGenerated",
        time=datetime(2026, 11, 20, 4, 5, 6, 789000, UTC),
        tenant_id="acme",
        trace_id="trace-1",
        data=data,
    )
    again = files(files=(), files_from="event-1", prefix="services/booking", clean=True)
    result = committed(do, again, "trace-1.000009.0")
    assert stage.files(result.sha) == {
        "README.md": b"# Booking\n",
        "services/booking/app.py": b"new\n",
        "services/x.py": b"x\n",
    }
    # Where the forge makes the commit itself, its moment is the forge's.
    if getattr(stage, "dates_commits", True):
        assert result.committed_at == "2026-11-20T04:05:06.000Z"
    else:
        made = datetime.fromisoformat(result.committed_at)
        assert abs((datetime.now(UTC) - made).total_seconds()) < 60


def test_nothing_new_is_no_commit(stage: Stage, do: Do) -> None:
    first = committed(do, files())
    second = committed(do, files(), "trace-1.000009.0")
    assert (second.sha, second.files) == (first.sha, ())


def test_a_moved_head_is_no_matter_when_other_files_moved(stage: Stage, do: Do) -> None:
    first = committed(do, files())
    stage.person("jane", "write")
    hers = stage.push("jane", "feature/booking", {"docs.md": "hers\n"}, "docs: hers")
    more = files(e.File(path="app.py", content="two\n"), expected_head=first.sha)
    second = committed(do, more, "trace-1.000009.0")
    assert second.parent == hers
    assert stage.files(second.sha) == {"README.md": b"# Booking\n", "app.py": b"two\n", "docs.md": b"hers\n"}


def test_a_moved_head_that_touched_the_same_file_is_head_moved(stage: Stage, do: Do) -> None:
    first = committed(do, files())
    stage.person("jane", "write")
    hers = stage.push("jane", "feature/booking", {"app.py": "hers\n"}, "fix: hers")
    more = files(e.File(path="app.py", content="two\n"), expected_head=first.sha)
    with pytest.raises(Permanent) as refused:
        do(more, "trace-1.000009.0")
    assert refused.value.reason_code == "HeadMoved"
    assert refused.value.message == (
        f"feature/booking moved from {first.sha[:12]} to {hers[:12]}, which changes app.py as well"
    )
    assert stage.head("feature/booking") == hers


def test_a_branch_that_was_deleted_is_not_made_again(stage: Stage, do: Do) -> None:
    first = committed(do, files())
    stage.person("jane", "write")
    stage.delete_branch("jane", "feature/booking")
    with pytest.raises(Permanent) as refused:
        do(files(e.File(path="app.py", content="two\n"), expected_head=first.sha), "trace-1.000009.0")
    assert refused.value.reason_code == "BranchDeleted"
    assert stage.head("feature/booking") is None


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../up.txt",
        "a/../../up.txt",
        ".git/config",
        "a/.GIT/hooks/x",
        ".git./config",
        "GIT~1/config",
        "a//b",
        "./a",
        "a/",
        "a\\b",
        "a\nb",
        "",
        ".g\u200cit/config",
    ],
)
def test_a_path_out_of_the_repository_is_refused_and_nothing_is_done(stage: Stage, do: Do, path: str) -> None:
    with pytest.raises(Permanent) as refused:
        do(files(APP, e.File(path=path, content="x")))
    assert refused.value.reason_code == "InvalidPath"
    assert stage.head("feature/booking") is None


@pytest.mark.parametrize("paths", [("a", "a/b"), ("README.md/x",)])
def test_a_file_cannot_be_a_folder_as_well(stage: Stage, do: Do, paths: tuple[str, ...]) -> None:
    with pytest.raises(Permanent) as refused:
        do(files(*(e.File(path=path, content="x") for path in paths)))
    assert refused.value.reason_code == "InvalidPath"
    assert stage.head("feature/booking") is None


def test_without_write_access_nothing_is_committed(stage: Stage, do: Do) -> None:
    stage.take_write_access()
    with pytest.raises(Permanent) as refused:
        do(files())
    assert refused.value.reason_code == "NoWriteAccess"
    assert stage.head("feature/booking") is None


def test_a_protected_branch_takes_no_commit(stage: Stage, do: Do) -> None:
    main = stage.head("main")
    with pytest.raises(Permanent) as refused:
        do(files(branch="main"))
    assert refused.value.reason_code == "ProtectedBranch"
    assert stage.head("main") == main


def test_a_mark_on_somebody_elses_commit_is_not_ours(stage: Stage, do: Do) -> None:
    stage.person("jane", "write")
    hers = stage.push("jane", "feature/booking", {"x.txt": "x\n"}, "fix: x\n\nEffect-Id: trace-1.000007.0")
    assert committed(do, files()).parent == hers


@pytest.mark.parametrize("branch", ["main~0", "a..b", "-x/", "a b", ".hidden", "x.lock", ""])
def test_what_cannot_be_a_branch_is_refused(stage: Stage, do: Do, branch: str) -> None:
    with pytest.raises(Permanent) as refused:
        do(files(branch=branch))
    assert refused.value.reason_code == "InvalidBranch"
