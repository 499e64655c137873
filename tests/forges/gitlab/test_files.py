"""Files are those of the commit, whatever the archive has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.forges.local.git import ZERO
from tests.forges.gitlab.conftest import Desk, refusal
from tests.forges.gitlab.fake.git import Person
from tests.forges.gitlab.fake.world import REPOSITORY


def test_files_are_those_of_the_commit_also_where_the_archive_has_others(desk: Desk, tmp_path: Path) -> None:
    """`.gitattributes` may leave files out of archives, and put words into them."""
    attributes = "secret.py export-ignore\nversion.py export-subst\n"
    files = {
        ".gitattributes": attributes,
        "secret.py": "x = 1\n",
        "version.py": "v = '$Format:%H$'\n",
        "run.bin": "\x00",
    }
    desk.world.person("jane", "write")
    head = desk.stage.push("jane", "feature/x", files, "feat: x")
    told = {file.path: file.content for file in desk.do(e.GatherFacts(correlation="c", tree_of=head)).tree}
    assert told == files | {"README.md": "# Booking\n", "run.bin": "AA=="}
    desk.forge.export(REPOSITORY, head, "", tmp_path / "out")
    assert (tmp_path / "out" / "version.py").read_text() == "v = '$Format:%H$'\n"
    assert (tmp_path / "out" / "secret.py").read_text() == "x = 1\n"


def with_link(desk: Desk) -> str:
    repo, world = desk.world.project.repo, desk.world
    main = str(repo.head("main"))
    with repo.index(main) as index:
        index.put("link", b"/etc/passwd", "120000")
        sha = repo.write(index.tree(), [main], "feat: link", Person("x", "x@y"))
    with world.state.lock:
        world.deeds.move(world.project, world.owner, "links", sha, before=ZERO)
    return sha


def test_a_link_is_refused(desk: Desk, tmp_path: Path) -> None:
    sha = with_link(desk)
    said = f"'link' in {sha[:12]} is a symbolic link or a submodule, not a file"
    assert refusal(desk, e.GatherFacts(correlation="c", tree_of=sha)) == ("SymlinkRefused", said)
    with pytest.raises(Permanent, match=re.escape(said)):
        desk.forge.export(REPOSITORY, sha, "", tmp_path / "out")


def test_a_tree_beyond_the_limits_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from bot.forges.gitlab import files

    head = desk.commit("large.txt", "x" * 5000)
    monkeypatch.setattr(files, "TREE_FILES", 1)
    assert refusal(desk, e.GatherFacts(correlation="c", tree_of=head)) == (
        "TreeTooLarge",
        f"{head[:12]} has 2 files; 1 are read at most",
    )
    monkeypatch.setattr(files, "EXPORT_BYTES", 100)
    with pytest.raises(Permanent) as refused:
        desk.forge.export(REPOSITORY, head, "", tmp_path / "out")
    assert refused.value.reason_code == "TreeTooLarge"


def test_an_archive_that_is_cut_short_is_asked_for_again(desk: Desk) -> None:
    head = desk.commit()
    desk.fault("GET", "/archive", kind="truncated")
    with pytest.raises(Retryable):
        desk.do(e.GatherFacts(correlation="c", tree_of=head))
