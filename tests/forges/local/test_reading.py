"""Reading what other people pushed: links, odd names, expressions in place of names."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.forges.local.git import line
from tests.forges.world import REPOSITORY, World


def tree_with(world: World, mode: str, path: bytes, content: bytes) -> str:
    """A commit with one odd entry, as a person may push it."""
    folder = world.forge.ground.folder(REPOSITORY)
    blob = line(folder, "hash-object", "-w", "--stdin", stdin=content)
    if mode == "160000":
        blob = line(folder, "rev-parse", "main")
    kind = "commit" if mode == "160000" else "blob"
    tree = line(folder, "mktree", "-z", stdin=f"{mode} {kind} {blob}\t".encode() + path + b"\0")
    env = {
        f"GIT_{who}_{what}": "j@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    return line(folder, "commit-tree", tree, "-m", "odd", env=env)


@pytest.mark.parametrize(
    ("mode", "path", "content", "code"),
    [
        ("120000", b"link", b"/etc/passwd", "SymlinkRefused"),
        ("120000", b"link", b"README.md", "SymlinkRefused"),
        ("160000", b"module", b"", "SymlinkRefused"),
        ("100644", b"caf\xe9", b"x", "InvalidPath"),
    ],
)
def test_a_tree_of_anything_but_plain_files_is_refused(
    world: World, mode: str, path: bytes, content: bytes, code: str
) -> None:
    world.repository()
    sha = tree_with(world, mode, path, content)
    with pytest.raises(Permanent) as refused:
        world.perform(e.GatherFacts(repository=REPOSITORY, correlation="c", tree_of=sha))
    assert refused.value.reason_code == code


@pytest.mark.parametrize("target", [b"/etc/passwd", b"../../outside"])
def test_a_link_out_of_the_folder_is_not_exported(world: World, tmp_path: Path, target: bytes) -> None:
    world.repository()
    sha = tree_with(world, "120000", b"link", target)
    with pytest.raises(Permanent) as refused:
        world.forge.export(REPOSITORY, sha, "", tmp_path / "out")
    assert refused.value.reason_code == "SymlinkRefused"
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("revision", ["--output=/tmp/x", "main@{yesterday}", "", "HEAD:README.md", "0" * 40])
def test_what_is_no_revision(world: World, tmp_path: Path, revision: str) -> None:
    world.repository()
    with pytest.raises(Permanent) as refused:
        world.forge.export(REPOSITORY, revision, "", tmp_path / "out")
    assert refused.value.reason_code == "RevisionMissing"


@pytest.mark.parametrize("name", ["-d", "a..b", "", "x y", "-f/x"])
def test_what_cannot_be_a_tag(world: World, name: str) -> None:
    world.repository()
    with pytest.raises(Permanent) as refused:
        world.perform(e.CreateTag(repository=REPOSITORY, name=name, revision="main", message="x"))
    assert refused.value.reason_code == "InvalidTag"


@pytest.mark.parametrize("source", ["main~0", "main^{commit}", "gone"])
def test_a_branch_is_a_name_and_no_expression(world: World, source: str) -> None:
    world.repository()
    with pytest.raises(Permanent) as refused:
        world.perform(
            e.OpenChange(repository=REPOSITORY, source=source, target_branch="main", title="t", body="")
        )
    assert refused.value.reason_code == "BranchDeleted"


@pytest.mark.parametrize(
    "repository", ["demo/none", "../etc", "demo", "demo/x.git", "/etc/passwd", "demo/../x"]
)
def test_a_repository_that_is_not_there(world: World, repository: str) -> None:
    for effect in (
        e.GatherFacts(repository=repository, correlation="c"),
        e.CommitFiles(repository=repository, branch="b", base="main", message="m"),
        e.OpenChange(repository=repository, source="b", target_branch="main", title="t", body=""),
        e.CreateTag(repository=repository, name="v1", revision="main"),
        e.SetCheck(repository=repository, revision="main", name="n", title="t"),
    ):
        with pytest.raises(Permanent) as refused:
            world.perform(effect)
        assert refused.value.reason_code == "NotFound", effect
