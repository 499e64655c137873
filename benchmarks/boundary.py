"""A freeze boundary: `python -m benchmarks.boundary URL COUNT` prints `{"seconds": ..., "releases": ...}`.

COUNT open changes of ten repositories, each approved and tested, wait for one freeze to end. The clock runs
from the boundary until every one of them has been evaluated again and everything that follows is on disk:
verdicts, what the flow makes of them, and the effects for the forge. Nobody performs those, for that is the
forge's time. The engine is the real one, in one thread: a look for open traces, the inbox, the drains.
"""

from __future__ import annotations

import itertools
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from benchmarks.applied import clocks
from benchmarks.subject import BenchForge
from bot.app import settle
from bot.domain.event import Event, stamp
from bot.domain.trace import TraceState, apply
from bot.domain.view import View
from bot.engine.drain import drain
from bot.engine.runtime import Runtime
from bot.engine.timers import fire_shared
from bot.log import Store, append
from bot.log.tables import EVENTS, INBOX
from bot.settings import Settings
from handlers.decide import decide
from handlers.reevaluation import reevaluate

REPOSITORIES = 10
TENANT = "default"
POLICY = """\
version: 1
roles: {{ProductOwner: {{users: [jane.doe]}}}}
environments:
  staging: {{gates: [tests-passed]}}
  production:
    after: [staging]
    gates: [tests-passed, hold, {{coverage: {{minimum: 80}}}}, {{approvals: {{role: ProductOwner}}}}]
freezes: [{{name: fair, environments: [production], from: 2020-01-01, to: "{end}", timezone: UTC}}]
merge: {{when: manual, update-branch: false}}
"""


def story(number: int, began: datetime, end: datetime) -> list[Event]:
    """An open change that waits for the end of the freeze alone, as the log knows it."""
    trace, head = f"trace-{number:06d}", f"{number:040x}"
    repository = f"acme/repo-{number % REPOSITORIES}"
    change = {
        "repository": repository, "number": number + 1, "url": f"https://forge/{number}", "title": "feat: it",
        "author": "bob", "source": f"feature/{number}", "target": "main", "head": head, "state": "open",
        "committers": ["bob"], "paths": ["src/app.py"],
    }  # fmt: skip
    opened = {name: value for name, value in change.items() if name != "state"}
    facts = {
        "correlation": f"first-{number}", "repository": repository, "purpose": "release", "change": change,
        "policyText": POLICY.format(end=end.isoformat()), "policyRevision": head, "defaultHead": "b" * 40,
        "actors": {"jane.doe": {"login": "jane.doe", "permission": "write"}},
    }  # fmt: skip
    run = {
        "repository": repository, "revision": head, "pipelineId": "1", "status": "success", "coverage": 91.0,
        "branch": change["source"], "jobs": [{"name": "unit", "stage": "test", "status": "success"}],
    }  # fmt: skip
    approval = {
        "environment": "production", "revision": head, "approver": "jane.doe", "role": "ProductOwner",
        "method": "comment", "approvedAt": began.isoformat(),
    }  # fmt: skip
    said: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("ChangeOpened", "webhooks/local", opened),
        ("FactsGathered", "effects/local", facts),
        ("PipelineFinished", "webhooks/local", run),
        ("TestsPassed", "pointsman", {"revision": head, "coverage": 91.0}),
        ("ApprovalGranted", "pointsman", approval),
    )
    return [
        Event(
            id=f"{trace}-{index}", source=source, type=type_, time=began, tenant_id=TENANT, trace_id=trace,
            data=data, actor="jane.doe",
        )
        for index, (type_, source, data) in enumerate(said)
    ]  # fmt: skip


def told(events: list[Event], now: datetime) -> list[Event]:
    """A story, and what the bot said at its end: everything but the freeze holds."""
    state = TraceState(tenant_id=TENANT, trace_id=events[0].trace_id)
    for event in events:
        state = apply(state, event)
    decision = reevaluate(View(now=now, state=state))
    return [*events, *(stamp(one, cause=events[-1], index=n) for n, one in enumerate(decision.events))]


def fill(store: Store, count: int, began: datetime, end: datetime) -> None:
    """The log of `count` open changes that were evaluated an hour before the end."""
    for start in range(0, count, 200):
        with store.begin() as session:
            numbers = range(start, min(start + 200, count))
            stories = (told(story(number, began, end), began) for number in numbers)
            append(session, [event for events in stories for event in events])


def evaluated(store: Store) -> int:
    """Verdicts in the log."""
    with store.read() as session:
        told = sa.select(sa.func.count()).select_from(EVENTS)
        return int(session.execute(told.where(EVENTS.c.type == "pointsman.VerdictChanged")).scalar_one())


def waiting(store: Store) -> int:
    """Rows of the inbox that no drain has taken yet."""
    with store.read() as session:
        rows = sa.select(sa.func.count()).select_from(INBOX).where(INBOX.c.done == 0)
        return int(session.execute(rows).scalar_one())


def drained(runtime: Runtime) -> None:
    """Every shard until its inbox is empty, as the engine's own workflow does it."""
    for turn in itertools.count():
        for shard in range(runtime.settings.shards):
            drain(runtime.wiring, shard, f"benchmark-{turn}-{shard}")
        if not waiting(runtime.store):
            return


def measured(url: str, count: int) -> dict[str, float]:
    """Seconds, and processor seconds, from the boundary until all is on disk."""
    settings = Settings(database_url=url)
    end = datetime.now(UTC).replace(microsecond=0)
    runtime = Runtime(settings, forges={"local": BenchForge()}, performers={}, decide=decide, work=False)
    runtime.launch()
    fill(runtime.store, count, end - timedelta(hours=1), end)
    settle()
    began = clocks()
    said = {"type": "TriggerRequested", "data": {"reason": f"a freeze changes at {end}", "timer": "freeze"}}
    for number in range(REPOSITORIES):
        fire_shared(runtime.wiring, TENANT, "local", f"acme/repo-{number}", "freeze", json.dumps(said))
    drained(runtime)
    ended = clocks()
    assert evaluated(runtime.store) == 3 * count, "staging, production, and production again"
    runtime.close()
    return {"seconds": ended[0] - began[0], "cpu_s": ended[1] - began[1], "releases": count}


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], int(sys.argv[2]))))
