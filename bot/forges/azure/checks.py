"""Checks and deployments, both as statuses: on the commit, and for branch policies on the change's iteration.

A status has a line of text and no page of its own; its link leads to the one that says more. Each is a new
entry in a list, of which the last one of a name counts: what says so already is not said again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.domain import effect as e
from bot.forges.azure.place import Place
from bot.forges.azure.speech import Refusal

GENRE = "pointsman"
LONGEST, MOST = 400, 1000
STATES = {None: "pending", "success": "succeeded", "failure": "failed", "neutral": "succeeded"}
"""Neutral is what an observing policy says: it blocks nobody, and a required status must have succeeded."""
DEPLOYMENTS = {
    "in_progress": "pending",
    "success": "succeeded",
    "failure": "failed",
    "inactive": "notApplicable",
}


@dataclass(frozen=True)
class Status:
    """What a status says."""

    name: str
    state: str
    description: str
    url: str

    def said_by(self, found: Any) -> bool:
        return (str(found.state), found.description or "", found.target_url or "") == (
            self.state,
            self.description,
            self.url,
        )


def context_of(name: str) -> tuple[str, str]:
    """Genre and name of a check: `pointsman/pipeline` is `pipeline` of ours."""
    genre, slash, rest = name.partition("/")
    return (genre, rest) if slash else (GENRE, name)


def set_check(place: Place, effect: e.SetCheck) -> e.CheckResult:
    """Say it of the commit, and of every open change whose head that is."""
    said = Status(effect.name, STATES[effect.conclusion], _line(effect.title), effect.url)
    _say(place, effect.revision, said)
    for change in _changes_at(place, effect.revision):
        _say_of_change(place, change, effect.revision, said)
    return e.CheckResult(check_id=f"{effect.revision}/{effect.name}", url=effect.url)


def record_deployment(place: Place, effect: e.RecordDeployment) -> e.Done:
    """Deployment records come from the forge's own pipelines alone: a status of the commit tells."""
    name = f"deployment/{effect.environment}"
    described = _line(effect.description or f"{effect.environment}: {effect.state}")
    said = Status(name, DEPLOYMENTS[effect.state], described, effect.url)
    _say(place, effect.revision, said)
    return e.Done(id=f"{effect.revision}/{name}", url=effect.url)


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _model(place: Place, kind: str, said: Status, **more: Any) -> Any:
    genre, name = context_of(said.name)
    context = place.model("GitStatusContext", genre=genre, name=name)
    return place.model(
        kind,
        context=context,
        state=said.state,
        description=said.description,
        target_url=said.url or None,
        **more,
    )


def _last(found: list[Any], said: Status) -> Any | None:
    wanted = context_of(said.name)
    same = [one for one in found if (one.context.genre or "", one.context.name) == wanted]
    return max(same, key=lambda one: one.id, default=None)


def _say(place: Place, revision: str, said: Status) -> None:
    there = place.git("get_statuses", commit_id=revision, latest_only=True, top=MOST)
    last = _last(list(there or ()), said)
    if last is None or not said.said_by(last):
        model = _model(place, "GitStatus", said)
        place.git("create_commit_status", git_commit_status_to_create=model, commit_id=revision)


def _changes_at(place: Place, revision: str) -> list[Any]:
    criteria = place.model("GitPullRequestSearchCriteria", status="active")
    found = list(place.all_of("get_pull_requests", search_criteria=criteria))
    seen = [one for one in found if one.last_merge_source_commit]
    fitting = [one for one in seen if one.last_merge_source_commit.commit_id == revision]
    if fitting or not found:
        return fitting
    # The forge looks at a push some time after it: the branch itself is ahead of what it says of the change.
    heads = {name for name, ref in place.refs("heads/").items() if ref.object_id == revision}
    return [one for one in found if one.source_ref_name in heads and not one.fork_source]


def _say_of_change(place: Place, change: Any, revision: str, said: Status) -> None:
    """On the iteration that the revision is, so that it never speaks for a later one."""
    number = change.pull_request_id
    iterations = place.git("get_pull_request_iterations", pull_request_id=number) or ()
    fitting = [one.id for one in iterations if one.source_ref_commit.commit_id == revision]
    if not fitting:
        return  # the forge has not looked at the push yet: its own event makes us say it again
    there = place.git("get_pull_request_statuses", pull_request_id=number) or ()
    last = _last([one for one in there if one.iteration_id == fitting[-1]], said)
    if last is not None and said.said_by(last):
        return
    model = _model(place, "GitPullRequestStatus", said, iteration_id=fitting[-1])
    try:
        place.git("create_pull_request_status", status=model, pull_request_id=number)
    except Refusal as refusal:
        if refusal.status != 404:  # noqa: PLR2004 - it was closed in between
            raise
