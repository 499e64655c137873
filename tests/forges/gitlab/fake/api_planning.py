"""Issues, what links them to changes, and release pages."""

from __future__ import annotations

from bot.forges.local.git import ZERO
from tests.forges.gitlab.fake import shapes
from tests.forges.gitlab.fake.api_changes import change_of
from tests.forges.gitlab.fake.hook_shapes import Moved
from tests.forges.gitlab.fake.links import closing
from tests.forges.gitlab.fake.server import Answer, Call, Refuse, missing, route
from tests.forges.gitlab.fake.state import DEVELOPER, Issue, Json, Release, now

GUEST = 10
LONGEST_TITLE = 255


@route("GET", "/projects/:id/issues")
def issues(call: Call) -> Answer:
    found = [
        one for one in call.project.issues if call.one("author_id", str(one.author.id)) == str(one.author.id)
    ]
    if call.one("sort", "desc") == "desc":
        found.reverse()
    return call.page([shapes.issue(call.state, call.project, one) for one in found])


@route("GET", "/projects/:id/issues/:iid")
def issue(call: Call) -> Json:
    found = next((one for one in call.project.issues if str(one.iid) == call.path[3]), None)
    if found is None:
        raise missing("Not found")
    return shapes.issue(call.state, call.project, found)


@route("POST", "/projects/:id/issues")
def open_issue(call: Call) -> Json:
    call.require(GUEST)
    call.need("title")
    if len(call.body["title"]) > LONGEST_TITLE:
        raise Refuse(400, {"title": ["is too long (maximum is 255 characters)"]})
    labels = [label for label in str(call.body.get("labels") or "").split(",") if label]
    made = Issue(
        call.state.next_id("issue"), len(call.project.issues) + 1, call.body["title"], call.body.get("description") or "",
        call.user, now(), labels,
    )  # fmt: skip
    call.project.issues.append(made)
    return shapes.issue(call.state, call.project, made)


@route("GET", "/projects/:id/merge_requests/:iid/closes_issues")
def closes(call: Call) -> Answer:
    found = closing(call.state, call.project, change_of(call))
    return call.page([shapes.issue(call.state, place, one) for place, one in found])


# Releases


def _release(call: Call) -> Release | None:
    return call.project.releases.get(call.path[3])


@route("GET", "/projects/:id/releases/:tag")
def release(call: Call) -> Json:
    found = _release(call)
    if found is None:
        raise missing("Not Found")
    return shapes.release(call.state, call.project, found)


@route("POST", "/projects/:id/releases")
def make_release(call: Call) -> Json:
    call.require(DEVELOPER)
    call.need("tag_name")
    tag, repo = call.body["tag_name"], call.project.repo
    if tag in call.project.releases:
        raise Refuse(409, "Release already exists")
    if tag not in repo.tags():
        if not call.body.get("ref"):
            raise Refuse(422, "Ref is not specified")
        sha = repo.resolve(call.body["ref"])
        if sha is None:
            raise Refuse(400, f"Target {call.body['ref']} is invalid")
        repo.move(f"refs/tags/{tag}", sha, ZERO)
        call.deeds.received(call.project, call.user, Moved(f"refs/tags/{tag}", ZERO, sha, []))
    made = Release(tag, call.body.get("name") or tag, call.body.get("description") or "", call.user, now())
    call.project.releases[tag] = made
    return shapes.release(call.state, call.project, made)


@route("PUT", "/projects/:id/releases/:tag")
def change_release(call: Call) -> Json:
    call.require(DEVELOPER)
    found = _release(call)
    if found is None:
        raise Refuse(403, "403 Forbidden")
    found.name, found.description = (
        call.body.get("name", found.name),
        call.body.get("description", found.description),
    )
    return shapes.release(call.state, call.project, found)
