"""Release Manager: one verdict per environment, told once per change of its text, acted on once per
transition (seed 003, agent 5).

Before the merge a verdict asks "may this change be merged"; after it, "may this release start here". The
second asks everything
again, so that nothing starts on a stale answer.
"""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, record
from bot.domain.event import Event
from bot.domain.view import View
from handlers.asking import ask
from handlers.declare import facts, on, skill
from handlers.evaluation import evaluate
from handlers.on_push import REREAD_FACTS
from handlers.policy import calendar_paths, policy_text
from handlers.reevaluation import AGENT, reevaluate, show

REREAD = (
    "PipelineReady",
    "TestsPassed",
    "TestsFailed",
    "ApprovalGranted",
    "ApprovalRevoked",
    "ApprovalInvalidated",
    "FreezeOverridden",
    "ChangeOpened",
    "ChangeUpdated",
    "ChangeReopened",
    "ChangeLabelled",
    "DeploymentCompleted",
    "DeploymentFailed",
    "pointsman.ApprovalsCarried",
    "TriggerRequested",
    "InfraProvisioned",
    "ReleaseRejected",
)


@skill(AGENT, "EvaluateRelease")
def evaluate_release(task: p.TaskScheduled, view: View) -> Decision:
    """Look at policy, head and people again before the first verdict of this visit."""
    return ask(view, "release", task.task_id)


@facts("release")
def on_release_facts(gathered: p.FactsGathered, view: View) -> Decision:
    """The facts of an evaluation are there; a new policy may name calendars that nobody has read yet."""
    if set(calendar_paths(view.state)) - view.state.calendars.keys() - gathered.files.keys():
        return ask(view, "release", f"{gathered.correlation}+calendars")
    return reevaluate(view)


@on(*REREAD)
def on_anything_gates_read(event: Event, view: View) -> Decision:
    """Evaluate again when something that gates read has changed; with fresh facts when nobody has looked
    yet.
    """
    state = view.state
    if state.change is None or not state.repository or (event.type == "ReleaseRejected" and not event.actor):
        return NOTHING  # a rejection of our own is an answer; a person's is something to read
    if policy_text(state) is None or event.data.get("reason") in REREAD_FACTS:
        return ask(view, "release", event.id)
    return reevaluate(view)


@on("DeploymentStarted", "DeploymentCompleted", "DeploymentFailed")
def on_deployment(_event: Event, view: View) -> Decision:
    """Show on the change what runs where, also when no verdict has changed."""
    return show(evaluate(view), view)


@on("ChangeMerged")
def on_merged(event: Event, view: View) -> Decision:
    """What is merged is what was approved only when the trees are equal; then approvals and tests carry
    over.
    """
    merged = read(event, p.ChangeMerged)
    carry = NOTHING
    if merged.tree and merged.tree == merged.head_tree:
        carried = p.ApprovalsCarried(
            from_revision=merged.head, to_revision=merged.merge_sha, tree=merged.tree
        )
        carry = record(draft("pointsman.ApprovalsCarried", carried, agent_id=AGENT))
    return carry + ask(view, "release", event.id)


@on("ChangeUpdated")
def on_new_revision(event: Event, view: View) -> Decision:
    """A new revision ends the approvals of the old one, and says so."""
    head = read(event, p.Change).head
    stale = [
        a
        for a in view.state.approvals
        if not a.ended and a.revision != head and view.state.carried.get(head) != a.revision
    ]
    return record(
        *(
            draft(
                "ApprovalInvalidated",
                p.ApprovalInvalidated(
                    environment=a.environment,
                    revision=a.revision,
                    approver=a.approver,
                    new_revision=head,
                    reason=messages.new_revision(head),
                ),
                environment=a.environment,
                agent_id=AGENT,
            )
            for a in stale
        )
    )
