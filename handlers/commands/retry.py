"""`/retry`: do the step that failed once more."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import do, record
from bot.domain.effect import RunPipeline
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from policies.roles import Permission


@command("/retry [task]", needs=Permission.RETRY)
def retry(call: Call, view: View) -> Answer:
    """Run the failed pipeline, or the step the flow stands at, once more."""
    state = view.state
    head = state.head
    run = state.runs.get(head or "")
    if head and run and state.tests.get(head) == "failed" and state.change:
        again = RunPipeline(
            target=state.forge,
            repository=state.repository,
            purpose="retry",
            agent_id="devops-engineer",
            branch=state.change["target"] if state.merged else state.change["source"],
            revision=head,
            path=(state.pipeline or {}).get("path", ""),
        )
        return Answer(do(again), messages.retrying("the pipeline", head))
    if state.published:
        raise Refused("NothingToRetry", messages.nothing_to_retry())
    asked = p.TriggerRequested(reason="retry", timer=call.correlation)
    return Answer(
        record(draft("TriggerRequested", asked, actor=call.actor.login)),
        messages.retrying(f"`{state.flow.state}`", head),
    )
