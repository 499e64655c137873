"""Pages made from the code are what the code says now."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bot.domain.catalog import CATALOG, TYPED
from docs.generate.__main__ import PAGES, stale
from handlers.decide import registry
from policies.gates import GATES
from tests.docs.pages import ROOT


def text(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_no_page_is_stale() -> None:
    assert not stale().keys(), "run `make docs` and commit what it wrote"


def test_they_are_written_by_one_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_every_event_type_is_there_with_its_payload() -> None:
    page = text("events.md")
    assert [name for name in CATALOG if f"| `{name}` |" not in page] == []
    assert [model for _, model in TYPED.values() if f"### {model.__name__}\n" not in page] == []


def test_every_command_is_there() -> None:
    page = text("commands.md")
    usages = [entry.signature.usage for entry in registry().commands.values()]
    assert [usage for usage in usages if f"| `{usage}` |" not in page] == []


def test_every_gate_is_there() -> None:
    assert [name for name in GATES if f"#### {name}\n" not in text("policy.md")] == []


@pytest.mark.parametrize("page", sorted(PAGES))
def test_a_generated_page_says_so(page: str) -> None:
    assert "make docs" in text(page)
