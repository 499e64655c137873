"""`/override-freeze <environment> <reason>`: lift the active freeze for this release only."""

from __future__ import annotations

import policies
from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import record
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of
from handlers.evaluation import release_facts
from handlers.policy import policy_of
from policies.roles import Permission


@command("/override-freeze <environment> <reason...>", needs=Permission.OVERRIDE_FREEZE)
def override_freeze(call: Call, view: View) -> Answer:
    """Lift the freeze that is active now, for this release, until its window ends."""
    environment = environment_of(call, view)
    policy = policy_of(view.state)
    if policy is None:
        raise Refused("PolicyInvalid", messages.policy_broken())
    lifted = policies.lift(
        policy, release_facts(view, environment), call.actor, environment, call.arguments["reason"], view.now
    )
    overridden = [
        draft(
            "FreezeOverridden",
            p.FreezeOverridden(
                environment=environment,
                window=o.window,
                by=o.by,
                role=o.role,
                reason=o.reason,
                until=o.until,
                revision=o.revision,
            ),
            environment=environment,
            actor=call.actor.login,
        )
        for o in lifted
    ]
    return Answer(
        record(*overridden),
        messages.freeze_overridden(environment, [(o.window, o.until) for o in lifted], call.actor.login),
    )
