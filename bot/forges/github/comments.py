"""`PostComment` and `React`."""

from __future__ import annotations

from bot.domain import effect as e
from bot.domain.performer import EffectContext
from bot.forges.github.errors import Answered, not_found
from bot.forges.github.fitting import fitted
from bot.forges.github.ground import ISSUES, MISSING, TALK, Ground
from bot.forges.github.normalise_changes import THREAD
from bot.messages import trace_url

STICKY, ONCE = "<!-- pointsman:sticky:{} -->", "<!-- pointsman:effect:{} -->"


def post_comment(
    ground: Ground, effect_id: str, effect: e.PostComment, context: EffectContext
) -> e.CommentResult:
    """Write a comment once; a sticky one is edited in place, and written anew when somebody deleted it."""
    mark = STICKY.format(effect.sticky) if effect.sticky else ONCE.format(effect_id)
    body = fitted(effect.body, trace_url(ground.base_url, context.trace_id), end=f"\n\n{mark}")
    key = (effect.repository, str(effect.change), mark)
    there = ground.comments.get(*key) or _find(ground, effect, mark)
    if there and not effect.sticky:
        return _result(there)
    made = _edit(ground, effect, there[0], body) if there else None
    return _result(ground.comments.put(made or _write(ground, effect, body), *key))


def _result(comment: tuple[int, str]) -> e.CommentResult:
    return e.CommentResult(comment_id=str(comment[0]), url=comment[1])


def _find(ground: Ground, effect: e.PostComment, mark: str) -> tuple[int, str] | None:
    """The comment with this mark. Anybody can write a mark; only the bot's own count."""
    try:
        for comment in ground.client.pages(effect.repository, f"/issues/{effect.change}/comments"):
            if ground.is_us(comment["user"]) and (comment.get("body") or "").rstrip().endswith(mark):
                return comment["id"], comment["html_url"]
    except Answered as error:
        if error.status == MISSING:
            raise not_found(f"change {effect.change} in {effect.repository}") from error
        raise
    return None


def _edit(ground: Ground, effect: e.PostComment, comment: int, body: str) -> tuple[int, str] | None:
    """The edited comment; None when it was deleted since."""
    path = f"/issues/comments/{comment}"
    try:
        said = ground.client.send(
            "PATCH", effect.repository, path, {"body": body}, needs=TALK, wishes=ISSUES
        ).json
    except Answered as error:
        if error.status == MISSING:
            return None
        raise
    return said["id"], said["html_url"]


def _write(ground: Ground, effect: e.PostComment, body: str) -> tuple[int, str]:
    path = f"/issues/{effect.change}/comments"
    try:
        said = ground.client.send(
            "POST", effect.repository, path, {"body": body}, needs=TALK, wishes=ISSUES
        ).json
    except Answered as error:
        if error.status == MISSING:
            raise not_found(f"change {effect.change} in {effect.repository}") from error
        raise
    return said["id"], said["html_url"]


def react(ground: Ground, _effect_id: str, effect: e.React, _context: EffectContext) -> e.Done:
    """GitHub keeps one reaction of a kind for each account."""
    thread = effect.comment_id.startswith(THREAD)
    place = "pulls" if thread else "issues"
    path = f"/{place}/comments/{effect.comment_id.removeprefix(THREAD)}/reactions"
    try:
        ground.client.send(
            "POST", effect.repository, path, {"content": effect.reaction}, needs=TALK, wishes=ISSUES
        )
    except Answered as error:
        if error.status == MISSING:
            raise not_found(f"comment {effect.comment_id} in {effect.repository}") from error
        raise
    return e.Done(id=effect.comment_id)
