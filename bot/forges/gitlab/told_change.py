"""Merge requests, approvals and reviewers, in our words."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain.model import Model
from bot.forges.gitlab.said import Json, Said, moment
from bot.forges.port import RepositoryFact

PLAIN = {"open": "ChangeOpened", "reopen": "ChangeReopened", "close": "ChangeClosed"}
EDITS = {"title", "description", "draft", "work_in_progress", "target_branch"}


def merge_request(said: Said) -> list[RepositoryFact]:
    """What became of a change; one call may tell several things."""
    attributes = said.attributes
    action = str(attributes.get("action") or "")
    if "iid" not in attributes:
        return []
    if action in PLAIN:
        return [_change(said, PLAIN[action])]
    if action == "merge":
        return [_merged(said)]
    if action in {"approved", "approval"}:
        return [_approved(said)]
    if action in {"unapproved", "unapproval"}:
        return [_unapproved(said)]
    return _updated(said) if action == "update" else []


def data(said: Said) -> Json:
    """The change as far as the call tells it: its author only when that is one of the people named there."""
    attributes = said.attributes
    told: Json = {
        "repository": said.repository,
        "number": attributes["iid"],
        "title": attributes["title"],
        "url": attributes.get("url") or "",
        "source": attributes["source_branch"],
        "target": attributes["target_branch"],
        "head": attributes["last_commit"]["id"],
        "labels": sorted(label["title"] for label in _labels(said)),
        "draft": bool(attributes.get("draft", attributes.get("work_in_progress"))),
        "fork": attributes.get("source_project_id") != attributes.get("target_project_id"),
    }
    people = [said.body.get("user"), *(said.body.get("assignees") or []), *(said.body.get("reviewers") or [])]
    named = [one["username"] for one in people if one and one.get("id") == attributes.get("author_id")]
    return told | ({"author": said.person(named[0])} if named else {})


def _labels(said: Said) -> list[Json]:
    return said.body.get("labels") or said.attributes.get("labels") or []


def _hints(said: Said) -> tuple[str, ...]:
    attributes = said.attributes
    fork = attributes.get("source_project_id") != attributes.get("target_project_id")
    # A branch of a fork is another branch than ours of the same name.
    branch = None if fork else attributes["source_branch"]
    return said.hints(change=attributes["iid"], branch=branch, sha=attributes["last_commit"]["id"])


def _fact(said: Said, type_: str, told: Model) -> RepositoryFact:
    message = said.attributes["last_commit"].get("message") or ""
    return said.fact(type_, told, _hints(said), message=message, new_trace=True)


def _change(said: Said, type_: str, **more: object) -> RepositoryFact:
    return _fact(said, type_, p.Change.model_validate(data(said) | more))


def _merged(said: Said) -> RepositoryFact:
    """After a fast-forward there is no merge commit: then the head itself, or what it was squashed to, is on
    the target, and the call does not tell which.
    """
    attributes = said.attributes
    merged = {
        "merge_sha": attributes.get("merge_commit_sha") or attributes["last_commit"]["id"],
        "merged_by": said.actor,
        "tree": "",
        "head_tree": "",
    }
    return _fact(said, "ChangeMerged", p.ChangeMerged.model_validate(data(said) | merged))


def _updated(said: Said) -> list[RepositoryFact]:
    if said.attributes.get("oldrev"):
        return [_change(said, "ChangeUpdated", last_pusher=said.actor or None)]
    changed = said.body.get("changes") or {}
    facts = []
    # The bot's own edit of a body is nothing new to it; told, it would look again, edit again, and so on.
    if EDITS & changed.keys() and not said.is_bot(said.actor):
        facts.append(_change(said, "ChangeUpdated"))
    if "labels" in changed:
        facts.append(_change(said, "ChangeLabelled"))
    return facts + (_reviewers(said, changed["reviewers"]) if "reviewers" in changed else [])


def _reviewers(said: Said, changed: Json) -> list[RepositoryFact]:
    before = {one["username"] for one in changed.get("previous") or []}
    new = [one["username"] for one in changed.get("current") or [] if one["username"] not in before]
    if not new:
        return []
    requested = p.ReviewRequested(
        repository=said.repository,
        change=said.attributes["iid"],
        reviewers=tuple(said.person(name) for name in new),
    )
    return [_fact(said, "ReviewRequested", requested)]


def _approved(said: Said) -> RepositoryFact:
    """GitLab calls it `approval` while more approvals are wanted, `approved` with the last of them."""
    attributes = said.attributes
    at = moment(str(attributes["updated_at"]))
    review = p.Review(
        repository=said.repository,
        change=attributes["iid"],
        review_id=f"{attributes['iid']}-{said.actor}-{at:%Y%m%d%H%M%S}",
        author=said.actor,
        state="approved",
        revision=attributes["last_commit"]["id"],
        submitted_at=at,
    )
    return _fact(said, "ReviewSubmitted", review)


def _unapproved(said: Said) -> RepositoryFact:
    """Taken back by the reviewer; or by GitLab after a push, which does not say whose it was."""
    attributes = said.attributes
    dismissed = p.ReviewDismissed(
        repository=said.repository,
        change=attributes["iid"],
        review_id="",
        author="" if attributes.get("system") else said.actor,
        dismissed_by=said.actor,
        revision=attributes["last_commit"]["id"],
    )
    return _fact(said, "ReviewDismissed", dismissed)
