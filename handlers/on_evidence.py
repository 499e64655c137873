"""Reports of a pipeline become evidence, when some gate of the policy reads it; new evidence is judged."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import CoverageResult, EvidenceResult, GatherEvidence, RecallCoverage
from bot.domain.event import Draft, Event
from bot.domain.trace import is_ours
from bot.domain.trace_evidence import identity
from bot.domain.view import View
from handlers.declare import done, on
from handlers.devops_engineer import AGENT
from handlers.policy import policy_of
from handlers.reevaluation import reevaluate

PURPOSE = "evidence"


@on("PipelineFinished")
def on_run(event: Event, view: View) -> Decision:
    """Have the reports read that gates ask for. A coverage that the run tells itself needs no report."""
    run = read(event, p.PipelineFinished)
    policy = policy_of(view.state)
    if policy is None or run.told == "outcome" or not is_ours(view.state, event.data):
        return NOTHING
    regulated = view.state.module.get("complianceMode") is True
    told = {"cobertura"} if run.coverage is not None else set()
    kinds = tuple(sorted(policy.evidence(compliance=regulated) - told))
    if not kinds:
        return NOTHING
    return do(
        GatherEvidence(
            repository=run.repository,
            purpose=PURPOSE,
            agent_id=AGENT,
            forge=view.state.forge,
            run=run.pipeline_id,
            revision=run.revision,
            kinds=kinds,
        )
    )


@done("GatherEvidence", PURPOSE)
def on_read(action: p.ActionCompleted, view: View) -> Decision:
    """Record what each report says, the same report of the same run once, and judge when all are there."""
    result = EvidenceResult.model_validate(action.result)
    said = [p.EvidenceAdded.model_validate(one) for one in result.evidence]
    known = {(identity(one), one.digest) for some in view.state.evidence.values() for one in some}
    facts = [_added(one) for one in said if (identity(one), one.digest) not in known]
    facts += _refused(action, result, view)
    if not facts:
        return NOTHING
    return record(*facts, draft("TriggerRequested", p.TriggerRequested(reason=PURPOSE)))


def _added(said: p.EvidenceAdded) -> Draft:
    return draft("pointsman.EvidenceAdded", said, agent_id=AGENT)


def _refused(action: p.ActionCompleted, result: EvidenceResult, view: View) -> list[Draft]:
    """What could not be read; said once, and once more when nothing of it is left."""
    asked = GatherEvidence.model_validate(action.request)
    if result.refused == view.state.evidence_refused.get(asked.revision, {}):
        return []
    said = p.EvidenceRefused(
        repository=asked.repository, revision=asked.revision, run=asked.run, refused=result.refused
    )
    return [draft("pointsman.EvidenceRefused", said, agent_id=AGENT)]


@on("pointsman.EvidenceAdded", "pointsman.CoverageRecalled")
def on_evidence(event: Event, view: View) -> Decision:
    """Judge anew what a change rests on. Reports of a pipeline come together: once is enough."""
    if view.state.change is None or not view.state.repository or event.data.get("source") == "pipeline":
        return NOTHING
    return reevaluate(view)


@on("TestsPassed", "TestsFailed", "FactsGathered")
def on_something_to_compare(event: Event, view: View) -> Decision:
    """Ask the log how much of the target is covered, where the policy compares; once per head of it."""
    state, change = view.state, view.state.change or {}
    policy = policy_of(state)
    if policy is None or not policy.compares_coverage or change.get("state") != "open":
        return NOTHING
    if event.type == "FactsGathered" and not _went_on(view):
        return NOTHING
    return do(
        RecallCoverage(
            repository=state.repository,
            purpose=PURPOSE,
            agent_id=AGENT,
            forge=state.forge,
            branch=change["target"],
            module_id=state.module_id,
            head=state.facts.get("defaultHead") or "",
        )
    )


def _went_on(view: View) -> bool:
    """Whether the target has another head than when the log was asked."""
    known = view.state.base_coverage
    return known is None or known.head != (view.state.facts.get("defaultHead") or "")


@done("RecallCoverage", PURPOSE)
def on_recalled(action: p.ActionCompleted, view: View) -> Decision:
    """Record what the log knows, when it is news."""
    asked = RecallCoverage.model_validate(action.request)
    result = CoverageResult.model_validate(action.result)
    said = p.CoverageRecalled(
        branch=asked.branch, head=asked.head, coverage=result.coverage, revision=result.revision
    )
    if said == view.state.base_coverage:
        return NOTHING
    return record(draft("pointsman.CoverageRecalled", said, agent_id=AGENT))
