"""`/retry [task] [in <duration>]`: do what failed once more, at once or after a while."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import Decision, Timer, do, record
from bot.domain.effect import RunPipeline
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.moments import duration_of
from policies.roles import Permission

PIPELINE, DEPLOYMENT = "pipeline", "deployment"
TIMER = "timer"
"""`via` of a command that a person gave for later: their rights are looked at when its time has come."""


@command("/retry [task] [in <duration>]", needs=Permission.RETRY)
def retry(call: Call, view: View) -> Answer:
    """Run the failed pipeline, or the step the flow stands at, once more, now or `in 10m`."""
    state, named = view.state, call.arguments.get("task", "")
    tasks = {**state.flow.tasks, **state.flow.ended}
    if named and named not in {PIPELINE, DEPLOYMENT, *tasks}:
        raise Refused("UnknownTask", messages.unknown_task(named, (PIPELINE, DEPLOYMENT, *tasks)))
    if state.paused:
        raise Refused("Paused", messages.paused_meanwhile(state.paused.by))
    ready = (named in {"", PIPELINE}) and _pipeline_failed(view)
    if (named == PIPELINE and not ready) or (state.published and not ready):
        raise Refused("NothingToRetry", messages.nothing_to_retry())
    what = "the pipeline" if ready else f"`{named or state.flow.state}`"
    if "duration" in call.arguments:
        return _later(call, view, what)
    if ready:
        return Answer(do(_run_again(view)), messages.retrying(what, state.head))
    task_id = named if named in tasks else None
    asked = p.TriggerRequested(reason="retry", timer=call.correlation, task_id=task_id)
    told = draft("TriggerRequested", asked, actor=call.actor.login)
    return Answer(record(told), messages.retrying(what, state.head))


def _pipeline_failed(view: View) -> bool:
    head = view.state.head or ""
    known = head in view.state.runs and view.state.change is not None
    return known and view.state.tests.get(head) == "failed"


def _run_again(view: View) -> RunPipeline:
    state = view.state
    change = state.change or {}
    return RunPipeline(
        target=state.forge,
        repository=state.repository,
        purpose="retry",
        agent_id="devops-engineer",
        branch=change["target"] if state.merged else change["source"],
        revision=state.head or "",
        path=(state.pipeline or {}).get("path", ""),
    )


def _later(call: Call, view: View, what: str) -> Answer:
    """The same command, said once more when the time has come, by the same person."""
    at = view.now + duration_of(call.arguments["duration"])
    named = call.arguments.get("task", "")
    said = p.CommandIssued(
        command="retry",
        arguments=(named,) if named else (),
        line=f"/retry {named}".strip(),
        via=TIMER,
        correlation=f"{call.correlation}-later-{view.state.sequence}",
        change=call.change,
        written_at=at,
    )
    timer = Timer(said.correlation, at, draft("CommandIssued", said, actor=call.actor.login))
    return Answer(Decision(timers=(timer,)), messages.retrying_later(what, at))
