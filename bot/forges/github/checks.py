"""`SetCheck`: a check run of the App; of a user, who cannot make any, a commit status."""

from __future__ import annotations

from typing import Any

from bot.domain import effect as e
from bot.domain.performer import EffectContext
from bot.forges.github.account import Needs
from bot.forges.github.errors import Answered, not_found
from bot.forges.github.fitting import fitted, one_line
from bot.forges.github.ground import GONE, Ground

Json = dict[str, Any]
LONGEST_DESCRIPTION = 140
CHECKS: Needs = {"checks": "write", "metadata": "read"}
READ_CHECKS: Needs = {"checks": "read", "metadata": "read"}
STATUSES: Needs = {"statuses": "write", "metadata": "read"}


def set_check(ground: Ground, effect_id: str, effect: e.SetCheck, _context: EffectContext) -> e.CheckResult:
    """Create or update the check of that name on that revision."""
    try:
        if ground.client.is_app:
            return _check_run(ground, effect_id, effect)
        return _status(ground, effect)
    except Answered as error:
        if error.status in GONE:
            raise not_found(f"revision {effect.revision} in {effect.repository}") from error
        raise


def _check_run(ground: Ground, effect_id: str, effect: e.SetCheck) -> e.CheckResult:
    key = (effect.repository, effect.revision, effect.name)
    there = ground.checks.get(*key) or _find(ground, effect)
    body = _body(effect, effect_id)
    # One that is done stays done; what is open again is a new one, and the newest of a name is what counts.
    usable = there is not None and (bool(effect.conclusion) or not there[1])
    said = _update(ground, effect, there[0], body) if there and usable else None
    if said is None:
        new = body | {"name": effect.name, "head_sha": effect.revision}
        said = ground.client.send("POST", effect.repository, "/check-runs", new, needs=CHECKS).json
    ground.checks.put((said["id"], bool(effect.conclusion)), *key)
    return e.CheckResult(check_id=str(said["id"]), url=said.get("html_url") or "")


def _body(effect: e.SetCheck, effect_id: str) -> Json:
    summary = fitted(effect.summary or effect.title, effect.url)
    said: Json = {"external_id": effect_id, "output": {"title": effect.title, "summary": summary}}
    if effect.url:
        said["details_url"] = effect.url
    if effect.buttons:
        said["actions"] = [
            {"label": one.label, "description": one.description, "identifier": one.action}
            for one in effect.buttons
        ]
    done = {"status": "completed", "conclusion": effect.conclusion}
    return said | (done if effect.conclusion else {"status": "in_progress"})


def _find(ground: Ground, effect: e.SetCheck) -> tuple[int, bool] | None:
    """The newest of our checks of that name, and whether it is done."""
    path = f"/commits/{effect.revision}/check-runs"
    params = {"check_name": effect.name, "filter": "latest"}
    runs = ground.client.pages(effect.repository, path, inside="check_runs", params=params, needs=READ_CHECKS)
    ours = [run for run in runs if ground.is_us({"login": f"{(run.get('app') or {}).get('slug', '')}[bot]"})]
    newest = max(ours, key=lambda run: int(run["id"]), default=None)
    return (newest["id"], newest["status"] == "completed") if newest else None


def _update(ground: Ground, effect: e.SetCheck, check: int, body: Json) -> Json | None:
    try:
        said: Json = ground.client.send(
            "PATCH", effect.repository, f"/check-runs/{check}", body, needs=CHECKS
        ).json
    except Answered as error:
        if error.status in GONE:
            return None
        raise
    return said


def _status(ground: Ground, effect: e.SetCheck) -> e.CheckResult:
    state = {None: "pending", "failure": "failure"}.get(effect.conclusion, "success")
    description = one_line(effect.title, LONGEST_DESCRIPTION)
    wanted = {"state": state, "context": effect.name, "description": description}
    if effect.url:
        wanted["target_url"] = effect.url
    said = ground.client.get(
        effect.repository, f"/commits/{effect.revision}/status", params={"per_page": 100}
    )
    there = [one for one in said["statuses"] if one["context"] == effect.name]
    same = there and all(there[0].get(name) == value for name, value in wanted.items())
    if not same:
        path = f"/statuses/{effect.revision}"
        ground.client.send("POST", effect.repository, path, wanted, needs=STATUSES)
    # Statuses are never changed, only followed by others: the name is what tells one from another.
    return e.CheckResult(check_id=f"{effect.revision}/{effect.name}", url=effect.url)
