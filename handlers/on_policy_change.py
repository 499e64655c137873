"""A change that touches the policy: the policy of its head is tried, and what came of it is a check and the
one comment about it.

Until it is tried, and when it can not be read or fails its own tests, the bot does not merge it.
"""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import PolicyTrial, PostComment, SetCheck, TryPolicy
from bot.domain.event import Event
from bot.domain.view import View
from handlers.declare import done, on
from handlers.merging import AGENT
from handlers.policy import organisation_text, touches_policy
from handlers.reevaluation import reevaluate

PURPOSE = "policy"
AGAIN = "check"
"""The purpose of facts that were gathered because somebody wants the checks anew."""


@on("FactsGathered")
def on_looked_at(event: Event, view: View) -> Decision:
    """Try each head once, and again when somebody asks for its checks."""
    state = view.state
    change, trial = state.change or {}, state.policy_trial
    if change.get("state") != "open" or state.facts_of != change["head"] or not touches_policy(state):
        return NOTHING
    again = event.data.get("purpose") == AGAIN and trial is not None and trial.ok is not None
    if trial is not None and trial.revision == change["head"] and not again:
        return NOTHING
    return _tried(view)


def _tried(view: View) -> Decision:
    state = view.state
    change = state.change or {}
    asked = p.PolicyTrialRequested(change=change["number"], revision=change["head"])
    trial = TryPolicy(
        purpose=PURPOSE,
        agent_id=AGENT,
        repository=state.repository,
        forge=state.forge,
        change=change["number"],
        branch=change["source"],
        revision=change["head"],
        organisation=organisation_text(state),
    )
    return record(draft("pointsman.PolicyTrialRequested", asked, agent_id=AGENT)) + do(
        trial, _check(view, change["head"], None, messages.trial_running(), "")
    )


@done("TryPolicy", PURPOSE)
def on_tried(action: p.ActionCompleted, view: View) -> Decision:
    """Say what came of it."""
    trial = PolicyTrial.model_validate(action.result)
    title, summary = messages.trial_title(trial), messages.trial_summary(trial)
    return _told(action.request, view, trial, title, summary)


@on("AgentSkillFailed")
def on_not_tried(event: Event, view: View) -> Decision:
    """A policy that can not be tried does not come in by itself."""
    failed = read(event, p.SkillFailed)
    if failed.effect != "TryPolicy" or not failed.exhausted:
        return NOTHING
    title = messages.trial_failed(failed.message)
    return _told(failed.request, view, PolicyTrial(errors=(title,)), title, "")


def _told(request: dict[str, object], view: View, trial: PolicyTrial, title: str, summary: str) -> Decision:
    revision, number = str(request["revision"]), int(str(request["change"]))
    said = p.PolicyTried(
        change=number,
        revision=revision,
        ok=trial.ok,
        message=title,
        differing=trial.differing,
        blocked=len({one.change for one in trial.blocked}),
    )
    shown = _check(view, revision, "success" if trial.ok else "failure", title, summary)
    told = record(draft("pointsman.PolicyTried", said, agent_id=AGENT)) + do(shown)
    if (view.state.change or {}).get("head") != revision:
        return told  # a newer head has a trial of its own
    return told + do(
        PostComment(
            target=view.state.forge,
            repository=view.state.repository,
            purpose=PURPOSE,
            agent_id=AGENT,
            change=number,
            body=messages.trial_comment(revision, title, summary),
            sticky=PURPOSE,
        )
    )


@on("pointsman.PolicyTried")
def on_known(_event: Event, view: View) -> Decision:
    """Whether it may be merged is another question now."""
    return reevaluate(view)


def _check(view: View, revision: str, conclusion: str | None, title: str, summary: str) -> SetCheck:
    return SetCheck(
        target=view.state.forge,
        repository=view.state.repository,
        purpose=PURPOSE,
        agent_id=AGENT,
        revision=revision,
        name=messages.POLICY_CHECK,
        conclusion=conclusion,  # type: ignore[arg-type]
        title=title,
        summary=summary,
        url=messages.trace_url(view.base_url, view.state.trace_id),
    )
