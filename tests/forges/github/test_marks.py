"""A commit counts as the bot's when the bot made it, whatever is written into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain import effect as e
from bot.domain.performer import EffectContext
from tests.forges.conformance.stages.github import opened

EFFECT_ID = "trace-1.000007.0"
CONTEXT = EffectContext("acme", "trace-1", lambda _id: None)
FILE = "clock/main.py"


@pytest.mark.parametrize("by_the_bot", [False, True])
def test_a_commit_that_mallory_signed_in_the_bots_name_is_not_the_bots(
    tmp_path: Path, *, by_the_bot: bool
) -> None:
    wish = e.CommitFiles(
        target="github",
        repository="acme/booking",
        purpose="t",
        branch="feature/clock",
        base="main",
        files=(e.File(path=FILE, content="ours\n"),),
        message="feat: clock",
    )
    with opened(tmp_path) as stage:
        stage.person("mallory", "write")
        with stage.hub.lock:
            git, main = stage.repo.git, stage.repo.head("main")
            assert main
            tree = git.write_tree(git.tree(main), [("100644", git.blob(b"theirs\n"), FILE)])
            bot, mallory = stage.hub.signature(stage.hub.bot), stage.hub.signature("mallory")
            message = f"feat: clock\n\nEffect-Id: {EFFECT_ID}\n"
            forged = git.commit(tree, [main], message, bot, bot if by_the_bot else mallory)
            stage.repo.verified.add(forged)
            stage.repo.move("feature/clock", forged, "mallory")
        made = stage.forge.perform(EFFECT_ID, wish, CONTEXT)
        assert isinstance(made, e.CommitResult)
        assert (made.sha == forged) is by_the_bot
