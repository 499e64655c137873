"""What a build says of itself, read from a commit message by a real shell that runs nothing of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain import submission
from bot.pipelines import metadata

SHA = "0123456789abcdef0123456789abcdef01234567"
SHELLS = [name for name in ("sh", "bash", "dash") if shutil.which(name)]
DUMP = "import json, os, sys; print(json.dumps({n: os.environ[n] for n in sys.argv[1:]}))"
OCI_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def read(message: str, shell: str = "sh") -> dict[str, str]:
    """The variables that a job has after the commands, run as the runner runs them."""
    commands = metadata.shell(message="SAID", revision="AT")
    script = f"set -e\n{commands}'{sys.executable}' -c '{DUMP}' {' '.join(metadata.NAMES)}\n"
    environment = {"PATH": os.environ["PATH"], "SAID": message, "AT": SHA, "moduleId": "booking"}
    done = subprocess.run(
        [shell, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=30
    )
    shown, _, found = done.stdout.partition("\n")
    seen = dict(json.loads(found))
    assert shown == " ".join(f"{name}={seen[name]}" for name in metadata.NAMES)
    return seen


@pytest.mark.parametrize("shell", SHELLS)
def test_the_trailers_of_our_own_commits_are_read(shell: str) -> None:
    trailers = submission.trailers(
        trace_id="trace-1234",
        module_id="booking",
        version="1.0.0+build.7",
        agent_id="devops-engineer",
        skill_id="GeneratePipeline",
        sprint_id="sprint-3",
        milestone_id="mvp-v1",
    )
    lines = "\n".join(f"{name}: {value}" for name, value in trailers.items())
    assert read(f"ci: generate\n\n- all of it\n\n{lines}\n", shell) == {
        "moduleId": "booking",
        "versionTag": "1.0.0+build.7-mvp-v1",
        "imageTag": "1.0.0-build.7-mvp-v1-trace-1234",
        "revision": SHA,
        "traceId": "trace-1234",
        "sprintId": "sprint-3",
        "milestoneId": "mvp-v1",
        "agentId": "devops-engineer",
        "skillId": "GeneratePipeline",
    }


@pytest.mark.parametrize(
    ("message", "version", "image"),
    [
        ("fix: by hand", "", SHA),
        ("", "", SHA),
        ("x\n\nVersion: 1.2.3", "1.2.3", "1.2.3"),
        ("x\n\nTrace-Id: trace:9", "", "trace-9"),
        ("x\n\nVersion: 1.0.0\nVersion: 2.0.0\n", "2.0.0", "2.0.0"),
        ("x\r\n\r\nVersion: 1.2.3\r\n", "1.2.3", "1.2.3"),
        ("x\n\nMilestone-Id: mvp", "mvp", "mvp"),
        (f"x\n\nVersion: 1.0.0\nTrace-Id: {'t' * 128}", "1.0.0", f"1.0.0-{'t' * 122}"),
        (f"x\n\nTrace-Id: {'t' * 129}", "", SHA),
    ],
)
def test_version_and_image_tag(message: str, version: str, image: str) -> None:
    found = read(message)
    assert (found["versionTag"], found["imageTag"]) == (version, image)


ATTACKS = (
    "$(touch PWNED)",
    "`touch PWNED`",
    '"; touch PWNED; "',
    "'; touch PWNED; '",
    "a\ntouch PWNED",
    "$IFS$PATH",
    "${AT}",
    "${{ github.token }}",
    "$[ 1 + 1 ]",
    "%s%n%d",
    "\\\\$(id)",
    "-n",
    "| touch PWNED",
    "&& touch PWNED",
    "1.0.0 # x",
)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_a_message_is_run_or_taken_over(attack: str, shell: str, tmp_path: Path) -> None:
    trailers = "".join(f"{name}: {attack}\n" for name in (*metadata.TRAILERS.values(), "Version"))
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        found = read(f"{attack}\n\n{attack}\n\n{trailers}", shell)
    finally:
        os.chdir(here)
    assert list(tmp_path.iterdir()) == []
    kept = "a" if attack.startswith("a\n") else ""
    assert {found[name] for name in metadata.TRAILERS} == {kept}
    assert OCI_TAG.fullmatch(found["imageTag"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200),
    st.text("aA0.:+-_ /$", max_size=20),
)
def test_any_message_gives_a_legal_image_tag_and_one_line(message: str, version: str) -> None:
    found = read(f"{message}\nVersion: {version}\n")
    assert OCI_TAG.fullmatch(found["imageTag"])
    assert all(re.fullmatch(r"[A-Za-z0-9._:+-]*", value) for value in found.values())
