"""How much a change is, as the facts tell it."""

from __future__ import annotations

from pathlib import Path

from bot.forges.local.extent import extent
from bot.forges.local.git import git, line

PERSON = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ann"), ("EMAIL", "ann@example.org"))
}


def commit(folder: Path, branch: str, message: str, files: dict[str, bytes], *parents: str) -> str:
    entries = b""
    for path, content in files.items():
        blob = line(folder, "hash-object", "-w", "--stdin", stdin=content)
        entries += f"100644 blob {blob}\t{path}".encode() + b"\0"
    tree = line(folder, "mktree", "-z", stdin=entries)
    named = [word for parent in parents for word in ("-p", parent)]
    sha = line(folder, "commit-tree", tree, "-m", message, *named, env=PERSON)
    git(folder, "update-ref", f"refs/heads/{branch}", sha)
    return sha


def test_it_is_seen_from_where_the_change_branched_off(tmp_path: Path) -> None:
    git(tmp_path, "init", "--bare", "--quiet")
    start = commit(tmp_path, "main", "start", {"a": b"1\n2\n3\n", "b": b"x\n"})
    commit(tmp_path, "main", "goes on", {"a": b"other\n", "b": b"x\n"}, start)
    first = commit(tmp_path, "topic", "feat: first", {"a": b"1\n3\n", "b": b"x\n"}, start)
    files = {"a": b"1\n3\n", "b": b"x\n", "c": b"new\n", "picture": b"\0\1"}
    head = commit(tmp_path, "topic", "feat: second\n\nRefs: ABC-1", files, first)

    assert extent(tmp_path, "main", head) == {
        "touchesPolicy": False,
        "paths": ["a", "c", "picture"],
        "behind": 1,
        "additions": 1,
        "deletions": 1,
        "commits": [
            {"sha": head, "message": "feat: second\n\nRefs: ABC-1"}, {"sha": first, "message": "feat: first"}
        ],
    }  # fmt: skip


def test_a_target_that_is_gone_leaves_unknown_what_hangs_on_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "--bare", "--quiet")
    head = commit(tmp_path, "topic", "feat: all of it", {"a": b"1\n"})
    known = extent(tmp_path, "main", head)
    assert known["behind"] is None
    assert known["paths"] == ["a"]
    assert "additions" not in known
