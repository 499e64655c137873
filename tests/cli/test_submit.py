"""`pointsman submit`: reads a folder without being fooled, hands it in, and waits if asked."""

from __future__ import annotations

import base64
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.cli.failure import Failure
from bot.cli.folder import read_folder
from bot.cli.standing import standing
from bot.domain.event import Event
from bot.domain.trace import TraceState, apply
from bot.log.tables import INBOX
from tests.cli.conftest import Pointsman
from tests.support.house import House
from tests.support.story import MERGED, RELEASED, STAGED, STORY, event, story


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small module."""
    root = tmp_path / "module"
    (root / "booking").mkdir(parents=True)
    (root / "booking" / "__main__.py").write_text("print('größe')\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "logo.bin").write_bytes(bytes(range(256)))
    return root


def stored(home: House) -> Event:
    """The last thing that came in."""
    with home.store.read() as session:
        body = session.execute(sa.select(INBOX.c.body).order_by(INBOX.c.seq.desc()).limit(1)).scalar_one()
    return Event.model_validate_json(bytes(body))


def call(pointsman: Pointsman, folder: Path, *more: str) -> Any:
    return pointsman(
        "submit", folder, "--repo", "acme/booking", "--module", "booking", "--version", "1.0.0", *more
    )


# -- the folder ----------------------------------------


def test_files_come_as_they_are(folder: Path) -> None:
    found = read_folder(folder)
    assert found.files == [
        {"path": "booking/__main__.py", "content": "print('größe')\n", "encoding": "utf-8"},
        {"path": "logo.bin", "content": base64.b64encode(bytes(range(256))).decode(), "encoding": "base64"},
        {"path": "run.sh", "content": "#!/bin/sh\n", "encoding": "utf-8", "executable": True},
    ]
    assert (found.size, found.notices) == (17 + 256 + 10, [])


def test_the_folders_own_git_is_left_out_and_said_so(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("[core]")
    found = read_folder(folder)
    assert found.notices == [f"{folder / '.git'} is left out."]
    assert not [one for one in found.files if ".git" in one["path"]]


def test_another_git_folder_is_left_to_the_server_to_refuse(folder: Path) -> None:
    (folder / "sub" / ".git").mkdir(parents=True)
    (folder / "sub" / ".git" / "config").write_text("[core]")
    assert "sub/.git/config" in [one["path"] for one in read_folder(folder).files]


def link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def dead_link(path: Path) -> None:
    path.symlink_to("nowhere")


def link_to_folder(path: Path) -> None:
    path.symlink_to("/etc")


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (link, "a symbolic link"), (dead_link, "a symbolic link"), (link_to_folder, "a symbolic link"),
        (os.mkfifo, "a pipe"), (bound, "a socket"),
    ],
)  # fmt: skip
def test_only_regular_files_are_read(folder: Path, make: Any, kind: str) -> None:
    make(folder / "odd")
    with pytest.raises(Failure) as caught:
        read_folder(folder)
    assert caught.value.message == f"odd is {kind}; only regular files can be submitted."
    assert (caught.value.reason_code, caught.value.path) == ("NotAFile", "odd")


def test_a_link_put_in_the_files_place_meanwhile_is_not_followed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody swaps the file between looking and opening."""
    real = os.open

    def swapped(path: Any, flags: int, *more: int) -> int:
        Path(path).unlink()
        Path(path).symlink_to("/etc/passwd")
        return real(path, flags, *more)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(OSError, match="symbolic links"):
        read_folder(folder)


@pytest.mark.parametrize(
    ("name", "reason_code"), [("missing", "NotAFolder"), ("file", "NotAFolder"), ("empty", "Empty")]
)
def test_what_is_no_folder_with_files_is_refused(tmp_path: Path, name: str, reason_code: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    with pytest.raises(Failure) as caught:
        read_folder(tmp_path / name)
    assert caught.value.reason_code == reason_code


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(Failure, match="is not a folder"):
        read_folder(tmp_path / "link")


def test_too_many_files_and_too_many_bytes_are_refused(tmp_path: Path) -> None:
    for number in range(2001):
        (tmp_path / f"{number}").write_text("x")
    with pytest.raises(Failure, match="has more than 2000 files"):
        read_folder(tmp_path)
    for number in range(2001):
        (tmp_path / f"{number}").unlink()
    (tmp_path / "large").write_bytes(b"x" * (1024 * 1024 + 1))
    with pytest.raises(Failure, match=r"^large has more than 1048576 bytes"):
        read_folder(tmp_path)
    for number in range(9):
        (tmp_path / f"{number}").write_bytes(b"x" * 1024 * 1024)
    (tmp_path / "large").unlink()
    with pytest.raises(Failure, match="has more than 8388608 bytes"):
        read_folder(tmp_path)


def test_a_name_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_text("x")
    with pytest.raises(Failure, match="is not a name in UTF-8"):
        read_folder(tmp_path)


def test_what_can_not_be_read_is_named(
    pointsman: Pointsman, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by permissions: whoever runs tests as root may read everything."""

    def forbidden(path: Any, *_: Any) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", forbidden)
    said = call(pointsman, folder)
    assert (said.code, said.out) == (1, "")
    assert said.err == f"Error: {folder}/booking/__main__.py: Permission denied.\n"


# -- handing it in ----------------------------------------


def test_a_folder_becomes_a_trace(pointsman: Pointsman, served: House, folder: Path) -> None:
    said = call(
        pointsman, folder, "--path", "services/booking", "--summary", "add booking", "--changelog", "Book",
        "--changelog", "Cancel", "--command", "python3 -m booking --port '$PORT'",
    )  # fmt: skip
    assert said.code == 0, said.err
    event = stored(served)
    assert said.out == f"{event.trace_id}\n"
    assert said.err == (
        f"Accepted 3 files (283 bytes) as {event.trace_id}: http://127.0.0.1:8080/traces/{event.trace_id}\n"
    )
    assert (event.actor, event.tenant_id, event.type) == ("ada", "acme", "ModuleGenerated")
    assert event.data["path"] == "services/booking"
    assert event.data["changelog"] == ["Book", "Cancel"]
    assert event.data["service"]["command"] == ["python3", "-m", "booking", "--port", "$PORT"]
    assert [one["path"] for one in event.data["files"]] == ["booking/__main__.py", "logo.bin", "run.sh"]


def test_as_json_it_says_where_it_went(pointsman: Pointsman, served: House, folder: Path) -> None:
    said = call(pointsman, folder, "--trace", "trace-x", "--output", "json")
    event = stored(served)
    assert json.loads(said.out) == {
        "traceId": "trace-x", "eventId": event.id, "url": "http://127.0.0.1:8080/traces/trace-x"}  # fmt: skip
    again = call(pointsman, folder, "--trace", "trace-x", "--output", "json")
    assert again.out == said.out


def test_what_the_server_refuses_is_one_sentence(pointsman: Pointsman, served: House, folder: Path) -> None:
    (folder / "sub" / ".git").mkdir(parents=True)
    (folder / "sub" / ".git" / "config").write_text("[core]")
    said = call(pointsman, folder, "--output", "json")
    assert said.code == 1
    error = json.loads(said.out)["error"]
    assert (error["reasonCode"], error["path"]) == ("PathReserved", "files[3].path")
    assert said.err == f"Error: {error['message']}\n"


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (
            "",
            "POINTSMAN_TOKEN is not set and there is no --token-file: make a token with `pointsman token create`.",
        ),
        ("pm_0123456789ab_" + "x" * 43, "a valid bearer token is needed"),
        ("two words", "This is not a token: it has characters no token has."),
        ("ü", "This is not a token: it has characters no token has."),
    ],
)
def test_without_a_good_token_it_is_four(
    pointsman: Pointsman,
    served: House,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    message: str,
) -> None:
    monkeypatch.setenv("POINTSMAN_TOKEN", token)
    said = call(pointsman, folder)
    assert (said.code, said.out, said.err) == (4, "", f"Error: {message}\n")


def test_a_token_without_the_scope_is_four(
    pointsman: Pointsman, served: House, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(served.token(scopes=("read",)) + "\n")
    said = call(pointsman, folder, "--token-file", str(tmp_path / "token"))
    assert (said.code, said.err) == (4, "Error: the token lacks the scope 'events:write'\n")


def test_nobody_there_is_one_sentence(
    pointsman: Pointsman, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_TOKEN", "pm_x")
    said = call(pointsman, folder, "--url", "http://127.0.0.1:1")
    assert said.code == 1
    assert said.err == (
        "Error: No Pointsman answers at http://127.0.0.1:1 ([Errno 111] Connection refused). "
        "Is `pointsman serve` running?\n"
    )


@pytest.mark.parametrize("url", ["nonsense", "ftp://x", "http://[", "127.0.0.1:8080"])
def test_a_wrong_url_is_usage(
    pointsman: Pointsman, folder: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("POINTSMAN_TOKEN", "pm_x")
    said = call(pointsman, folder, "--url", url)
    assert said.code == 2
    assert said.err == f"Error: {url} is not the address of a bot: write http://HOST:PORT.\n"


# -- waiting ----------------------------------------


def state(*then: Any) -> dict[str, Any]:
    folded = TraceState(tenant_id="acme", trace_id="trace-1")
    for one in story(then=then):
        folded = apply(folded, one)
    return folded.to_json()


BROKEN = (
    "DeploymentFailed",
    {"environment": "staging", "releaseId": "r", "revision": MERGED, "version": "1.0.0"},
    {},
)
NEEDED = ("ManualInterventionRequired", {"reasonCode": "X", "message": "m", "role": "r"}, {})


@pytest.mark.parametrize(
    ("document", "name", "code"),
    [
        (state(), "blocked", 3),
        (state(*RELEASED), "released", 0),
        (state(*RELEASED[:3], STAGED[0]), "moving", 0),
        (state(*RELEASED[:3], STAGED[0], BROKEN), "failed", 1),
        (state(NEEDED), "failed", 1),
        ({"tenantId": "acme", "traceId": "t"}, "moving", 0),
    ],
)
def test_where_a_trace_stands(document: dict[str, Any], name: str, code: int) -> None:
    said = standing(document)
    assert (said.name, said.code, said.settled) == (name, code, name != "moving")


def test_untested_is_still_moving() -> None:
    folded = TraceState(tenant_id="acme", trace_id="trace-1")
    for number, (type_, data, context) in enumerate(STORY, start=1):
        if type_ != "TestsPassed":
            folded = apply(folded, event(number, type_, data, context))
    assert standing(folded.to_json()).name == "moving"


def test_waiting_ends_when_it_is_blocked(pointsman: Pointsman, served: House, folder: Path) -> None:
    """The submission meets a trace that is told while the command waits."""
    import threading

    from bot.log import append

    def tell() -> None:
        deadline = 100
        while deadline:
            with served.store.read() as session:
                waiting = session.execute(sa.select(INBOX.c.body).where(INBOX.c.trace == "trace-w")).scalar()
            if waiting:
                break
            deadline -= 1
            threading.Event().wait(0.05)
        first = Event.model_validate_json(bytes(waiting))
        rest = [
            one.model_copy(update={"trace_id": "trace-w", "id": f"w-{one.sequence}"}) for one in story()[1:]
        ]
        with served.store.begin() as session:
            append(session, [first, *rest])

    teller = threading.Thread(target=tell)
    teller.start()
    said = call(pointsman, folder, "--trace", "trace-w", "--wait", "--output", "json")
    teller.join()
    assert said.code == 3, said.err
    document = json.loads(said.out)
    assert (document["outcome"], document["traceId"]) == ("blocked", "trace-w")
    assert document["state"]["releases"]["production"]["shownState"] == "delayed"


def test_waiting_ends_in_time(pointsman: Pointsman, served: House, folder: Path) -> None:
    said = call(pointsman, folder, "--trace", "trace-v", "--wait", "--timeout", "1")
    assert said.code == 1
    assert said.err.splitlines()[-1] == (
        "Error: No answer within 1 s: trace trace-v goes on by itself, only this command stops waiting."
    )
