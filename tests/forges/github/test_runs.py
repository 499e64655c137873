"""Which run of a revision is run again, where a repository has several workflows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.effect import RunPipeline
from bot.forges.github import pipelines

RUNS = [
    {"id": 3, "path": ".github/workflows/stale.yml"},
    {"id": 2, "path": ".github/workflows/pointsman-right.yml"},
    {"id": 1, "path": ".github/workflows/pointsman-left.yml@main"},
]


@pytest.mark.parametrize(
    ("path", "runs", "chosen"),
    [
        (".github/workflows/pointsman-left.yml", RUNS, 1),
        (".github/workflows/pointsman-right.yml", RUNS, 2),
        ("", RUNS, 2),
        (".github/workflows/pointsman-left.yml", RUNS[:1], 3),
        ("", [], None),
    ],
)
def test_the_modules_own_run_comes_first(path: str, runs: list[dict[str, Any]], chosen: int | None) -> None:
    asked: list[Any] = []

    def get(repository: str, where: str, **more: Any) -> Any:
        asked.append((repository, where, more["params"]["head_sha"]))
        return {"workflow_runs": runs}

    ground: Any = SimpleNamespace(client=SimpleNamespace(get=get))
    effect = RunPipeline(repository="acme/shop", branch="x", revision="a" * 40, path=path)
    found = pipelines._newest(ground, effect)
    assert (found["id"] if found else None) == chosen
    assert asked == [("acme/shop", "/actions/runs", "a" * 40)]
