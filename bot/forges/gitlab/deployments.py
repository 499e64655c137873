"""Deployments (https://docs.gitlab.com/api/deployments/): one per time a revision is brought somewhere."""

from __future__ import annotations

from bot.domain import effect as e
from bot.domain.performer import EffectContext
from bot.forges.gitlab.access import get_project
from bot.forges.gitlab.client import Api, Json, project

STATES = {"in_progress": "running", "success": "success", "failure": "failed", "inactive": "canceled"}
ENDED = {"success", "failed", "canceled"}
BLOCKED = "blocked"


def record_deployment(
    api: Api, _effect_id: str, effect: e.RecordDeployment, _context: EffectContext
) -> e.Done:
    """Begin a deployment, or end the one that runs. A deployment that has ended stays as it ended."""
    where, state = f"{project(effect.repository)}/deployments", STATES[effect.state]
    latest = _latest(api, where, effect)
    if latest and (latest["status"] == state or (effect.state == "inactive" and latest["status"] in ENDED)):
        done = latest
    elif latest and latest["status"] not in ENDED:
        done = api.put(f"{where}/{latest['id']}", status=state)
    elif effect.state == "inactive":
        return e.Done()  # nothing of ours is there that could be taken back
    else:
        done = api.post(where, **_body(api, effect, state))
    _show_address(api, effect, done)
    return e.Done(id=str(done["id"]))


def _latest(api: Api, where: str, effect: e.RecordDeployment) -> Json | None:
    listed = api.list(where, environment=effect.environment, order_by="id", sort="desc")
    mine = (one for one in listed if one["user"]["username"] == api.account.login)
    return next((one for one in mine if one["sha"] == effect.revision), None)


def _body(api: Api, effect: e.RecordDeployment, state: str) -> Json:
    ref = get_project(api, effect.repository)["default_branch"]
    return {
        "environment": effect.environment,
        "sha": effect.revision,
        "ref": ref,
        "tag": False,
        "status": state,
    }


def _show_address(api: Api, effect: e.RecordDeployment, deployment: Json) -> None:
    environment = deployment.get("environment") or {}
    if effect.url and environment and environment.get("external_url") != effect.url:
        api.put(f"{project(effect.repository)}/environments/{environment['id']}", external_url=effect.url)


def answer_deployment(
    api: Api, _effect_id: str, effect: e.AnswerDeployment, _context: EffectContext
) -> e.Done:
    """Approve or reject a deployment to a protected environment (GitLab Premium). One that waits no longer
    has its answer.
    """
    where = f"{project(effect.repository)}/deployments/{effect.deployment_id}"
    waiting = api.get(where)
    given = [one["user"]["username"] for one in waiting.get("approvals") or []]
    if waiting["status"] == BLOCKED and api.account.login not in given:
        api.post(f"{where}/approval", status=effect.state, comment=effect.comment)
    return e.Done(id=effect.deployment_id)
