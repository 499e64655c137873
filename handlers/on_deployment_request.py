"""A forge asks whether its own deployment may go on: it gets the verdict of that environment.

GitHub asks by deployment protection rules, Azure Pipelines by environment checks. What is approved goes on,
what is rejected ends; in between the forge waits, and is answered when the verdict changes.
"""

from __future__ import annotations

from typing import Literal

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import AnswerDeployment
from bot.domain.event import Event
from bot.domain.view import View
from handlers.declare import on
from handlers.evaluation import Evaluation, evaluate
from handlers.merging import AGENT

State = Literal["approved", "rejected"]
FINAL: dict[str, State] = {"approved": "approved", "rejected": "rejected"}


@on("DeploymentRequested", "pointsman.VerdictChanged")
def on_deployment_request(_event: Event, view: View) -> Decision:
    """Answer every deployment whose answer is known now."""
    if not view.state.asked_to_deploy:
        return NOTHING
    verdicts = {name: _verdict(evaluation) for name, evaluation in evaluate(view).items()}
    decision = NOTHING
    for asked in view.state.asked_to_deploy:
        state, reason = _answer(asked, verdicts, view)
        if state is not None:
            decision += _told(asked, state, reason, view)
    return decision


def _verdict(evaluation: Evaluation) -> tuple[State | None, str]:
    state, message = evaluation.verdict.state, evaluation.verdict.message
    if evaluation.observed:
        return "approved", messages.observed_only(state, message)
    return FINAL.get(state), message


def _answer(
    asked: p.DeploymentRequested, verdicts: dict[str, tuple[State | None, str]], view: View
) -> tuple[State | None, str]:
    if asked.revision != view.state.head:
        return "rejected", messages.not_the_release(asked.revision, view.state.head)
    if asked.environment not in verdicts:
        return "rejected", messages.unknown_environment(asked.environment, tuple(verdicts))
    return verdicts[asked.environment]


def _told(asked: p.DeploymentRequested, state: State, reason: str, view: View) -> Decision:
    answered = p.DeploymentAnswered(
        environment=asked.environment,
        revision=asked.revision,
        deployment_id=asked.deployment_id,
        state=state,
        reason=reason,
    )
    tell = AnswerDeployment(
        target=view.state.forge,
        repository=asked.repository,
        purpose="answer-deployment",
        agent_id=AGENT,
        environment=asked.environment,
        deployment_id=asked.deployment_id,
        run_id=asked.run_id,
        state=state,
        comment=reason,
    )
    said = draft("pointsman.DeploymentAnswered", answered, environment=asked.environment, agent_id=AGENT)
    return record(said) + do(tell)
