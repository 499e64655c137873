"""A submission to a repository that is not there: made when the submission says so and the settings allow it.

Whoever may submit may have one made, but only where `POINTSMAN_CREATE_REPOSITORIES_IN` says so.
See docs/adr/0012-repositories-made-on-request.md.
"""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.decision import NOTHING, Decision, do
from bot.domain.effect import CreateRepository
from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.domain.view import View
from handlers.code_committer import AGENT, asking
from handlers.declare import done, on
from handlers.tasks import NO_REPOSITORY, failed, running

PURPOSE = "new-module"
"""Of the second look, which finds the repository or fails for good."""


def place(state: TraceState) -> str:
    """`forge:owner` of the trace's repository, as the settings name it."""
    return f"{state.forge}:{state.repository.rpartition('/')[0]}"


@on("AgentSkillFailed")
def nothing_there(event: Event, view: View) -> Decision:
    """Have the repository made, or say why not."""
    failure = read(event, p.SkillFailed)
    task = running(view, AGENT, failure.task_id)
    if (failure.effect, failure.purpose, failure.reason_code) != NO_REPOSITORY or not failure.exhausted:
        return NOTHING
    state = view.state
    if task is None:
        return NOTHING
    if not state.module.get("createRepository"):
        return failed(task, failure.reason_code, failure.message)
    if place(state) not in view.creates_in:
        return failed(
            task, "RepositoryCreationRefused", messages.creation_refused(state.repository, place(state))
        )
    return do(_creation(task, view))


def _creation(task: p.TaskScheduled, view: View) -> CreateRepository:
    state = view.state
    return CreateRepository(
        target=state.forge,
        repository=state.repository,
        purpose=PURPOSE,
        task_id=task.task_id,
        agent_id=AGENT,
        description=state.module.get("summary", ""),
        mark=messages.made_for(state.trace_id),
        owner=state.submitter or "",
        required_check=messages.MERGE_CHECK,
        webhook_url=f"{view.base_url}/webhooks/{state.forge}",
    )


@done("CreateRepository", PURPOSE)
def made(action: p.ActionCompleted, view: View) -> Decision:
    """Look again: now it is there."""
    task = running(view, AGENT, action.task_id)
    return do(asking(task, view, PURPOSE)) if task else NOTHING
