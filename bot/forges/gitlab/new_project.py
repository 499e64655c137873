"""`CreateRepository`: a project with a first commit, a default branch that only changes may touch, and our
webhook (https://docs.gitlab.com/api/projects/, https://docs.gitlab.com/api/protected_branches/).

Each part is looked for before it is made, so that a try that was cut short is gone on with.
"""

from __future__ import annotations

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.gitlab.access import get_branch, head_of
from bot.forges.gitlab.client import Answered, Api, Json, project, segment
from bot.forges.gitlab.hook import Door, place_hook

MAIN = "main"
NOBODY, DEVELOPERS = 0, 30
TAKEN = "already been taken"


def create_repository(
    api: Api, _effect_id: str, effect: e.CreateRepository, _context: EffectContext
) -> e.Done:
    """Make it, or find the one that the bot made. Raises Permanent('RepositoryTaken', 'NoCreateAccess')."""
    door = Door(effect.webhook_url, api.account.secrets)
    if effect.webhook_url and not door.secrets:
        said = "the webhook would prove nothing: set POINTSMAN_GITLAB_WEBHOOK_SECRET"
        raise Permanent("NoWebhookSecret", said)
    there = api.find(project(effect.repository))
    known = _as_made(api, effect) if there else _make(api, effect)
    if head_of(get_branch(api, effect.repository, MAIN)) is None:
        raise Retryable(f"GitLab has not made the branch {MAIN} of {effect.repository} yet")
    _require_check(api, effect, known)
    _protect(api, effect.repository)
    if effect.webhook_url:
        place_hook(api, door, effect.repository, anew=False)
    return e.Done(id=str(known["id"]), url=known["web_url"])


def _ours(api: Api, effect: e.CreateRepository, known: Json) -> bool:
    """A description can be written by others; who made the project cannot."""
    mine = known.get("creator_id") == api.myself["id"]
    return mine and _mark(effect) in (known.get("description") or "")


def _mark(effect: e.CreateRepository) -> str:
    return f"(pointsman: {effect.mark})"


def _make(api: Api, effect: e.CreateRepository) -> Json:
    group, _, name = effect.repository.rpartition("/")
    space = api.find(f"/namespaces/{segment(group)}") if group else None
    if space is None:
        said = f"there is no group {group!r}, or not for the bot: name the repository as group/name"
        raise Permanent("NoCreateAccess", said)
    body = {
        "name": name,
        "path": name,
        "namespace_id": space["id"],
        "description": f"{effect.description} {_mark(effect)}".strip(),
        "visibility": "private" if effect.private else "public",
        "initialize_with_readme": True,
        "default_branch": MAIN,
    }
    try:
        made: Json = api.post("/projects", **body)
    except Answered as answer:
        if TAKEN in answer.said:
            return _as_made(api, effect)  # by an earlier try, perhaps, that was not to be seen before
        raise Permanent("RepositoryRefused", f"GitLab does not take {name}: {answer.said}") from answer
    except Permanent as refused:
        if refused.reason_code != "Forbidden":
            raise
        said = f"{api.account.login} may not make projects in {group}: give it the role Maintainer there"
        raise Permanent("NoCreateAccess", said) from refused
    return made


def _as_made(api: Api, effect: e.CreateRepository) -> Json:
    """The project that is there, when it is the bot's. Raises Permanent('RepositoryTaken')."""
    known: Json | None = api.find(project(effect.repository))
    if known is None or not _ours(api, effect, known):
        raise _taken(effect)
    return known


def _taken(effect: e.CreateRepository) -> Permanent:
    said = f"{effect.repository} is there already, made by somebody else: choose another name"
    return Permanent("RepositoryTaken", said)


def _require_check(api: Api, effect: e.CreateRepository, known: Json) -> None:
    """GitLab asks for the whole pipeline, in which a check is a line."""
    if effect.required_check and not known.get("only_allow_merge_if_pipeline_succeeds"):
        api.put(project(effect.repository), only_allow_merge_if_pipeline_succeeds=True)


def _protect(api: Api, repository: str) -> None:
    """Nobody pushes, developers merge. GitLab protects the branch of a new project by itself, otherwise."""
    where = f"{project(repository)}/protected_branches"
    rule = next((one for one in api.list(where) if one["name"] == MAIN), None)
    if rule and [one["access_level"] for one in rule["push_access_levels"]] == [NOBODY]:
        return
    if rule:  # on the free tier the levels of a rule cannot be changed
        api.delete(f"{where}/{segment(MAIN)}")
    api.post(where, name=MAIN, push_access_level=NOBODY, merge_access_level=DEVELOPERS)
