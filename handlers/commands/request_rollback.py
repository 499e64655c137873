"""`/request-rollback <environment> [to <version>] <reason>`: back to the release that ran before."""

from __future__ import annotations

from bot import messages
from bot.domain.effect import Target
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of
from handlers.rollback import roll_back
from policies.roles import Permission


@command("/request-rollback <environment> <reason...>", needs=Permission.ROLLBACK)
def request_rollback(call: Call, view: View) -> Answer:
    """Go back to the version that ran before; say `to 1.2.3` to be sure which."""
    environment = environment_of(call, view)
    wanted, reason = _version(call.arguments["reason"])
    slot = view.slots.get(environment)
    deployed = view.state.deployments.get(environment)
    if (
        slot is None
        or deployed is None
        or deployed.status != "completed"
        or slot.running_revision != deployed.revision
    ):
        raise Refused("NotRunning", messages.not_running_here(environment, view.state.version))
    if slot.previous_good is None:
        raise Refused("NothingToRollBackTo", messages.nothing_before(environment))
    before = Target.model_validate(slot.previous_good)
    if wanted and wanted != before.version:
        raise Refused("UnknownVersion", messages.unknown_version(wanted, before.version))
    target = Target.model_validate(slot.last_known_good)
    decision = roll_back(target, reason, view, trigger="manual", by=call.actor.login)
    return Answer(
        decision, messages.rolling_back(environment, target.version, before.version, call.actor.login)
    )


def _version(text: str) -> tuple[str | None, str]:
    words = text.split()
    if len(words) >= 2 and words[0].lower() == "to":  # noqa: PLR2004 - `to` and its version
        return words[1], " ".join(words[2:]) or "no reason given"
    return None, text
