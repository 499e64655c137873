"""`OpenChange`, `UpdateChange` and `CreateTag`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.github.account import Needs
from bot.forges.github.errors import Answered, not_found
from bot.forges.github.fitting import fitted, one_line
from bot.forges.github.ground import CONTENTS, ISSUES, MISSING, TALK, Ground, ref_path, tree_of
from bot.forges.github.linked import linked_in
from bot.forges.paths import FORBIDDEN_IN_BRANCH
from bot.messages import trace_url

Json = dict[str, Any]
INVALID = 422
OPEN: Needs = {"pull_requests": "write", "contents": "read", "metadata": "read"}


def open_change(
    ground: Ground, _effect_id: str, effect: e.OpenChange, context: EffectContext
) -> e.ChangeResult:
    """Open a change, or find the open one."""
    if found := _find_open(ground, effect):
        return _opened(ground, effect, found, created=False)
    said = {"title": one_line(effect.title), "head": effect.source, "base": effect.target_branch}
    said["body"] = fitted(effect.body, trace_url(ground.base_url, context.trace_id))
    try:
        made = ground.client.send("POST", effect.repository, "/pulls", said, needs=OPEN).json
    except Answered as error:
        if error.says("already exists") and (found := _find_open(ground, effect)):
            return _opened(ground, effect, found, created=False)
        raise _not_opened(effect, error) from error
    return _opened(ground, effect, made, created=True)


def _find_open(ground: Ground, effect: e.OpenChange) -> Json | None:
    owner = effect.repository.partition("/")[0]
    params = {"state": "open", "head": f"{owner}:{effect.source}", "base": effect.target_branch}
    try:
        found = ground.client.get(effect.repository, "/pulls", params=params)
    except Answered as error:
        raise not_found(f"repository {effect.repository!r}") from error
    return found[0] if found else None


def _not_opened(effect: e.OpenChange, error: Answered) -> Exception:
    """GitHub says which field is wrong, and of which kind the fault is."""
    if error.says("no commits between"):
        return Permanent("NothingToMerge", f"{effect.source} has nothing that {effect.target_branch} has not")
    for field, branch in (("head", effect.source), ("base", effect.target_branch)):
        if error.status == INVALID and error.says(f'"field": "{field}"'):
            return Permanent("BranchDeleted", f"there is no branch {branch} in {effect.repository}")
    return error


def _opened(ground: Ground, effect: e.OpenChange, pull: Json, *, created: bool) -> e.ChangeResult:
    missing = set(effect.labels) - {label["name"] for label in pull.get("labels") or []}
    if missing:  # also after an answer that was lost between the two
        add_labels(ground, effect.repository, pull["number"], sorted(missing))
    number, url = pull["number"], pull["html_url"]
    return e.ChangeResult(number=number, url=url, head=pull["head"]["sha"], created=created)


def add_labels(ground: Ground, repository: str, number: int, labels: Iterable[str]) -> None:
    """Labels that are there already stay there."""
    ground.client.send(
        "POST", repository, f"/issues/{number}/labels", {"labels": list(labels)}, needs=TALK, wishes=ISSUES
    )


def get_pull(ground: Ground, repository: str, number: int) -> Json:
    """A change as GitHub has it. Raises Permanent('NotFound')."""
    try:
        pull: Json = ground.client.get(repository, f"/pulls/{number}")
    except Answered as error:
        if error.status == MISSING:
            raise not_found(f"change {number} in {repository}") from error
        raise
    return pull


def update_change(ground: Ground, _effect_id: str, effect: e.UpdateChange, context: EffectContext) -> e.Done:
    """Title, body and state, then labels. Each is what it is afterwards, however often it is said."""
    title = None if effect.title is None else one_line(effect.title)
    said = {"title": title, "body": _body(ground, effect, context), "state": effect.state}
    wanted = {name: value for name, value in said.items() if value is not None}
    pull = _edit(ground, effect, wanted) if wanted else get_pull(ground, effect.repository, effect.change)
    have = {label["name"] for label in pull.get("labels") or []}
    if new := sorted(set(effect.add_labels) - have):
        add_labels(ground, effect.repository, effect.change, new)
    for gone in sorted(have & set(effect.remove_labels)):
        _remove_label(ground, effect, gone)
    return e.Done(id=str(effect.change), url=pull["html_url"])


def _body(ground: Ground, effect: e.UpdateChange, context: EffectContext) -> str | None:
    """The new text. It keeps what links the change to issues: that is said there, too, and by nobody else."""
    if effect.body is None:
        return None
    there = get_pull(ground, effect.repository, effect.change).get("body") or ""
    url = trace_url(ground.base_url, context.trace_id)
    return fitted(effect.body, url, end="" if linked_in(effect.body) else linked_in(there))


def _edit(ground: Ground, effect: e.UpdateChange, wanted: Mapping[str, str]) -> Json:
    try:
        pull: Json = ground.client.send(
            "PATCH", effect.repository, f"/pulls/{effect.change}", wanted, needs=TALK, wishes=ISSUES
        ).json
    except Answered as error:
        if error.status == MISSING:
            raise not_found(f"change {effect.change} in {effect.repository}") from error
        if effect.state == "open" and error.status == INVALID:
            code = "BranchDeleted" if error.says("deleted") else "ChangeMerged"
            raise Permanent(
                code, f"change {effect.change} cannot be opened again: {error.message}"
            ) from error
        raise
    return pull


def _remove_label(ground: Ground, effect: e.UpdateChange, label: str) -> None:
    path = f"/issues/{effect.change}/labels/{quote(label, safe='')}"
    try:
        ground.client.send("DELETE", effect.repository, path, {}, needs=TALK, wishes=ISSUES)
    except Answered as error:
        if error.status != MISSING:
            raise


def create_tag(ground: Ground, _effect_id: str, effect: e.CreateTag, _context: EffectContext) -> e.Done:
    """A tag, with a message if there is one. It never moves."""
    repository = effect.repository
    checked_tag(ground, repository, effect.name, effect.revision)
    there = tagged(ground, repository, effect.name)
    if there not in {None, effect.revision}:
        raise Permanent("TagExists", f"the tag {effect.name} is on {there} already")
    if there is None:
        point_tag(ground, repository, effect.name, effect.revision, effect.message)
    return e.Done(id=effect.name)


def checked_tag(ground: Ground, repository: str, name: str, revision: str) -> None:
    """Raises Permanent('InvalidTag'), Permanent('RevisionMissing')."""
    if FORBIDDEN_IN_BRANCH.search(name):
        raise Permanent("InvalidTag", f"{name!r} cannot be the name of a tag")
    if tree_of(ground, repository, revision) is None:
        raise Permanent("RevisionMissing", f"there is no revision {revision} in {repository}")


def point_tag(ground: Ground, repository: str, name: str, revision: str, message: str = "") -> None:
    """Make a tag; with a message an annotated one. Raises Retryable when somebody else was faster."""
    target = revision
    if message.strip():
        about = {"tag": name, "message": message, "object": revision, "type": "commit"}
        target = ground.client.send("POST", repository, "/git/tags", about, needs=CONTENTS).json["sha"]
    said = {"ref": f"refs/tags/{name}", "sha": target}
    try:
        ground.client.send("POST", repository, "/git/refs", said, needs=CONTENTS)
    except Answered as error:
        if error.says("already exists"):
            raise Retryable(f"the tag {name} was made meanwhile") from error
        raise


def tagged(ground: Ground, repository: str, name: str) -> str | None:
    """The commit a tag is on."""
    try:
        target = ground.client.get(repository, f"/git/ref/{ref_path('tags', name)}")["object"]
        while target["type"] == "tag":
            target = ground.client.get(repository, f"/git/tags/{target['sha']}")["object"]
    except Answered as error:
        if error.status == MISSING:
            return None
        raise
    return str(target["sha"])
