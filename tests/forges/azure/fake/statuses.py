"""What tools say of commits and of the iterations of a change."""

from __future__ import annotations

from tests.forges.azure.fake import told
from tests.forges.azure.fake.calls import Reply, Request, answers
from tests.forges.azure.fake.objects import known
from tests.forges.azure.fake.pulls import get
from tests.forges.azure.fake.state import PULL, Json, now


@answers("GET", "statuses")
def statuses(call: Request) -> Json:
    known(call.repo, call.route["commitId"])
    found = call.repo.statuses.get(call.route["commitId"], [])
    if call.query.get("latestOnly", "").lower() == "true":
        found = list({str(sorted(one["context"].items())): one for one in found}.values())
    first, top = call.number("skip", 0), call.number("top", 100)
    return told.listed(found[first : first + top])


@answers("POST", "statuses")
def add_status(call: Request) -> Reply:
    repo, sha = call.repo, call.route["commitId"]
    call.write()
    known(repo, sha)
    one = status_of(call)
    repo.statuses.setdefault(sha, []).append(one)
    return Reply(one, 201)


def status_of(call: Request) -> Json:
    said = call.body
    assert said["state"] in {"notSet", "notApplicable", "pending", "succeeded", "failed", "error"}
    optional = {name: said[name] for name in ("description", "targetUrl", "iterationId") if name in said}
    return {
        "id": call.org.number("status"),
        "state": said["state"],
        "context": said["context"],
        "creationDate": now(),
        "updatedDate": now(),
        "createdBy": told.person(call.by, call.org),
        "_links": {},
        **optional,
    }


@answers("GET", "pullRequestStatuses")
def pull_statuses(call: Request) -> Json:
    return told.listed(get(call).statuses)


@answers("POST", "pullRequestStatuses")
def add_pull_status(call: Request) -> Reply:
    one = get(call)
    call.need(PULL, "PullRequestContribute")
    said = status_of(call)
    one.statuses.append(said)
    return Reply(said, 200)
