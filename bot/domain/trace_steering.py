"""The fold of what people say to steer a trace."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.event import Event
from bot.domain.release import Stop
from bot.domain.trace_release import Fold, Update, registering
from bot.domain.trace_state import TraceState

FOLDS: dict[str, Fold] = {}
_applies = registering(FOLDS)


@_applies("pointsman.DelayEnded")
def _delay_ended(state: TraceState, event: Event) -> Update:
    environment = event.data["environment"]
    return {"delays": tuple(delay for delay in state.delays if delay.environment != environment)}


@_applies("pointsman.ChangeHeld")
def _held(_state: TraceState, event: Event) -> Update:
    return {"held": _stop(event)}


@_applies("pointsman.ChangeFreed")
def _freed(_state: TraceState, _event: Event) -> Update:
    return {"held": None}


@_applies("pointsman.FlowPaused")
def _paused(_state: TraceState, event: Event) -> Update:
    return {"paused": _stop(event)}


@_applies("pointsman.FlowResumed")
def _resumed(_state: TraceState, _event: Event) -> Update:
    return {"paused": None}


def _stop(event: Event) -> Stop:
    return Stop(by=event.actor or "", reason=read(event, p.Steered).reason, at=event.time)


@_applies("pointsman.PipelineWanted")
def _pipeline_wanted(state: TraceState, event: Event) -> Update:
    template = read(event, p.PipelineWanted).template
    return {"module": state.module | {"template": template}} if template else {}


@_applies("HumanTaskRequested")
def _asked(state: TraceState, event: Event) -> Update:
    task = read(event, p.HumanTask)
    return {"human_tasks": state.human_tasks | {task.task_id: task}}


@_applies("HumanTaskResponseReceived")
def _answered(state: TraceState, event: Event) -> Update:
    answered = read(event, p.HumanAnswer).task_id
    return {"human_tasks": {name: task for name, task in state.human_tasks.items() if name != answered}}
