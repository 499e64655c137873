"""Paths, contents and branch names that may be written."""

from __future__ import annotations

import subprocess
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.effect import File
from bot.domain.errors import Permanent
from bot.forges.paths import checked_branch, checked_path, content


@pytest.mark.parametrize(
    ("prefix", "path", "joined"),
    [
        ("", "a.py", "a.py"),
        ("services/booking/", "a/b.py", "services/booking/a/b.py"),
        ("", ".github/x", ".github/x"),
    ],
)
def test_a_path_goes_below_its_prefix(prefix: str, path: str, joined: str) -> None:
    assert checked_path(prefix, path) == joined


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "./a",
        "../a",
        "a\\b",
        "a\nb",
        ".git/config",
        ".GIT/x",
        "GIT~1/x",
        ".git./x",
        ".g\u200cit/x",
    ],
)
def test_a_path_that_leaves_or_reaches_into_git_is_refused(path: str) -> None:
    with pytest.raises(Permanent) as refused:
        checked_path("", path)
    assert (refused.value.reason_code, refused.value.message) == (
        "InvalidPath",
        f"{path!r} is not a path inside the repository",
    )


def test_content_is_text_or_base64() -> None:
    assert content(File(path="a", content="ü")) == "ü".encode()
    assert content(File(path="a", content="AP8=", encoding="base64")) == b"\x00\xff"
    with pytest.raises(Permanent) as refused:
        content(File(path="a", content="?", encoding="base64"))
    assert refused.value.reason_code == "InvalidContent"


@given(st.text(alphabet="ab/.-@{~^: \\*?[lock\x7f", max_size=8))
def test_branch_names_are_those_that_git_takes(branch: str) -> None:
    git = subprocess.run(["git", "check-ref-format", f"refs/heads/{branch}"], check=False).returncode == 0
    taken = git and not branch.startswith("-") and branch != "@"
    with nullcontext() if taken else pytest.raises(Permanent, match=r"cannot be the name of a branch$"):
        checked_branch(branch)
