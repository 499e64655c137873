"""The whole loop without a database, a clock or a network: facts in, decisions taken, effects done by the
fakes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot import messages
from bot.domain import effect as fx
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import Timer
from bot.domain.deployment import Slot
from bot.domain.errors import Permanent
from bot.domain.event import Draft, Event, derived_id, stamp
from bot.domain.release import Lock
from bot.domain.trace import TraceState, apply
from bot.domain.view import View
from bot.projections import locks as lock_rules
from bot.projections import slots as slot_rules
from handlers.decide import decide
from tests.handlers.fake_forge import FakeDeployer, FakeForge

POLICY = """\
version: 1
roles:
  ProductOwner: {users: [jane.doe]}
  StudioApprover: {users: [sam], permissions: [override.freeze]}
  Deployer: {users: [dana]}
environments:
  staging:
    gates: [tests-passed]
    deploy: {strategy: process, retries: 1, rollback: automatic}
  production:
    after: [staging]
    gates:
      - tests-passed
      - approvals: {role: ProductOwner}
    deploy: {strategy: process, retries: 1, rollback: automatic}
"""
FROZEN = (
    POLICY
    + """\
freezes:
  - {name: year-end, environments: [production], from: 2026-12-18, to: 2027-01-04, timezone: Europe/Paris}
"""
)


def person(login: str, permission: str = "write", *teams: str) -> p.Actor:
    return p.Actor(login=login, permission=permission, teams=teams)


@dataclass
class World:
    policy: str = POLICY
    now: datetime = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    forge: FakeForge = field(default_factory=FakeForge)
    deployer: FakeDeployer = field(default_factory=FakeDeployer)
    logs: dict[str, list[Event]] = field(default_factory=dict)
    states: dict[str, TraceState] = field(default_factory=dict)
    slots: dict[str, Slot] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)
    timers: list[tuple[str, Timer]] = field(default_factory=list)
    inbox: deque[tuple[str, Draft]] = field(default_factory=deque)
    held: list[tuple[str, str, fx.Effect]] = field(default_factory=list)
    trace: str = "trace-1234"
    counter: int = 0
    attests: bool = False
    creates_in: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.forge.policy = self.policy
        for who in (
            person("jane.doe"),
            person("sam"),
            person("dana"),
            person("mallory"),
            person("reader", "read"),
            person("agent"),
        ):
            self.forge.people.setdefault(who.login, who)

    # -- what tests do
    # -------------------------------------------------------------------------------------------------

    def submit(self, version: str = "1.0.0", trace: str = "trace-1234", **more: Any) -> World:
        self.trace = trace
        module = p.ModuleGenerated(
            repository=self.forge.repository,
            module_id="booking-service",
            version=version,
            files=more.pop(
                "files", (fx.File(path="booking_service/__init__.py", content=f"VERSION = {version!r}\n"),)
            ),
            changelog=more.pop("changelog", ("Book appointments",)),
            **more,
        )
        return self.say(draft("ModuleGenerated", module, actor="agent", module_id="booking-service"))

    def tests(
        self,
        status: str = "success",
        coverage: float = 91.0,
        *,
        jobs: tuple[str, ...] | None = None,
        revision: str | None = None,
    ) -> World:
        """The head's pipeline has run, with the jobs that it has, or with these."""
        change = self.state.change or {}
        known = [job["name"] for job in (self.state.pipeline or {}).get("jobs", ())]
        names = tuple(known or ("build", "test", "scan", "package")) if jobs is None else jobs
        run = p.PipelineFinished(
            repository=self.forge.repository,
            revision=revision or change["head"],
            branch=change["source"],
            pipeline_id="1",
            status=status,
            coverage=coverage,
            jobs=tuple(p.Job(name=name, stage="test", status=status) for name in names),
        )
        return self.say(draft("PipelineFinished", run))

    def comment(self, author: str, body: str) -> World:
        self.counter += 1
        return self.say(self.forge.comment(author, body, self, f"c{self.counter}"))

    def push(self, who: str, path: str = "hack.py", text: str = "x = 1\n") -> World:
        self.forge.push(who, path, text)
        self.inbox.extend((self.trace, said) for said in self.forge.outbox)
        self.forge.outbox.clear()
        return self.run()

    def say(self, said: Draft, trace: str | None = None) -> World:
        self.inbox.append((trace or self.trace, said))
        return self.run()

    def at(self, moment: str) -> World:
        """Let time pass; timers that are due fire."""
        self.now = datetime.fromisoformat(moment).astimezone(UTC)
        due = [(trace, timer) for trace, timer in self.timers if timer.at <= self.now]
        self.timers = [entry for entry in self.timers if entry not in due]
        for trace, timer in due:
            self.inbox.append((trace, timer.draft))
        return self.run()

    # -- the loop
    # ------------------------------------------------------------------------------------------------------

    @property
    def deployed(self) -> list[fx.ApplyRelease]:
        """Every attempt that was made to make something run."""
        return self.deployer.effects

    @property
    def state(self) -> TraceState:
        return self.states[self.trace]

    @property
    def events(self) -> list[Event]:
        return self.logs[self.trace]

    def types(self, *only: str) -> list[str]:
        return [event.type for event in self.events if not only or event.type in only]

    def last(self, type_: str) -> Event:
        return next(event for event in reversed(self.events) if event.type == type_)

    def view(self, state: TraceState | None = None) -> View:
        return View(
            now=self.now,
            state=state or self.state,
            slots=dict(self.slots),
            locks=self.locks,
            find=self.find,
            attests=self.attests,
            creates_in=self.creates_in,
        )

    def find(self, event_id: str) -> Event | None:
        return next((event for log in self.logs.values() for event in log if event.id == event_id), None)

    def run(self) -> World:
        for _ in range(500):
            if not self.inbox:
                return self
            trace, said = self.inbox.popleft()
            self._take(trace, said)
        raise AssertionError("the loop does not come to rest")

    def _take(self, trace: str, said: Draft) -> None:
        self.counter += 1
        self.now += timedelta(milliseconds=10)
        first = Event(
            **said.model_dump(),
            id=derived_id(trace, str(self.counter)),
            source="test",
            time=self.now,
            tenant_id="default",
            trace_id=trace,
        )
        queue = deque([first])
        while queue:
            event = self._append(queue.popleft())
            state = self.states[trace]
            decision = decide(event, self.view(state))
            queue.extend(stamp(d, cause=event, index=i) for i, d in enumerate(decision.events))
            known = {(t, timer.name) for t, timer in self.timers}
            self.timers += [(trace, timer) for timer in decision.timers if (trace, timer.name) not in known]
            self.inbox.extend((message.trace_id, message.draft) for message in decision.messages)
            for sweep in decision.sweeps:
                open_ones = [
                    t
                    for t, s in self.states.items()
                    if s.repository == sweep.repository
                    and not s.published
                    and (not sweep.only_changes or (s.change or {}).get("state") == "open")
                ]
                self.inbox.extend((trace_id, sweep.draft) for trace_id in open_ones)
            for number, effect in enumerate(decision.effects):
                self._perform(trace, f"{trace}.{event.sequence:06d}.{number}", effect)

    def _append(self, event: Event) -> Event:
        state = self.states.get(event.trace_id) or TraceState(tenant_id="default", trace_id=event.trace_id)
        event = event.model_copy(update={"sequence": state.sequence + 1})
        self.states[event.trace_id] = apply(state, event)
        self.logs.setdefault(event.trace_id, []).append(event)
        self.locks = lock_rules.apply(self.locks, event)
        environment = event.data.get("environment")
        if environment:
            before = self.slots.get(environment) or Slot(environment=environment)
            self.slots[environment] = slot_rules.apply(before, event)
        return event

    def release_held(self) -> World:
        """Let the deployments that were held finish."""
        held, self.held, self.deployer.hold = self.held, [], False
        for trace, effect_id, effect in held:
            self._perform(trace, effect_id, effect)
        return self.run()

    def _perform(self, trace: str, effect_id: str, effect: fx.Effect) -> None:
        if isinstance(effect, fx.WriteMemory):
            return
        try:
            result = (self.deployer if effect.target == "deploy" else self.forge).perform(effect, self)
        except Permanent as error:
            self.inbox.extend((trace, said) for said in self.forge.outbox)
            self.forge.outbox.clear()
            self.inbox.append(
                (
                    trace,
                    draft(
                        "AgentSkillFailed",
                        p.SkillFailed(
                            effect_id=effect_id,
                            effect=effect.kind,
                            purpose=effect.purpose,
                            task_id=effect.task_id,
                            attempt=1,
                            reason_code=error.reason_code,
                            message=error.message,
                            exhausted=True,
                            request=effect.to_json(),
                        ),
                    ),
                )
            )
            return
        if result is None:
            self.held.append((trace, effect_id, effect))
            return
        outcome = (
            draft("FactsGathered", result)
            if isinstance(result, p.FactsGathered)
            else draft(
                "AgentActionCompleted",
                p.ActionCompleted(
                    effect_id=effect_id,
                    effect=effect.kind,
                    purpose=effect.purpose,
                    task_id=effect.task_id,
                    request={k: v for k, v in effect.to_json().items() if k != "files"},
                    result=result.to_json(),
                ),
            )
        )
        if not isinstance(effect, fx.React):
            self.inbox.append((trace, outcome))
        self.inbox.extend((trace, said) for said in self.forge.outbox)
        self.forge.outbox.clear()


BOT = messages.BOT
