"""Merge requests, their notes, discussions, versions and reactions."""

from __future__ import annotations

from tests.forges.gitlab.fake import mergeability, shapes
from tests.forges.gitlab.fake.server import Answer, Call, Refuse, bad, missing, route
from tests.forges.gitlab.fake.state import DEVELOPER, Change, Json, Note

REPORTER = 20


def change_of(call: Call) -> Change:
    found = next((one for one in call.project.changes if str(one.iid) == call.path[3]), None)
    if found is None:
        raise missing("Not found")
    return found


def shown(call: Call, change: Change) -> Json:
    status = call.deeds.merge_status(call.project, change)
    run = mergeability.head_pipeline(call.project, change)
    said = shapes.change(call.state, call.project, change, status=status, head_pipeline=run)
    if call.one("include_diverged_commits_count") == "true":
        said["diverged_commits_count"] = mergeability.behind(call.project, change)
    if call.one("include_rebase_in_progress") == "true":
        said["rebase_in_progress"] = change.rebase_polls > 0
        change.rebase_polls = max(change.rebase_polls - 1, 0)
    return said


@route("GET", "/projects/:id/merge_requests")
def changes(call: Call) -> Answer:
    found = [one for one in call.project.changes if call.one("state", "all") in {"all", one.state}]
    for name, value in (("source_branch", "source"), ("target_branch", "target")):
        if wanted := call.one(name):
            found = [one for one in found if getattr(one, value) == wanted]
    if after := call.one("updated_after"):
        found = [one for one in found if one.updated_at.isoformat() > after]
    if call.one("order_by") == "updated_at":
        found.sort(key=lambda one: one.updated_at, reverse=call.one("sort") == "desc")
    return call.page([shown(call, one) for one in found])


@route("POST", "/projects/:id/merge_requests")
def open_change(call: Call) -> Json:
    call.require(DEVELOPER)
    call.need("source_branch", "target_branch", "title")
    source, target = call.body["source_branch"], call.body["target_branch"]
    for name, branch in (("Source", source), ("Target", target)):
        if call.project.repo.head(branch) is None:
            raise bad([f'{name} branch "{branch}" does not exist'])  # type: ignore[arg-type]
    same = [
        one
        for one in call.project.changes
        if one.state == "opened" and (one.source, one.target) == (source, target)
    ]
    if same:
        raise Refuse(
            409, [f"Another open merge request already exists for this source branch: !{same[0].iid}"]
        )
    return shown(call, call.deeds.open(call.project, call.user, call.body))


@route("GET", "/projects/:id/merge_requests/:iid")
def change(call: Call) -> Json:
    return shown(call, change_of(call))


@route("PUT", "/projects/:id/merge_requests/:iid")
def update(call: Call) -> Json:
    call.require(DEVELOPER)
    it, body = change_of(call), call.body
    changed: Json = {}
    for name in ("title", "description"):
        if name in body and body[name] != getattr(it, name):
            changed[name] = {"previous": getattr(it, name), "current": body[name]}
            setattr(it, name, body[name])
    before = set(it.labels)
    added, removed = (
        {one for one in str(body.get(name) or "").split(",") if one}
        for name in ("add_labels", "remove_labels")
    )
    it.labels = sorted((before | added) - removed)
    if set(it.labels) != before:
        changed["labels"] = {
            "previous": [{"title": one} for one in sorted(before)],
            "current": [{"title": one} for one in it.labels],
        }
    if changed:
        call.deeds.update(call.project, call.user, it, changed)
    _change_state(call, it, body.get("state_event"))
    return shown(call, it)


def _change_state(call: Call, it: Change, event: str | None) -> None:
    if event == "close" and it.state == "opened":
        it.state, it.closed_by = "closed", call.user
        call.deeds.tell(call.project, call.user, it, "close")
    elif event == "reopen" and it.state == "closed":
        head = call.project.repo.head(it.source)
        if head is None:
            raise bad("Source branch does not exist")
        it.state, it.head = "opened", head
        call.deeds.tell(call.project, call.user, it, "reopen")


@route("PUT", "/projects/:id/merge_requests/:iid/merge")
def merge(call: Call) -> Json:
    it = change_of(call)
    _, level = call.project.protected.get(it.target, (0, DEVELOPER))
    if level == 0 or call.state.level(call.project, call.user) < level:
        raise Refuse(401, "401 Unauthorized")
    if it.state != "opened":
        raise Refuse(405, "405 Method Not Allowed")
    # GitLab looks at the mergeability before the sha.
    status = call.deeds.merge_status(call.project, it)
    if status == "conflict":
        raise Refuse(422, "Branch cannot be merged")
    if status != "mergeable":
        raise Refuse(405, "405 Method Not Allowed")
    if call.body.get("sha") and call.body["sha"] != it.head:
        raise Refuse(409, "SHA does not match HEAD of source branch")
    if refused := call.deeds.merge(call.project, call.user, it, call.body):
        raise Refuse(422, refused)
    return shown(call, it)


@route("PUT", "/projects/:id/merge_requests/:iid/rebase")
def rebase(call: Call) -> Answer:
    call.require(DEVELOPER)
    it = change_of(call)
    if it.state != "opened" or call.project.repo.head(it.source) is None:
        raise Refuse(403, "Source branch does not exist")
    call.deeds.rebase(call.project, call.user, it)
    return Answer({"rebase_in_progress": True}, 202)


@route("GET", "/projects/:id/merge_requests/:iid/commits")
def change_commits(call: Call) -> Answer:
    it = change_of(call)
    repo = call.project.repo
    base = it.versions[-1].base
    return call.page(
        [shapes.commit(call.state, call.project, one["id"]) for one in repo.commits(it.head, f"^{base}")]
    )


@route("GET", "/projects/:id/merge_requests/:iid/versions")
def versions(call: Call) -> Answer:
    it = change_of(call)
    said = [
        {
            "id": one.id, "head_commit_sha": one.head, "base_commit_sha": one.base, "start_commit_sha": one.start,
            "created_at": shapes.iso(one.created_at), "merge_request_id": it.id, "state": "collected", "real_size": "1",
            "patch_id_sha": one.patch,
        }
        for one in reversed(it.versions)
    ]  # fmt: skip
    return call.page(said)


@route("GET", "/projects/:id/merge_requests/:iid/approvals")
def approvals(call: Call) -> Json:
    it = change_of(call)
    by = [{"user": shapes.user_basic(call.state, one)} for one in it.approved_by]
    return {"approved_by": by, "approvals_required": call.project.approvals_required}


# Notes


@route("GET", "/projects/:id/merge_requests/:iid/notes")
def notes(call: Call) -> Answer:
    it = change_of(call)
    found = [one for one in it.notes if not (one.system and call.one("activity_filter") == "only_comments")]
    if call.one("sort", "desc") == "desc":
        found.reverse()
    return call.page([shapes.note(call.state, it, one) for one in found])


@route("POST", "/projects/:id/merge_requests/:iid/notes")
def write_note(call: Call) -> Json:
    call.require(REPORTER)
    call.need("body")
    it = change_of(call)
    return shapes.note(call.state, it, call.deeds.note(call.project, call.user, it, call.body["body"]))


def _note(call: Call, it: Change) -> Note:
    found = next((one for one in it.notes if str(one.id) == call.path[5]), None)
    if found is None:
        raise missing("Note")
    return found


@route("PUT", "/projects/:id/merge_requests/:iid/notes/:note")
def edit_note(call: Call) -> Json:
    it = change_of(call)
    written = _note(call, it)
    if written.author is not call.user:
        raise Refuse(403, "403 Forbidden")
    call.deeds.edit_note(call.project, it, written, call.body["body"])
    return shapes.note(call.state, it, written)


@route("GET", "/projects/:id/merge_requests/:iid/discussions")
def discussions(call: Call) -> Answer:
    it = change_of(call)
    found: dict[str, list[Note]] = {}
    for one in it.notes:
        found.setdefault(one.discussion, []).append(one)
    said = [
        {
            "id": name, "individual_note": some[0].individual and len(some) == 1,
            "notes": [shapes.note(call.state, it, one) for one in some],
        }
        for name, some in found.items()
    ]  # fmt: skip
    return call.page(said)


@route("POST", "/projects/:id/merge_requests/:iid/discussions/:discussion/notes")
def reply(call: Call) -> Json:
    call.require(REPORTER)
    it = change_of(call)
    if not any(one.discussion == call.path[5] for one in it.notes):
        raise missing("Discussion")
    written = call.deeds.note(call.project, call.user, it, call.body["body"], discussion=call.path[5])
    return shapes.note(call.state, it, written)


@route("GET", "/projects/:id/merge_requests/:iid/notes/:note/award_emoji")
def emoji(call: Call) -> Answer:
    written = _note(call, change_of(call))
    said = [
        {
            "id": number,
            "name": name,
            "user": shapes.user_basic(call.state, by),
            "awardable_id": written.id,
            "awardable_type": "Note",
        }
        for number, name, by in written.emoji
    ]
    return call.page(said)


@route("POST", "/projects/:id/merge_requests/:iid/notes/:note/award_emoji")
def award(call: Call) -> Json:
    call.need("name")
    written = _note(call, change_of(call))
    name = call.body["name"]
    if any((given, by) == (name, call.user) for _, given, by in written.emoji):
        raise missing("Award Emoji Name has already been taken")
    written.emoji.append((call.state.next_id("emoji"), name, call.user))
    return {"id": written.emoji[-1][0], "name": name, "user": shapes.user_basic(call.state, call.user)}
