"""Environment checks of Azure Pipelines that ask the bot: "Invoke REST API", completed by a callback.

The check calls the bot's webhook door with this body, by a generic service connection that has the webhook
secret as its password; the bot's answer is an event of the plan that waits
(https://learn.microsoft.com/azure/devops/pipelines/process/invoke-checks):

    {"eventType": "pointsman.environment-check",
     "resource": {"environment": "production",
                  "project": {"name": "$(system.TeamProject)", "id": "$(system.TeamProjectId)"},
                  "repository": {"name": "$(build.Repository.Name)"},
                  "revision": "$(build.SourceVersion)", "runId": "$(build.BuildId)",
                  "hubName": "$(system.HostType)", "planId": "$(system.PlanId)",
                  "jobId": "$(system.JobId)", "taskInstanceId": "$(system.TaskInstanceId)"}}
"""

from __future__ import annotations

import re
from typing import Any

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent
from bot.forges.azure.place import Place
from bot.forges.azure.said import Said
from bot.forges.azure.speech import Refusal
from bot.forges.port import RepositoryFact

WAITING = ("projectId", "hubName", "planId", "jobId", "taskInstanceId")
ID = re.compile(r"[A-Za-z0-9-]{1,64}(/[A-Za-z0-9-]{1,64}){4}")
RESULTS = {"approved": "succeeded", "rejected": "failed"}
OVER = {400, 404, 409}
"""How the forge answers for what waits no longer."""


def asked(said: Said) -> list[RepositoryFact]:
    """A deployment waits for the bot's word. Raises KeyError, ValueError."""
    about: dict[str, Any] = said.resource
    known = {**about, "projectId": about["project"]["id"]}
    waiting = "/".join(str(known[name]) for name in WAITING)
    if not ID.fullmatch(waiting):
        raise ValueError("the ids of an environment check are words without slashes")
    data = p.DeploymentRequested(
        repository=said.repository,
        environment=about["environment"],
        revision=about["revision"],
        deployment_id=waiting,
        run_id=str(about.get("runId", "")),
    )
    hints = said.hints(sha=data.revision)
    return [said.fact("DeploymentRequested", data, hints, actor="", new_trace=False)]


def answer_deployment(place: Place, effect: e.AnswerDeployment) -> e.Done:
    """Let it go on, or end it. What waits no longer was answered."""
    if not ID.fullmatch(effect.deployment_id):
        raise Permanent("NotFound", f"{effect.deployment_id!r} is no environment check of Azure Pipelines")
    project, hub, plan, job, task = effect.deployment_id.split("/")
    event = {"name": "TaskCompleted", "jobId": job, "taskId": task, "result": RESULTS[effect.state]}
    try:
        place.client.raise_event({"scopeIdentifier": project, "hubName": hub, "planId": plan}, event)
    except Refusal as refusal:
        if refusal.status not in OVER:
            raise
    return e.Done(id=effect.deployment_id)
