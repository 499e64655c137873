"""Release Manager: one verdict per environment, told once per change of its text, acted on once per
transition (seed 003, agent 5).

Before the merge a verdict asks "may this change be merged"; after it, "may this release start here". The
second asks everything
again, so that nothing starts on a stale answer.
"""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, record
from bot.domain.event import Event
from bot.domain.view import View
from handlers.asking import ask
from handlers.declare import facts, on, skill
from handlers.evaluation import evaluate
from handlers.merging import AGENT
from handlers.on_push import REREAD_FACTS
from handlers.policy import policy_text, unread
from handlers.reevaluation import reevaluate, show

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
    "ReleaseDelayed",
    "pointsman.DelayEnded",
    "pointsman.ChangeHeld",
    "pointsman.ChangeFreed",
    "pointsman.FlowPaused",
    "pointsman.FlowResumed",
    "pointsman.EnvironmentLocked",
    "pointsman.EnvironmentUnlocked",
)
ANSWERS = frozenset({"ReleaseRejected", "ReleaseDelayed"})
"""Of ours, unless a person says so: then there is something to read."""


HEADS = frozenset({"ChangeOpened", "ChangeUpdated", "ChangeReopened"})
"""After these the change may touch other files (the policy's among them) than when it was last looked at."""


@skill(AGENT, "EvaluateRelease")
def evaluate_release(task: p.TaskScheduled, view: View) -> Decision:
    """Look at policy, head and people again before the first verdict of this visit."""
    return ask(view, "release", task.task_id)


@facts("release")
def on_release_facts(gathered: p.FactsGathered, view: View) -> Decision:
    """The facts of an evaluation are there; a new policy may name files that nobody has read yet."""
    if unread(view.state, gathered.files):
        return ask(view, "release", f"{gathered.correlation}+files")
    return reevaluate(view)


@on(*REREAD)
def on_anything_gates_read(event: Event, view: View) -> Decision:
    """Evaluate again when something that gates read has changed; with fresh facts when nobody has looked
    yet.
    """
    state = view.state
    if state.change is None or not state.repository or (event.type in ANSWERS and not event.actor):
        return NOTHING
    nobody_looked = event.type in HEADS and state.facts_of != state.change["head"]
    if policy_text(state) is None or nobody_looked or event.data.get("reason") in REREAD_FACTS:
        return ask(view, "release", event.id)
    return reevaluate(view)


@on("DeploymentCompleted", "DeploymentFailed")
def on_deployment(_event: Event, view: View) -> Decision:
    """Show on the change what runs where, also when no verdict has changed. That one runs is not worth a
    write of its own: the forge's deployment says it.
    """
    return show(evaluate(view), view)


@on("ChangeMerged")
def on_merged(event: Event, view: View) -> Decision:
    """What is merged is what was approved only when the trees are equal; then approvals and tests carry
    over. A forge that does not tell the trees is asked for them.
    """
    merged = read(event, p.ChangeMerged)
    if not merged.tree:
        return ask(view, "merged", event.id)
    return _carried(merged) + ask(view, "release", event.id)


@facts("merged")
def on_merged_told(gathered: p.FactsGathered, view: View) -> Decision:
    """The trees of a merge that had been told without them."""
    told, known = gathered.change or {}, view.state.change or {}
    more = ask(view, "release", f"{gathered.correlation}+merged")
    if not known.get("mergeSha"):
        return more
    trees = {"tree": told.get("mergeTree", ""), "headTree": told.get("tree", "")}
    if told.get("mergeSha") != known["mergeSha"]:
        # After a squashed fast-forward GitLab names no merge, and the head stood for it.
        named = known["mergeSha"] == known.get("head") and all(trees.values())
        rest = known | trees | {"mergeSha": told.get("mergeSha")}
        return record(draft("ChangeMerged", p.ChangeMerged.model_validate(rest))) if named else more
    return _carried(p.ChangeMerged.model_validate(known | trees)) + more


def _carried(merged: p.ChangeMerged) -> Decision:
    if not merged.tree or merged.tree != merged.head_tree:
        return NOTHING
    carried = p.ApprovalsCarried(from_revision=merged.head, to_revision=merged.merge_sha, tree=merged.tree)
    return record(draft("pointsman.ApprovalsCarried", carried, agent_id=AGENT))
