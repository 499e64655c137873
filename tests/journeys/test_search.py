"""The search for secrets finds what it is meant to find, wherever and however it is written."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.journeys.search import leaks

CANARY = "canary/of+a token=0123456789"
WAYS: dict[str, Callable[[str], str]] = {
    "plain": lambda value: f"token {value} is bad",
    "JSON": lambda value: json.dumps({"error": f'"{value}"'}),
    "URL": lambda value: f"https://forge.example/x?private_token={quote(value, safe='')}&y",
    "form": lambda value: f"token={quote_plus(value)}",
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "basic, no user": lambda value: base64.b64encode(f":{value}".encode()).decode(),
    "basic, a user": lambda value: base64.b64encode(f"pm:{value}".encode()).decode(),
    "basic, another user": lambda value: base64.b64encode(f"pointsman:{value}".encode()).decode(),
    "inside a text": lambda value: base64.b64encode(f"it was {value}, alas".encode()).decode(),
    "base64 in URLs": lambda value: base64.urlsafe_b64encode(f"??{value}??".encode()).decode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_value_is_found_in_a_file_however_it_is_written(tmp_path: Path, way: str) -> None:
    (tmp_path / "a.log").write_bytes(b"\0before" + WAYS[way](CANARY).encode() + b"after")
    assert leaks(tmp_path, "sqlite://", [], [CANARY]) == ["a.log"]


@pytest.mark.parametrize("way", WAYS)
def test_a_value_is_found_in_an_answer(tmp_path: Path, way: str) -> None:
    (found,) = leaks(tmp_path, "sqlite://", [WAYS[way](CANARY).encode()], [CANARY])
    assert found.startswith("answer 0: ")


def test_a_line_of_a_key_is_found(tmp_path: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAoIBAQ\n-----END-----\n"
    (tmp_path / "a.log").write_text("it says BAQEFAASCBKcwggSjAgEAAoIBAQ, and no more")
    assert leaks(tmp_path, "sqlite://", [], [key]) == ["a.log"]


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(CANARY[:-1])
    assert leaks(tmp_path, "sqlite://", [b"-----BEGIN PRIVATE KEY-----"], [CANARY]) == []


def test_a_short_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="a short value would be found by chance"):
        leaks(tmp_path, "sqlite://", [], ["short"])
