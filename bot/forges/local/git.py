"""Running git: bare repositories, a clean environment, no configuration but ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ZERO = "0" * 40
TIMEOUT_S = 120


class GitFailed(Exception):
    """git ended with an error; `message` is what it said."""

    def __init__(self, command: str, message: str) -> None:
        super().__init__(f"git {command}: {message}")
        self.message = message


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What git may know of this machine: where programs are, and nothing else."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        # An owner other than the process (a mounted volume) is no reason to refuse our own repositories.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        **(extra or {}),
    }


def run(
    folder: Path, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git in `folder`, whatever its exit code."""
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        env=environment(env),
        timeout=TIMEOUT_S,
        check=False,
    )


def git(folder: Path, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
    """What git prints. Raises GitFailed."""
    done = run(folder, *arguments, stdin=stdin, env=env)
    if done.returncode:
        raise GitFailed(arguments[0], done.stderr.decode(errors="replace").strip())
    return done.stdout


def line(folder: Path, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
    """What git prints, as one line of text. Raises GitFailed."""
    return git(folder, *arguments, stdin=stdin, env=env).decode(errors="replace").strip()
