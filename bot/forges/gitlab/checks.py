"""Checks as commit statuses (https://docs.gitlab.com/api/commits/#set-commit-pipeline-status).

A status is one line of a pipeline: a name, a state, 255 characters, a link. `Pipelines must succeed` makes
merging wait for it, on every tier. External status checks would say more, but need GitLab Ultimate.
"""

from __future__ import annotations

from bot.domain import effect as e
from bot.domain.performer import EffectContext
from bot.forges.gitlab.client import Answered, Api, Json, project

STATES = {"success": "success", "failure": "failed", "neutral": "success", None: "pending"}
LONGEST = 255
CHILD = "parent_pipeline"


def set_check(api: Api, _effect_id: str, effect: e.SetCheck, _context: EffectContext) -> e.CheckResult:
    """Checks are told apart by name and revision.

    Before GitLab 18.3 a status cannot be set to the state it is in, not even to change its text: the state is
    what counts, so the first text stays then. A status is a line of one pipeline: it counts when it is in the
    newest one of the revision, and is said again there when a pipeline has begun since.
    """
    run = _newest_run(api, effect)
    where = f"{project(effect.repository)}/repository/commits/{effect.revision}/statuses"
    wanted = {
        "state": STATES[effect.conclusion],
        "description": shortened(effect.title),
        "target_url": effect.url,
    }
    there = _latest(api, where, effect.name, run)
    if there and there["status"] == wanted["state"] and _same_text(there, wanted):
        return _result(there)
    body: Json = {key: value for key, value in wanted.items() if value}
    body |= {"pipeline_id": run} if run else {}
    try:
        made = api.post(f"{project(effect.repository)}/statuses/{effect.revision}", name=effect.name, **body)
    except Answered as answer:
        there = _latest(api, where, effect.name, run) if "Cannot transition status" in answer.said else None
        if there is None or there["status"] != wanted["state"]:
            raise
        return _result(there)
    return _result(made)


def _newest_run(api: Api, effect: e.SetCheck) -> int | None:
    """The newest pipeline of a revision that is not a part of another; None before there is one."""
    query = {"sha": effect.revision, "order_by": "id", "sort": "desc"}
    listed = api.list(f"{project(effect.repository)}/pipelines", **query)
    return next((int(run["id"]) for run in listed if run.get("source") != CHILD), None)


def _latest(api: Api, where: str, name: str, run: int | None) -> Json | None:
    """The bot's status that counts in a pipeline; one that ran again has older ones."""
    mine = [
        status
        for status in api.list(where, name=name)
        if status["name"] == name
        and status.get("pipeline_id") in {run, None}
        and (status.get("author") or {}).get("username") == api.account.login
    ]
    return max(mine, key=lambda status: int(status["id"]), default=None)


def _same_text(there: Json, wanted: Json) -> bool:
    return all((there[key] or "") == wanted[key] for key in ("description", "target_url"))


def _result(status: Json) -> e.CheckResult:
    return e.CheckResult(check_id=str(status["id"]), url=status["target_url"] or "")


def shortened(text: str) -> str:
    """What fits into a description."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
