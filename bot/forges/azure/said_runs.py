"""Runs of Azure Pipelines in our words. Pure.

`build.complete` tells how a run ended and on which commit, without its jobs, coverage and file: they are
asked for (`told="outcome"`). The events of the newer publisher `pipelines` say the same again, and of stages
more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bot.domain import payloads as p
from bot.forges.azure.names import branch_of
from bot.forges.azure.said import Json, Said
from bot.forges.port import RepositoryFact

OUTCOMES = {
    "succeeded": "success",
    "partiallySucceeded": "success",
    "failed": "failed",
    "canceled": "canceled",
    "stopped": "canceled",
}
"""What partially succeeded was allowed to fail where it did (`continueOnError`); the jobs tell."""
PULL = re.compile(r"refs/pull/(\d+)/merge")
WEB = re.compile(r"https?://[^/]*/(?:.*/)?(?P<project>[^/]+)/_git/(?P<name>[^/?#]+)")
HOME = "TfsGit"


def _build(said: Said) -> list[RepositoryFact]:
    build = said.resource
    outcome = OUTCOMES.get(build.get("result") or build.get("status") or "")
    repository = _repository(build)
    if outcome is None or not repository or not build.get("sourceVersion"):
        return []
    data = p.PipelineFinished.model_validate(
        {
            "repository": repository,
            **ran_on(build),
            "pipelineId": str(build["id"]),
            "status": outcome,
            "told": "outcome",
            "url": ((build.get("_links") or {}).get("web") or {}).get("href") or "",
        }
    )
    about = Said({**said.whole, "resource": {**build, "repository": _as_repository(repository)}}, said.people)
    change = _change(build)
    # A change may come from a fork, whose branch is another one than ours of the same name.
    hints = about.hints(branch=None if change else data.branch, change=change, sha=data.revision)
    actor = said.person(build.get("requestedFor") or build.get("requestedBy"))
    return [about.fact("PipelineFinished", data, hints, actor=actor)]


def ran_on(build: Json) -> dict[str, str]:
    """Branch and revision a run was for. A validation run of a change is of a merge that nobody ever sees:
    the forge names the head beside it.
    """
    trigger = build.get("triggerInfo") or {}
    if PULL.fullmatch(build.get("sourceBranch") or "") and trigger.get("pr.sourceSha"):
        return {
            "branch": branch_of(trigger.get("pr.sourceBranch")) or trigger.get("pr.sourceBranch") or "",
            "revision": trigger["pr.sourceSha"],
        }
    return {"branch": branch_of(build.get("sourceBranch")), "revision": build.get("sourceVersion") or ""}


def _change(build: Json) -> int | None:
    found = PULL.fullmatch(build.get("sourceBranch") or "")
    return int(found[1]) if found else None


def _repository(build: Json) -> str:
    """Where the code is; an empty text for code that Azure DevOps only builds and another forge keeps."""
    about = build.get("repository") or {}
    project = (build.get("project") or (build.get("definition") or {}).get("project") or {}).get("name")
    found = WEB.match(about.get("url") or "")
    name = about.get("name") or (found["name"] if found else "")
    return f"{project}/{name}" if about.get("type") == HOME and project and name else ""


def _as_repository(written: str) -> Json:
    project, _, name = written.partition("/")
    return {"name": name, "project": {"name": project}}


def _step(said: Said) -> list[RepositoryFact]:
    """A stage or a job of a run has another state: told when the body says of which commit."""
    resource = said.resource
    step = resource.get("stage") or resource.get("job") or {}
    for one in resource.get("repositories") or ():
        found, revision = WEB.match(one.get("url") or ""), (one.get("change") or {}).get("version")
        if found and revision and step.get("name"):
            return [_status(said, step, f"{found['project']}/{found['name']}", revision)]
    return []


def _status(said: Said, step: Json, repository: str, revision: str) -> RepositoryFact:
    pipeline = said.resource.get("pipeline") or (said.resource.get("run") or {}).get("pipeline") or {}
    data = p.StatusReported(
        repository=repository,
        revision=revision,
        name="/".join(filter(None, (pipeline.get("name"), step["name"]))),
        state=step.get("result") or step.get("state") or "",
        description=said.text,
        url=((step.get("_links") or {}).get("web") or {}).get("href") or "",
    )
    about = Said({**said.whole, "resource": {"repository": _as_repository(repository)}}, said.people)
    return about.fact("StatusReported", data, about.hints(sha=revision), actor="", new_trace=False)


EVENTS: dict[Any, Callable[[Said], list[RepositoryFact]]] = {
    "build.complete": _build,
    "ms.vss-pipelines.stage-state-changed-event": _step,
    "ms.vss-pipelines.job-state-changed-event": _step,
}
