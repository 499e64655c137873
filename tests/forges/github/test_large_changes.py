"""A change with more files than GitHub lists hides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.domain.release import POLICY_FILE
from bot.forges.github import read_change
from tests.forges.conformance.stages.github import GitHubStage, opened
from tests.forges.github.fake.graph import LISTED

CONTEXT = EffectContext("acme", "trace-1", lambda _id: None)


def changed(stage: GitHubStage, paths: list[str]) -> int:
    """The number of a change that adds these files."""
    stage.person("mallory", "write")
    with stage.hub.lock:
        git, main = stage.repo.git, stage.repo.head("main")
        assert main
        blob = git.blob(b"x\n")
        tree = git.write_tree(git.tree(main), [("100644", blob, path) for path in paths])
        who = stage.hub.signature("mallory")
        stage.repo.move("feature/many", git.commit(tree, [main], "feat: much", who, who), "mallory")
    opening = e.OpenChange(
        target="github",
        repository=stage.repository,
        purpose="t",
        source="feature/many",
        target_branch="main",
        title="t",
        body="b",
    )
    opened_ = stage.forge.perform("t.000001.0", opening, CONTEXT)
    assert isinstance(opened_, e.ChangeResult)
    return opened_.number


def looked(stage: GitHubStage, change: int) -> p.FactsGathered:
    wanted = e.GatherFacts(
        target="github", repository=stage.repository, purpose="release", correlation="c", change=change
    )
    found = stage.forge.perform("t.000002.0", wanted, CONTEXT)
    assert isinstance(found, p.FactsGathered)
    return found


def test_a_policy_cannot_be_edited_unseen_behind_the_files_that_github_lists(tmp_path: Path) -> None:
    with opened(tmp_path) as stage:
        number = changed(stage, [*(f"!/{n:05}" for n in range(LISTED)), POLICY_FILE])
        found = looked(stage, number).change
        assert found
        assert found["touchesPolicy"] is True


def test_of_a_change_that_is_read_in_part_nothing_is_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_change, "MOST_PAGES", 2)
    with opened(tmp_path) as stage:
        assert looked(stage, changed(stage, [f"!/{n}" for n in range(200)])).change
        with pytest.raises(Permanent, match="change 1 has more files than are read") as refused:
            looked(stage, changed(stage, [f"!/{n}" for n in range(201)]))
        assert refused.value.reason_code == "TooMany"
