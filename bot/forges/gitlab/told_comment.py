"""Comments, in our words. GitLab makes no call for a comment that is deleted."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.forges.gitlab.said import Json, Said, moment
from bot.forges.port import RepositoryFact

TYPES = {"create": "CommentCreated", "update": "CommentEdited", None: "CommentCreated"}
"""Before GitLab 16.11 calls did not say what was done, and none was made for an edit."""


def note(said: Said) -> list[RepositoryFact]:
    """A comment on a change, in a review thread, or on an issue; comments on commits and snippets say
    nothing.
    """
    attributes = said.attributes
    type_ = TYPES.get(attributes.get("action"))
    if type_ is None or attributes.get("system"):
        return []
    if attributes["noteable_type"] == "MergeRequest":
        return [_on_change(said, type_)]
    if attributes["noteable_type"] in {"Issue", "WorkItem"} and said.body.get("issue"):
        comment = p.Comment.model_validate(_data(said) | {"change": said.body["issue"]["iid"], "on": "issue"})
        return [said.fact(type_, comment)]
    return []


def _on_change(said: Said, type_: str) -> RepositoryFact:
    change = said.body["merge_request"]
    head = change.get("last_commit") or {}
    on = (
        "thread"
        if said.attributes.get("type") == "DiffNote" or said.attributes.get("line_code")
        else "change"
    )
    comment = p.Comment.model_validate(_data(said) | {"change": change["iid"], "on": on})
    fork = change.get("source_project_id") != change.get("target_project_id")
    hints = said.hints(
        change=change["iid"], branch=None if fork else change["source_branch"], sha=head.get("id")
    )
    return said.fact(type_, comment, hints, message=head.get("message") or "", new_trace=True)


def _data(said: Said) -> Json:
    attributes = said.attributes
    return {
        "repository": said.repository,
        "comment_id": str(attributes["id"]),
        "author": said.actor,
        "author_is_bot": said.is_bot(said.actor),
        "body": attributes.get("note") or attributes.get("description") or "",
        "created_at": moment(str(attributes["created_at"])),
        "url": attributes.get("url") or "",
    }
