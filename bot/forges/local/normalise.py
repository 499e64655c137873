"""The embedded forge's webhooks in our words. Pure: a delivery kept today can be read again tomorrow."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.errors import Invalid
from bot.domain.event import Draft
from bot.domain.model import Model
from bot.forges.port import RepositoryFact, branch_key, change_key, revision_key
from bot.forges.trailers import trace_of

FORGE = "local"
ZERO = "0" * 40
Json = dict[str, Any]
CHANGE_TYPES = {
    "opened": "ChangeOpened",
    "updated": "ChangeUpdated",
    "edited": "ChangeUpdated",
    "closed": "ChangeClosed",
    "reopened": "ChangeReopened",
    "labelled": "ChangeLabelled",
    "merged": "ChangeMerged",
}
COMMENT_TYPES = {"created": "CommentCreated", "edited": "CommentEdited", "deleted": "CommentDeleted"}


def normalise(body: bytes) -> list[RepositoryFact]:
    """The facts in a delivery; none for an event unknown to us. Raises Invalid for what cannot be read."""
    try:
        said = json.loads(body)
        function = EVENTS.get(said["event"])
        return function(said) if function else []
    except ValidationError as error:
        raise Invalid(
            "UnreadableDelivery", f"not a delivery of the embedded forge: {error.errors()[0]['msg']}"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid("UnreadableDelivery", f"not a delivery of the embedded forge: {error!r}") from error


def _fact(said: Json, type_: str, data: Model, hints: list[str], *, new_trace: bool) -> RepositoryFact:
    head = said.get("headCommit") or {}
    written = draft(type_, data, actor=said["sender"]["login"])
    return RepositoryFact(
        draft=_with_subject(written, hints),
        repository=said["repository"]["name"],
        hints=tuple(dict.fromkeys(hints)),
        trace_id=trace_of(head.get("message", "")),
        new_trace=new_trace,
    )


def _with_subject(written: Draft, hints: list[str]) -> Draft:
    return written.model_copy(update={"subject": hints[0] if hints else None})


def _hints(
    said: Json, *, branch: str | None = None, changes: list[int] | None = None, sha: str | None = None
) -> list[str]:
    """Change, then branch, then revision (docs/adr/0007). The default branch belongs to no one trace."""
    repository = said["repository"]
    hints = [change_key(FORGE, repository["name"], number) for number in changes or []]
    if branch and branch != repository["defaultBranch"]:
        hints.append(branch_key(FORGE, repository["name"], branch))
    if sha and sha != ZERO:
        hints.append(revision_key(FORGE, repository["name"], sha))
    return hints


def _push(said: Json) -> list[RepositoryFact]:
    data = {
        "repository": said["repository"]["name"],
        "before": said["before"],
        "after": said["after"],
        "pusher": said["sender"]["login"],
        "forced": said["forced"],
    }
    deleted = said["after"] == ZERO
    sha = said["before"] if deleted else said["after"]
    if "tag" in said:
        tag = p.TagPushed.model_validate(data | {"tag": said["tag"]})
        return [_fact(said, "TagPushed", tag, _hints(said, sha=sha), new_trace=False)]
    hints = _hints(said, branch=said["branch"], changes=said["changes"], sha=sha)
    data |= {"branch": said["branch"], "defaultBranch": said["repository"]["defaultBranch"]}
    if deleted:
        gone = p.BranchDeleted.model_validate(data | {"changes": said["changes"]})
        return [_fact(said, "BranchDeleted", gone, hints, new_trace=False)]
    messages = [commit["message"] for commit in said["commits"]]
    data |= {"messages": messages, "paths": said["paths"], "cut": said["cut"]}
    pushed = p.Pushed.model_validate(data)
    return [_fact(said, "Pushed", pushed, hints, new_trace=True)]


def _change_data(said: Json) -> Json:
    change = said["change"]
    kept = {field.alias or name for name, field in p.ChangeMerged.model_fields.items()} | {"coAuthors"}
    return {
        "repository": said["repository"]["name"],
        **{name: value for name, value in change.items() if name in kept},
    }


def _change_hints(said: Json) -> list[str]:
    change = said["change"]
    return _hints(said, branch=change["source"], changes=[change["number"]], sha=change["head"])


def _change(said: Json) -> list[RepositoryFact]:
    type_ = CHANGE_TYPES[said["action"]]
    # The bot's own edit of a body is nothing new to it; told, it would look again, edit again, and so on.
    if said["action"] == "edited" and said["sender"]["bot"]:
        return []
    model = p.ChangeMerged if said["action"] == "merged" else p.Change
    data = model.model_validate(_change_data(said))
    return [_fact(said, type_, data, _change_hints(said), new_trace=True)]


def _comment(said: Json) -> list[RepositoryFact]:
    comment = said["comment"]
    data = p.Comment.model_validate(
        {
            "repository": said["repository"]["name"],
            "change": said["change"]["number"],
            "commentId": comment["id"],
            "author": comment["author"],
            "authorIsBot": comment["authorIsBot"],
            "body": comment["body"],
            "createdAt": comment["createdAt"],
            "url": comment["url"],
        }
    )
    return [_fact(said, COMMENT_TYPES[said["action"]], data, _change_hints(said), new_trace=True)]


def _review(said: Json) -> list[RepositoryFact]:
    review = said["review"]
    data = p.Review.model_validate(
        {
            "repository": said["repository"]["name"],
            "change": said["change"]["number"],
            "reviewId": review["id"],
            "author": review["author"],
            "state": review["state"],
            "revision": review["revision"],
            "body": review["body"],
            "submittedAt": review["submittedAt"],
        }
    )
    return [_fact(said, "ReviewSubmitted", data, _change_hints(said), new_trace=True)]


def _pipeline(said: Json) -> list[RepositoryFact]:
    run = said["pipeline"]
    if run["status"] not in {"success", "failed", "canceled"}:
        return []
    data = p.PipelineFinished.model_validate(
        {
            "repository": said["repository"]["name"],
            "revision": run["revision"],
            "branch": run.get("branch", ""),
            "pipelineId": run["id"],
            "status": run["status"],
            "reason": run["reason"],
            "url": run["url"],
            "coverage": run["coverage"],
            "jobs": run["jobs"],
        }
    )
    hints = _hints(said, branch=run.get("branch"), changes=said["changes"], sha=run["revision"])
    return [_fact(said, "PipelineFinished", data, hints, new_trace=True)]


def _check(said: Json) -> list[RepositoryFact]:
    check = said["check"]
    return _status(said, check["name"], check["revision"], check["conclusion"] or "pending", check)


def _deployment(said: Json) -> list[RepositoryFact]:
    deployment = said["deployment"]
    return _status(
        said,
        f"deployment/{deployment['environment']}",
        deployment["revision"],
        deployment["state"],
        deployment,
    )


def _status(said: Json, name: str, revision: str, state: str, about: Json) -> list[RepositoryFact]:
    """What others report. What the bot reports is in its log already, as the effect that did it."""
    if said["sender"]["bot"]:
        return []
    data = p.StatusReported.model_validate(
        {
            "repository": said["repository"]["name"],
            "revision": revision,
            "name": name,
            "state": state,
            "description": about.get("title") or about.get("description") or "",
            "url": about["url"],
        }
    )
    return [
        _fact(
            said,
            "StatusReported",
            data,
            _hints(said, changes=said.get("changes"), sha=revision),
            new_trace=False,
        )
    ]


EVENTS: dict[str, Callable[[Json], list[RepositoryFact]]] = {
    "push": _push,
    "change": _change,
    "comment": _comment,
    "review": _review,
    "pipeline": _pipeline,
    "check": _check,
    "deployment": _deployment,
}
