"""Which files a job hands on."""

import glob
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.forges.local.runner import artefacts
from bot.forges.local.runner.workspace import WorkspaceError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project folder as a job may leave it."""
    folder = tmp_path / "tree"
    for name in ("out/a.txt", "out/deep/b.txt", "out/.hidden", "c.log", ".git/config", "sub/.git/config"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "good").symlink_to("c.log")
    (folder / "folder-link").symlink_to("out")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "bad").symlink_to("/etc/passwd")
    (folder / "worse").symlink_to("../..")
    os.mkfifo(folder / "pipe")
    return folder


def kept(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    }


@pytest.mark.parametrize(
    ("patterns", "expected", "missing", "outside"),
    [
        (["out"], {"out/a.txt", "out/deep/b.txt", "out/.hidden"}, [], []),
        (["out/"], {"out/a.txt", "out/deep/b.txt", "out/.hidden"}, [], []),
        (["out/*"], {"out/a.txt", "out/deep/b.txt", "out/.hidden"}, [], []),
        (["**/*.txt"], {"out/a.txt", "out/deep/b.txt"}, [], []),
        (["out/**"], {"out/a.txt", "out/deep/b.txt", "out/.hidden"}, [], []),
        (["*.log", "nothing", "c.*"], {"c.log"}, ["nothing"], []),
        (["good", "folder-link", "dangling"], {"good", "folder-link", "dangling"}, [], []),
        (["bad", "worse", "pipe"], set(), [], ["bad", "worse", "pipe"]),
        ([".git", "sub"], set(), [], [".git/config", "sub/.git/config"]),
    ],
)
def test_collect(
    tmp_path: Path,
    tree: Path,
    patterns: list[str],
    expected: set[str],
    missing: list[str],
    outside: list[str],
) -> None:
    target = tmp_path / "kept"
    assert artefacts.collect(tree, patterns, target, 10_000) == (missing, outside)
    assert kept(target) == expected


def test_overlapping_patterns_count_a_file_once(tmp_path: Path, tree: Path) -> None:
    size = sum((tree / name).stat().st_size for name in ("out/a.txt", "out/deep/b.txt", "out/.hidden"))
    target = tmp_path / "kept"
    artefacts.collect(tree, ["out", "out/**", "out/a.txt"], target, size)
    with pytest.raises(WorkspaceError, match=f"artefacts are larger than {size - 1} bytes"):
        artefacts.collect(tree, ["out"], target, size - 1)


def test_links_stay_links(tmp_path: Path, tree: Path) -> None:
    artefacts.collect(tree, ["good", "c.log"], tmp_path / "kept", 10_000)
    link = tmp_path / "kept" / "good"
    assert link.is_symlink()
    assert link.read_text() == "c.log"


def test_a_link_to_a_folder_above_costs_nothing(tmp_path: Path, tree: Path) -> None:
    began = time.monotonic()
    artefacts.collect(tree, ["**", "**/*", "**/**/*.txt"], tmp_path / "kept", 10_000)
    assert time.monotonic() - began < 30


Collect = Callable[[Path, str, Path], object]
NAMES = st.sampled_from(["a", "b", "ab", ".a"])
TREES = st.sets(st.lists(NAMES, min_size=1, max_size=3).map("/".join), min_size=1, max_size=6)
PATTERNS = st.lists(
    st.sampled_from(["a", "b", "ab", ".a", "*", "a*", "*b", "**"]), min_size=1, max_size=3
).map("/".join)


def python_says(folder: Path, pattern: str) -> set[str]:
    """The standard library's own reading; here there are no links for it to follow.

    It names a plain file `a` as `a/` for `a/**`, which asks for what is in a folder.
    """
    found = glob.glob(pattern, root_dir=folder, recursive=True, include_hidden=True)  # noqa: PTH207 - the oracle
    found = [name for name in found if not name.endswith("/") or (folder / name).is_dir()]
    below = {path for name in found for path in [folder / name, *(folder / name).rglob("*")]}
    return {path.relative_to(folder).as_posix() for path in below if path.is_file()}


def check_names(collect: Collect) -> None:
    """The property itself: the same files as `glob` of the standard library names."""

    @settings(max_examples=100, deadline=None, database=None)
    @given(TREES, PATTERNS)
    def agrees(names: set[str], pattern: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            tree, target = Path(folder, "tree"), Path(folder, "kept")
            for name in sorted(names, key=len, reverse=True):
                if not (tree / name).exists() and not any(part.is_file() for part in (tree / name).parents):
                    (tree / name).parent.mkdir(parents=True, exist_ok=True)
                    (tree / name).touch()
            collect(tree, pattern, target)
            assert kept(target) == python_says(tree, pattern), (sorted(names), pattern)

    agrees()


def test_names_are_those_of_the_standard_library() -> None:
    check_names(lambda tree, pattern, target: artefacts.collect(tree, [pattern], target, 10_000))


def test_the_property_finds_a_star_that_crosses_folders() -> None:
    def crossing(tree: Path, pattern: str, target: Path) -> None:
        for path in tree.rglob("*"):
            if path.is_file() and path.relative_to(tree).match(pattern):
                (target / path.relative_to(tree)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target / path.relative_to(tree))

    with pytest.raises(AssertionError):
        check_names(crossing)
