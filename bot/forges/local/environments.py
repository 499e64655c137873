"""Environments of a repository and their variables: they reach the jobs that name the environment."""

from __future__ import annotations

from sqlmodel import col, select

from bot.domain import effect as e
from bot.domain.performer import EffectContext
from bot.forges.local.beside import ForgeEnvironment
from bot.forges.local.changes import default_branch
from bot.forges.local.ground import Ground


def prepare_environment(
    ground: Ground, _effect_id: str, effect: e.PrepareEnvironment, _context: EffectContext
) -> e.Done:
    """The environment is there, with these variables among those it has. Raises Missing."""
    with ground.write() as session:
        default_branch(session, effect.repository)  # raises for a repository that is not there
        key = (effect.repository, effect.environment)
        there = session.get(ForgeEnvironment, key)
        wanted = (there.variables if there else {}) | effect.variables
        if there is None or there.variables != wanted:
            session.merge(
                ForgeEnvironment(
                    repository=effect.repository,
                    name=effect.environment,
                    variables=wanted,
                    updated_at=ground.moment(),
                )
            )
    return e.Done(id=effect.environment, url=ground.repository_url(effect.repository))


def variables(ground: Ground, repository: str) -> dict[str, dict[str, str]]:
    """Name of each environment -> its variables, by name."""
    wanted = select(ForgeEnvironment).where(ForgeEnvironment.repository == repository)
    with ground.read() as session:
        rows = session.scalars(wanted.order_by(col(ForgeEnvironment.name)))
        return {row.name: dict(row.variables) for row in rows}
