"""The fold of what reports say: by revision, the last of each kind, source and name."""

from __future__ import annotations

from typing import Any

from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.event import Event
from bot.domain.trace_state import TraceState

Update = dict[str, Any]
REVISIONS = 4
"""So many revisions keep what is known of them: the head, the merge, and what was under review before."""


def _added(state: TraceState, event: Event) -> Update:
    said = read(event, p.EvidenceAdded)
    before = state.evidence.get(said.revision, ())
    kept = tuple(one for one in before if identity(one) != identity(said))
    others = {revision: known for revision, known in state.evidence.items() if revision != said.revision}
    newest = dict(list(others.items())[-(REVISIONS - 1) :])
    return {"evidence": _needed(state, others) | newest | {said.revision: (*kept, said)}}


def identity(evidence: p.EvidenceAdded) -> tuple[str, str, str]:
    """What a later report takes the place of. A person's never takes that of a pipeline's."""
    return evidence.kind, evidence.source, evidence.name


def _needed(state: TraceState, known: Update) -> Update:
    """What the release rests on stays, however many revisions come after it."""
    needed = {state.head, *state.carried, *state.carried.values()}
    return {revision: said for revision, said in known.items() if revision in needed}


def _refused(state: TraceState, event: Event) -> Update:
    said = read(event, p.EvidenceRefused)
    newest = list(state.evidence_refused.items())[-(REVISIONS - 1) :]
    return {"evidence_refused": dict(newest) | {said.revision: said.refused}}


def _recalled(_state: TraceState, event: Event) -> Update:
    return {"base_coverage": read(event, p.CoverageRecalled)}


def _attested(state: TraceState, event: Event) -> Update:
    said = read(event, p.ReleaseAttested)
    return {"attested": state.attested | {said.environment: event.id}}


FOLDS = {
    "pointsman.EvidenceAdded": _added,
    "pointsman.EvidenceRefused": _refused,
    "pointsman.CoverageRecalled": _recalled,
    "pointsman.ReleaseAttested": _attested,
}
