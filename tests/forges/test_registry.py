"""Forges are found by folder."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

import bot.forges
from bot.forges import registry
from bot.forges.local import LocalForge


def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """Plant a forge beside the real ones."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text(text)
    monkeypatch.setattr(bot.forges, "__path__", [*bot.forges.__path__, str(tmp_path)])
    monkeypatch.setitem(sys.modules, f"bot.forges.{name}", ModuleType("gone"))
    monkeypatch.delitem(sys.modules, f"bot.forges.{name}")


def test_every_folder_is_a_forge_and_has_a_stage_to_be_proven_on() -> None:
    found = registry()
    assert found["local"] is LocalForge
    stages = Path(__file__).parent / "conformance" / "stages"
    assert {path.stem for path in stages.glob("*.py")} == set(found)


def test_a_folder_without_a_forge_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, monkeypatch, "planted_empty", "")
    with pytest.raises(RuntimeError, match=r"^bot/forges/planted_empty binds no FORGE$"):
        registry()


def test_two_of_one_name_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, monkeypatch, "planted_twin", "class FORGE: name = 'local'\n")
    with pytest.raises(RuntimeError, match=r"^two forges are called 'local': "):
        registry()
