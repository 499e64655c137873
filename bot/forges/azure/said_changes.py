"""Pull requests, votes and comments in our words. Pure.

`git.pullrequest.updated` does not say what was updated. A subscription to one kind of update does, in a
header that `connect` gives it; of any other the state of the change tells, and the sentence that comes with
it. `git.pullrequest.merged` is about the attempt to merge that the forge makes after every push; the change
itself is merged when `updated` says `completed`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from bot.domain import payloads as p
from bot.forges.azure.deliveries import COMMENT, CREATED, UPDATED, thread_of
from bot.forges.azure.names import branch_of, group
from bot.forges.azure.said import REVIEWERS, VOTE, Json, Said
from bot.forges.port import RepositoryFact
from bot.forges.trailers import trace_of
from bot.messages import BOT

WORDS_OF_PUSH = ("updated the source branch", "pushed ")
WORDS_OF_REVIEWERS = ("changed the reviewer list", "added a reviewer", "removed a reviewer")
WORDS_OF_VOTE = ("approved", "is waiting for the author", "rejected", "voted", "reset", "declined")
APPROVED, SUGGESTIONS, NONE = 10, 5, 0


def _created(said: Said) -> list[RepositoryFact]:
    change = said.resource
    actor = said.person(change["createdBy"])
    opened = said.fact("ChangeOpened", p.Change.model_validate(_data(said)), _hints(said), actor=actor)
    return [opened, *_requested(said, actor)]


def _updated(said: Said) -> list[RepositoryFact]:
    status = said.resource["status"]
    if status == "completed":
        return _merged(said)
    actor = _actor(said)
    if status == "abandoned":
        return [_changed(said, "ChangeClosed", _closer(said) or actor)]
    if said.about == REVIEWERS or (not said.about and _tells(said, *WORDS_OF_REVIEWERS)):
        return _requested(said, actor)
    voted = _tells(said, *WORDS_OF_VOTE) and not _tells(said, *WORDS_OF_PUSH)
    if said.about == VOTE or (not said.about and voted):
        return _votes(said)
    reopened = _tells(said, "reactivated")
    return [_changed(said, "ChangeReopened" if reopened else "ChangeUpdated", actor)]


def _changed(said: Said, type_: str, actor: str) -> RepositoryFact:
    return said.fact(type_, p.Change.model_validate(_data(said)), _hints(said), actor=actor)


def _merged(said: Said) -> list[RepositoryFact]:
    change = said.resource
    commit, options = change.get("lastMergeCommit") or {}, change.get("completionOptions") or {}
    closer = _closer(said)
    actor = closer or _actor(said)
    data = p.ChangeMerged.model_validate(
        _data(said) | {"mergeSha": commit["commitId"], "mergedBy": actor}
    )  # the trees are not told: whether they are equal is looked up
    trace = trace_of(commit.get("comment") or "") or trace_of(options.get("mergeCommitMessage") or "")
    # A trailer is believed of the bot: that it was the bot must be known by more than a display name.
    by = trace if closer else None
    return [said.fact("ChangeMerged", data, _hints(said), actor=actor, trace_id=by)]


def _data(said: Said, change: Json | None = None) -> Json:
    change = change or said.resource
    links = change.get("_links") or {}
    labels = [label["name"] for label in change.get("labels") or () if label.get("active", True)]
    return {
        "repository": said.repository,
        "number": change["pullRequestId"],
        "title": change.get("title", ""),
        "url": (links.get("web") or {}).get("href") or change.get("url", ""),
        "author": said.person(change["createdBy"]),
        "source": branch_of(change["sourceRefName"]),
        "target": branch_of(change["targetRefName"]),
        "head": (change.get("lastMergeSourceCommit") or {}).get("commitId", ""),
        "labels": labels,
        "draft": bool(change.get("isDraft")),
        "fork": bool(change.get("forkSource")),
    }


def _hints(said: Said, change: Json | None = None) -> list[str]:
    change = change or said.resource
    head = (change.get("lastMergeSourceCommit") or {}).get("commitId")
    fork = bool(change.get("forkSource"))
    branch = None if fork else branch_of(change["sourceRefName"])
    return said.hints(branch=branch, change=change["pullRequestId"], sha=head)


def _tells(said: Said, *words: str) -> bool:
    """Whether the sentence says so before it quotes the title, which anybody may write."""
    sentence = said.text.partition(" pull request ")[0] + " pull request "
    return any(word in sentence.casefold() for word in words)


def _actor(said: Said) -> str:
    """Who did it: the one whose name the sentence begins with.

    Display names can be chosen, so a name is a person's only when exactly one in the body has it, and never
    the bot's by its sound.
    """
    change = said.resource
    known = [change.get("createdBy"), change.get("closedBy"), change.get("autoCompleteSetBy")]
    known += change.get("reviewers") or []
    speaking = {
        said.person(one): one["displayName"]
        for one in known
        if one and said.text.startswith(f"{one.get('displayName')} ")
    }
    longest = max(map(len, speaking.values()), default=0)
    logins = [login for login, name in speaking.items() if len(name) == longest]
    if len(logins) == 1:
        return logins[0]
    return "" if logins else _named(said)


def _named(said: Said) -> str:
    """A display name, where the body has nobody of that name."""
    for words in (" updated the source branch", " has ", " is waiting", " approved", " voted", " marked "):
        name, found, _ = said.text.partition(words)
        if found:
            return "" if name.casefold() in {BOT, said.people.bot.casefold()} else name
    return ""


def _closer(said: Said) -> str:
    return said.person(said.resource.get("closedBy"))


def _requested(said: Said, actor: str) -> list[RepositoryFact]:
    """Whose review is wanted: those who are asked and have not voted."""
    waiting = [one for one in said.resource.get("reviewers") or () if one.get("vote", NONE) == NONE]
    if not waiting:
        return []
    data = p.ReviewRequested(
        repository=said.repository,
        change=said.resource["pullRequestId"],
        reviewers=tuple(said.person(one) for one in waiting if not one.get("isContainer")),
        teams=tuple(group(one["displayName"]) for one in waiting if one.get("isContainer")),
    )
    return [said.fact("ReviewRequested", data, _hints(said), actor=actor, new_trace=False)]


def _votes(said: Said) -> list[RepositoryFact]:
    """The vote that this is about. When that is not certain, those against the change that stand: a vote for
    it may be one for an earlier head, and must not be told of this one.

    It is certain where a subscription to votes alone says so. A sentence that sounds like a vote may be about
    a push of somebody who is called "Jane Doe approved".
    """
    actor = _actor(said)
    reviewers = [one for one in said.resource.get("reviewers") or () if not one.get("isContainer")]
    voters = [one for one in reviewers if said.person(one) == actor]
    if said.about == VOTE and voters:
        return [_vote(said, one) for one in voters]
    taken_back = [one for one in voters if one.get("vote", NONE) == NONE]
    return [_vote(said, one) for one in reviewers if one.get("vote", NONE) < NONE or one in taken_back]


def _vote(said: Said, reviewer: Json) -> RepositoryFact:
    change, author = said.resource, said.person(reviewer)
    about = {
        "repository": said.repository,
        "change": change["pullRequestId"],
        "reviewId": f"{change['pullRequestId']}/{reviewer['id']}",
        "author": author,
        "revision": (change.get("lastMergeSourceCommit") or {}).get("commitId", ""),
    }
    if reviewer.get("vote", NONE) == NONE:
        gone = p.ReviewDismissed.model_validate(about | {"dismissedBy": author})
        return said.fact("ReviewDismissed", gone, _hints(said), actor=author, new_trace=False)
    submitted = {"state": _state(reviewer["vote"]), "submittedAt": said.whole["createdDate"]}
    review = p.Review.model_validate(about | submitted)
    return said.fact("ReviewSubmitted", review, _hints(said), actor=author)


def _state(vote: int) -> Literal["approved", "changes_requested"]:
    """10 approved, 5 approved with suggestions, -5 waits for the author, -10 rejected."""
    return "approved" if vote >= SUGGESTIONS else "changes_requested"


def _commented(said: Said) -> list[RepositoryFact]:
    comment, change = said.resource["comment"], said.resource["pullRequest"]
    author = comment["author"]
    type_ = _comment_type(said, comment)
    if comment.get("commentType") == "system" or (said.person(author) == BOT and type_ != "CommentCreated"):
        return []
    data = p.Comment.model_validate(
        {
            "repository": said.repository,
            "change": change["pullRequestId"],
            "commentId": f"{thread_of(comment)}.{comment['id']}",
            "author": said.person(author),
            "authorIsBot": said.people.is_bot(author),
            "body": comment.get("content") or "",
            "createdAt": comment["publishedDate"],
            "url": _comment_url(change, thread_of(comment)),
        }
    )
    return [said.fact(type_, data, _hints(said, change), actor=data.author)]


def _comment_url(change: Json, thread: str) -> str:
    web = ((change.get("_links") or {}).get("web") or {}).get("href", "").partition("#")[0]
    return f"{web}?discussionId={thread}" if web and thread else web


def _comment_type(said: Said, comment: Json) -> str:
    """An edited comment never counts as a new one: where the dates do not tell, the sentence has to."""
    if comment.get("isDeleted"):
        return "CommentDeleted"
    written, published = comment.get("lastContentUpdatedDate"), comment["publishedDate"]
    if written is None:
        return "CommentCreated" if " commented on " in said.text else "CommentEdited"
    return "CommentCreated" if written == published else "CommentEdited"


def _work_item(said: Said) -> list[RepositoryFact]:
    """Work items belong to a project and to no repository; no trace is begun by talk about one."""
    fields = said.resource.get("fields") or {}
    project = fields.get("System.TeamProject")
    if not project:
        return []
    author = _address(str(fields.get("System.ChangedBy") or ""))
    data = p.Comment.model_validate(
        {
            "repository": project,
            "change": said.resource["id"],
            "on": "issue",
            "commentId": f"{said.resource['id']}/{said.resource.get('rev', '')}",
            "author": said.people.login(author),
            "body": fields.get("System.History") or "",
            "createdAt": fields.get("System.ChangedDate") or said.whole["createdDate"],
            "url": said.resource.get("url", ""),
        }
    )
    return [
        said.fact("CommentCreated", data, [], actor=data.author, new_trace=False, repository=str(project))
    ]


def _address(named: str) -> str:
    """`Jamal Hartnett <jamal@example.org>` -> the address."""
    return named.rpartition("<")[2].rstrip(">") if named.endswith(">") else named


EVENTS: dict[Any, Callable[[Said], list[RepositoryFact]]] = {
    CREATED: _created,
    UPDATED: _updated,
    COMMENT: _commented,
    "workitem.commented": _work_item,
}
