"""What a forge has said of a change and of its pipeline's stages, as gates read it; None: it has not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.trace import TraceState
from policies.facts import Commit, Stage

FAILED = frozenset({"failed", "failure", "error", "canceled", "cancelled", "timed_out"})
PASSED = frozenset({"passed", "success", "succeeded"})
WAITING = frozenset({"running", "pending", "queued", "created", "in_progress"})


def change_facts(state: TraceState) -> dict[str, Any]:
    """Fields of ReleaseFacts."""
    change = state.change or {}
    named = {"additions": "additions", "deletions": "deletions"}
    lists = {"paths": change.get("paths"), "work_items": change.get("workItems")}
    return {
        "title": change.get("title", ""),
        "source_branch": change.get("source", ""),
        "fork": bool(change.get("fork")),
        "behind": _behind(state),
        "commits": _commits(change.get("commits")),
        **{name: change.get(key) for name, key in named.items()},
        **{name: None if value is None else tuple(value) for name, value in lists.items()},
    }


def _behind(state: TraceState) -> int | None:
    """What the forge counted, and one more when the target has moved since."""
    counted: int | None = (state.change or {}).get("behind")
    moved = bool(state.base_moved_to)
    return max(counted or 0, 1) if moved else counted


def _commits(said: list[dict[str, Any]] | None) -> tuple[Commit, ...] | None:
    kept = Commit.model_fields.keys()
    return (
        None
        if said is None
        else tuple(Commit(**{key: value for key, value in one.items() if key in kept}) for one in said)
    )


def stages_of(run: Mapping[str, Any]) -> tuple[Stage, ...]:
    """The stages of a pipeline run, each as bad as its worst job that counts; without any, its jobs."""
    found: dict[str, list[str]] = {}
    for job in run.get("jobs", ()):
        if not job.get("allowFailure"):
            found.setdefault(job.get("stage") or job["name"], []).append(str(job["status"]).casefold())
    return tuple(Stage(name=name, status=_worst(statuses)) for name, statuses in found.items())


def _worst(statuses: list[str]) -> Any:
    if any(status in FAILED for status in statuses):
        return "failed"
    if any(status in WAITING for status in statuses):
        return "running"
    return "passed" if any(status in PASSED for status in statuses) else "skipped"
