"""Tags, and the pages of releases that stand on them. A tag never moves."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.local import commit, history, signing
from bot.forges.local.beside import ForgeRelease
from bot.forges.local.git import run
from bot.forges.local.ground import Ground
from bot.forges.local.telling import writing


def create_tag(ground: Ground, _effect_id: str, effect: e.CreateTag, _context: EffectContext) -> e.Done:
    """A tag on a revision."""
    with writing(ground, effect.repository, ground.settings.bot_login) as folder:
        _tag(ground, folder, effect, taken="TagExists")
    return e.Done(id=effect.name)


def publish_release(
    ground: Ground, _effect_id: str, effect: e.PublishRelease, _context: EffectContext
) -> e.Done:
    """The tag if it is not there yet, then its page as it is wanted now."""
    repository, bot = effect.repository, ground.settings.bot_login
    wanted = e.CreateTag(
        repository=repository, name=effect.tag, revision=effect.revision, message=effect.title
    )
    with writing(ground, repository, bot) as folder:
        revision = _tag(ground, folder, wanted, taken="TagTaken")
        with ground.write() as session:
            page = session.get(ForgeRelease, (repository, effect.tag)) or ForgeRelease(
                repository=repository,
                tag=effect.tag,
                revision=revision,
                title="",
                author=bot,
                published_at=ground.moment(),
                updated_at=ground.moment(),
            )
            said = {"title": effect.title, "notes": effect.notes, "prerelease": effect.prerelease}
            if any(getattr(page, name) != value for name, value in said.items()):
                page.sqlmodel_update(said | {"updated_at": ground.moment()})
                session.add(page)
    return e.Done(id=effect.tag, url=ground.release_url(repository, effect.tag))


def all_of(session: Session, repository: str) -> list[ForgeRelease]:
    """The pages of releases, the newest first."""
    wanted = select(ForgeRelease).where(ForgeRelease.repository == repository)
    return list(
        session.scalars(wanted.order_by(col(ForgeRelease.published_at).desc(), col(ForgeRelease.tag).desc()))
    )


def _tag(ground: Ground, folder: Path, wanted: e.CreateTag, *, taken: str) -> str:
    """The commit that the tag is on. Raises Permanent."""
    if wanted.name.startswith("-") or run(folder, "check-ref-format", f"refs/tags/{wanted.name}").returncode:
        raise Permanent("InvalidTag", f"{wanted.name!r} cannot be the name of a tag")
    target = history.resolve(folder, wanted.revision)
    if target is None:
        raise Permanent("RevisionMissing", f"there is no revision {wanted.revision} in {wanted.repository}")
    there = history.resolve(folder, f"refs/tags/{wanted.name}")
    if there not in {None, target}:
        raise Permanent(taken, f"the tag {wanted.name} is on {there} already")
    if there is None:
        author = commit.Author("pointsman[bot]", ground.settings.bot_email, ground.moment())
        sign = signing.options(ground.settings.home)
        commit.write_tag(folder, wanted.name, target, wanted.message, author, sign)
    return target
