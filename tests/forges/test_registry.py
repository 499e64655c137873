"""Forges are found by folder."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

import bot.forges
from bot.forges import configured, registry
from bot.forges.capabilities import Feature
from bot.forges.local import LocalForge
from bot.forges.port import Forge
from bot.log import Store
from bot.log.migrate import upgrade
from bot.settings import Settings


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


def test_the_embedded_forge_is_always_there_and_the_others_when_settings_speak_of_them(
    tmp_path: Path,
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'pointsman.db'}")
    upgrade(f"sqlite:///{tmp_path / 'pointsman.db'}")
    try:
        alone = configured(Settings(home=tmp_path), store)
        assert list(alone) == ["local"]
        assert isinstance(alone["local"], LocalForge)
    finally:
        store.close()


@pytest.mark.parametrize("name", sorted(registry()))
def test_every_forge_says_of_every_feature_whether_it_can(name: str) -> None:
    said = registry()[name].capabilities
    assert set(said) == set(Feature)
    assert all(support.note for support in said.values() if not support.yes), "what it cannot has a reason"


@pytest.mark.parametrize("name", sorted(registry()))
def test_every_forge_has_every_verb_of_the_port(name: str) -> None:
    verbs = {verb for verb in vars(Forge) if not verb.startswith("_")}
    assert {
        "configured",
        "authenticate",
        "normalise",
        "perform",
        "export",
        "missed",
        "examine",
        "connect",
    } <= verbs
    assert {verb for verb in verbs if not callable(getattr(registry()[name], verb, None))} == set()
