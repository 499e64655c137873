"""A person wants the pipeline's files written again, on an open change whose module the bot has submitted."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.errors import Refused
from bot.domain.event import Event
from bot.domain.view import View
from handlers.declare import Answer, Call, facts, on
from handlers.devops_engineer import AGENT, look, write

AGAIN = "pipeline-again"


def want(call: Call, view: View, template: str) -> Answer:
    """What both commands do. Raises Refused."""
    state = view.state
    if not state.module_event:
        raise Refused("NoModule", messages.no_module())
    if (state.change or {}).get("state") != "open":
        raise Refused("NoOpenChange", messages.no_open_change())
    if state.pipeline is None or any(task["agent"] == AGENT for task in state.flow.tasks.values()):
        raise Refused("PipelineBeingMade", messages.pipeline_being_made())
    said = draft("pointsman.PipelineWanted", p.PipelineWanted(template=template), actor=call.actor.login)
    named = template or str(state.module.get("template", "python-service"))
    return Answer(record(said), messages.pipeline_wanted(named))


@on("pointsman.PipelineWanted")
def on_pipeline_wanted(event: Event, view: View) -> Decision:
    """Read what the branch has now."""
    try:
        return do(look(view, AGAIN, event.id))
    except ValueError as error:
        return _not_written("PipelineInvalid", error)


@facts(AGAIN)
def on_branch_read(gathered: p.FactsGathered, view: View) -> Decision:
    """Commit what differs; the change may have been merged or closed meanwhile."""
    if (view.state.change or {}).get("state") != "open":
        return NOTHING
    try:
        return write(gathered, view)
    except ValueError as error:
        return _not_written("PipelineConflict", error)


def _not_written(reason_code: str, error: ValueError) -> Decision:
    message = messages.pipeline_not_written(str(error))
    told = p.Intervention(reason_code=reason_code, message=message, role="DevOpsEngineer")
    return record(draft("ManualInterventionRequired", told, agent_id=AGENT))
