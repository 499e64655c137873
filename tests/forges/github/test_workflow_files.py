"""What changes a file below .github/workflows is merged as far as the App may do that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from tests.forges.conformance.stages.github import GitHubStage, opened

CI = ".github/workflows/ci.yml"
CONTEXT = EffectContext("acme", "trace-1", lambda _id: None)


def wish(stage: GitHubStage, path: str) -> e.MergeChange:
    """To merge a person's change of one file."""
    stage.person("ada", "write")
    branch = f"feature/{path.rpartition('/')[2]}"
    head = stage.push("ada", branch, {path: "on: push\n"}, "ci: begin")
    common: dict[str, Any] = {"target": "github", "repository": stage.repository, "purpose": "t"}
    opening = e.OpenChange(**common, source=branch, target_branch="main", title="t", body="b")
    change = stage.forge.perform(f"{branch}.0", opening, CONTEXT)
    assert isinstance(change, e.ChangeResult)
    return e.MergeChange(
        **common, change=change.number, expected_head=head, method="merge", message="feat: t"
    )


def test_a_workflow_file_is_merged_with_the_permission_for_it(tmp_path: Path) -> None:
    with opened(tmp_path) as stage:
        merged = stage.forge.perform("t.000002.0", wish(stage, CI), CONTEXT)
        assert isinstance(merged, e.MergeResult)
        assert stage.head("main") == merged.sha


def test_without_that_permission_everything_else_is_still_merged(tmp_path: Path) -> None:
    with opened(tmp_path) as stage:
        assert stage.hub.installation
        del stage.hub.installation.permissions["workflows"]
        with pytest.raises(Permanent) as refused:
            stage.forge.perform("t.000002.0", wish(stage, CI), CONTEXT)
        assert refused.value.reason_code == "NoWriteAccess"
        assert isinstance(stage.forge.perform("t.000003.0", wish(stage, "x.txt"), CONTEXT), e.MergeResult)
