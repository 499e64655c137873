"""Traces named in commit messages, as git itself reads trailers."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.forges.trailers import message_with, trace_of, trailers


@pytest.mark.parametrize(
    ("message", "trace"),
    [
        ("feat: x\n\nTrace-Id: trace-1", "trace-1"),
        ("feat: x\n\nText.\n\nModule-Id: m\nTrace-Id: trace-1\nVersion: 1.0.0\n", "trace-1"),
        ("feat: x\n\ntrace-id:trace-1\n", "trace-1"),
        ("feat: x\n\nTrace-Id: trace-1\nTrace-Id: trace-2", "trace-2"),
        ("feat: x [trace:trace-7 sprint:3]\n\nbody", "trace-7"),
        ("feat: x [sprint:3 trace:trace-7]", "trace-7"),
        ("feat: x [trace:trace-7]\n\nTrace-Id: trace-1", "trace-1"),
        ("Trace-Id: trace-1", None),
        ("feat: x\n\nTrace-Id: trace-1\n\nNot a trailer at all", None),
        ("feat: x\n\nSee Trace-Id: trace-1 for more", None),
        ("feat: x\n\nTrace-Id:", None),
        ("feat: x [backtrace:y]", None),
        ("", None),
    ],
)
def test_the_trace_of_a_message(message: str, trace: str | None) -> None:
    assert trace_of(message) == trace


word = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=12)
keys = st.from_regex(r"[A-Z][a-z]{0,8}(-[A-Z][a-z]{0,8})?", fullmatch=True)
values = st.lists(word, min_size=1, max_size=4).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(
    subject=word,
    body=st.lists(values, max_size=3).map("\n\n".join),
    said=st.dictionaries(keys, values, max_size=5),
)
def test_our_messages_are_read_back_as_git_reads_them(subject: str, body: str, said: dict[str, str]) -> None:
    message = message_with(f"{subject}\n\n{body}", {"Trace-Id": "trace-1", **said})
    printed = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=message.encode(), capture_output=True, check=True
    ).stdout.decode()
    by_git = {key.lower(): value for key, _, value in (line.partition(": ") for line in printed.splitlines())}
    assert trailers(message) == by_git
    assert by_git["trace-id"] == said.get("Trace-Id", "trace-1")
