"""Pipelines, jobs and deployments, in our words."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bot.domain import payloads as p
from bot.forges.gitlab.said import Json, Said
from bot.forges.port import RepositoryFact

CONFIG = ".gitlab-ci.yml"
ENDED = {"success": "success", "failed": "failed", "canceled": "canceled"}
BEGUN = "pending"
JOB_ENDED = {"success": "success", "failed": "failure", "canceled": "canceled", "skipped": "skipped"}
FOREIGN = {"external", "parent_pipeline"}
"""`external` is a pipeline of commit statuses alone, our own among them; a child's outcome is its parent's.
"""
DEPLOYED = {"running": "in_progress", "success": "success", "failed": "failure", "canceled": "inactive"}
SHA = re.compile(r"[0-9a-f]{40}")


def config_path(project: Json) -> str:
    """The file pipelines come from; empty when it lies in another project."""
    path = str(project.get("ci_config_path") or CONFIG)
    return "" if "@" in path or "://" in path else path


def pipeline(said: Said) -> list[RepositoryFact]:
    """A run begins or has ended. The call has no coverage, and counts statuses beside the jobs."""
    attributes = said.attributes
    if attributes["status"] not in {*ENDED, BEGUN} or attributes.get("source") in FOREIGN:
        return []
    change = said.body.get("merge_request") or {}
    branch = "" if attributes.get("tag") else str(change.get("source_branch") or attributes["ref"])
    # A fork's branch is another one than ours of the same name.
    ours = change.get("source_project_id") == change.get("target_project_id")
    sha = str(attributes["sha"])
    hints = said.hints(change=change.get("iid"), branch=branch if ours else None, sha=sha)
    if attributes["status"] == BEGUN:
        return [_begun(said, branch, hints)]
    run = p.PipelineFinished.model_validate(
        {
            "repository": said.repository,
            "revision": sha,
            "branch": branch,
            "pipeline_id": str(attributes["id"]),
            "status": ENDED[attributes["status"]],
            "url": attributes.get("url") or _run_url(said),
            "path": config_path(said.project),
            "told": "outcome",
        }
    )
    message = str((said.body.get("commit") or {}).get("message") or "")
    return [said.fact("PipelineFinished", run, hints, message=message, new_trace=True)]


def _begun(said: Said, branch: str, hints: tuple[str, ...]) -> RepositoryFact:
    """A new pipeline has none of our checks in it, and merging would wait for its jobs alone."""
    wanted = p.CheckRequested(
        repository=said.repository, revision=said.attributes["sha"], branch=branch, again=True
    )
    return said.fact("CheckRequested", wanted, hints)


def _run_url(said: Said) -> str:
    web = said.project.get("web_url")
    return f"{web}/-/pipelines/{said.attributes['id']}" if web else ""


def job(said: Said) -> list[RepositoryFact]:
    """A job has ended. A pipeline with a check of ours does not end before that check; its jobs do."""
    body = said.body
    state = JOB_ENDED.get(str(body["build_status"]))
    if state is None:
        return []
    repository = said.project.get("path_with_namespace") or _path(body)
    status = p.StatusReported.model_validate(
        {
            "repository": repository,
            "revision": body["sha"],
            "name": f"job/{body['build_name']}",
            "state": state,
            "description": body.get("build_failure_reason") or "" if state == "failure" else "",
            "pipelineId": str(body["pipeline_id"]),
        }
    )
    known = Said(body | {"project": said.project | {"path_with_namespace": repository}}, said.login)
    return [known.fact("StatusReported", status, known.hints(sha=status.revision))]


def _path(body: Json) -> str:
    return urlsplit(str(body["repository"]["homepage"])).path.strip("/")


def deployment(said: Said) -> list[RepositoryFact]:
    """Where something is deployed; or that a protected environment waits for an approval."""
    body = said.body
    revision = SHA.search(str(body.get("commit_url") or ""))
    if revision is None or said.is_bot(said.actor):
        return []
    url = str(body.get("deployable_url") or body.get("environment_external_url") or "")
    common: Json = {"repository": said.repository, "revision": revision[0], "url": url}
    hints = said.hints(sha=revision[0])
    if body["status"] == "blocked":
        asked = {"environment": body["environment"], "deployment_id": str(body["deployment_id"])}
        return [said.fact("DeploymentRequested", p.DeploymentRequested.model_validate(common | asked), hints)]
    if body["status"] not in DEPLOYED:
        return []
    told = {"name": f"deployment/{body['environment']}", "state": DEPLOYED[body["status"]]}
    return [said.fact("StatusReported", p.StatusReported.model_validate(common | told), hints)]
