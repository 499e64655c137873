"""What a token's user is told of what was missed, when a repository is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain import effect as e
from bot.domain.performer import EffectContext
from tests.forges.conformance.stages.github import opened


def test_a_repository_that_is_gone_keeps_nobody_from_hearing_of_the_others(tmp_path: Path) -> None:
    with opened(tmp_path, token="ghp_token-of-the-test") as stage:
        stage.person("jane", "write")
        stage.push("jane", "feature/x", {"x.txt": "x\n"}, "feat: x")
        opening = e.OpenChange(
            target="github",
            repository=stage.repository,
            purpose="t",
            source="feature/x",
            target_branch="main",
            title="t",
            body="b",
        )
        stage.forge.perform("t.000001.0", opening, EffectContext("acme", "trace-1", lambda _id: None))
        stage.forge.ground.known_repositories = lambda: ["acme/abandoned", stage.repository]
        told = list(stage.forge.missed(datetime.now(UTC) - timedelta(hours=1)))
        assert [one.delivery.shard_key for one in told] == [stage.repository]
