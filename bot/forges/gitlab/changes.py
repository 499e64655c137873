"""Opening and changing merge requests (https://docs.gitlab.com/api/merge_requests/)."""

from __future__ import annotations

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.gitlab.access import get_branch, head_of
from bot.forges.gitlab.client import CONFLICT, Answered, Api, Json, project
from bot.forges.gitlab.linked_issues import lines_of, with_lines

EVENTS = {"open": "reopen", "closed": "close"}


def change_path(repository: str, number: int) -> str:
    """The path of a change."""
    return f"{project(repository)}/merge_requests/{number}"


def get_change(api: Api, repository: str, number: int, **query: str) -> Json:
    """A change. Raises Answered."""
    found: Json = api.get(change_path(repository, number), **query)
    return found


def open_change(api: Api, _effect_id: str, effect: e.OpenChange, _context: EffectContext) -> e.ChangeResult:
    """Open a change, or find the open one."""
    head = _heads(api, effect)
    if found := _find_open(api, effect):
        return _result(found, head, created=False)
    _something_to_merge(api, effect, head)
    try:
        made = api.post(
            f"{project(effect.repository)}/merge_requests",
            source_branch=effect.source,
            target_branch=effect.target_branch,
            title=effect.title,
            description=effect.body,
            labels=",".join(effect.labels),
        )
    except Answered as answer:
        # Another attempt was quicker, or its answer was lost.
        found = _find_open(api, effect) if answer.status == CONFLICT else None
        if found is None:
            raise
        return _result(found, head, created=False)
    return _result(made, head, created=True)


def _heads(api: Api, effect: e.OpenChange) -> str:
    for branch in (effect.target_branch, effect.source):
        head = head_of(get_branch(api, effect.repository, branch))
        if head is None:
            raise Permanent("BranchDeleted", f"there is no branch {branch} in {effect.repository}")
    assert head is not None
    return head


def _find_open(api: Api, effect: e.OpenChange) -> Json | None:
    query = {"state": "opened", "source_branch": effect.source, "target_branch": effect.target_branch}
    listed = api.list(f"{project(effect.repository)}/merge_requests", **query)
    return next((one for one in listed if one["source_project_id"] == one["target_project_id"]), None)


def _something_to_merge(api: Api, effect: e.OpenChange, head: str) -> None:
    """GitLab itself opens empty changes as well."""
    query = {"from": effect.target_branch, "to": head}
    if not api.get(f"{project(effect.repository)}/repository/compare", **query)["commits"]:
        raise Permanent("NothingToMerge", f"{effect.source} has nothing that {effect.target_branch} has not")


def _result(change: Json, head: str, *, created: bool) -> e.ChangeResult:
    # `sha` is filled in a moment after the change is made.
    return e.ChangeResult(
        number=change["iid"], url=change["web_url"], head=change.get("sha") or head, created=created
    )


def update_change(api: Api, _effect_id: str, effect: e.UpdateChange, _context: EffectContext) -> e.Done:
    """Title, body, labels and state, in one request that says only what is not so already."""
    change = get_change(api, effect.repository, effect.change)
    body = _wanted(effect, change)
    if "state_event" in body:
        _may_change_state(api, effect, change)
    if body:
        change = api.put(change_path(effect.repository, effect.change), **body)
    return e.Done(id=str(effect.change), url=change["web_url"])


def _wanted(effect: e.UpdateChange, change: Json) -> Json:
    labels = set(change["labels"])
    body: Json = {}
    if effect.title is not None and effect.title != change["title"]:
        body["title"] = effect.title
    told = change["description"] or ""
    if effect.body is not None and (text := with_lines(effect.body, lines_of(told))) != told:
        body["description"] = text
    if added := sorted(set(effect.add_labels) - labels):
        body["add_labels"] = ",".join(added)
    if removed := sorted(set(effect.remove_labels) & labels):
        body["remove_labels"] = ",".join(removed)
    if effect.state is not None and change["state"] != {"open": "opened", "closed": "closed"}[effect.state]:
        body["state_event"] = EVENTS[effect.state]
    return body


def _may_change_state(api: Api, effect: e.UpdateChange, change: Json) -> None:
    if change["state"] == "merged":
        raise Permanent("ChangeMerged", f"change {effect.change} is merged")
    source = change["source_branch"]
    if effect.state == "open" and get_branch(api, change["source_project_id"], source) is None:
        raise Permanent("BranchDeleted", f"the branch {source} of change {effect.change} was deleted")
