"""What may not be submitted: the exact answer, and nothing done: no trace, no branch, no commit, no inbox row."""

from __future__ import annotations

import base64
import json
import os
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import modules
from tests.journeys.house import House, git, submission
from tests.journeys.rules import APPROVED

GOOD = {"path": "app.py", "content": "x = 1\n"}
KEY = "AKIA" + "Q4ZJ7WXNRT2VBL6M"
"""Looks like a key of a cloud."""


@pytest.fixture(scope="module", autouse=True)
def ground(house: House) -> Path:
    return house.repository("acme/bad", APPROVED)


def facts(house: House, bare: Path) -> tuple[Any, ...]:
    """Everything that a submission would change."""
    return (
        house.inbox("api"),
        house.traces(repository="acme/bad"),
        git(bare, "for-each-ref", "--format=%(refname) %(objectname)"),
        git(bare, "count-objects"),
        house.forge_says("GET", "acme/bad/changes"),
    )


def refused(
    house: House, files: list[dict[str, Any]], status: int = 422, **more: Any
) -> tuple[str, str | None, str]:
    """Reason code, path and sentence of a refusal that changed nothing."""
    bare = house.forge.ground.folder("acme/bad")
    before = facts(house, bare)
    answer = house.say("POST", "/v1/modules", json=submission("acme/bad", "bad", files, **more))
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status
    assert facts(house, bare) == before
    return said["reasonCode"], said.get("path"), said["detail"]


@pytest.mark.parametrize(
    ("path", "code", "sentence"),
    [
        ("../up.py", "PathTraversal", "`../up.py` leads out of the module's folder"),
        ("a/../../up.py", "PathTraversal", "`a/../../up.py` leads out of the module's folder"),
        ("..\\up.py", "PathTraversal", "`..\\up.py` leads out of the module's folder"),
        ("/etc/passwd", "PathAbsolute", "`/etc/passwd` is an absolute path; paths are relative to the module's folder"),
        ("C:/x.py", "PathAbsolute", "`C:/x.py` is an absolute path; paths are relative to the module's folder"),
        (".git/config", "PathReserved", "`.git/config` is inside git's own folder, or would be on some disks"),
        ("a/.GIT/hooks/post-commit", "PathReserved",
         "`a/.GIT/hooks/post-commit` is inside git's own folder, or would be on some disks"),
        ("git~1/config", "PathReserved", "`git~1/config` is inside git's own folder, or would be on some disks"),
        (".g\u200cit/config", "PathReserved",
         "`.g\\u200cit/config` is inside git's own folder, or would be on some disks"),
        ("a//b.py", "PathInvalid", "`a//b.py` has an empty segment: no double, leading or trailing slash, no single dot"),
    ],
)  # fmt: skip
def test_paths_that_lead_elsewhere(house: House, path: str, code: str, sentence: str) -> None:
    answer = refused(house, [GOOD, {"path": path, "content": "x"}])

    assert answer[:2] == (code, "files[1].path")
    assert answer[2].rstrip(".") == sentence


def test_the_modules_own_folder_may_not_lead_elsewhere_either(house: House) -> None:
    assert refused(house, [GOOD], path="../other")[:2] == ("PathTraversal", "path")
    assert refused(house, [GOOD], path="services/.git")[:2] == ("PathReserved", "path")


@pytest.mark.parametrize("field", ["mode", "symlink", "target", "linkTarget", "type"])
def test_an_entry_that_would_be_a_link_is_no_file(house: House, field: str) -> None:
    link = {"path": "link", "content": "/etc/passwd", field: "120000"}

    assert refused(house, [GOOD, link])[:2] == ("InvalidPayload", f"files[1].{field}")


def test_an_encoding_that_means_something_else_is_no_file(house: House) -> None:
    assert refused(house, [GOOD, {"path": "link", "content": "x", "encoding": "symlink"}])[:2] == (
        "InvalidPayload",
        "files[1].encoding",
    )


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        (
            "Readme.md",
            "README.md",
            "`README.md` and `Readme.md` differ only in case: on many disks they are one",
        ),
        ("lib/a.py", "Lib/b.py", "`Lib` and `lib` differ only in case: on many disks they are one"),
        ("lib", "lib/b.py", "`lib/b.py` makes `lib` both a file and a folder"),
        ("a.py", "a.py", "`a.py` is submitted twice"),
    ],
)
def test_names_that_would_be_one_on_some_disks(house: House, first: str, second: str, sentence: str) -> None:
    answer = refused(house, [{"path": first, "content": "1"}, {"path": second, "content": "2"}])

    assert answer[:2] == ("PathCollision", "files[1].path")
    assert answer[2].rstrip(".") == sentence


def test_ten_thousand_files(house: House) -> None:
    many = [{"path": f"f{n}.py", "content": ""} for n in range(10_000)]

    assert refused(house, many) == ("TooManyFiles", "files", "10000 files are submitted; at most 2000 may be")


def test_files_that_are_too_large_alone_or_together(house: House) -> None:
    one = {"path": "big.txt", "content": "a" * (1024 * 1024 + 1)}
    assert refused(house, [GOOD, one])[:2] == ("FileTooLarge", "files[1].content")
    nine = [{"path": f"{n}.txt", "content": str(n) * (1000 * 1000)} for n in range(9)]
    assert refused(house, nine)[:2] == ("TotalTooLarge", "files")
    assert refused(house, [GOOD], summary="a" * 17_000_000, status=413)[0] == "BodyTooLarge"


def test_a_binary_file_is_committed_byte_for_byte(house: House) -> None:
    bare = house.repository("acme/binary", APPROVED)
    content = bytes(range(256)) * 40 + os.urandom(1000) + b"\r\n\x00"
    icon = {"path": "icon.bin", "content": base64.b64encode(content).decode(), "encoding": "base64"}
    crlf = {"path": "crlf.txt", "content": "one\r\ntwo\r\n"}
    tool = {"path": "tool.sh", "content": "#!/bin/sh\n", "executable": True}

    trace = house.submit("acme/binary", "binary", [*modules.files(), icon, crlf, tool])

    sha = house.event(trace, "CommitReady").data["sha"]
    assert _blob(bare, f"{sha}:services/binary/icon.bin") == content
    assert _blob(bare, f"{sha}:services/binary/crlf.txt") == b"one\r\ntwo\r\n"
    modes = {
        line.split("\t")[1]: line.split()[0]
        for line in git(bare, "ls-tree", f"{sha}:services/binary").splitlines()
    }
    assert (modes["tool.sh"], modes["icon.bin"]) == ("100755", "100644")


def _blob(bare: Path, name: str) -> bytes:
    sha = git(bare, "rev-parse", name)
    packed = bare / "objects" / sha[:2] / sha[2:]
    return zlib.decompress(packed.read_bytes()).partition(b"\0")[2]


def test_a_secret_is_refused_and_kept_nowhere(house: House, tmp_path: Path) -> None:
    house.hidden.append(
        KEY
    )  # the house is searched for it at its end: rows, files, logs, Git objects, answers
    settings = {"path": "settings.py", "content": f'NAME = "x"\nACCESS = "{KEY}"\n'}

    code, path, sentence = refused(house, [GOOD, settings])

    assert (code, path) == ("SecretFound", "files[1].content")
    assert (
        sentence
        == "settings.py:2 holds what looks like a secret (AWS Access Key). Nothing was committed. Take it out, change it where it is in use, and refer to it as @vault:NAME."
    )
    hidden = {
        "path": "settings.bin",
        "content": base64.b64encode(settings["content"].encode()).decode(),
        "encoding": "base64",
    }
    assert refused(house, [GOOD, hidden])[0] == "SecretFound"
    folder = modules.write(tmp_path / "m", [settings])
    done = _submit(house, folder)
    assert (done.returncode, json.loads(done.stdout)["error"]["reasonCode"]) == (1, "SecretFound")


def _submit(house: House, folder: Path) -> Any:
    named = ("--repo", "acme/bad", "--module", "bad", "--version", "1.0.0", "--output", "json")
    return house.cli("submit", str(folder), *named)


def test_a_folder_with_a_link_is_not_sent(house: House, tmp_path: Path) -> None:
    bare = house.forge.ground.folder("acme/bad")
    before = facts(house, bare)
    folder = modules.write(tmp_path / "m", modules.files())
    (folder / "passwd").symlink_to("/etc/passwd")

    done = _submit(house, folder)

    assert done.returncode == 1
    assert json.loads(done.stdout)["error"] == {
        "reasonCode": "NotAFile",
        "message": "passwd is a symbolic link; only regular files can be submitted.",
        "path": "passwd",
    }
    assert facts(house, bare) == before


def test_a_version_that_is_none_and_a_missing_field_are_named(house: House) -> None:
    assert refused(house, [GOOD], version="latest")[:2] == ("InvalidPayload", "version")
    body = submission("acme/bad", "bad", [GOOD])
    del body["moduleId"]
    answer = house.say("POST", "/v1/modules", json=body)
    assert (answer.status_code, answer.json()["path"]) == (422, "moduleId")


def test_without_a_token_or_with_a_wrong_one_nothing_is_read(house: House) -> None:
    body = submission("acme/bad", "bad", [GOOD])
    bare = house.forge.ground.folder("acme/bad")
    before = facts(house, bare)
    for headers in ({}, {"Authorization": "Bearer pm_000000000000_" + "x" * 43}):
        answer = house.http.post("/v1/modules", json=body, headers=headers)
        assert (answer.status_code, answer.json()["reasonCode"]) == (401, "Unauthenticated")
    assert facts(house, bare) == before
