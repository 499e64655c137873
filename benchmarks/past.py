"""A backtest: `python -m benchmarks.past URL COUNT` prints `{"seconds": ..., "releases": ...}`.

COUNT past releases, two to a trace, lie in the log as the bot writes them: submission, change, run, facts,
approval, verdicts and what the flow and the forge said between. The clock runs while another policy is asked
of every verdict, log reading included. What is measured is what `pointsman policy backtest` and the check on
a change to the policy do.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import policies
from benchmarks.applied import clocks
from benchmarks.boundary import POLICY, TENANT, story
from bot.domain.event import Event
from bot.domain.model import rfc3339
from bot.domain.release import release_id
from bot.log import Store, append, upgrade
from bot.trial.past import asked_again

BEGAN = datetime(2026, 11, 18, 12, tzinfo=UTC)
END = datetime(2026, 1, 1, tzinfo=UTC)
BETWEEN = 12
"""Steps of the flow and answers of the forge in a trace, which no gate reads."""
STRICTER = POLICY.format(end=END.isoformat()).replace("minimum: 80", "minimum: 95")


def told(number: int) -> list[Event]:
    """The events of one trace with two releases, staging and production."""
    happened = story(number, BEGAN, END)
    head = f"{number:040x}"
    for index in range(BETWEEN):
        data = {"effectId": f"e{index}", "effect": "SetCheck", "result": {}, "request": {"title": "x" * 200}}
        happened.append(_event(number, f"step-{index}", "AgentActionCompleted", data))
    for environment in ("staging", "production"):
        tree = {"name": environment, "state": "approved", "message": "1.2.0 may be merged.", "children": []}
        verdict = {
            "environment": environment, "revision": head, "state": "approved", "reasonCode": "Approved",
            "digest": "0" * 16, "verdict": tree, "policyDigest": "0" * 12, "phase": "change",
        }  # fmt: skip
        release = release_id("", "", environment, head)
        event = _event(number, environment, "pointsman.VerdictChanged", verdict)
        happened.append(event.model_copy(update={"environment": environment, "release_id": release}))
    return happened


def _event(number: int, name: str, type_: str, data: dict[str, object]) -> Event:
    trace = f"trace-{number:06d}"
    said = {"id": f"{trace}-{name}", "source": "pointsman", "type": type_, "time": rfc3339(BEGAN)}
    return Event.model_validate(said | {"tenantId": TENANT, "traceId": trace, "data": data})


def measured(url: str, count: int) -> dict[str, float]:
    """Seconds, and processor seconds, of a backtest over `count` releases."""
    upgrade(url)
    store, traces = Store(url), count // 2
    for start in range(0, traces, 100):
        with store.begin() as session:
            numbers = range(start, min(start + 100, traces))
            append(session, [event for number in numbers for event in told(number)])
    policy = policies.load(STRICTER)
    began = clocks()
    with store.read() as session:
        answer = asked_again(session, TENANT, (f"trace-{number:06d}" for number in range(traces)), policy)
    ended = clocks()
    assert (answer.asked, len(answer.differences)) == (2 * traces, traces)
    store.close()
    return {"seconds": ended[0] - began[0], "cpu_s": ended[1] - began[1], "releases": answer.asked}


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], int(sys.argv[2]))))
