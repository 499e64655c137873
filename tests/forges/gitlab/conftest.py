"""One stand-in, and effects done on it as the engine does them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.event import Event
from bot.domain.performer import EffectContext
from bot.forges.gitlab import rebase
from bot.forges.gitlab.client import Api
from bot.forges.gitlab.forge import GitLabForge
from tests.forges.conformance.stages.gitlab import GitLabStage, stage
from tests.forges.gitlab.fake.server import Fault, Server
from tests.forges.gitlab.fake.world import World

Do = Callable[..., Any]
EFFECT_ID = "trace-1.000007.0"
TRAILER = "feat: x (#1)\n\nTrace-Id: trace-1\nEffect-Id: trace-1.000007.0"
FOR_CHANGES = """\
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS
      when: never
include: {local: ci/*.yml}
"""


@dataclass
class Desk:
    """The forge, the stand-in it talks to, and a worker that does effects."""

    stage: GitLabStage
    events: dict[str, Event] = field(default_factory=dict)
    waits: list[float | None] = field(default_factory=list)
    """What each Retryable asked for."""

    @property
    def forge(self) -> GitLabForge:
        return self.stage.forge

    @property
    def world(self) -> World:
        return self.stage.world

    @property
    def server(self) -> Server:
        return self.world.server

    @property
    def api(self) -> Api:
        assert self.forge.api is not None
        return self.forge.api

    def do(self, effect: e.Effect, effect_id: str = EFFECT_ID, *, attempt: int = 1) -> Any:
        effect = effect.model_copy(update={"repository": effect.repository or self.stage.repository})
        return self.forge.perform(
            effect_id, effect, EffectContext("acme", "trace-1", self.events.get, attempt)
        )

    def fault(self, method: str, path: str, **kind: Any) -> Fault:
        """Something goes wrong with the next request that fits. Nobody waits long for an answer that never comes."""
        if kind.get("kind") == "timeout":
            self.api._gitlab().timeout = 0.7
        return self.server.fault(method, path, **kind)

    def insist(self, effect: e.Effect, effect_id: str = EFFECT_ID) -> Any:
        """As often as the engine would."""
        for attempt in range(1, 6):
            try:
                return self.do(effect, effect_id, attempt=attempt)
            except Retryable as error:
                self.waits.append(error.after)
        raise AssertionError("still not done")

    def commit(
        self,
        path: str = "app.py",
        content: str = "one\n",
        *,
        branch: str = "feature/x",
        effect_id: str = "trace-1.000002.0",
    ) -> str:
        files = (e.File(path=path, content=content),)
        done = self.do(e.CommitFiles(branch=branch, base="main", files=files, message="feat: x"), effect_id)
        return str(done.sha)

    def change(self, *, branch: str = "feature/x", **more: Any) -> int:
        opened = self.do(
            e.OpenChange(source=branch, target_branch="main", title="feat: x", body="Body", **more),
            "trace-1.000003.0",
        )
        return int(opened.number)


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(rebase, "PAUSE_S", 0.01)
    with stage(request, tmp_path) as made:
        yield Desk(made)


@pytest.fixture
def head(desk: Desk) -> str:
    """An open change with one commit."""
    made = desk.commit()
    desk.change()
    return made


def merging(head: str, method: str = "squash", **more: Any) -> e.MergeChange:
    said = {
        "change": 1,
        "expected_head": head,
        "message": "feat: x (#1)",
        "trailers": {"Trace-Id": "trace-1"},
        "method": method,
    }
    return e.MergeChange.model_validate(said | more)


def refusal(desk: Desk, effect: e.Effect, effect_id: str = EFFECT_ID) -> tuple[str, str]:
    with pytest.raises(Permanent) as refused:
        desk.do(effect, effect_id)
    return refused.value.reason_code, refused.value.message


def check(head: str, title: str = "Waiting", conclusion: Any = None) -> e.SetCheck:
    return e.SetCheck(
        revision=head,
        name="pointsman/release: x",
        title=title,
        conclusion=conclusion,
        url="https://bot.test/t",
    )
