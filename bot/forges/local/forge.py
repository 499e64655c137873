"""The embedded forge as one object: the port for the bot, `router` for people and Git."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from fastapi import APIRouter, Depends

from bot.domain.effect import Effect, File
from bot.domain.errors import Permanent
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.allowance import Allowance
from bot.forges.capabilities import YES, Capabilities, Feature, no, so
from bot.forges.finding import Finding
from bot.forges.local import kept, people, protection, read, repositories, signing, standing, telling
from bot.forges.local.ground import Ground, LocalSettings, Missing, ProcessSettings, Sessions
from bot.forges.local.normalise import normalise
from bot.forges.local.perform import perform
from bot.forges.local.protection import Rule
from bot.forges.local.purge import purge
from bot.forges.local.running import Runners
from bot.forges.local.sender import Sender
from bot.forges.local.verify import authenticate
from bot.forges.local.web import admin_api, change_api, issue_api, pages, reading_api, smart_http
from bot.forges.local.web.calls import bound
from bot.forges.port import Delivery, Missed, Report, RepositoryFact
from bot.log.store import Store
from bot.settings import Settings


class LocalForge:
    """`start` belongs in the web process; a worker only constructs one and performs."""

    name: ClassVar[str] = "local"
    capabilities: ClassVar[Capabilities] = dict.fromkeys(Feature, YES) | {
        Feature.BUTTONS: no("commands by comment do the same"),
        Feature.ANSWER_DEPLOYMENT: no("its pipelines never ask: Pointsman deploys"),
        Feature.MISSED_CALLS: so("none can be missed: it sends until it is answered"),
    }

    def __init__(self, settings: LocalSettings | ProcessSettings, store: Sessions) -> None:
        settings = settings if isinstance(settings, LocalSettings) else LocalSettings.of(settings)
        self.ground = Ground(store, settings)
        self._sender = Sender(self.ground)
        self._runners = Runners(self.ground)
        protection.install_hooks(settings.home)
        signing.ensure_key(settings.home, settings.bot_email)
        people.ensure_bot(self.ground)

    @classmethod
    def configured(cls, settings: Settings, store: Store) -> LocalForge:
        """Always there: it needs no account."""
        return cls(settings, store)

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

    def reports(self, repository: str, run: str) -> Iterator[Report]:
        """What the jobs of a run kept. Raises Permanent('NotFound')."""
        try:
            yield from kept.reports(self.ground, repository, run)
        except Missing as error:
            raise Permanent("NotFound", str(error)) from error

    def missed(self, _since: datetime) -> Iterable[Missed]:
        """Nothing: the sender tries until it is answered, whatever happened in between."""
        return ()

    def examine(self, repositories: Sequence[str]) -> Iterable[Finding]:
        """Which repositories are there, and whether nobody can merge past the bot."""
        return standing.examine(self.ground, repositories)

    def allowances(self) -> Iterable[Allowance]:
        """It has no limits."""
        return ()

    def connect(self, repository: str, _webhook_url: str) -> Iterable[Finding]:
        """Nothing is to be connected: this forge and the bot are one process."""
        return standing.examine(self.ground, (repository,))

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

    def tidy(self, before: str) -> None:
        """Let go of the bodies of webhook calls delivered before this moment (RFC 3339 in UTC)."""
        purge(self.ground, before)

    def router(self) -> APIRouter:
        """`/git`, `/forge/api` and the pages under `/forge`."""
        whole = APIRouter(dependencies=[Depends(bound(self.ground))])
        whole.include_router(smart_http.router(self.ground))
        for routes in (admin_api, change_api, issue_api, reading_api, pages):
            whole.include_router(routes.routes)
        return whole

    def start(self, webhook_url: str = "") -> None:
        """Tell what a dead process left untold; begin to send webhooks and run pipelines."""
        telling.tell_leftovers(self.ground)
        self._sender.start(webhook_url or f"{self.ground.settings.base_url}/webhooks/local")
        self._runners.start()

    def close(self) -> None:
        """Stop what `start` began; what is not done is done after the next start."""
        self._runners.close()
        self._sender.close()
