"""Work items: opened by JSON Patch, found by a query, linked to changes by a relation."""

from __future__ import annotations

import re

from tests.forges.azure.fake import told
from tests.forges.azure.fake.calls import Request, answers
from tests.forges.azure.fake.links import PREFIX, linked_to
from tests.forges.azure.fake.pulls import get
from tests.forges.azure.fake.state import CONTRIBUTE, Failure, Json, Organisation, Person, now

KINDS = ("Epic", "Issue", "Task")
"""Those of the process "Basic"."""
LONGEST_TITLE = 255
QUERY = re.compile(
    r"SELECT \[System\.Id\] FROM WorkItems WHERE (?P<where>.+) ORDER BY \[System\.Id\] DESC", re.DOTALL
)
CONDITIONS = {"[System.TeamProject] = @project", "[System.CreatedBy] = @Me"}


def _allowed(call: Request) -> None:
    if not call.allowed(CONTRIBUTE):
        raise Failure(
            403,
            "UnauthorizedAccessException",
            "TF237111: The current user does not have permissions to save work items under the specified area path.",
        )


@answers("GET", "workItemTypeCategories")
def category(call: Request) -> Json:
    assert call.route["category"] == "Microsoft.RequirementCategory"
    kind = {"name": "Issue", "url": f"{call.org.url}/_apis/wit/workItemTypes/Issue"}
    about = {"name": "Requirement Category", "referenceName": call.route["category"], "url": ""}
    return about | {"defaultWorkItemType": kind, "workItemTypes": [kind]}


@answers("POST", "wiql")
def query(call: Request) -> Json:
    found = QUERY.fullmatch(call.body["query"])
    if not found or set(found["where"].split(" AND ")) != CONDITIONS or "project" not in call.route:
        raise Failure(400, "WorkItemTrackingQueryException", f"TF51005: {call.body['query']}")
    ids = [
        number
        for number, item in reversed(call.org.work_items.items())
        if item["fields"]["System.CreatedBy"]["uniqueName"] == call.by.unique
        and item["fields"]["System.TeamProject"] == call.route["project"]
    ]
    column = {"referenceName": "System.Id", "name": "ID", "url": ""}
    listed = [{"id": number, "url": str(number)} for number in ids[: call.number("$top", 200)]]
    about = {"queryType": "flat", "queryResultType": "workItem", "asOf": now(), "columns": [column]}
    return about | {"workItems": listed}


@answers("POST", "workItems")
def create(call: Request) -> Json:
    _allowed(call)
    if call.route["type"] not in KINDS:
        raise Failure(404, "WorkItemTypeNotFoundException", f"VS402323: Work item type {call.route['type']}")
    item = make(call.org, call.by, call.route["project"], call.route["type"], {})
    try:
        _patch(call, item)
    except Failure:
        del call.org.work_items[item["id"]]
        raise
    return item


def make(org: Organisation, by: Person, project: str, kind: str, fields: Json) -> Json:
    """A new work item."""
    number = org.number("work item")
    said = {
        "System.AreaPath": project,
        "System.TeamProject": project,
        "System.WorkItemType": kind,
        "System.State": "To Do",
        "System.CreatedDate": now(),
        "System.CreatedBy": told.person(by, org),
    }
    url = f"{org.url}/_apis/wit/workItems/{number}"
    org.work_items[number] = {"id": number, "rev": 1, "fields": said | fields, "_links": {}, "url": url}
    return org.work_items[number]


def _patch(call: Request, item: Json) -> None:
    for operation in call.body:
        assert operation["op"] == "add"
        if operation["path"] == "/relations/-":
            _relate(call, item, operation["value"])
            continue
        name = operation["path"].removeprefix("/fields/")
        value = str(operation["value"])
        if name == "System.Title" and not 0 < len(value) <= LONGEST_TITLE:
            raise Failure(400, "RuleValidationException", "TF401320: Rule Error for field Title.")
        if name == "System.Tags":
            value = "; ".join(sorted(part.strip() for part in re.split("[;,]", value)))
        item["fields"][name] = value
    if "System.Title" not in item["fields"]:
        raise Failure(400, "RuleValidationException", "TF401320: Rule Error for field Title: it is empty.")


def _relate(call: Request, item: Json, wanted: Json) -> None:
    relations = item.setdefault("relations", [])
    if any((one["rel"], one["url"]) == (wanted["rel"], wanted["url"]) for one in relations):
        raise Failure(400, "RelationAlreadyExistsException", "Relation already exists.")
    if wanted["rel"] == "ArtifactLink" and not wanted["url"].startswith(PREFIX):
        raise Failure(400, "WorkItemLinkInvalidException", f"TF237210: {wanted['url']}")
    relations.append({"attributes": {"id": call.org.number("relation")}, **wanted})
    relations[-1]["attributes"] |= wanted.get("attributes") or {}


def _known(call: Request, number: int) -> Json:
    item = call.org.work_items.get(number)
    if item is None:
        raise Failure(
            404,
            "WorkItemUnauthorizedAccessException",
            f"TF401232: Work item {number} does not exist, or you do not have permissions to read it.",
        )
    return item


@answers("GET", "workItems")
def read(call: Request) -> Json:
    if "id" in call.route:
        return _shown(call, _known(call, int(call.route["id"])))
    assert call.query["errorPolicy"].lower() == "omit"
    numbers = [int(one) for one in call.query["ids"].split(",")]
    if len(numbers) > 200:
        raise Failure(
            400, "VssPropertyValidationException", "VS402337: more than 200 work items were asked for"
        )
    found = [call.org.work_items.get(number) for number in numbers]
    return told.listed([one and _shown(call, one) for one in found])


def _shown(call: Request, item: Json) -> Json:
    return item if call.query.get("$expand", "").lower() == "relations" else item | {"relations": None}


@answers("PATCH", "workItems")
def update(call: Request) -> Json:
    _allowed(call)
    item = _known(call, int(call.route["id"]))
    _patch(call, item)
    item["rev"] += 1
    return item


@answers("GET", "pullRequestWorkItems")
def linked(call: Request) -> Json:
    found = linked_to(call.org, call.repo, get(call).id)
    return told.listed([{"id": str(one["id"]), "url": one["url"]} for one in found])
