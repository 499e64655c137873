"""What the App is asked to be allowed is what the bot needs, and it is told of all that the bot reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.forges.github.normalise import EVENTS
from bot.forges.github.permissions import events_of, of_tier
from tests.forges.conformance.stages.github import opened
from tests.forges.github.conftest import doing
from tests.forges.github.deeds import CALLED, DEEDS


@pytest.mark.parametrize("name", DEEDS)
def test_an_app_of_the_widest_tier_may_do_every_effect(tmp_path: Path, name: str) -> None:
    """What the form asks for is what the bot needs: nothing has to be granted by hand."""
    deed = DEEDS[name]
    with opened(tmp_path) as stage:
        assert stage.hub.installation
        stage.hub.installation.permissions = {one.name: one.access for one in of_tier("pipelines")}
        stage.hub.hook_url = CALLED  # as the form says it, so that no repository needs one of its own
        revision = deed.before(stage)
        doing(stage)(deed.effect(stage, revision), "t.000009.0")
        if not name.startswith("CreateRepository"):
            assert deed.left(stage) == deed.expected(stage)


def test_an_app_is_told_of_everything_that_is_read() -> None:
    read = set(EVENTS) - {"installation", "installation_repositories"}
    assert read <= set(events_of("pipelines")), "of those two every App is told"
    assert {"status", "merge_group"} <= set(events_of("observe"))
