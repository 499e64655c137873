"""Nothing in the documentation belongs to one person's machine."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs.pages import ROOT, name, pages

PAGES = [*pages(), *sorted((ROOT / "docs" / "adr").glob("*.md"))]
URL = re.compile(r"\b(?:https?|postgresql)://[^\s)>\"'`|]+")
HOSTS = {
    "127.0.0.1",
    "localhost",
    "example.org",
    "docs.gitea.com",
    "keepachangelog.com",
    "semver.org",
    "github.com",
    "token.actions.githubusercontent.com",
    "api.github.com",
    "gitlab.com",
    "docs.github.com",
    "docs.gitlab.com",
    "dev.azure.com",
    "learn.microsoft.com",
    "ghes.example.org",
}
HOME = re.compile(r"(?<![\w.<>])/(?:root|home|Users|opt|srv|mnt|work|workspace|var/folders)/\S*")
CONFLICT = re.compile(r"^(<{7}|={7}|>{7})", re.MULTILINE)
each = pytest.mark.parametrize("page", [pytest.param(page, id=name(page)) for page in PAGES])


@each
def test_addresses_are_examples_or_public(page: Path) -> None:
    found = {urlsplit(url).hostname for url in URL.findall(page.read_text(encoding="utf-8"))}
    assert found - HOSTS - {None, "..."} == set()


@each
def test_no_path_of_somebodys_machine(page: Path) -> None:
    assert HOME.findall(page.read_text(encoding="utf-8")) == []


@each
def test_no_merge_was_left_half_done(page: Path) -> None:
    assert not CONFLICT.search(page.read_text(encoding="utf-8"))


def test_pictures_are_small() -> None:
    pictures = [*(ROOT / "docs" / "images").glob("*.png")]
    assert pictures
    assert [picture.name for picture in pictures if picture.stat().st_size > 300_000] == []
