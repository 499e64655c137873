"""Every recipe is followed for real, in a copy of the repository: one that went stale fails here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import overlay
from tests.docs.pages import ROOT, steps

RECIPES = sorted(path for path in (ROOT / "docs" / "recipes").glob("*.md") if path.name != "README.md")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_the_recipe_works(recipe: Path, tmp_path: Path) -> None:
    folder = overlay.copy(tmp_path)
    written = overlay.follow(folder, steps(recipe))
    assert written or recipe.stem in {"flow", "pipeline-template"}
    _in_our_style(folder, written)


def _in_our_style(folder: Path, files: list[Path]) -> None:
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--force-exclude", *map(str, files)],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0 or not files, done.stdout


def test_every_recipe_is_run() -> None:
    assert all(any(step.do == "run" for step in steps(recipe)) for recipe in RECIPES)


def test_a_stale_recipe_fails(tmp_path: Path) -> None:
    """The planted fault: the gate of the example is called something else."""
    (recipe,) = [path for path in RECIPES if path.stem == "gate"]
    stale = tmp_path / "gate.md"
    text = recipe.read_text(encoding="utf-8")
    stale.write_text(text.replace('= "base-branch"', '= "base-brunch"'), encoding="utf-8")
    with pytest.raises(AssertionError, match=r"\$ pytest tests/policies/test_base_branch\.py"):
        overlay.follow(overlay.copy(tmp_path / "copy"), steps(stale))
