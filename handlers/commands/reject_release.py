"""`/reject-release <environment> <reason>`: this revision does not go there."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import record
from bot.domain.release import release_id
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of, revision_of
from handlers.policy import policy_digest
from policies.roles import Permission


@command("/reject-release <environment> <reason...>", needs=Permission.REJECT_RELEASE)
def reject_release(call: Call, view: View) -> Answer:
    """Reject the revision that was shown for an environment; a new revision starts afresh."""
    environment = environment_of(call, view)
    revision, reason = revision_of(call, view, call.arguments["reason"])
    state = view.state
    rejected = p.ReleaseVerdict(
        environment=environment,
        revision=revision,
        version=state.version,
        module_id=state.module_id,
        reasons=(reason,),
        approvers=(call.actor.login,),
        policy_version=policy_digest(state),
    )
    said = draft(
        "ReleaseRejected",
        rejected,
        environment=environment,
        actor=call.actor.login,
        release_id=release_id(state.module_id, state.version, environment, revision),
    )
    return Answer(record(said), messages.rejected(environment, revision, call.actor.login, reason))
