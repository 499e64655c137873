"""A runtime for tests: a forge that signs with a shared secret, performers that do as they are told, and waiting."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa

from bot.domain.decision import NOTHING, Decision
from bot.domain.effect import RESULTS, Effect
from bot.domain.event import Draft, Event
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.domain.view import View
from bot.engine.runtime import Runtime
from bot.forges.finding import Finding
from bot.forges.port import Delivery, Missed, RepositoryFact, Unauthenticated, branch_key
from bot.log import Store, events
from bot.messages import BOT
from bot.settings import Settings

SECRET = b"a shared secret of the tests"
QUICK = (0.0, 0.05, 0.1)


def signature(body: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def signed(body: bytes, delivery_id: str) -> dict[str, str]:
    """Headers of a genuine delivery."""
    return {"X-Signature": signature(body), "X-Delivery": delivery_id, "X-Repository": "acme/booking"}


class TestForge:
    """A delivery is `{"branch": b, "number": n}`, or `{"explode": true}` for a parser that has a bug."""

    __test__ = False
    name: ClassVar[str] = "local"
    repaired = False

    def authenticate(
        self, headers: Mapping[str, str], raw_headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Delivery:
        given = [value for key, value in raw_headers if key.lower() == b"x-signature"]
        if len(given) != 1 or not hmac.compare_digest(given[0], signature(body).encode()):
            raise Unauthenticated("signature")
        return Delivery(headers["x-delivery"], headers.get("x-repository", headers["x-delivery"]))

    def normalise(self, headers: Mapping[str, str], body: bytes) -> list[RepositoryFact]:
        said = json.loads(body)
        if said.get("explode") and not self.repaired:
            raise ValueError("the parser has a bug; glpat-abcdefghij0123456789 must not show")
        if "branch" not in said:
            return []
        # A trailer counts only in what the bot itself has pushed.
        actor = BOT if "trace" in said else None
        draft = Draft(type="TestsExecuted", data={"number": said.get("number", 0)}, actor=actor)
        key = branch_key("local", "acme/booking", said["branch"])
        return [RepositoryFact(draft, "acme/booking", (key,), said.get("trace"), new_trace=True)]

    def export(self, repository: str, revision: str, path: str, into: Path) -> None:
        raise NotImplementedError

    def missed(self, since: datetime) -> Iterable[Missed]:
        return ()

    def examine(self, repositories: Sequence[str]) -> Iterable[Finding]:
        return ()

    def connect(self, repository: str, webhook_url: str) -> Iterable[Finding]:
        return ()

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:
        raise NotImplementedError


@dataclass
class Performer:
    """Answers each effect with `answers` (a result, or an exception to raise), and remembers what it was asked."""

    answer: Callable[[Effect, int], Model | Exception]
    asked: list[tuple[str, Effect, EffectContext, float]] = field(default_factory=list)

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:
        self.asked.append((effect_id, effect, context, time.monotonic()))
        answer = self.answer(effect, len(self.asked))
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def attempts(self) -> list[int]:
        return [context.attempt for _, _, context, _ in self.asked]


def nothing(_event: Event, _view: View) -> Decision:
    return NOTHING


def settings_for(url: str, **more: Any) -> Settings:
    return Settings(**({"database_url": url, "retry_schedule": QUICK, "tenant": "acme"} | more))


@contextmanager
def running(url: str, decide: Callable[[Event, View], Decision] = nothing, **more: Any) -> Iterator[Runtime]:
    """A launched runtime; `forges`, `performers`, `work` and settings may be given."""
    forges = more.pop("forges", {"local": TestForge()})
    performers = more.pop("performers", {})
    work = more.pop("work", True)
    observe = more.pop("observe", lambda: ())
    runtime = Runtime(
        settings_for(url, **more),
        forges=forges,
        performers=performers,
        decide=decide,
        work=work,
        observe=observe,
    )
    try:
        runtime.launch()
        yield runtime
    finally:
        runtime.close()


def wait_for(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """The first true answer of `condition`; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"nothing came in {seconds} s")


def of(store: Store, trace: str, type_: str | None = None, tenant: str = "acme") -> list[Event]:
    """The events of a trace, or those of one type."""
    with store.read() as session:
        return [event for event in events(session, tenant, trace) if type_ in {None, event.type}]


def count(store: Store, table: str, where: str = "1 = 1") -> int:
    with store.read() as session:
        return int(session.execute(sa.text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())


def result(kind: str, **fields: Any) -> Model:
    """A result of an effect's kind."""
    return RESULTS[kind].model_validate(fields)
