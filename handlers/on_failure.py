"""An issue for a release that was rolled back, or a deployment given up, where the policy wants one."""

from __future__ import annotations

from typing import Literal

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.decision import NOTHING, Decision, do
from bot.domain.effect import OpenIssue
from bot.domain.event import Event
from bot.domain.view import View
from handlers.declare import on
from handlers.policy import policy_of
from handlers.targets import ORCHESTRATOR

Kind = Literal["rollback", "failure"]


@on("RollbackTriggered")
def rolled_back(event: Event, view: View) -> Decision:
    """Also when a person asked for it: somebody will want to know why."""
    said = read(event, p.RollbackTriggered)
    title = messages.rolled_back_title(view.state.module_id, said.version, said.environment)
    return _issue("rollback", title, messages.rollback_issue(view.state, said, view.base_url), view)


@on("DeploymentFailed")
def given_up(event: Event, view: View) -> Decision:
    """One issue for one failure: a rollback that failed has its issue, where rollbacks have any."""
    ended = read(event, p.DeploymentEnded)
    if ended.recoverable or (ended.rollback and "rollback" in _wanted(view)):
        return NOTHING
    title = messages.given_up_title(view.state.module_id, ended.version, ended.environment)
    return _issue("failure", title, messages.failure_issue(view.state, ended, view.base_url), view)


def _wanted(view: View) -> tuple[Kind, ...]:
    policy = policy_of(view.state)
    return policy.issues.on if policy else ()


def _issue(kind: Kind, title: str, body: str, view: View) -> Decision:
    policy = policy_of(view.state)
    if policy is None or kind not in policy.issues.on or not view.state.repository:
        return NOTHING
    return do(
        OpenIssue(
            target=view.state.forge,
            repository=view.state.repository,
            purpose="issue",
            agent_id=ORCHESTRATOR,
            title=title,
            body=body,
            labels=policy.issues.labels,
        )
    )
