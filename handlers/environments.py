"""Which environment and which revision a command means."""

from __future__ import annotations

import re

from bot import messages
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Call
from handlers.policy import policy_of

NAMED = re.compile(r"(?:^|\s)@([0-9a-f]{7,40})\b")


def environment_of(call: Call, view: View) -> str:
    """The environment named, or the only one there is. Raises Refused."""
    policy = policy_of(view.state)
    known = list(policy.environments) if policy else []
    named = call.arguments.get("environment")
    if named is None and len(known) == 1:
        return known[0]
    if named is None:
        raise Refused("EnvironmentRequired", messages.environment_required(call.command, known))
    if named not in known:
        raise Refused("UnknownEnvironment", messages.unknown_environment(named, known))
    return named


def shown_before(call: Call, view: View) -> str | None:
    """The revision that the bot had last shown on the change when the command was written."""
    if call.via != "comment":
        return view.state.head
    earlier = [shown.revision for shown in view.state.shown if shown.at <= call.at]
    return earlier[-1] if earlier else (view.state.shown[0].revision if view.state.shown else None)


def revision_of(call: Call, view: View, reason: str) -> tuple[str, str]:
    """The revision a command is about and the reason without `@sha`. Raises Refused('HeadMoved').

    Comment events carry no head sha: a comment means what its author could see (domain.md, release rules).
    """
    head = view.state.head
    named = NAMED.search(reason)
    meant = named.group(1) if named else shown_before(call, view)
    if head is None or meant is None:
        raise Refused("NothingToApprove", messages.nothing_to_approve())
    carried = view.state.carried.get(head)
    if not (head.startswith(meant) or (carried or "").startswith(meant)):
        raise Refused("HeadMoved", messages.head_moved(meant, head))
    return head, NAMED.sub(" ", reason).strip() if named else reason
