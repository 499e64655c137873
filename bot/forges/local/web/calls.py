"""A call of the API or of a page: which forge, who."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from bot.domain.payloads import Actor
from bot.forges.local import people
from bot.forges.local.ground import Ground
from bot.forges.local.people import NotAllowed, Permission
from bot.forges.local.web import identity
from policies.authorise import Asker, Needs, may


@dataclass(frozen=True)
class Call:
    """Who calls the API of which forge."""

    ground: Ground
    login: str
    is_admin: bool

    def may(self, repository: str, wanted: Permission) -> None:
        """Raise Missing or NotAllowed."""
        with self.ground.read() as session:
            people.require(session, repository, self.login, wanted)

    def must_be_admin(self) -> None:
        """Raise NotAllowed."""
        held: Permission = "admin" if self.is_admin else "none"
        if not may(Asker(Actor(login=self.login, permission=held)), Needs(level="admin")):
            raise NotAllowed("only an administrator of the forge may do this")


def bound(ground: Ground) -> Callable[[Request], None]:
    """A dependency of the whole router that says which forge it is of."""

    def bind(request: Request) -> None:
        request.state.forge = ground

    return bind


def _call(request: Request) -> Call:
    ground: Ground = request.state.forge
    user = identity.caller(ground, request)
    return Call(ground, user.login, user.is_admin)


def _repository(owner: str, name: str) -> str:
    return f"{owner}/{name}"


By = Annotated[Call, Depends(_call)]
Repository = Annotated[str, Depends(_repository)]
