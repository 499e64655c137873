"""`PublishRelease`: the page of a tag, with notes."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.github.changes import checked_tag, point_tag, tagged
from bot.forges.github.errors import Answered
from bot.forges.github.fitting import LONGEST_NOTES, fitted, one_line
from bot.forges.github.ground import CONTENTS, MISSING, Ground
from bot.messages import trace_url

Json = dict[str, Any]


def publish_release(
    ground: Ground, _effect_id: str, effect: e.PublishRelease, context: EffectContext
) -> e.Done:
    """The tag first: GitHub takes no revision for a tag that somebody else makes meanwhile."""
    checked_tag(ground, effect.repository, effect.tag, effect.revision)
    there = tagged(ground, effect.repository, effect.tag)
    if there not in {None, effect.revision}:
        raise Permanent("TagTaken", f"the tag {effect.tag} is on {there}, not on {effect.revision}")
    if there is None:
        point_tag(ground, effect.repository, effect.tag, effect.revision)
    url = trace_url(ground.base_url, context.trace_id)
    wanted: Json = {
        "tag_name": effect.tag,
        "name": one_line(effect.title),
        "body": fitted(effect.notes, url, most=LONGEST_NOTES),
        "prerelease": effect.prerelease,
    }
    page = _page(ground, effect)
    said = _edited(ground, effect, page, wanted) if page else _made(ground, effect, wanted)
    return e.Done(id=str(said["id"]), url=said["html_url"])


def _page(ground: Ground, effect: e.PublishRelease) -> Json | None:
    """The page of the tag. A draft is none: nobody sees it."""
    try:
        found: Json = ground.client.get(effect.repository, f"/releases/tags/{quote(effect.tag, safe='')}")
    except Answered as error:
        if error.status == MISSING:
            return None
        raise
    return found


def _edited(ground: Ground, effect: e.PublishRelease, page: Json, wanted: Json) -> Json:
    new = {name: value for name, value in wanted.items() if page.get(name) != value}
    if not new:
        return page
    path = f"/releases/{page['id']}"
    said: Json = ground.client.send("PATCH", effect.repository, path, new, needs=CONTENTS).json
    return said


def _made(ground: Ground, effect: e.PublishRelease, wanted: Json) -> Json:
    """A fix of an old version is not the latest one: GitHub is to go by the versions."""
    said = wanted | {"target_commitish": effect.revision, "draft": False, "make_latest": "legacy"}
    try:
        made: Json = ground.client.send("POST", effect.repository, "/releases", said, needs=CONTENTS).json
    except Answered as error:
        if error.says("already_exists"):
            raise Retryable(f"the release {effect.tag} was published meanwhile") from error
        raise
    return made
