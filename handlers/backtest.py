"""What another policy would have answered: every verdict that was told, asked again at its moment.

Pure: the events of a trace in, the verdicts that differ out. What people may do is what the forge had said
then; of somebody whom the old policy did not ask for, nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import policies
from bot.domain.effect import NewlyBlocked, OtherVerdict
from bot.domain.event import Event
from bot.domain.trace import WEBHOOKS, TraceState, apply_facts
from bot.domain.view import View
from handlers.evaluation import release_facts
from handlers.policy import policy_of

VERDICT = "pointsman.VerdictChanged"
READ = frozenset(
    [
        "ModuleGenerated",
        "ReleaseIntentDeclared",
        "CommitReady",
        "PullRequestCreated",
        "ChangeOpened",
        "ChangeUpdated",
        "ChangeReopened",
        "ChangeLabelled",
        "ChangeClosed",
        "ChangeMerged",
        "PipelineReady",
        "PipelineFinished",
        "TestsPassed",
        "TestsFailed",
        "InfraProvisioned",
        "FactsGathered",
        "ReviewSubmitted",
        "ReviewDismissed",
        "ApprovalGranted",
        "ApprovalRevoked",
        "ApprovalInvalidated",
        "FreezeOverridden",
        "ReleaseRejected",
        "pointsman.ApprovalsCarried",
        "pointsman.BranchUpdateRequested",
        "AgentActionCompleted",
        "DeploymentStarted",
        "DeploymentCompleted",
        "DeploymentFailed",
        "RollbackTriggered",
        "TriggerRequested",
    ]
)
"""Events that change what gates read; the fold of the others is left out."""
ASKED = READ | {VERDICT}


@dataclass(frozen=True)
class Answer:
    """Of one trace: how many verdicts were asked again, and those that differ."""

    asked: int
    differences: tuple[OtherVerdict, ...]


def backtest(events: Iterable[Event], policy: policies.Policy) -> Answer:
    """Ask `policy` of every verdict in the events of one trace, which are in order; ASKED are enough."""
    state: TraceState | None = None
    asked, found = 0, []
    for event in events:
        state = state or _first(event)
        if event.type in READ:
            state = apply_facts(state, event)
        elif event.type == VERDICT:
            asked += 1
            difference = _asked_again(event, state, policy)
            found += [difference] if difference else []
    return Answer(asked, tuple(found))


def _first(event: Event) -> TraceState:
    state = TraceState(tenant_id=event.tenant_id, trace_id=event.trace_id)
    forge = event.source.removeprefix(WEBHOOKS) if event.source.startswith(WEBHOOKS) else state.forge
    return state.model_copy(update={"forge": forge})


def newly_blocked(state: TraceState, policy: policies.Policy, now: datetime) -> Iterator[NewlyBlocked]:
    """The gates that `policy` would close for an open change, environment by environment.

    Closed newly: the policy in force has no gate of that name there that blocks. What a new gate would still
    have to look up counts as closed, because it would be until it is looked up.
    """
    before, change = policy_of(state), state.change or {}
    view = View(now=now, state=state)
    for name in policy.of(state.tenant_id).environments:
        facts = release_facts(view, name)
        known = before is not None and name in before.environments
        closed = _closing(before, facts, now) if before is not None and known else frozenset[str]()
        found = sorted(_closing(policy, facts, now) - closed)
        if found:
            yield NewlyBlocked(
                trace_id=state.trace_id, change=change["number"], environment=name, gates=tuple(found)
            )


def _closing(policy: policies.Policy, facts: policies.ReleaseFacts, now: datetime) -> frozenset[str]:
    verdict = policies.evaluate(policy, facts, now)
    if not verdict.blocks:
        return frozenset()
    nodes = [child for child in verdict.children if child.state in {"delayed", "rejected"}] or [verdict]
    return frozenset(node.name if node is not verdict else verdict.reason_code for node in nodes)


def _asked_again(event: Event, state: TraceState, policy: policies.Policy) -> OtherVerdict | None:
    told, environment = event.data, event.data["environment"]
    facts = release_facts(View(now=event.time, state=state), environment)
    facts = facts.model_copy(update={"revision": told["revision"], "phase": told.get("phase", "change")})
    verdict = policies.evaluate(policy, facts, event.time)
    if verdict.state == told["state"]:
        return None
    return OtherVerdict(
        trace_id=state.trace_id,
        environment=environment,
        revision=told["revision"],
        at=event.time,
        was=told["state"],
        would=verdict.state,
        reason_code=verdict.reason_code,
        message=verdict.message,
    )
