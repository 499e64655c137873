"""A trace's state is a fold over its events: `apply` takes one event in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain import payloads as p
from bot.domain import trace_branch, trace_evidence, trace_release, trace_steering, trace_triggers
from bot.domain.catalog import read
from bot.domain.event import Event
from bot.domain.flow_state import FlowState, follow
from bot.domain.trace_release import Fold, Update
from bot.domain.trace_state import Shown, TraceState

__all__ = ["FlowState", "Shown", "TraceState", "apply"]

NOT_KEPT = frozenset({"actors", "tree", "files", "run"})
"""Parts of `FactsGathered` that have a place of their own, or are for one decision only."""
BESIDE = (".yaml", ".yml", "CODEOWNERS")
"""Files of the base branch that a policy may rest on."""
WEBHOOKS = "webhooks/"
"""What the source of a forge's fact begins with."""
APPLY: dict[str, Fold] = (
    trace_release.FOLDS
    | trace_branch.FOLDS
    | trace_evidence.FOLDS
    | trace_steering.FOLDS
    | trace_triggers.FOLDS
)


_applies = trace_release.registering(APPLY)


def apply(state: TraceState, event: Event, digest: str | None = None) -> TraceState:
    """The state after `event`, whose hash in the log is `digest`.

    Pure; unknown types only move the sequence on.
    """
    common: Update = {"sequence": event.sequence, "hash": digest or state.hash, "updated_at": event.time}
    if event.type == "ModuleGenerated" and not accepts(state, event):
        return state.model_copy(update=common)
    update = APPLY[event.type](state, event) if event.type in APPLY else {}
    common |= {"began_at": state.began_at or event.time, "flow": follow(state.flow, event)}
    if not state.sequence and event.source.startswith(WEBHOOKS):
        common["forge"] = event.source.removeprefix(WEBHOOKS)  # a trace that a forge began lives there
    return state.model_copy(update=common | update)


def apply_facts(state: TraceState, event: Event) -> TraceState:
    """As `apply`, without the flow, the sequence and the hash: for who only asks what gates read."""
    return state.model_copy(update=APPLY[event.type](state, event)) if event.type in APPLY else state


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


def is_ours(state: TraceState, run: Mapping[str, Any]) -> bool:
    """Whether a pipeline run is of the files that this trace's tests are in. Where a forge runs several files
    for one revision, the others say nothing about the release.
    """
    path, ready = run.get("path"), state.pipeline or {}
    expected = {ready.get("path"), *ready.get("files", ())} - {None}
    return not path or not expected or path in expected


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


@_applies("pointsman.OnboardingRequested")
def _onboarding(_state: TraceState, event: Event) -> Update:
    return {"repository": event.data["repository"], "forge": event.data.get("forge", "local")}


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
    return (
        trace_branch.changed(state, event.data)
        | trace_branch.retargeted(state, event.data)
        | {
            "change": (state.change or {}) | event.data | {"state": closed},
            "repository": state.repository or event.data["repository"],
        }
    )


@_applies("ChangeMerged")
def _merged(state: TraceState, event: Event) -> Update:
    if state.change and state.change["number"] != event.data["number"]:
        return {}
    change = (state.change or {}) | event.data | {"state": "merged"}
    return {"change": change, "merged_at": state.merged_at or event.time}


@_applies("RepositoryRenamed")
def _renamed(state: TraceState, event: Event) -> Update:
    moved = read(event, p.RepositoryRenamed)
    if state.repository != moved.previous:
        return {}
    now = {"repository": moved.repository}
    asked = tuple(one.model_copy(update=now) for one in state.asked_to_deploy)
    known = {"module": state.module, "change": state.change, "commit": state.commit}
    parts = {name: part | now for name, part in known.items() if part and "repository" in part}
    return now | parts | {"asked_to_deploy": asked}


@_applies("PipelineReady")
def _pipeline(_state: TraceState, event: Event) -> Update:
    return {"pipeline": event.data}


@_applies("PipelineFinished")
def _run(state: TraceState, event: Event) -> Update:
    if not is_ours(state, event.data):
        return {}
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
    kept = {name: value for name, value in event.data.items() if name not in NOT_KEPT}
    calendars = {path: text for path, text in gathered.files.items() if text and path.endswith(".ics")}
    beside = {path: text or "" for path, text in gathered.files.items() if path.endswith(BESIDE)}
    at_base = {} if gathered.branch_head else beside  # a policy is never read from a change
    pending = {name: value for name, value in state.pending.items() if name != event.data["correlation"]}
    update: Update = {
        "facts": state.facts | kept,
        "pending": pending,
        "answering": state.pending.get(event.data["correlation"], ()),
        "people": state.people | gathered.actors,
        "calendars": state.calendars | calendars,
        "policy_files": state.policy_files | at_base,
    }
    change = event.data.get("change")
    if change and not state.merged and (state.change is None or state.change["number"] == change["number"]):
        update |= trace_branch.looked(state, change, gathered)
        update |= trace_branch.retargeted(state, change)
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
