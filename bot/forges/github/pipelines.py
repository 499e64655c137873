"""`RunPipeline`, and what a run of GitHub Actions did: its jobs and its coverage."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from bot import log_text
from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.github.account import Needs
from bot.forges.github.asking import Ask
from bot.forges.github.errors import Answered, not_found
from bot.forges.github.ground import GONE, MISSING, Ground, tree_of
from bot.forges.github.normalise_checks import OUTCOMES, branch_of_run, path_of_run

Json = dict[str, Any]
ACTIONS: Needs = {"actions": "write", "metadata": "read"}
READ_ACTIONS: Needs = {"actions": "read", "metadata": "read"}
OURS = re.compile(r"(^|/)pointsman[^/]*\.ya?ml$")
"""The workflow file that the bot generates; where there is none of that name, the newest run counts."""
COVERAGE = re.compile(rb"(?i)\bcoverage:\s*(\d{1,3}(?:\.\d+)?)\s*%")
COVERING = re.compile(r"(?i)test|cover")
"""Names of jobs whose log may tell the coverage."""
MOST_LOGS, LARGEST_LOG, TAIL = 3, 32 * 1024 * 1024, 32 * 1024
EXPIRED = 410
JOB_STATES = {"success": "success", "neutral": "success", "skipped": "skipped", "cancelled": "canceled"}


def run_pipeline(
    ground: Ground, _effect_id: str, effect: e.RunPipeline, _context: EffectContext
) -> e.PipelineResult:
    """Run a revision's workflow once more: the same files, the same revision.

    A run that is not over is one that was asked for already.
    """
    if tree_of(ground, effect.repository, effect.revision) is None:
        raise Permanent("RevisionMissing", f"there is no revision {effect.revision} in {effect.repository}")
    run = _newest(ground, effect)
    if run is None:
        raise Permanent("NoPipeline", f"no workflow has run on {effect.revision[:12]}")
    if effect.variables:
        return _dispatch(ground, effect, run)
    if run["status"] == "completed":
        try:
            path = f"/actions/runs/{run['id']}/rerun"
            ground.client.send("POST", effect.repository, path, {}, needs=ACTIONS)
        except Answered as error:
            if not error.says("already running"):
                raise Permanent("RerunRefused", f"GitHub does not run it again: {error.message}") from error
    return e.PipelineResult(pipeline_id=str(run["id"]), url=run["html_url"])


def _newest(ground: Ground, effect: e.RunPipeline) -> Json | None:
    params = {"head_sha": effect.revision, "per_page": 100}
    runs = ground.client.get(effect.repository, "/actions/runs", params=params, needs=READ_ACTIONS)
    found = sorted(runs["workflow_runs"], key=lambda run: int(run["id"]))
    named = [run for run in found if path_of_run(run) == effect.path]
    ours = [run for run in found if OURS.search(path_of_run(run))]
    chosen: list[Json] = named or ours or found
    return chosen[-1] if chosen else None


def _dispatch(ground: Ground, effect: e.RunPipeline, run: Json) -> e.PipelineResult:
    """A new run with variables, which only the head of a branch can have."""
    said = {"ref": effect.branch, "inputs": dict(effect.variables), "return_run_details": True}
    path = f"/actions/workflows/{run['workflow_id']}/dispatches"
    try:
        made = ground.client.send("POST", effect.repository, path, said, needs=ACTIONS).json or {}
    except Answered as error:
        raise Permanent("DispatchRefused", f"GitHub does not run it: {error.message}") from error
    number = made.get("workflow_run_id") or run["id"]
    return e.PipelineResult(pipeline_id=str(number), url=made.get("html_url") or run["html_url"])


def told(ground: Ground, repository: str, run_id: str) -> p.PipelineFinished:
    """A run with everything known of it. Raises Permanent('NotFound'), Retryable while it is not over."""
    try:
        run = ground.client.get(repository, f"/actions/runs/{run_id}", needs=READ_ACTIONS)
    except Answered as error:
        if error.status in GONE:
            raise not_found(f"run {run_id} in {repository}") from error
        raise
    outcome = OUTCOMES.get(run.get("conclusion") or "")
    if outcome is None:
        raise Retryable(f"run {run_id} is {run['status']}")
    params = {"filter": "latest"}
    path = f"/actions/runs/{run_id}/jobs"
    jobs = list(ground.client.pages(repository, path, inside="jobs", params=params, needs=READ_ACTIONS))
    logs = _logs(ground, repository, jobs)
    return p.PipelineFinished.model_validate(
        {
            "repository": repository,
            "revision": run["head_sha"],
            "branch": branch_of_run(run),
            "pipeline_id": str(run["id"]),
            "path": path_of_run(run),
            "told": "all",
            "status": outcome,
            "reason": "" if outcome == "success" else run["conclusion"],
            "url": run["html_url"],
            "coverage": _coverage(logs),
            "jobs": [_job(job, logs.get(job["id"], b"")) for job in jobs],
        }
    )


def _job(job: Json, log: bytes) -> p.Job:
    status = JOB_STATES.get(job.get("conclusion") or "", "failed")
    failed = status == "failed"
    steps = [step["name"] for step in job.get("steps") or [] if step.get("conclusion") == "failure"]
    return p.Job(
        name=job["name"],
        status=status,
        duration_s=_seconds(job.get("started_at"), job.get("completed_at")),
        failure_reason=", ".join(steps) if failed else "",
        log_tail=log_text.tail(log[-TAIL:].decode(errors="replace")) if failed else "",
    )


def _logs(ground: Ground, repository: str, jobs: list[Json]) -> dict[int, bytes]:
    """What the failed jobs printed, and those that may have printed a coverage. Each log is a request."""
    failed = [job for job in jobs if job.get("conclusion") == "failure"]
    covering = [job for job in jobs if job.get("conclusion") == "success" and COVERING.search(job["name"])]
    wanted = failed[:MOST_LOGS] + covering[:MOST_LOGS]
    return {job["id"]: _log(ground, repository, job["id"]) for job in wanted}


def _log(ground: Ground, repository: str, job: int) -> bytes:
    """Empty when it is not there any more: logs are kept for a while only."""
    path = f"/repos/{repository}/actions/jobs/{job}/logs"
    try:
        return ground.client.download(Ask("GET", path, repository, needs=READ_ACTIONS), LARGEST_LOG)
    except Answered as error:
        if error.status in {MISSING, EXPIRED}:
            return b""
        raise


def _coverage(logs: dict[int, bytes]) -> float | None:
    """What a job printed last as `coverage: 91%`; GitHub itself knows of none."""
    found = [number for log in logs.values() for number in COVERAGE.findall(log)[-1:]]
    return float(found[-1]) if found else None


def _seconds(began: str | None, ended: str | None) -> float:
    if not began or not ended:
        return 0.0
    return max((datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds(), 0.0)
