"""Where the bot's token may go, and how much of an answer is kept."""

from __future__ import annotations

import pytest

from bot.forges.azure.downloads import belongs, kept

HOSTED, SERVER = "https://dev.azure.com/acme", "https://tfs.acme.example/tfs/DefaultCollection"


@pytest.mark.parametrize(
    ("organisation", "address"),
    [
        (HOSTED, "https://dev.azure.com/acme/p/_apis/build/builds/1/artifacts"),
        (HOSTED, "https://artprodcus3.artifacts.visualstudio.com/A1/_apis/artifact/x/content?format=zip"),
        (HOSTED, "https://vstmr.dev.azure.com/acme/x"),
        ("https://acme.visualstudio.com", "https://artprodcus3.artifacts.visualstudio.com/x"),
        (SERVER, "https://tfs.acme.example/tfs/x"),
        ("http://127.0.0.1:8080/acme", "http://127.0.0.1:8080/acme/x"),
    ],
)
def test_an_address_of_the_forge(organisation: str, address: str) -> None:
    assert belongs(organisation, address)


@pytest.mark.parametrize(
    ("organisation", "address"),
    [
        (HOSTED, "http://dev.azure.com/acme/x"),
        (HOSTED, "https://evil.example/dev.azure.com"),
        (HOSTED, "https://dev.azure.com.evil.example/x"),
        (HOSTED, "https://notdev.azure.com/x"),
        (HOSTED, "https://evilvisualstudio.com/x"),
        (HOSTED, "https://dev.azure.com@evil.example/x"),
        (HOSTED, "//dev.azure.com/x"),
        (HOSTED, "file:///etc/passwd"),
        (SERVER, "https://artprodcus3.artifacts.visualstudio.com/x"),
        (SERVER, "http://tfs.acme.example/tfs/x"),
        (SERVER, "https://tfs.acme.example:8443/x"),
        ("http://127.0.0.1:8080/acme", "http://127.0.0.1:8081/acme/x"),
    ],
)
def test_an_address_of_somebody_else(organisation: str, address: str) -> None:
    assert not belongs(organisation, address)


def test_as_much_as_is_wanted_is_kept_and_no_more_is_read() -> None:
    given = iter([b"abc", b"def", b"ghi"])
    assert kept(given, 5) is None
    assert next(given) == b"ghi", "the rest was not asked for"
    file = kept(iter([b"abc", b"de"]), 5)
    assert file is not None
    with file:
        assert file.read() == b"abcde"
