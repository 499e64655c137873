"""Clone and push over HTTP, with the real git client and with dulwich."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
from dulwich import porcelain

from bot.forges.local.protection import Rule
from tests.forges.world import REPOSITORY, World, commit_all, git


@pytest.fixture
def clone(world: World, tmp_path: Path) -> Path:
    world.repository()
    world.person("jane", "write")
    git("clone", "--quiet", world.clone_url("jane"), "clone", cwd=tmp_path)
    return tmp_path / "clone"


def test_a_person_clones_and_pushes_a_branch(world: World, clone: Path) -> None:
    assert (clone / "README.md").read_text() == "# Booking\n"
    git("switch", "--quiet", "-c", "feature/x", cwd=clone)
    sha = commit_all(clone, {"a.txt": "one\n"}, "feat: a")
    git("push", "--quiet", "origin", "feature/x", cwd=clone)
    pushed = world.until(
        lambda: [fact for fact in world.facts() if fact.draft.data.get("branch") == "feature/x"]
    )
    assert pushed[0].draft.type == "Pushed"
    assert pushed[0].draft.actor == "jane"
    assert pushed[0].draft.data["after"] == sha
    assert pushed[0].draft.data["paths"] == ["a.txt"]
    assert pushed[0].draft.data["messages"] == ["feat: a"]


def test_dulwich_clones_and_pushes(world: World, tmp_path: Path) -> None:
    world.repository()
    token = world.person("jane", "write")
    url = f"{world.url}/git/{REPOSITORY}.git"
    with porcelain.clone(
        url, tmp_path / "d", username="jane", password=token, errstream=porcelain.NoneStream()
    ) as repo:
        (tmp_path / "d" / "b.txt").write_text("two\n")
        porcelain.add(repo, [str(tmp_path / "d" / "b.txt")])
        sha = porcelain.commit(repo, message=b"feat: b", author=b"J <j@x.org>", committer=b"J <j@x.org>")
        porcelain.push(
            repo,
            url,
            "HEAD:refs/heads/by-dulwich",
            username="jane",
            password=token,
            outstream=porcelain.NoneStream(),
            errstream=porcelain.NoneStream(),
        )
    listed = git("ls-remote", world.clone_url("jane"), "refs/heads/by-dulwich").stdout
    assert listed.split() == [sha.decode(), "refs/heads/by-dulwich"]


def test_five_megabytes_are_pushed_and_fetched_back(world: World, clone: Path, tmp_path: Path) -> None:
    noise = os.urandom(5 * 1024 * 1024)
    git("switch", "--quiet", "-c", "big", cwd=clone)
    commit_all(clone, {"noise.bin": noise}, "test: noise")
    git("push", "--quiet", "origin", "big", cwd=clone)
    git("clone", "--quiet", "--branch", "big", world.clone_url("jane"), "again", cwd=tmp_path)
    assert (tmp_path / "again" / "noise.bin").read_bytes() == noise


def test_a_push_over_the_limit_is_refused(migrated_sqlite: str, tmp_path: Path) -> None:
    from tests.forges.world import opened

    with opened(tmp_path / "home", migrated_sqlite, start=False, push_limit=1024 * 1024) as world:
        world.repository()
        world.person("jane", "write")
        git("clone", "--quiet", world.clone_url("jane"), "clone", cwd=tmp_path)
        git("switch", "--quiet", "-c", "big", cwd=tmp_path / "clone")
        commit_all(tmp_path / "clone", {"noise.bin": os.urandom(2 * 1024 * 1024)}, "test: noise")
        refused = git("push", "origin", "big", cwd=tmp_path / "clone", check=False)
        assert refused.returncode != 0
        assert "HTTP 413" in refused.stderr
        assert git("ls-remote", world.clone_url("jane"), "big").stdout == ""


@pytest.mark.parametrize(
    ("login", "token", "status", "text"),
    [
        ("jane", "wrong", 401, "Sign in with your user name and token.\n"),
        ("nobody", "wrong", 401, "Sign in with your user name and token.\n"),
        ("", "", 401, "Sign in with your user name and token.\n"),
        ("pointsman[bot]", "", 401, "Sign in with your user name and token.\n"),
    ],
)
def test_a_wrong_token_is_401(world: World, login: str, token: str, status: int, text: str) -> None:
    world.repository()
    world.person("jane", "write")
    auth = (login, token) if login else None
    answer = httpx.get(
        f"{world.url}/git/{REPOSITORY}.git/info/refs?service=git-upload-pack", auth=auth, trust_env=False
    )
    assert (answer.status_code, answer.text) == (status, text)
    assert answer.headers["www-authenticate"] == 'Basic realm="Pointsman", charset="UTF-8"'


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        (
            "demo/booking.git/info/refs?service=git-receive-pack",
            403,
            "this needs write permission in demo/booking; you have read\n",
        ),
        (
            "demo/other.git/info/refs?service=git-upload-pack",
            404,
            "There is no repository demo/other that you may read.\n",
        ),
        (
            "demo/secret.git/info/refs?service=git-upload-pack",
            404,
            "There is no repository demo/secret that you may read.\n",
        ),
        (
            "demo/..git.git/info/refs?service=git-upload-pack",
            404,
            "There is no repository demo/..git that you may read.\n",
        ),
        ("demo/booking.git/info/refs", 403, "Only Git's smart protocol is spoken here.\n"),
    ],
)
def test_what_a_reader_may_not(world: World, path: str, status: int, text: str) -> None:
    world.repository()
    world.repository("demo/secret")
    token = world.person("jane", "read")
    answer = httpx.get(f"{world.url}/git/{path}", auth=("jane", token), trust_env=False)
    assert (answer.status_code, answer.text) == (status, text)


def test_a_protected_branch_refuses_a_direct_push_and_says_why(world: World, clone: Path) -> None:
    commit_all(clone, {"a.txt": "one\n"}, "feat: a")
    refused = git("push", "origin", "main", cwd=clone, check=False)
    assert refused.returncode == 1
    assert (
        "remote: Pointsman: main is protected: push a branch of your own and open a change" in refused.stderr
    )
    assert "! [remote rejected] main -> main (pre-receive hook declined)" in refused.stderr


def test_nobody_rewrites_or_deletes_a_protected_branch(world: World, clone: Path) -> None:
    with world.store.begin() as session:
        from bot.forges.local.tables import ForgeRepository

        session.get_one(ForgeRepository, REPOSITORY).protection = [
            Rule(branch="ma*", push=("jane",)).to_json()
        ]
    commit_all(clone, {"a.txt": "one\n"}, "feat: a")
    git("push", "--quiet", "origin", "main", cwd=clone)  # jane may push
    git("commit", "--quiet", "--amend", "-m", "feat: another", cwd=clone)
    rewritten = git("push", "--force", "origin", "main", cwd=clone, check=False)
    assert "remote: Pointsman: main is protected: its history cannot be rewritten" in rewritten.stderr
    deleted = git("push", "origin", ":main", cwd=clone, check=False)
    assert "remote: Pointsman: main is protected: it cannot be deleted" in deleted.stderr


def test_a_branch_of_ones_own_may_be_rewritten_and_deleted(world: World, clone: Path) -> None:
    git("switch", "--quiet", "-c", "mine", cwd=clone)
    commit_all(clone, {"a.txt": "one\n"}, "feat: a")
    git("push", "--quiet", "origin", "mine", cwd=clone)
    git("commit", "--quiet", "--amend", "-m", "feat: another", cwd=clone)
    git("push", "--quiet", "--force", "origin", "mine", cwd=clone)
    git("push", "--quiet", "origin", ":mine", cwd=clone)
    world.until(lambda: ("BranchDeleted", "jane") in world.heard())
    of_branch = [fact.draft for fact in world.facts() if fact.draft.data.get("branch") == "mine"]
    assert [(draft.type, draft.data.get("forced")) for draft in of_branch] == [
        ("Pushed", False),
        ("Pushed", True),
        ("BranchDeleted", False),
    ]


def test_only_branches_and_tags_are_taken(world: World, clone: Path) -> None:
    refused = git("push", "origin", "HEAD:refs/evil/x", cwd=clone, check=False)
    assert "remote: Pointsman: only branches and tags can be pushed, not refs/evil/x" in refused.stderr


def test_a_tag_is_told(world: World, clone: Path) -> None:
    git("tag", "-a", "v1", "-m", "one", cwd=clone)
    git("push", "--quiet", "origin", "v1", cwd=clone)
    world.until(lambda: ("TagPushed", "jane") in world.heard())
    tag = next(fact for fact in world.facts() if fact.draft.type == "TagPushed")
    head = git("rev-parse", "HEAD", cwd=clone).stdout.strip()
    assert tag.draft.data == {
        "repository": REPOSITORY,
        "tag": "v1",
        "before": "0" * 40,
        "after": head,
        "pusher": "jane",
        "forced": False,
    }
    assert (tag.hints, tag.new_trace) == ((f"local:{REPOSITORY}={head}",), False)


def test_a_first_push_makes_the_default_branch(world: World, tmp_path: Path) -> None:
    world.forge.create_repository("demo/empty")
    world.person("jane", "write", repository="demo/empty")
    git("init", "--quiet", "-b", "main", "new", cwd=tmp_path)
    commit_all(tmp_path / "new", {"a.txt": "one\n"}, "feat: a")
    git("push", "--quiet", world.clone_url("jane", "demo/empty"), "main", cwd=tmp_path / "new")
    assert world.until(lambda: ("Pushed", "jane") in world.heard())


def test_ten_people_push_at_once(world: World, clone: Path, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def push(number: int) -> None:
        folder = tmp_path / f"c{number}"
        git("clone", "--quiet", world.clone_url("jane"), str(folder), cwd=tmp_path)
        git("switch", "--quiet", "-c", f"b{number}", cwd=folder)
        commit_all(folder, {f"{number}.txt": "x\n"}, f"feat: {number}")
        git("push", "--quiet", "origin", f"b{number}", cwd=folder)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(push, range(10)))
    branches = {f"b{number}" for number in range(10)}
    world.until(lambda: branches <= {fact.draft.data.get("branch") for fact in world.facts()})
