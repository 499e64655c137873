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
    at = tagged(api, effect.repository, name, target, effect.message)
    if at != target:
        raise Permanent("TagExists", f"the tag {name} is on {at} already")
    return e.Done(id=name)


def tagged(api: Api, repository: str, name: str, target: str, message: str = "") -> str:
    """The commit that the tag is on; one that is missing is made on `target`, with `message` annotated.

    Raises Permanent('TagRefused').
    """
    where = f"{project(repository)}/repository/tags"
    there = api.find(f"{where}/{segment(name)}") or _make(api, where, name, target, message)
    return str(there["commit"]["id"])


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


def _make(api: Api, where: str, name: str, target: str, message: str) -> Json:
    body = {"tag_name": name, "ref": target} | ({"message": message} if message.strip() else {})
    try:
        made: Json = api.post(where, **body)
    except Answered as answer:
        if there := api.find(f"{where}/{segment(name)}"):  # somebody was quicker
            made = there
        else:
            raise Permanent("TagRefused", f"GitLab does not take the tag {name}: {answer.said}") from answer
    return made
