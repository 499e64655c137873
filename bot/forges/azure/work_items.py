"""Issues, which are work items here: opened once, and linked to changes.

A work item's text is HTML that the forge cleans, so the effect's mark is not kept there but in the comment of
a link to the repository. Which kind of work item a project has for what is to be done depends on its process
(issue, user story, backlog item, requirement): the project is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.forges.azure import changes
from bot.forges.azure.names import work_item_url
from bot.forges.azure.place import Place
from bot.forges.azure.speech import Refusal

ONCE = "pointsman:effect:{}"
CATEGORY = "Microsoft.RequirementCategory"
MINE = (
    "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project "
    "AND [System.CreatedBy] = @Me ORDER BY [System.Id] DESC"
)
ITEMS_READ = 100
LONGEST_TITLE = 255
REFERENCE = re.compile(r"(?:AB)?#(\d{1,9})", re.IGNORECASE)
SEPARATORS = re.compile(r"[;,]")
"""Tags of a work item are one text; these keep them apart."""
LINKED_ALREADY = ("RelationAlreadyExistsException", "TF201036", "already exists")
_reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def open_issue(place: Place, effect_id: str, effect: e.OpenIssue) -> e.IssueResult:
    """Open a work item, once. Raises Permanent('InvalidLabel')."""
    _checked(effect.labels)
    there = _opened(place, effect_id)
    made = there or place.client.work.create_work_item(
        document=_document(place, effect_id, effect), project=place.repository.project, type=_kind(place)
    )
    url = work_item_url(place.client.organisation, place.repository.project, made.id)
    return e.IssueResult(reference=f"#{made.id}", url=url, created=there is None)


def _checked(labels: tuple[str, ...]) -> None:
    for label in labels:
        if SEPARATORS.search(label) or not label.strip():
            raise Permanent("InvalidLabel", f"{label!r} cannot be a tag of a work item: leave out ; and ,")


def _opened(place: Place, effect_id: str) -> Any | None:
    """The work item that this effect made, if a reply was lost: among the newest of the bot's own."""
    team = place.client.model("work_item_tracking", "TeamContext", project=place.repository.project)
    wiql = place.client.model("work_item_tracking", "Wiql", query=MINE)
    found = place.client.work.query_by_wiql(wiql=wiql, team_context=team, top=ITEMS_READ)
    ids = [one.id for one in found.work_items or ()]
    items = place.client.work.get_work_items(ids=ids, expand="relations", error_policy="omit") if ids else ()
    mark = ONCE.format(effect_id)
    return next((one for one in items or () if one and mark in _comments(one)), None)


def _comments(item: Any) -> Iterator[str]:
    """What its links say; the forge adds nothing to them."""
    return (str((one.attributes or {}).get("comment") or "") for one in item.relations or ())


def _kind(place: Place) -> str:
    project = place.repository.project
    found = place.client.work.get_work_item_type_category(project=project, category=CATEGORY)
    return str(found.default_work_item_type.name)


def _document(place: Place, effect_id: str, effect: e.OpenIssue) -> list[Any]:
    title = " ".join(effect.title.split())
    fields = {
        "System.Title": title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…",
        "System.Description": _reader.render(effect.body),
        "System.Tags": "; ".join(sorted(set(effect.labels))),
    }
    operations = [_add(place, f"/fields/{name}", value) for name, value in fields.items() if value]
    origin = {
        "rel": "Hyperlink",
        "url": place.about.web_url,
        "attributes": {"comment": ONCE.format(effect_id)},
    }
    return [*operations, _add(place, "/relations/-", origin)]


def _add(place: Place, path: str, value: Any) -> Any:
    return place.client.model("work_item_tracking", "JsonPatchOperation", op="add", path=path, value=value)


def link_issues(place: Place, effect: e.LinkIssues) -> e.Done:
    """Link work items to a change; all of them are known to be there before the first is linked.

    `closes`: completing the change closes what is linked to it. Raises Permanent('IssueMissing'), and
    `ChangeMerged` or `ChangeClosed` for a change that will not be completed any more.
    """
    change = changes.get(place, effect.change)
    if effect.closes:
        _still_open(change)
    numbers = [_number(reference) for reference in dict.fromkeys(effect.references)]
    for number in numbers:
        _there(place, number)
    found = place.git("get_pull_request_work_item_refs", pull_request_id=effect.change)
    linked = {int(one.id) for one in found or ()}
    for number in dict.fromkeys(numbers):
        if number not in linked:
            _link(place, effect.change, number)
    if effect.closes:
        _close_when_completed(place, change)
    return e.Done(id=str(effect.change), url=place.url(effect.change))


def _still_open(change: Any) -> None:
    state = changes.state(change)
    if state != "open":
        code = "ChangeMerged" if state == "merged" else "ChangeClosed"
        raise Permanent(code, f"change {change.pull_request_id} is {state}: nothing is closed by it any more")


def _number(reference: str) -> int:
    found = REFERENCE.fullmatch(reference.strip())
    if found is None:
        raise Permanent("IssueMissing", f"{reference!r} names no work item: write #12 or AB#12")
    return int(found[1])


def _there(place: Place, number: int) -> None:
    """Work items are numbered through the whole organisation."""
    try:
        place.client.work.get_work_item(id=number, fields=["System.Id"])
    except Refusal as refusal:
        if refusal.status != 404:  # noqa: PLR2004 - HTTP
            raise
        raise Permanent(
            "IssueMissing", f"there is no work item {number}, or the bot may not see it"
        ) from refusal


def _link(place: Place, change: int, number: int) -> None:
    about = place.about
    artifact = quote(f"{about.project.id}/{about.id}/{change}", safe="")
    link = {
        "rel": "ArtifactLink",
        "url": f"vstfs:///Git/PullRequestId/{artifact}",
        "attributes": {"name": "Pull Request"},
    }
    try:
        place.client.work.update_work_item(document=[_add(place, "/relations/-", link)], id=number)
    except Refusal as refusal:
        if not refusal.is_about(*LINKED_ALREADY):
            raise


def _close_when_completed(place: Place, change: Any) -> None:
    """Kept on the change, until it is completed (merging.py)."""
    if change.completion_options and change.completion_options.transition_work_items:
        return
    options = change.completion_options or place.model("GitPullRequestCompletionOptions")
    options.transition_work_items = True
    wanted = place.model("GitPullRequest", completion_options=options)
    place.git(
        "update_pull_request", git_pull_request_to_update=wanted, pull_request_id=change.pull_request_id
    )
