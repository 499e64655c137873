"""Release pages (https://docs.gitlab.com/api/releases/): one per tag. GitLab knows no pre-releases."""

from __future__ import annotations

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.gitlab.client import Answered, Api, Json, project, segment
from bot.forges.gitlab.tags import checked_tag, tagged, target_of


def publish_release(api: Api, _effect_id: str, effect: e.PublishRelease, _context: EffectContext) -> e.Done:
    """The page of a tag has this title and these notes.

    The tag comes first: GitLab would put the page on whatever a tag of that name is on by then.
    """
    name, target = checked_tag(effect.tag), target_of(api, effect)
    at = tagged(api, effect.repository, name, target)
    if at != target:
        raise Permanent("TagTaken", f"the tag {name} is on {at[:12]}, not {target[:12]}")
    where = f"{project(effect.repository)}/releases"
    page = api.find(f"{where}/{segment(name)}") or _made(api, where, effect)
    if (page["name"], page["description"] or "") != (effect.title, effect.notes):
        page = api.put(f"{where}/{segment(name)}", name=effect.title, description=effect.notes)
    return e.Done(id=name, url=page["_links"]["self"])


def _made(api: Api, where: str, effect: e.PublishRelease) -> Json:
    try:
        page: Json = api.post(where, tag_name=effect.tag, name=effect.title, description=effect.notes)
    except Answered as answer:
        there = api.find(f"{where}/{segment(effect.tag)}")  # somebody was quicker
        if there is None:
            said = f"GitLab does not take the release {effect.tag}: {answer.said}"
            raise Permanent("ReleaseRefused", said) from answer
        page = there
    return page
