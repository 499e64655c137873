"""A trace's state is a fold over its events: `apply` takes one event in."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain import trace_release
from bot.domain.catalog import read
from bot.domain.event import Event
from bot.domain.flow_state import FlowState, follow
from bot.domain.trace_release import Fold, Update
from bot.domain.trace_state import Shown, TraceState

__all__ = ["FlowState", "Shown", "TraceState", "apply"]

APPLY: dict[str, Fold] = dict(trace_release.FOLDS)


_applies = trace_release.registering(APPLY)


def apply(state: TraceState, event: Event) -> TraceState:
    """The state after `event`. Pure; unknown types only move the sequence on."""
    if event.type == "ModuleGenerated" and not accepts(state, event):
        return state.model_copy(update={"sequence": event.sequence, "updated_at": event.time})
    update = APPLY[event.type](state, event) if event.type in APPLY else {}
    flow = follow(state.flow, event)
    common = {
        "sequence": event.sequence,
        "updated_at": event.time,
        "began_at": state.began_at or event.time,
        "flow": flow,
    }
    return state.model_copy(update=common | update)


def accepts(state: TraceState, event: Event) -> bool:
    """Whether a `ModuleGenerated` may say what this trace delivers: the first one, and what the same
    submitter says again of the same module until it is merged. Anything else would put other code under the
    approvals.
    """
    if state.module_event in {None, event.id}:
        return True
    said = read(event, p.ModuleGenerated)
    same = (state.repository, state.module_id, state.submitter) == (
        said.repository,
        said.module_id,
        event.actor,
    )
    return same and not state.merged


@_applies("ModuleGenerated")
def _module(state: TraceState, event: Event) -> Update:
    module = read(event, p.ModuleGenerated)
    kept = {name: value for name, value in event.data.items() if name != "files"}
    return {
        "module_event": event.id,
        "module": kept,
        "module_id": module.module_id,
        "version": state.version if state.commit else module.version,
        "repository": module.repository,
        "forge": module.forge,
        "submitter": event.actor,
        "intent_at": state.intent_at or event.time,
    }


@_applies("ReleaseIntentDeclared")
def _intent(state: TraceState, event: Event) -> Update:
    return {"intent_at": state.intent_at or event.time}


@_applies("CommitReady")
def _commit(_state: TraceState, event: Event) -> Update:
    return {"commit": event.data, "version": event.data["version"]}


@_applies("PullRequestCreated")
def _created(state: TraceState, event: Event) -> Update:
    made = read(event, p.PullRequestCreated)
    known = state.change or {}
    change = {
        "repository": made.repository,
        "number": made.number,
        "url": made.url,
        "title": made.title,
        "author": "",
        "source": made.source,
        "target": made.target,
        "head": made.head,
        "state": "open",
    }
    return {"change": change | known}


@_applies("ChangeOpened", "ChangeUpdated", "ChangeReopened", "ChangeLabelled", "ChangeClosed")
def _change(state: TraceState, event: Event) -> Update:
    if state.merged or (state.change and state.change["number"] != event.data.get("number")):
        return {}
    closed = "closed" if event.type == "ChangeClosed" else "open"
    return {
        "change": (state.change or {}) | event.data | {"state": closed},
        "repository": state.repository or event.data["repository"],
    }


@_applies("ChangeMerged")
def _merged(state: TraceState, event: Event) -> Update:
    if state.change and state.change["number"] != event.data["number"]:
        return {}
    return {"change": (state.change or {}) | event.data | {"state": "merged"}}


@_applies("PipelineReady")
def _pipeline(_state: TraceState, event: Event) -> Update:
    return {"pipeline": event.data}


@_applies("PipelineFinished")
def _run(state: TraceState, event: Event) -> Update:
    return {"runs": state.runs | {event.data["revision"]: event.data}}


@_applies("TestsPassed", "TestsFailed")
def _tests(state: TraceState, event: Event) -> Update:
    return {
        "tests": state.tests | {event.data["revision"]: "passed" if event.type == "TestsPassed" else "failed"}
    }


@_applies("InfraProvisioned")
def _infra(state: TraceState, event: Event) -> Update:
    return {"infra": state.infra | {event.data["environment"]: event.data}}


@_applies("FactsGathered")
def _facts(state: TraceState, event: Event) -> Update:
    gathered = read(event, p.FactsGathered)
    kept = {name: value for name, value in event.data.items() if name not in {"actors", "tree", "files"}}
    calendars = {path: text for path, text in gathered.files.items() if text and path.endswith(".ics")}
    pending = {name: value for name, value in state.pending.items() if name != event.data["correlation"]}
    update: Update = {
        "facts": state.facts | kept,
        "pending": pending,
        "answering": state.pending.get(event.data["correlation"], ()),
        "people": state.people | gathered.actors,
        "calendars": state.calendars | calendars,
    }
    change = event.data.get("change")
    if change and not state.merged and (state.change is None or state.change["number"] == change["number"]):
        update["change"] = (state.change or {}) | change
    return update


@_applies("CommandIssued")
def _command(state: TraceState, event: Event) -> Update:
    correlation = event.data["correlation"]
    waiting = (*state.pending.get(correlation, ()), event.data | {"actor": event.actor, "eventId": event.id})
    return {"pending": state.pending | {correlation: waiting}}


@_applies("ReleasePublished")
def _published(_state: TraceState, _event: Event) -> Update:
    return {"published": True}


@_applies("ManualInterventionRequired", "TaskEscalated")
def _escalated(state: TraceState, event: Event) -> Update:
    return {"escalations": (*state.escalations, event.data | {"at": event.to_json()["time"]})}
