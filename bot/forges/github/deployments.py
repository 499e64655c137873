"""`RecordDeployment`: GitHub's deployments, one for each environment and revision, and their states."""

from __future__ import annotations

from typing import Any

from bot.domain import effect as e
from bot.domain.performer import EffectContext
from bot.forges.github.account import Needs
from bot.forges.github.errors import Answered, not_found
from bot.forges.github.fitting import one_line
from bot.forges.github.ground import GONE, Ground
from bot.messages import trace_url

Json = dict[str, Any]
DEPLOYMENTS: Needs = {"deployments": "write", "contents": "read", "metadata": "read"}
LONGEST = 140


def record_deployment(
    ground: Ground, _effect_id: str, effect: e.RecordDeployment, context: EffectContext
) -> e.Done:
    """Say what became of a deployment; what was said last is not said again."""
    key = (effect.repository, effect.environment, effect.revision)
    try:
        number, last = ground.deployments.get(*key) or _find(ground, effect) or (_create(ground, effect), "")
    except Answered as error:
        if error.status in GONE:
            raise not_found(f"revision {effect.revision} in {effect.repository}") from error
        raise
    wanted = _state(ground, effect, context)
    mark = _mark(wanted)
    if last != mark:
        ground.deployments.forget(*key)  # until it is known that it was said
        path = f"/deployments/{number}/statuses"
        ground.client.send("POST", effect.repository, path, wanted, needs=DEPLOYMENTS)
    ground.deployments.put((number, mark), *key)
    return e.Done(id=str(number), url=effect.url)


def answer_deployment(
    ground: Ground, _effect_id: str, effect: e.AnswerDeployment, _context: EffectContext
) -> e.Done:
    """Tell a run of GitHub Actions that waits whether it may deploy; one that waits no longer was told."""
    path = f"/actions/runs/{effect.run_id}/deployment_protection_rule"
    said = {"environment_name": effect.environment, "state": effect.state, "comment": effect.comment}
    try:
        ground.client.send("POST", effect.repository, path, said, needs=DEPLOYMENTS)
    except Answered as error:
        if error.status not in GONE:
            raise
    return e.Done(id=effect.deployment_id)


def _mark(said: Json) -> str:
    """What tells one state from another."""
    return "\n".join(str(said.get(name) or "") for name in ("state", "environment_url", "description"))


def _state(ground: Ground, effect: e.RecordDeployment, context: EffectContext) -> Json:
    short = one_line(effect.description, LONGEST)
    said: Json = {"state": effect.state, "description": short, "auto_inactive": effect.state == "success"}
    said["log_url"] = trace_url(ground.base_url, context.trace_id)
    return said | ({"environment_url": effect.url} if effect.url else {})


def _find(ground: Ground, effect: e.RecordDeployment) -> tuple[int, str] | None:
    """Our deployment of this revision there, and what was said of it last."""
    params = {"sha": effect.revision, "environment": effect.environment, "per_page": 30}
    listed = ground.client.get(effect.repository, "/deployments", params=params, needs=DEPLOYMENTS)
    ours = [one for one in listed if ground.is_us(one.get("creator"))]
    if not ours:
        return None
    number = ours[0]["id"]
    path = f"/deployments/{number}/statuses"
    states = ground.client.get(effect.repository, path, params={"per_page": 1}, needs=DEPLOYMENTS)
    return number, _mark(states[0]) if states else ""


def _create(ground: Ground, effect: e.RecordDeployment) -> int:
    said = {
        "ref": effect.revision,
        "environment": effect.environment,
        "task": "deploy",
        # It is decided elsewhere whether this revision may be deployed, and it is deployed as it is.
        "auto_merge": False,
        "required_contexts": [],
        "description": "",
    }
    made = ground.client.send("POST", effect.repository, "/deployments", said, needs=DEPLOYMENTS)
    return int(made.json["id"])
