"""`/delay-release <environment> <until>`: not before that moment."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import record
from bot.domain.errors import Refused
from bot.domain.release import release_id
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of
from handlers.moments import later
from handlers.policy import policy_digest
from policies.roles import Permission

CANCEL = "cancel"


@command("/delay-release <environment> <until>", needs=Permission.REJECT_RELEASE, undo=CANCEL)
def delay_release(call: Call, view: View) -> Answer:
    """Start nothing of this trace in an environment before a moment, such as `2h` or `2026-12-24T18:00`."""
    environment, state = environment_of(call, view), view.state
    if call.arguments["until"].lower() == CANCEL:
        return _cancel(call, view, environment)
    until = later(call.arguments["until"], view.now)
    if state.head is None:
        raise Refused("NothingEvaluated", messages.nothing_evaluated())
    said = p.ReleaseVerdict(
        environment=environment,
        revision=state.head,
        version=state.version,
        module_id=state.module_id,
        reasons=(f"delayed by {call.actor.login}",),
        policy_version=policy_digest(state),
        next_change_at=until,
    )
    release = release_id(state.module_id, state.version, environment, state.head)
    told = draft("ReleaseDelayed", said, environment=environment, actor=call.actor.login, release_id=release)
    return Answer(record(told), messages.delayed(environment, until, call.actor.login))


def _cancel(call: Call, view: View, environment: str) -> Answer:
    if not any(d.environment == environment and view.now < d.until for d in view.state.delays):
        raise Refused("NothingToCancel", messages.nothing_delayed(environment))
    ended = p.DelayEnded(environment=environment)
    told = draft("pointsman.DelayEnded", ended, environment=environment, actor=call.actor.login)
    return Answer(record(told), messages.delay_ended(environment))
