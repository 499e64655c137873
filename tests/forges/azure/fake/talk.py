"""What people say about a change: threads, likes, labels, votes."""

from __future__ import annotations

from tests.forges.azure.fake import told
from tests.forges.azure.fake.calls import Reply, Request, answers
from tests.forges.azure.fake.pulls import UPDATED, get
from tests.forges.azure.fake.state import (
    Comment,
    Failure,
    Json,
    Organisation,
    Person,
    Pull,
    Repo,
    Thread,
    now,
)

COMMENTED = "ms.vss-code.git-pullrequest-comment-event"


@answers("GET", "pullRequestLabels")
def labels(call: Request) -> Json:
    return told.listed([{"id": name, "name": name, "active": True} for name in get(call).labels])


@answers("POST", "pullRequestLabels")
def add_label(call: Request) -> Json:
    one, name = get(call), call.body["name"]
    if name not in one.labels:
        one.labels.append(name)
    return {"id": name, "name": name, "active": True}


@answers("DELETE", "pullRequestLabels")
def remove_label(call: Request) -> Reply:
    one, name = get(call), call.route["labelIdOrName"]
    if name not in one.labels:
        raise Failure(404, "GitPullRequestLabelNotFoundException", f"The label {name} was not found.")
    one.labels.remove(name)
    return Reply(b"", 200)


def get_thread(call: Request) -> Thread:
    wanted = int(call.route["threadId"])
    for one in get(call).threads:
        if one.id == wanted:
            return one
    raise Failure(404, "GitPullRequestCommentThreadNotFoundException", f"TF400898: no thread {wanted}")


def get_comment(call: Request) -> Comment:
    wanted = int(call.route["commentId"])
    for one in get_thread(call).comments:
        if one.id == wanted:
            return one
    raise Failure(404, "GitPullRequestCommentNotFoundException", f"TF400898: no comment {wanted}")


@answers("GET", "pullRequestThreads")
def threads(call: Request) -> Json:
    repo, one = call.repo, get(call)
    if "threadId" in call.route:
        return told.thread(repo, one, get_thread(call), call.org)
    return told.listed([told.thread(repo, one, each, call.org) for each in one.threads])


@answers("POST", "pullRequestThreads")
def add_thread(call: Request) -> Json:
    repo, one = call.repo, get(call)
    (first,) = call.body["comments"]
    return told.thread(repo, one, say(call.org, repo, one, call.by, first["content"]), call.org)


def say(org: Organisation, repo: Repo, one: Pull, by: Person, content: str) -> Thread:
    """Somebody begins a thread."""
    thread = Thread(org.number("thread"), [Comment(1, by, content)])
    one.threads.append(thread)
    _commented(org, repo, one, thread, thread.comments[0])
    return thread


def _commented(org: Organisation, repo: Repo, one: Pull, thread: Thread, comment: Comment) -> None:
    verb = "edited" if comment.written != comment.published else "commented on"
    said = {
        "comment": told.comment(repo, one, thread, comment, org),
        "pullRequest": told.pull(repo, one, org),
    }
    said["comment"].pop("usersLiked")
    org.tell(COMMENTED, said, f"{comment.author.display} has {verb} a pull request")


@answers("PATCH", "pullRequestThreads")
def update_thread(call: Request) -> Json:
    thread = get_thread(call)
    assert call.body["status"] in {"active", "fixed", "wontFix", "closed", "byDesign", "pending"}
    thread.status = call.body["status"]
    return told.thread(call.repo, get(call), thread, call.org)


@answers("POST", "pullRequestThreadComments")
def reply(call: Request) -> Json:
    repo, one, thread = call.repo, get(call), get_thread(call)
    parent = call.body.get("parentCommentId") or 0
    comment = Comment(len(thread.comments) + 1, call.by, call.body["content"], parent)
    thread.comments.append(comment)
    _commented(call.org, repo, one, thread, comment)
    return told.comment(repo, one, thread, comment, call.org)


@answers("PATCH", "pullRequestThreadComments")
def edit(call: Request) -> Json:
    repo, one, thread, comment = call.repo, get(call), get_thread(call), get_comment(call)
    if comment.author is not call.by:
        raise Failure(
            403, "GitPullRequestCommentCannotBeUpdatedException", "This comment is somebody else's."
        )
    comment.content, comment.written = call.body["content"], now()
    _commented(call.org, repo, one, thread, comment)
    return told.comment(repo, one, thread, comment, call.org)


@answers("GET", "pullRequestCommentLikes")
def likes(call: Request) -> Json:
    return told.listed([told.person(one, call.org) for one in get_comment(call).likes])


@answers("POST", "pullRequestCommentLikes")
def like(call: Request) -> Reply:
    comment = get_comment(call)
    comment.likes.append(call.by)
    return Reply(b"")


def vote(org: Organisation, repo: Repo, one: Pull, by: Person, value: int) -> None:
    """Somebody votes, or takes the vote back."""
    one.votes[by.unique] = (by, value)
    texts = {10: "approved", 5: "has approved and left suggestions in", -5: "is waiting for the author in"}
    said = {**texts, -10: "rejected", 0: "reset the vote on"}[value]
    org.tell(
        UPDATED,
        told.pull(repo, one, org),
        f"{by.display} {said} pull request {one.id} ({one.title})",
        "ReviewerVoteNotification",
    )
