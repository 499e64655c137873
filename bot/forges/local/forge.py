"""The embedded forge as one object: the port for the bot, `router` for people and Git."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from fastapi import APIRouter, Depends

from bot.domain.effect import Effect, File
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.local import people, protection, read, repositories, signing, telling
from bot.forges.local.ground import Ground, LocalSettings, ProcessSettings, Sessions
from bot.forges.local.normalise import normalise
from bot.forges.local.perform import perform
from bot.forges.local.protection import Rule
from bot.forges.local.running import Runners
from bot.forges.local.sender import Sender
from bot.forges.local.verify import authenticate
from bot.forges.local.web import admin_api, change_api, pages, reading_api, smart_http
from bot.forges.local.web.calls import bound
from bot.forges.port import Delivery, RepositoryFact


class LocalForge:
    """`start` belongs in the web process; a worker only constructs one and performs."""

    name: ClassVar[str] = "local"

    def __init__(
        self, settings: LocalSettings | ProcessSettings, store: Sessions, *, webhook_url: str = ""
    ) -> None:
        settings = settings if isinstance(settings, LocalSettings) else LocalSettings.of(settings)
        self.ground = Ground(store, settings)
        self._sender = Sender(self.ground, webhook_url or f"{settings.base_url}/webhooks/local")
        self._runners = Runners(self.ground)
        protection.install_hooks(settings.home)
        signing.ensure_key(settings.home, settings.bot_email)
        people.ensure_bot(self.ground)

    # The port hands over more than this forge reads: its deliveries carry everything in their bytes.
    def authenticate(
        self, _headers: Mapping[str, str], raw_headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Delivery:
        return authenticate(self.ground.settings.secrets, raw_headers, body)

    def normalise(self, _headers: Mapping[str, str], body: bytes) -> list[RepositoryFact]:
        return normalise(body)

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:
        return perform(self.ground, effect_id, effect, context)

    def export(self, repository: str, revision: str, path: str, into: Path) -> None:
        read.export(self.ground, repository, revision, path, into)

    def create_user(
        self, login: str, email: str = "", *, admin: bool = False, token: str | None = None
    ) -> str:
        """A user; returns the token. Raises people.Taken."""
        return people.create_user(self.ground, login, email, admin=admin, token=token)

    def create_repository(
        self,
        name: str,
        *,
        by: str | None = None,
        files: tuple[File, ...] = (),
        protection: tuple[Rule, ...] | None = None,
    ) -> Path:
        """A repository; returns the bare one's folder. Raises people.Taken, Missing."""
        return repositories.create(self.ground, name, by=by, files=files, protection=protection)

    def set_member(self, repository: str, login: str, permission: people.Permission) -> None:
        """Raises Missing for an unknown user."""
        with self.ground.write() as session:
            people.set_member(session, repository, login, permission)

    def set_team(self, team: str, logins: tuple[str, ...]) -> None:
        """Say who is in a team."""
        with self.ground.write() as session:
            people.set_team(session, team, logins)

    def router(self) -> APIRouter:
        """`/git`, `/forge/api` and the pages under `/forge`."""
        whole = APIRouter(dependencies=[Depends(bound(self.ground))])
        whole.include_router(smart_http.router(self.ground))
        for routes in (admin_api.routes, change_api.routes, reading_api.routes, pages.routes):
            whole.include_router(routes)
        return whole

    def start(self) -> None:
        """Tell what a dead process left untold; begin to send webhooks and run pipelines."""
        telling.tell_leftovers(self.ground)
        self._sender.start()
        self._runners.start()

    def close(self) -> None:
        """Stop what `start` began; what is not done is done after the next start."""
        self._runners.close()
        self._sender.close()
