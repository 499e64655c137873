"""The bot signs what it commits, and Git is content with every object."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.forges.local import signing
from tests.forges.world import REPOSITORY, World, git, make


def commit(world: World) -> e.CommitResult:
    result = world.perform(
        e.CommitFiles(
            repository=REPOSITORY,
            branch="feature/x",
            base="main",
            message="feat: x",
            files=(e.File(path="a", content="a\n"),),
        )
    )
    assert isinstance(result, e.CommitResult)
    return result


def verify(
    world: World, sha: str, folder: Path, *, what: str = "verify-commit"
) -> subprocess.CompletedProcess[str]:
    signers = f"gpg.ssh.allowedSignersFile={world.home / 'allowed_signers'}"
    return git("-c", signers, what, sha, cwd=folder, check=False)


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_commits_merges_and_tags_are_signed_and_git_verifies_them(world: World, method: str) -> None:
    folder = world.repository()
    made = commit(world)
    assert made.signed
    opened = world.perform(
        e.OpenChange(repository=REPOSITORY, source="feature/x", target_branch="main", title="t", body="")
    )
    assert isinstance(opened, e.ChangeResult)
    merged = world.perform(
        e.MergeChange.model_validate(
            {
                "repository": REPOSITORY,
                "change": 1,
                "expectedHead": made.sha,
                "method": method,
                "message": "feat: x (#1)",
            }
        ),
        "trace-1.000003.0",
    )
    assert isinstance(merged, e.MergeResult)
    world.perform(
        e.CreateTag(repository=REPOSITORY, name="v1", revision=merged.sha, message="One"), "trace-1.000004.0"
    )
    for sha in (made.sha, merged.sha):
        done = verify(world, sha, folder)
        assert done.returncode == 0, done.stderr
        assert 'Good "git" signature for bot@pointsman.invalid with ED25519 key' in done.stderr
    assert verify(world, "v1", folder, what="verify-tag").returncode == 0
    checked = git("fsck", "--strict", "--full", cwd=folder)
    assert (checked.stdout, checked.stderr.replace("Checking", "")) == (
        "",
        checked.stderr.replace("Checking", ""),
    )
    assert "error" not in checked.stderr


def test_a_changed_commit_does_not_verify(world: World) -> None:
    folder = world.repository()
    raw = git("cat-file", "commit", commit(world).sha, cwd=folder).stdout
    forged = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        input=raw.replace("feat: x", "feat: y"),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert verify(world, forged, folder).returncode != 0


def test_two_processes_agree_on_one_key_that_only_the_owner_reads(
    migrated_sqlite: str, tmp_path: Path
) -> None:
    make(tmp_path / "home", migrated_sqlite)
    key = (tmp_path / "home" / "signing-key").read_bytes()
    make(tmp_path / "home", migrated_sqlite)
    assert (tmp_path / "home" / "signing-key").read_bytes() == key
    assert (tmp_path / "home" / "signing-key").stat().st_mode & 0o777 == 0o600


def test_without_ssh_keygen_commits_are_made_and_recorded_unsigned(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_git = tmp_path / "bin"
    only_git.mkdir()
    for program in ("git", "sh"):
        found = next(Path(d, program) for d in os.environ["PATH"].split(":") if Path(d, program).exists())
        (only_git / program).symlink_to(found)
    monkeypatch.setenv("PATH", str(only_git))
    world.repository()
    made = commit(world)
    assert not made.signed
    assert commit(world) == made


def test_the_options_name_the_key_and_no_other_program(tmp_path: Path) -> None:
    assert signing.options(tmp_path) == (
        "-c",
        "gpg.format=ssh",
        "-c",
        f"user.signingKey={tmp_path.resolve()}/signing-key",
    )


def told(world: World, *, signatures: bool) -> list[dict[str, object]]:
    asked = e.GatherFacts(repository=REPOSITORY, correlation="c", change=1, signatures=signatures)
    facts = world.perform(asked, "trace-1.000009.0")
    assert isinstance(facts, p.FactsGathered)
    return list((facts.change or {})["commits"])


def test_whoever_asks_is_told_which_commits_are_signed_and_by_whom(world: World) -> None:
    folder = world.repository()
    made = commit(world)
    tree = git("rev-parse", f"{made.sha}^{{tree}}", cwd=folder).stdout.strip()
    forged = git(
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@y",
        "commit-tree",
        tree,
        "-p",
        made.sha,
        "-m",
        "fix: unsigned",
        cwd=folder,
    ).stdout.strip()
    git("update-ref", "refs/heads/feature/x", forged, cwd=folder)
    world.perform(
        e.OpenChange(repository=REPOSITORY, source="feature/x", target_branch="main", title="t", body="")
    )
    assert [(one["sha"], one.get("signed"), one.get("signer")) for one in told(world, signatures=True)] == [
        (forged, False, ""),
        (made.sha, True, "bot@pointsman.invalid"),
    ]
    assert all("signed" not in one for one in told(world, signatures=False)), (
        "it takes a program, so it is asked for"
    )


def test_a_machine_that_cannot_tell_says_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.repository()
    commit(world)
    world.perform(
        e.OpenChange(repository=REPOSITORY, source="feature/x", target_branch="main", title="t", body="")
    )
    monkeypatch.setattr(signing, "options", lambda _home: ())
    assert all("signed" not in one for one in told(world, signatures=True))
