"""The import contracts cover every room of `bot`, and they bite."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]


def rooms() -> set[str]:
    """What Python can import directly below `bot`."""
    entries = (ROOT / "bot").iterdir()
    return {entry.stem for entry in entries if entry.suffix == ".py" or (entry / "__init__.py").exists()}


def test_the_layers_name_every_room() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = {part.strip(" ()") for layer in layers for part in layer.split(":")}
    # bot.agents is layered by module: its routing is pure, its registry and API are not.
    known = {name.split(".")[1] for name in named if name.startswith("bot.")}
    unnamed = rooms() - known - {"__init__", "_templates"}
    assert not unnamed, f"name them in a layer of [tool.importlinter] in pyproject.toml: {sorted(unnamed)}"


FORBIDDEN = {
    "handlers see no engine": ("handlers/planted.py", "import bot.engine.planted"),
    "policies see no handlers": ("policies/planted.py", "import handlers"),
    "the vocabulary sees no policies": ("bot/domain/planted.py", "import policies"),
    "memory sees no log": ("bot/memory/planted.py", "import bot.log.planted"),
    "pipelines see no forge": ("bot/pipelines/planted.py", "import bot.forges.planted"),
    "decisions do no I/O": ("handlers/planted.py", "import subprocess"),
    "decisions do no I/O through others": ("handlers/planted.py", "import bot.memory.planted"),
    "GitHub's SDK": ("bot/forges/gitlab/planted.py", "import githubkit"),
    "GitLab's SDK": ("bot/forges/azure/planted.py", "from gitlab import Gitlab"),
    "Azure's SDK": ("bot/app.py", "import azure.devops.connection"),
    "Azure's wire library": ("bot/forges/github/planted.py", "import msrest"),
    "durable execution": ("bot/log/planted.py", "from dbos import DBOS"),
}
ALLOWED = {
    "bot/forges/github/planted.py": "from githubkit.exception import RequestFailed",
    "bot/forges/gitlab/planted.py": "import gitlab",
    "bot/forges/azure/planted.py": "import azure.devops.connection, msrest",
    "bot/engine/planted.py": "from dbos import DBOS\nimport bot.log.planted, handlers",
    "bot/intake/planted.py": "from dbos import DBOS",
    "bot/log/planted.py": "",
    "bot/memory/planted.py": "import subprocess",
    "handlers/planted.py": "import policies, bot.pipelines.planted",
    "bot/pipelines/planted.py": "import bot.domain",
}


def lint(tmp_path: Path, files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the contracts over a bare tree that holds only `files`."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for name in ["bot/domain/__init__.py", "handlers/__init__.py", "policies/__init__.py", *files]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in [path.parent, *path.parent.parents]:
            if folder.is_relative_to(tmp_path) and folder != tmp_path:
                (folder / "__init__.py").touch()
        path.write_text(files.get(name, "") + "\n")
    return subprocess.run(LINT, cwd=tmp_path, capture_output=True, text=True, check=False)


def test_allowed_imports_pass(tmp_path: Path) -> None:
    result = lint(tmp_path, ALLOWED)
    assert "7 kept, 0 broken" in result.stdout, result.stdout


@pytest.mark.parametrize("rule", FORBIDDEN)
def test_a_forbidden_import_is_found(rule: str, tmp_path: Path) -> None:
    path, statement = FORBIDDEN[rule]
    result = lint(tmp_path, ALLOWED | {path: statement})
    assert result.returncode == 1
    assert "BROKEN" in result.stdout, result.stdout + result.stderr
