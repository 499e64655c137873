"""Tags (https://docs.gitlab.com/api/tags/)."""

from __future__ import annotations

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges import paths
from bot.forges.gitlab.client import Answered, Api, Json, project, segment
from bot.forges.gitlab.files import resolve


def create_tag(api: Api, _effect_id: str, effect: e.CreateTag, _context: EffectContext) -> e.Done:
    """A tag never moves."""
    name, target = checked_tag(effect.name), target_of(api, effect)
    where = f"{project(effect.repository)}/repository/tags"
    there = api.find(f"{where}/{segment(name)}")
    if there is None:
        there = _make(api, where, effect, target)
    if there["commit"]["id"] != target:
        raise Permanent("TagExists", f"the tag {name} is on {there['commit']['id']} already")
    return e.Done(id=name)


def checked_tag(name: str) -> str:
    """The same name. Raises Permanent('InvalidTag') for what Git would not take."""
    try:
        return paths.checked_branch(name)
    except Permanent as refused:
        raise Permanent("InvalidTag", f"{name!r} cannot be the name of a tag") from refused


def target_of(api: Api, effect: e.CreateTag | e.PublishRelease | e.RevertCommit) -> str:
    """The commit that an effect is about. Raises Permanent('RevisionMissing')."""
    target = resolve(api, effect.repository, effect.revision)
    if target is None:
        raise Permanent("RevisionMissing", f"there is no revision {effect.revision} in {effect.repository}")
    return target


def _make(api: Api, where: str, effect: e.CreateTag, target: str) -> Json:
    body = {"tag_name": effect.name, "ref": target} | (
        {"message": effect.message} if effect.message.strip() else {}
    )
    try:
        made: Json = api.post(where, **body)
    except Answered as answer:
        if there := api.find(f"{where}/{segment(effect.name)}"):  # somebody was quicker
            made = there
        else:
            raise Permanent(
                "TagRefused", f"GitLab does not take the tag {effect.name}: {answer.said}"
            ) from answer
    return made
