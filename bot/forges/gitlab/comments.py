"""Comments and reactions (https://docs.gitlab.com/api/notes/, https://docs.gitlab.com/api/emoji_reactions/)."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.gitlab.changes import change_path, get_change
from bot.forges.gitlab.client import Api, Json

LONGEST = 1_000_000
"""Characters that GitLab takes."""
STICKY = "<!-- pointsman:sticky:{} -->"
ONCE = "<!-- pointsman:effect:{} -->"
EMOJI = {"eyes": "eyes", "rocket": "rocket", "-1": "thumbsdown"}


def post_comment(api: Api, effect_id: str, effect: e.PostComment, _context: EffectContext) -> e.CommentResult:
    """Write a comment once; a sticky one is edited in place, or written anew when somebody deleted it."""
    change = get_change(api, effect.repository, effect.change)
    mark = STICKY.format(effect.sticky) if effect.sticky else ONCE.format(effect_id)
    body = f"{effect.body}\n\n{mark}"
    if len(body) > LONGEST:
        raise Permanent("TooLong", f"a comment may have {LONGEST} characters at most")
    where = change_path(effect.repository, effect.change)
    written = next((note for note in _ours(api, where) if mark in note["body"]), None)
    if written and effect.sticky and written["body"] != body:
        api.put(f"{where}/notes/{written['id']}", body=body)
    if written is None:
        written = _write(api, where, body, effect.reply_to)
    return e.CommentResult(comment_id=str(written["id"]), url=f"{change['web_url']}#note_{written['id']}")


def _ours(api: Api, where: str) -> Iterator[Json]:
    """The bot's own comments, the newest first. Another's with our mark on it is not ours."""
    notes = api.list(f"{where}/notes", sort="desc", order_by="created_at", activity_filter="only_comments")
    return (note for note in notes if note["author"]["username"] == api.account.login)


def _write(api: Api, where: str, body: str, reply_to: str | None) -> Json:
    thread = _thread(api, where, reply_to) if reply_to else None
    made: Json = api.post(f"{where}/discussions/{thread}/notes" if thread else f"{where}/notes", body=body)
    return made


def _thread(api: Api, where: str, comment_id: str) -> str | None:
    """The thread of a comment; None when it stands alone, or is gone."""
    for discussion in api.list(f"{where}/discussions"):
        if any(str(note["id"]) == comment_id for note in discussion["notes"]):
            return None if discussion["individual_note"] else str(discussion["id"])
    return None


def react(api: Api, _effect_id: str, effect: e.React, _context: EffectContext) -> e.Done:
    """A reaction is there or is not. GitLab refuses the second of one kind."""
    if not (effect.comment_id.isascii() and effect.comment_id.isdecimal()):
        raise Permanent("NotFound", f"there is no comment {effect.comment_id} in {effect.repository}")
    where = f"{change_path(effect.repository, effect.change)}/notes/{effect.comment_id}/award_emoji"
    name = EMOJI[effect.reaction]
    given = api.list(where)
    if not any(one["name"] == name and one["user"]["username"] == api.account.login for one in given):
        api.post(where, name=name)
    return e.Done(id=effect.comment_id)
