"""Pipelines: started once more, and read with all their jobs (https://docs.gitlab.com/api/pipelines/)."""

from __future__ import annotations

import re
from itertools import islice

from bot import log_text
from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.gitlab.access import get_branch, head_of
from bot.forges.gitlab.client import Answered, Api, Json, project
from bot.forges.gitlab.files import resolve
from bot.forges.gitlab.told_runs import config_path

MARK = "POINTSMAN_EFFECT_ID"
EMPTY = re.compile(r"workflow rules|No stages|would have been empty")
FOR_CHANGE = "merge_request_event"
RECENT = 10
OPEN = {
    "created",
    "waiting_for_resource",
    "waiting_for_callback",
    "preparing",
    "pending",
    "running",
    "scheduled",
    "canceling",
}
TAIL_BYTES, TAIL_JOBS = 32 * 1024, 3


def run_pipeline(
    api: Api, effect_id: str, effect: e.RunPipeline, _context: EffectContext
) -> e.PipelineResult:
    """One more run for each effect, marked by a variable. GitLab runs the head of a branch, nothing else."""
    if resolve(api, effect.repository, effect.revision) is None:
        raise Permanent("RevisionMissing", f"there is no revision {effect.revision} in {effect.repository}")
    where = f"{project(effect.repository)}/pipelines"
    started = _started(api, where, effect, effect_id) or _start(api, effect, effect_id)
    return e.PipelineResult(pipeline_id=str(started["id"]), url=started["web_url"])


def _started(api: Api, where: str, effect: e.RunPipeline, effect_id: str) -> Json | None:
    listed = api.list(where, sha=effect.revision, source="api", order_by="id", sort="desc")
    for run in islice(listed, RECENT):
        variables = api.list(f"{where}/{run['id']}/variables")
        if any(one["key"] == MARK and one["value"] == effect_id for one in variables):
            return run
    return None


def _start(api: Api, effect: e.RunPipeline, effect_id: str) -> Json:
    head = head_of(get_branch(api, effect.repository, effect.branch))
    if head is None:
        raise Permanent("BranchDeleted", f"there is no branch {effect.branch} in {effect.repository}")
    if head != effect.revision:
        raise Permanent("HeadMoved", f"{effect.branch} is at {head[:12]}, not {effect.revision[:12]}")
    variables = [{"key": key, "value": value} for key, value in {**effect.variables, MARK: effect_id}.items()]
    try:
        made: Json = api.post(
            f"{project(effect.repository)}/pipeline", ref=effect.branch, variables=variables
        )
    except Answered as answer:
        if EMPTY.search(answer.said) and (run := _start_for_change(api, effect)):
            return run
        code = "NoWriteAccess" if "ermission" in answer.said else "NoPipeline"
        raise Permanent(code, f"GitLab starts no pipeline for {effect.branch}: {answer.said}") from answer
    if made["sha"] != effect.revision:  # GitLab runs what the branch is at by then
        said = f"{effect.branch} went on to {made['sha'][:12]} just before its pipeline was started"
        raise Permanent("HeadMoved", said)
    return made


def _start_for_change(api: Api, effect: e.RunPipeline) -> Json | None:
    """A run for the branch's open change, where the file lets changes have runs of their own, and branches
    none.

    Such a run takes no variables and so no mark: one of ours that goes on is the one.
    """
    query = {"state": "opened", "source_branch": effect.branch}
    change = next(iter(api.list(f"{project(effect.repository)}/merge_requests", **query)), None)
    if change is None:
        return None
    where = f"{project(effect.repository)}/merge_requests/{change['iid']}/pipelines"
    for run in islice(api.list(where), RECENT):
        about = api.get(f"{project(effect.repository)}/pipelines/{run['id']}")
        ours = about["user"]["username"] == api.account.login and about["source"] == FOR_CHANGE
        if ours and about["sha"] == effect.revision and about["status"] in OPEN:
            return about  # type: ignore[no-any-return]
    made: Json = api.post(where)
    return made


def read_run(api: Api, repository: str, pipeline_id: str, known: Json) -> p.PipelineFinished | None:
    """A run with its jobs and coverage; None while a job has not ended.

    Only jobs count. A pipeline's own status counts the statuses that others report beside them: with a check
    of ours pending it would wait for us, and we for it.
    """
    where = f"{project(repository)}/pipelines/{pipeline_id}"
    run = api.get(where)
    jobs = list(api.list(f"{where}/jobs")) + list(api.list(f"{where}/bridges"))
    waiting = [
        job
        for job in jobs
        if job["status"] in OPEN or (job["status"] == "manual" and not job["allow_failure"])
    ]
    if waiting or (not jobs and run["status"] in OPEN):
        return None
    status, revision = _outcome(run, jobs), _revision(api, repository, run)
    return p.PipelineFinished.model_validate(
        {
            "repository": repository,
            "revision": revision,
            "branch": "" if run.get("tag") or run["ref"].startswith("refs/") else run["ref"],
            "pipeline_id": str(run["id"]),
            "status": status,
            "reason": run.get("yaml_errors") or "",
            "url": run["web_url"],
            "coverage": float(run["coverage"]) if run.get("coverage") else None,
            "jobs": [_job(job) for job in jobs] if status != "failed" else _with_tails(api, repository, jobs),
            "path": config_path(known),
        }
    )


def _outcome(run: Json, jobs: list[Json]) -> str:
    counted = {job["status"] for job in jobs if not job["allow_failure"]}
    if not jobs:
        return "failed" if run["status"] == "failed" else "canceled"
    return next((bad for bad in ("failed", "canceled") if bad in counted), "success")


def _revision(api: Api, repository: str, run: Json) -> str:
    """The head that was tested: a merged results pipeline runs on a merge of it with the target."""
    if not str(run["ref"]).endswith(("/merge", "/train")) or not run["ref"].startswith(
        "refs/merge-requests/"
    ):
        return str(run["sha"])
    commit = api.get(f"{project(repository)}/repository/commits/{run['sha']}", stats="false")
    return str(commit["parent_ids"][-1])


def _job(job: Json) -> Json:
    return {
        "name": job["name"],
        "stage": job.get("stage") or "",
        "status": job["status"],
        "allow_failure": bool(job["allow_failure"]),
        "duration_s": job.get("duration") or 0.0,
        "failure_reason": job.get("failure_reason") or "",
    }


def _with_tails(api: Api, repository: str, jobs: list[Json]) -> list[Json]:
    """The jobs, the first failed ones with the end of their logs."""
    failed = [job["id"] for job in jobs if job["status"] == "failed" and not job["allow_failure"]][:TAIL_JOBS]
    return [
        _job(job) | ({"log_tail": tail(api, repository, job["id"])} if job["id"] in failed else {})
        for job in jobs
    ]


def tail(api: Api, repository: str, job_id: int) -> str:
    """The last lines a job printed; empty when the log is gone."""
    try:
        end = b""
        for piece in api.stream(f"{project(repository)}/jobs/{job_id}/trace"):  # it may be 100 MB long
            end = (end + piece)[-TAIL_BYTES:]
    except Answered:
        return ""
    return log_text.tail(end.decode(errors="replace"))
