"""Release pages (https://docs.gitlab.com/api/releases/): one per tag. GitLab knows no pre-releases."""

from __future__ import annotations

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.gitlab.client import Answered, Api, Json, project, segment
from bot.forges.gitlab.tags import checked_tag, target_of


def publish_release(api: Api, _effect_id: str, effect: e.PublishRelease, _context: EffectContext) -> e.Done:
    """The page of a tag has this title and these notes; GitLab makes the tag when it is missing."""
    name, target = checked_tag(effect.tag), target_of(api, effect)
    where = f"{project(effect.repository)}/releases"
    tag = api.find(f"{project(effect.repository)}/repository/tags/{segment(name)}")
    if tag:
        _same(effect, tag, target)
    page = api.find(f"{where}/{segment(name)}") if tag else None
    page = page or _made(api, where, effect, target)
    if (page["name"], page["description"] or "") != (effect.title, effect.notes):
        page = api.put(f"{where}/{segment(name)}", name=effect.title, description=effect.notes)
    return e.Done(id=name, url=page["_links"]["self"])


def _made(api: Api, where: str, effect: e.PublishRelease, target: str) -> Json:
    said = {"tag_name": effect.tag, "ref": target, "name": effect.title, "description": effect.notes}
    try:
        page: Json = api.post(where, **said)
    except Answered as answer:
        there = api.find(f"{where}/{segment(effect.tag)}")  # somebody was quicker
        if there is None:
            said_no = f"GitLab does not take the release {effect.tag}: {answer.said}"
            raise Permanent("ReleaseRefused", said_no) from answer
        page = there
    _same(effect, page, target)
    return page


def _same(effect: e.PublishRelease, about: Json, target: str) -> None:
    """Raise Permanent('TagTaken') when what GitLab tells is of another revision."""
    at = (about.get("commit") or {}).get("id")
    if at != target:
        raise Permanent("TagTaken", f"the tag {effect.tag} is on {str(at)[:12]}, not {target[:12]}")
