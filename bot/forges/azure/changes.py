"""Opening and updating pull requests."""

from __future__ import annotations

from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.forges.azure.names import HEADS, ZERO
from bot.forges.azure.place import Place
from bot.forges.azure.speech import Refusal

LONGEST_BODY, LONGEST_TITLE = 4000, 400
EXISTS = ("GitPullRequestExistsException", "TF401179")
CUT = "\n\n[...]"
STATES = {"active": "open", "completed": "merged", "abandoned": "closed"}


def get(place: Place, number: int) -> Any:
    """A change. Raises Refusal (404)."""
    return place.git("get_pull_request", pull_request_id=number)


def state(change: Any) -> str:
    """open, merged or closed."""
    return STATES[str(change.status)]


def head(place: Place, change: Any) -> str:
    """The head of a change: its branch's while it is open, as the forge looks at a push some time after."""
    seen: str = change.last_merge_source_commit.commit_id if change.last_merge_source_commit else ZERO
    if state(change) != "open" or change.fork_source:
        return seen
    return place.head(change.source_ref_name.removeprefix(HEADS)) or seen


def open_change(place: Place, effect: e.OpenChange) -> e.ChangeResult:
    """Open a change, or find the open one."""
    onto, source = place.head(effect.target_branch), place.head(effect.source)
    if onto is None or source is None:
        missing = effect.source if source is None else effect.target_branch
        raise Permanent("BranchDeleted", f"there is no branch {missing} in {place.repository}")
    if there := _find_open(place, effect):
        return _result(place, there, source, created=False)
    if source == onto:
        raise Permanent("NothingToMerge", f"{effect.source} has nothing that {effect.target_branch} has not")
    labels = [place.model("WebApiTagDefinition", name=label) for label in sorted(set(effect.labels))]
    wanted = place.model(
        "GitPullRequest",
        title=effect.title[:LONGEST_TITLE],
        description=body(effect.body),
        source_ref_name=HEADS + effect.source,
        target_ref_name=HEADS + effect.target_branch,
        labels=labels,
    )
    try:
        made = place.git("create_pull_request", git_pull_request_to_create=wanted)
    except Refusal as refusal:
        there = _find_open(place, effect) if refusal.is_about(*EXISTS) else None
        if there is None:
            raise
        return _result(place, there, source, created=False)
    return _result(place, made, source, created=True)


def body(text: str) -> str:
    """A description that is not too long for the forge; the end is left out."""
    return text if len(text) <= LONGEST_BODY else text[: LONGEST_BODY - len(CUT)] + CUT


def _find_open(place: Place, effect: e.OpenChange) -> Any | None:
    criteria = place.model(
        "GitPullRequestSearchCriteria",
        status="active",
        source_ref_name=HEADS + effect.source,
        target_ref_name=HEADS + effect.target_branch,
    )
    found = place.git("get_pull_requests", search_criteria=criteria)
    return next((one for one in found or () if not one.fork_source), None)


def _result(place: Place, change: Any, source: str, *, created: bool) -> e.ChangeResult:
    number = change.pull_request_id
    return e.ChangeResult(number=number, url=place.url(number), head=source, created=created)


def update_change(place: Place, effect: e.UpdateChange) -> e.Done:
    """Title and body, labels, then state."""
    change = get(place, effect.change)
    wanted = {
        name: value
        for name, value in (
            ("title", None if effect.title is None else effect.title[:LONGEST_TITLE]),
            ("description", None if effect.body is None else body(effect.body)),
        )
        if value is not None and value != getattr(change, name)
    }
    if wanted:
        _patch(place, effect.change, **wanted)
    _label(place, effect)
    if effect.state is not None and effect.state != state(change):
        _set_state(place, change, effect.state)
    return e.Done(id=str(effect.change), url=place.url(effect.change))


def _patch(place: Place, number: int, **values: Any) -> Any:
    update = place.model("GitPullRequest", **values)
    return place.git("update_pull_request", git_pull_request_to_update=update, pull_request_id=number)


def _label(place: Place, effect: e.UpdateChange) -> None:
    if not (effect.add_labels or effect.remove_labels):
        return
    there = {one.name for one in place.git("get_pull_request_labels", pull_request_id=effect.change) or ()}
    for label in sorted(set(effect.add_labels) - there):
        made = place.client.model("git", "WebApiCreateTagRequestData", name=label)
        place.git("create_pull_request_label", label=made, pull_request_id=effect.change)
    for label in sorted(set(effect.remove_labels) & there):
        place.git("delete_pull_request_labels", pull_request_id=effect.change, label_id_or_name=label)


def _set_state(place: Place, change: Any, wanted: str) -> None:
    number = change.pull_request_id
    if state(change) == "merged":
        raise Permanent("ChangeMerged", f"change {number} is merged")
    source = change.source_ref_name.removeprefix(HEADS)
    if wanted == "open" and not change.fork_source and place.head(source) is None:
        raise Permanent("BranchDeleted", f"the branch {source} of change {number} was deleted")
    _patch(place, number, status="active" if wanted == "open" else "abandoned")
