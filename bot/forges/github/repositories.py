"""`CreateRepository`: a repository that nobody can push into past the bot.

An App makes repositories in organisations, with `administration: write`; it may work in them at once:
https://docs.github.com/en/rest/repos/repos#create-an-organization-repository
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.github import hooks
from bot.forges.github.account import Needs
from bot.forges.github.asking import Ask
from bot.forges.github.errors import Answered
from bot.forges.github.ground import MISSING, Ground, head_of
from bot.forges.github.rules import protect

Json = dict[str, Any]
LOOK: Needs = {"metadata": "read"}
ADMIN: Needs = {"administration": "write", "metadata": "read"}
RENAME: Needs = {"administration": "write", "contents": "write", "metadata": "read"}
MAIN = "main"
LONGEST = 350
"""Characters of a description."""
REFUSED = frozenset({"NotFound", "NoWriteAccess", "NoReadAccess"})


def create_repository(
    ground: Ground, _effect_id: str, effect: e.CreateRepository, _context: EffectContext
) -> e.Done:
    """Each step looks whether it is done, so that one which was begun is finished."""
    hook = hooks.wanted(ground, effect.webhook_url)
    _may(ground, effect.repository.partition("/")[0], {**ADMIN, **(hooks.HOOKS if hook else {})})
    made = _find(ground, effect) or _make(ground, effect)
    _begin_at_main(ground, effect.repository, made["default_branch"])
    if hook:
        hooks.ensure(ground, effect.repository, hook)
    protect(ground, effect.repository, effect.required_check)
    return e.Done(id=str(made["id"]), url=made["html_url"])


def _may(ground: Ground, owner: str, needs: Needs) -> None:
    """Raises Permanent('NoCreateAccess') before anything is made."""
    try:
        lacking = [
            f"`{name}: {level}`"
            for name, level in needs.items()
            if level == "write" and ground.client.account.may(owner, name, level) is False
        ]
    except Permanent as error:
        raise _no_access(owner, error) from error
    if lacking:
        raise _no_access(owner, Permanent("NoWriteAccess", f"it lacks {', '.join(lacking)}"))


def _begin_at_main(ground: Ground, repository: str, branch: str) -> None:
    """Organisations have default branches of other names. The first commit may come a moment later."""
    if branch != MAIN:
        path = f"/branches/{quote(branch, safe='')}/rename"
        try:
            ground.client.send("POST", repository, path, {"new_name": MAIN}, needs=RENAME)
        except Answered as error:
            if error.status != MISSING:
                raise
            raise Retryable(f"GitHub is still making {repository}") from error
    if head_of(ground, repository, MAIN) is None:
        raise Retryable(f"GitHub is still making {repository}")


def _find(ground: Ground, effect: e.CreateRepository) -> Json | None:
    """The one that the bot made. Raises Permanent('RepositoryTaken')."""
    owner = effect.repository.partition("/")[0]
    try:
        found: Json = ground.client.ask(Ask("GET", f"/repos/{effect.repository}", owner, needs=LOOK)).json
    except Answered as error:
        if error.status == MISSING:
            return None
        raise
    if found["full_name"].casefold() != effect.repository.casefold():
        return None  # one that has had this name; the name is free
    if not (found.get("description") or "").endswith(_marked(effect)):
        raise _taken(effect.repository)
    return found


def _marked(effect: e.CreateRepository) -> str:
    return f"[{effect.mark}]"


def _make(ground: Ground, effect: e.CreateRepository) -> Json:
    owner, _, name = effect.repository.partition("/")
    mark = _marked(effect)
    about = " ".join(effect.description.split())[: LONGEST - len(mark) - 1]
    described = f"{about} {mark}".strip()
    said = {"name": name, "description": described, "private": effect.private, "auto_init": True}
    mine = not ground.client.is_app and owner.casefold() == ground.login.casefold()
    path = "/user/repos" if mine else f"/orgs/{owner}/repos"
    try:
        made: Json = ground.client.ask(Ask("POST", path, owner, said, needs=ADMIN)).json
    except Permanent as error:
        raise _no_access(owner, error) from error
    except Answered as error:
        if error.says("already exists"):
            raise _taken(effect.repository) from error
        if error.status == MISSING:
            raise _no_access(owner, Permanent("NoWriteAccess", error.message)) from error
        raise
    return made


def _taken(repository: str) -> Permanent:
    return Permanent(
        "RepositoryTaken", f"there is a repository {repository} already, made for something else"
    )


def _no_access(owner: str, error: Permanent) -> Permanent:
    """The same; what GitHub does not grant, in words about making repositories."""
    if error.reason_code not in REFUSED:
        return error
    todo = "install the App in that organisation, with `administration: write`"
    why = f"the bot may not make repositories in {owner}: {todo} ({error.message})"
    return Permanent("NoCreateAccess", why)
