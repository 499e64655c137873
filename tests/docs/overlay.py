"""A copy of the repository in which a page's steps are really done."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.docs.pages import ROOT, Run, Step, runs

COPIED = ("bot", "handlers", "policies", "pipelines-templates", "docs", "tests")
PROGRAMS = {
    "pointsman": [sys.executable, "-m", "bot.cli"],
    "python": [sys.executable],
    "pytest": [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"],
}


def copy(folder: Path) -> Path:
    """The parts of the repository that a recipe may touch."""
    ignore = shutil.ignore_patterns("__pycache__", "node_modules", "*.png", "images")
    for part in COPIED:
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def follow(folder: Path, steps: Iterable[Step]) -> list[Path]:
    """Do the steps in order. Returns the new Python files. Fails where the page is wrong."""
    written: list[Path] = []
    for step in steps:
        if step.do == "run":
            for run in runs(step.text):
                check(folder, run)
        elif step.do:
            _edit(folder / step.path, step)
            written += [folder / step.path] if step.do == "write" else []
    return [path for path in written if path.suffix == ".py"]


def _edit(path: Path, step: Step) -> None:
    if step.do == "write":
        assert not path.exists(), f"{step.path} is there already: the recipe's example needs another name"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text, encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    if step.do == "append":
        text = f"{text.rstrip()}\n\n\n{step.text}"
    elif step.do == "below":
        lines = text.splitlines(keepends=True)
        found = [number for number, line in enumerate(lines) if line.strip() == step.anchor]
        assert len(found) == 1, f"{step.path} has {len(found)} lines {step.anchor!r}"
        lines.insert(found[0] + 1, step.text)
        text = "".join(lines)
    else:
        assert text.count(step.anchor) == 1, (
            f"{step.path} has {step.anchor!r} {text.count(step.anchor)} times"
        )
        text = text.replace(step.anchor, step.text.rstrip("\n"))
    path.write_text(text, encoding="utf-8")


def check(folder: Path, run: Run) -> None:
    """The command prints what the page shows; `...` stands for anything."""
    program, *arguments = shlex.split(run.command)
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run(
        [*PROGRAMS[program], *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line.rstrip() for line in f"{done.stdout}{done.stderr}".strip().splitlines()]
    if program == "pytest" and done.returncode == 0:
        said = [re.sub(r", \d+ warnings?", "", line) for line in said[-1:]]  # above it are dots
    wanted = "\n".join(re.escape(line.rstrip()).replace(r"\.\.\.", ".*") for line in run.output)
    assert re.fullmatch(wanted, "\n".join(said)), f"$ {run.command}\n" + "\n".join(said)
