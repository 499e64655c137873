"""Whether somebody may give a command: by the policy that the trace is under."""

from __future__ import annotations

import policies
from bot import messages
from bot.domain import payloads as p
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import CommandEntry
from handlers.policy import policy_of
from policies.authorise import Asker, Denied, Needs, authorise, may


def check_right(entry: CommandEntry, actor: p.Actor, view: View, environment: str | None) -> None:
    """Raises Refused: no policy is known, it has switched the command off, or does not give the right."""
    policy, name = policy_of(view.state), entry.signature.name
    if policy is None:
        raise Refused("PolicyInvalid", messages.policy_broken())
    if name in policy.commands.disable:
        raise Refused("CommandDisabled", messages.command_disabled(name))
    try:
        authorise(Asker(actor), Needs(permission=entry.needs), policy, _meant(entry, policy, environment))
    except Denied as denied:
        raise Refused(entry.refusal, messages.not_allowed(actor.login, name, denied.able)) from None


def offered(entry: CommandEntry, actor: p.Actor, policy: policies.Policy) -> bool:
    """Whether `/help` lists a command: there is an environment, or none is needed, in which it is theirs."""
    needs = Needs(permission=entry.needs)
    wheres = (None, *policy.environments)
    return entry.signature.name not in policy.commands.disable and any(
        may(Asker(actor), needs, policy, where) for where in wheres
    )


def _meant(entry: CommandEntry, policy: policies.Policy, environment: str | None) -> str | None:
    """The environment named, or the only one there is for a command that is about one."""
    about_one = any(parameter.name == "environment" for parameter in entry.signature.parameters)
    known = tuple(policy.environments)
    return known[0] if environment is None and about_one and len(known) == 1 else environment
