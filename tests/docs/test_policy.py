"""The example of docs/policy.md loads, and answers what the page shows."""

from __future__ import annotations

from pathlib import Path

import policies
from tests.docs import overlay
from tests.docs.pages import ROOT, steps

PAGE = ROOT / "docs" / "policy.md"


def test_the_example_is_a_policy() -> None:
    (text,) = [step.text for step in steps(PAGE) if step.path.endswith("policy.yaml")]
    policy = policies.load(text)
    assert list(policy.environments) == ["staging", "production"]
    assert policy.mode == "enforce"


def test_it_answers_what_is_shown(tmp_path: Path) -> None:
    done = [step for step in steps(PAGE) if step.do]
    assert [step.do for step in done] == ["write", "write", "run"]
    overlay.follow(overlay.copy(tmp_path), done)
