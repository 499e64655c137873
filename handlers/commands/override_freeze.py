"""`/override-freeze <environment> <reason>`: lift the active freeze for this release only."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import record
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of
from handlers.policy import policy_of
from policies import freezes
from policies.roles import Permission, roles_of


@command("/override-freeze <environment> <reason...>", needs=Permission.OVERRIDE_FREEZE)
def override_freeze(call: Call, view: View) -> Answer:
    """Lift the freeze that is active now, for this release, until its window ends"""
    environment = environment_of(call, view)
    policy = policy_of(view.state)
    if policy is None:
        raise Refused("PolicyInvalid", messages.policy_broken())
    status = freezes.status(
        policy, view.now, tenant=view.state.tenant_id, environment=environment, module=view.state.module_id,
        labels=tuple((view.state.change or {}).get("labels", ())))
    lifted = {o.window for o in view.state.overrides if o.environment == environment and (o.until is None or o.until > view.now)}
    windows = [window for window in status.windows if window.name not in lifted]
    if not windows:
        raise Refused("FreezeNotActive", messages.no_freeze(environment))
    role = next(iter(roles_of(policy, call.actor)), "StudioApprover")
    overridden = [
        draft("FreezeOverridden", p.FreezeOverridden(
            environment=environment, window=window.name, by=call.actor.login, role=role, reason=call.arguments["reason"], until=window.end,
        ), environment=environment, actor=call.actor.login)
        for window in windows
    ]
    return Answer(record(*overridden), messages.freeze_overridden(environment, [(w.name, w.end) for w in windows], call.actor.login))
