"""The wheel is complete and installs, by hash, into an environment that holds nothing else."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
# One worker runs them all, as building and installing takes most of a minute.
pytestmark = [pytest.mark.xdist_group("wheel"), pytest.mark.timeout(600)]


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run and return standard output; an error carries everything that was said."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))
    }
    result = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
    return next(folder.glob("pointsman-*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel and its locked dependencies; the folder of its commands."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    run(sys.executable, "-m", "venv", folder)
    pip = f"{folder}/bin/python -m pip install -qq --no-deps --only-binary :all:".split()
    run(*pip, "--require-hashes", "-r", ROOT / "requirements.lock")
    run(*pip, wheel)
    return folder / "bin"


def data_files() -> set[str]:
    """Everything in the tree that a running bot reads, by its name in the wheel."""
    folders = {
        "bot": "bot",
        "handlers": "handlers",
        "policies": "policies",
        "pipelines-templates": "bot/_templates",
    }
    return {
        f"{target}/{path.relative_to(ROOT / source)}"
        for source, target in folders.items()
        for path in (ROOT / source).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != ".DS_Store"
    }


def test_the_wheel_holds_every_file_and_nothing_else(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    assert data_files() - names == set()
    top = {name.split("/")[0] for name in names}
    assert top - {"bot", "handlers", "policies"} == {
        next(name for name in top if name.endswith(".dist-info"))
    }


def test_what_was_installed_is_all_it_needs(environment: Path) -> None:
    assert "No broken requirements found" in run(environment / "python", "-m", "pip", "check")


def test_the_command_answers(environment: Path, tmp_path: Path) -> None:
    assert "Usage" in run(environment / "pointsman", "--help", cwd=tmp_path)
    assert run(environment / "pointsman", "--version", cwd=tmp_path).startswith("pointsman 0.")


def test_every_module_imports(environment: Path, tmp_path: Path) -> None:
    """A dependency that only development has would be missed everywhere else."""
    script = """
import importlib, pkgutil, bot, handlers, policies
for package in (bot, handlers, policies):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if ".migrations" not in module.name and "__main__" not in module.name:
            importlib.import_module(module.name)
"""
    run(environment / "python", "-I", "-c", script, cwd=tmp_path)
