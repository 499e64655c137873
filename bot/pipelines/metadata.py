"""What every build says of itself (seed 004, "CI/CD Artifact Requirements"), read when it runs.

A file that named its trace would differ with every change, and two changes of one repository would conflict
in it. The commit knows its trace: its message has trailers (bot/domain/commit_message.py). A message is
written by whoever can push, so of it only plain words behind our own names are taken over, and no shell ever
reads it as anything but one quoted text.
"""

from __future__ import annotations

TRAILERS = {
    "traceId": "Trace-Id",
    "sprintId": "Sprint-Id",
    "milestoneId": "Milestone-Id",
    "agentId": "Agent-Id",
    "skillId": "Skill-Id",
}
NAMES = ("moduleId", "versionTag", "imageTag", "revision", *TRAILERS)
"""Variables that a job finds. `moduleId` is written into the file, the others come from the commit."""

_READ = r"""# Whose build this is: trailers of the commit message, plain words only; nothing of it is run.
trailer() {
  printf '%s\n' "$MESSAGE" | LC_ALL=C sed -n \
    "s/^$1:[[:space:]]*\([A-Za-z0-9][A-Za-z0-9._:+-]\{0,127\}\)[[:space:]]*\$/\1/p" | tail -n 1
}
"""
_TAGS = r"""version="$(trailer Version)"
versionTag="$version${milestoneId:+${version:+-}$milestoneId}"
imageTag="$versionTag${traceId:+${versionTag:+-}$traceId}"
revision="$REVISION"
imageTag="$(printf '%s' "${imageTag:-$revision}" | LC_ALL=C tr -c 'A-Za-z0-9_.-' '-' | cut -c 1-128)"
"""


def shell(*, message: str, revision: str) -> str:
    """Commands for a POSIX shell that set and show NAMES. Both arguments name variables of the CI system.

    `versionTag` is the version and the milestone, `imageTag` those and the trace as a legal OCI tag
    (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests): a revision when
    the commit says nothing.
    """
    read = "".join(f'{name}="$(trailer {trailer})"\n' for name, trailer in TRAILERS.items())
    shown = " ".join(f"{name}=${name}" for name in NAMES)
    text = f'{_READ}{read}{_TAGS}export {" ".join(NAMES)}\necho "{shown}"\n'
    return text.replace("$MESSAGE", f"${message}").replace("$REVISION", f"${revision}")
