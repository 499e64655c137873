"""A repository that has no policy: one is proposed as a change, with what it would have said so far.

The proposed policy only observes. The report beside it is its verdict on the last merged changes, given by
the same engine that will judge the next ones.
"""

from __future__ import annotations

from datetime import datetime

import policies
from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import ChangeResult, CommitFiles, File, GatherFacts, OpenChange
from bot.domain.event import Event
from bot.domain.release import POLICY_FILE, Approval
from bot.domain.view import View
from handlers.declare import done, facts, on
from policies.facts import ReleaseFacts, TestState

AGENT = "pull-request-creator"
BRANCH = "pointsman/onboarding"
PAST = 10
ENVIRONMENT = "production"
ROLE = "ReleaseManager"


@on("pointsman.OnboardingRequested")
def on_onboarding(event: Event, view: View) -> Decision:
    """Look whether there is a policy, and at what was merged last."""
    return do(
        GatherFacts(
            target=view.state.forge,
            repository=view.state.repository,
            purpose="onboarding",
            correlation=event.id,
            agent_id=AGENT,
            paths=(POLICY_FILE,),
            past=PAST,
        )
    )


@facts("onboarding")
def propose(gathered: p.FactsGathered, view: View) -> Decision:
    """Commit the proposal to a branch of its own; a policy that is there is left alone."""
    if gathered.files.get(POLICY_FILE) is not None:
        told = p.Intervention(
            reason_code="PolicyExists",
            message=messages.policy_exists(gathered.repository),
            role="DevOpsEngineer",
        )
        return record(draft("ManualInterventionRequired", told, agent_id=AGENT))
    return do(
        CommitFiles(
            target=view.state.forge,
            repository=gathered.repository,
            purpose="onboarding",
            agent_id=AGENT,
            branch=BRANCH,
            base=gathered.default_branch,
            files=(File(path=POLICY_FILE, content=messages.proposed_policy(owners(gathered.past))),),
            message=messages.ONBOARDING_TITLE,
            trailers={"Trace-Id": view.state.trace_id, "Agent-Id": AGENT},
        )
    )


@done("CommitFiles", "onboarding")
def committed(_action: p.ActionCompleted, view: View) -> Decision:
    """Open the change, with the report in its body."""
    looked = p.FactsGathered.model_validate({"correlation": "", "repository": "", **view.state.facts})
    text = messages.proposed_policy(owners(looked.past))
    report = [(change, verdict(text, change, view.now)) for change in looked.past]
    return do(
        OpenChange(
            target=view.state.forge,
            repository=view.state.repository,
            purpose="onboarding",
            agent_id=AGENT,
            source=BRANCH,
            target_branch=looked.default_branch,
            title=messages.ONBOARDING_TITLE,
            body=messages.onboarding_body([(change, one.state, one.message) for change, one in report]),
        )
    )


@done("OpenChange", "onboarding")
def opened(action: p.ActionCompleted, view: View) -> Decision:
    """The change belongs to this trace, whatever its webhook says first."""
    result = ChangeResult.model_validate(action.result)
    created = p.PullRequestCreated(
        repository=view.state.repository,
        number=result.number,
        url=result.url,
        title=action.request.get("title", ""),
        source=BRANCH,
        target=action.request.get("targetBranch", ""),
        head=result.head,
        files=(POLICY_FILE,),
    )
    return record(draft("PullRequestCreated", created, agent_id=AGENT)) if result.created else NOTHING


def owners(past: tuple[p.PastChange, ...]) -> tuple[str, ...]:
    """Who has merged or approved what others wrote: the people who sign off today."""
    seen = [
        who
        for change in past
        for who in (change.merged_by, *change.approvers)
        if who and who not in {change.author, messages.BOT}
    ]
    return tuple(dict.fromkeys(seen))


def verdict(text: str, change: p.PastChange, now: datetime) -> policies.Verdict:
    """What a policy would have said of a change before it was merged, had it been in force."""
    policy = policies.load(text)
    known: dict[str, TestState] = {} if change.tests == "unknown" else {change.head: change.tests}
    people = {change.author, change.merged_by, *change.approvers, *change.committers} - {""}
    return policies.evaluate(
        policy,
        ReleaseFacts(
            environment=ENVIRONMENT,
            revision=change.head,
            tests=known,
            author=change.author,
            committers=change.committers,
            labels=change.labels,
            approvals=tuple(_review(change, who, now) for who in change.approvers),
            actors={who: p.Actor(login=who, permission="write") for who in people},
        ),
        now,
    )


def _review(change: p.PastChange, who: str, now: datetime) -> Approval:
    return Approval(
        id=f"{change.number}-{who}",
        environment=ENVIRONMENT,
        revision=change.head,
        approver=who,
        role=ROLE,
        method="review",
        approved_at=now,
    )
