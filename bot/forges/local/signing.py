"""The bot's SSH signature over its commits; without ssh-keygen they are made, and recorded, unsigned."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from bot.forges.local.git import git, run
from bot.forges.local.ground import kept_once

KEY = "signing-key"
GOOD = "G"
"""How git calls a signature that holds, by a key that is known (`git log --format=%G?`)."""


def ensure_key(home: Path, owner: str) -> Path:
    """The private key in `home`, made at first use, and `allowed_signers` for `git verify-commit`."""
    kept = kept_once(home / KEY, _new_key())
    public = _public_line(kept)
    kept_once(home / f"{KEY}.pub", public + b"\n")
    kept_once(home / "allowed_signers", owner.encode() + b' namespaces="git" ' + public + b"\n")
    return home / KEY


def options(home: Path) -> tuple[str, ...]:
    """Options of git that sign with the key in `home`; empty when this machine cannot sign."""
    if shutil.which("ssh-keygen") is None:
        return ()
    return ("-c", "gpg.format=ssh", "-c", f"user.signingKey={home.resolve() / KEY}")


def is_ours(folder: Path, sha: str, home: Path) -> bool:
    """Whether the bot signed a commit; on a machine that cannot sign, nobody can tell."""
    if not options(home):
        return True
    signers = f"gpg.ssh.allowedSignersFile={(home / 'allowed_signers').resolve()}"
    return run(folder, "-c", signers, "verify-commit", sha).returncode == 0


def signers(folder: Path, commits: Sequence[str], home: Path) -> dict[str, dict[str, Any]]:
    """Of each commit whether it is `signed` by somebody whose key is known here, and the `signer`.

    Empty on a machine that cannot tell. Known is the bot's own key: people's keys have no place here.
    """
    if not commits or not options(home):
        return {}
    known = f"gpg.ssh.allowedSignersFile={(home / 'allowed_signers').resolve()}"
    printed = git(
        folder,
        "-c",
        known,
        "log",
        "--no-walk=unsorted",
        "--format=%H %G? %GS",
        "--stdin",
        stdin=_lines(commits),
    )
    told = (line.split(" ", 2) for line in printed.decode(errors="replace").splitlines())
    return {
        sha: {"signed": state == GOOD, "signer": signer if state == GOOD else ""}
        for sha, state, signer in told
    }


def _lines(commits: Sequence[str]) -> bytes:
    return "".join(f"{sha}\n" for sha in commits).encode()


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def _public_line(key: bytes) -> bytes:
    private = load_ssh_private_key(key, password=None)
    return private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
