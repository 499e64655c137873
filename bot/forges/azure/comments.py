"""Comments on pull requests: threads, told apart by a mark in them; and what stands for a reaction.

A comment's id is `thread.comment`. A thread without a status asks nobody to resolve it, so the bot's threads
have none. There are no reactions: a like stands for `eyes`, and the thread's status for `rocket` and `-1`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.forges.azure.place import Place
from bot.messages import BOT

STICKY = "<!-- pointsman:sticky:{} -->"
ONCE = "<!-- pointsman:effect:{} -->"
ID = re.compile(r"(\d+)\.(\d+)")
LONGEST = 150_000
STATUS = {"rocket": "fixed", "-1": "wontFix"}


def post_comment(place: Place, effect_id: str, effect: e.PostComment) -> e.CommentResult:
    """Write a comment once; a sticky one is edited in place."""
    mark = STICKY.format(effect.sticky) if effect.sticky else ONCE.format(effect_id)
    body = f"{effect.body}\n\n{mark}"
    if len(body) > LONGEST:
        raise Permanent("TooLong", f"a comment may have {LONGEST} characters at most")
    for thread, comment in _ours(place, effect.change):
        if not (comment.content or "").endswith(mark):
            continue
        if effect.sticky and comment.content != body:
            edit = place.model("Comment", content=body)
            place.git("update_comment", comment=edit, **_where(effect.change, thread.id, comment.id))
        return _result(place, effect.change, thread.id, comment.id)
    return _written(place, effect, body)


def _ours(place: Place, change: int) -> Iterator[tuple[Any, Any]]:
    for thread in place.git("get_threads", pull_request_id=change) or ():
        if thread.is_deleted:
            continue
        for comment in thread.comments or ():
            by = place.client.people.login(comment.author.unique_name if comment.author else None)
            if by == BOT and not comment.is_deleted:
                yield thread, comment


def _written(place: Place, effect: e.PostComment, body: str) -> e.CommentResult:
    if effect.reply_to:
        thread, parent = _known(effect.change, effect.reply_to)
        reply = place.model("Comment", content=body, parent_comment_id=parent, comment_type="text")
        made = place.git("create_comment", comment=reply, pull_request_id=effect.change, thread_id=thread)
        return _result(place, effect.change, thread, made.id)
    first = place.model("Comment", content=body, parent_comment_id=0, comment_type="text")
    thread_model = place.model("GitPullRequestCommentThread", comments=[first])
    opened = place.git("create_thread", comment_thread=thread_model, pull_request_id=effect.change)
    return _result(place, effect.change, opened.id, opened.comments[0].id)


def react(place: Place, effect: e.React) -> e.Done:
    """Like the comment, or give its thread the status that says how it ended."""
    thread, comment = _known(effect.change, effect.comment_id)
    if effect.reaction in STATUS:
        wanted = STATUS[effect.reaction]
        about = {"pull_request_id": effect.change, "thread_id": thread}
        if str(place.git("get_pull_request_thread", **about).status) != wanted:
            status = place.model("GitPullRequestCommentThread", status=wanted)
            place.git("update_thread", comment_thread=status, **about)
    elif not _liked(place, effect.change, thread, comment):
        place.git("create_like", **_where(effect.change, thread, comment))
    return e.Done(id=effect.comment_id)


def _liked(place: Place, change: int, thread: int, comment: int) -> bool:
    likes = place.git("get_likes", **_where(change, thread, comment)) or ()
    return any(place.client.people.login(one.unique_name) == BOT for one in likes)


def _known(change: int, comment_id: str) -> tuple[int, int]:
    found = ID.fullmatch(comment_id)
    if found is None:
        raise Permanent("NotFound", f"there is no comment {comment_id} on change {change}")
    return int(found[1]), int(found[2])


def _where(change: int, thread: int, comment: int) -> dict[str, int]:
    return {"pull_request_id": change, "thread_id": thread, "comment_id": comment}


def _result(place: Place, change: int, thread: int, comment: int) -> e.CommentResult:
    url = f"{place.url(change)}?discussionId={thread}"
    return e.CommentResult(comment_id=f"{thread}.{comment}", url=url)
