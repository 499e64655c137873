"""`CreateRepository`: made once, found again by its mark."""

from __future__ import annotations

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.local import history, people, repositories
from bot.forges.local.ground import Ground
from bot.forges.local.protection import Rule
from bot.forges.local.repositories import MAIN
from bot.forges.local.tables import ForgeRepository, ForgeUser


def create_repository(
    ground: Ground, _effect_id: str, effect: e.CreateRepository, _context: EffectContext
) -> e.Done:
    """Protected, with a first commit. Its webhook is there already: this forge calls one address for all."""
    name = effect.repository
    folder = ground.folder(name)
    with ground.read() as session:
        there = session.get(ForgeRepository, name)
        owner = session.get(ForgeUser, effect.owner) if effect.owner else None
    if there is not None and there.mark != effect.mark:
        raise Permanent("RepositoryTaken", f"there is a repository {name} already: choose another name")
    if there is None:
        _make(ground, effect, owner.login if owner else None)
    elif history.branch_head(folder, MAIN) is None:  # whoever made it died before its first commit
        repositories.begin(ground, name, files=(_readme(effect),))
    return e.Done(id=name, url=ground.repository_url(name))


def _make(ground: Ground, effect: e.CreateRepository, owner: str | None) -> None:
    checks = (effect.required_check,) if effect.required_check else ()
    origin = repositories.Origin(effect.description, effect.mark)
    try:
        repositories.create(
            ground,
            effect.repository,
            protection=(Rule(branch=MAIN, checks=checks),),
            files=(_readme(effect),),
            by=owner,
            origin=origin,
        )
    except people.Taken as error:  # somebody was faster: the next look tells whether it was us
        raise Retryable(str(error)) from error


def _readme(effect: e.CreateRepository) -> e.File:
    title = effect.repository.rpartition("/")[2]
    content = "\n\n".join(part for part in (f"# {title}", effect.description) if part)
    return e.File(path="README.md", content=f"{content}\n")
