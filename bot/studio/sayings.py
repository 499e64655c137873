"""The commands that one may say about a release as it stands: their exact text, who may say them. Pure.

[Saying(line="/approve-release production REASON", does="Approve ...", who=("jane.doe",), yours=True), ...]

REASON is to be replaced. Whether somebody may is answered by what answers the command itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import policies
from bot import messages
from bot.domain.errors import Refused
from bot.domain.payloads import Actor
from bot.domain.view import View
from handlers.decide import registry
from handlers.declare import CommandEntry
from handlers.evaluation import release_facts
from handlers.policy import policy_of
from policies.roles import Permission, allowed, holders

REASON = "REASON"
OPEN = frozenset({"delayed", "rejected"})


@dataclass(frozen=True)
class Saying:
    """One command. `yours`: whether the reader may; None: the forge has not said enough of them.

    `refused`: what would be answered to the reader.
    """

    line: str
    does: str
    who: tuple[str, ...]
    yours: bool | None
    refused: str = ""


def sayings(view: View, environment: str, login: str) -> list[Saying]:
    """What moves this release, then what tells about it; nothing while the policy can not be read.

    What nobody may say is left out.
    """
    policy = policy_of(view.state)
    if policy is None or environment not in policy.environments:
        return []
    release = view.state.releases.get(environment)
    gates = _open_gates(release.tree if release else {})
    asked = _Asked(view, policy, environment, login, gates)
    found = [asked.saying(line) for line in _lines(asked)]
    return [one for one in found if one.who or one.yours]


def _open_gates(tree: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [gate for gate in tree.get("children") or () if gate.get("state") in OPEN]


@dataclass(frozen=True)
class _Asked:
    view: View
    policy: policies.Policy
    environment: str
    login: str
    gates: list[Mapping[str, Any]]

    @property
    def actor(self) -> Actor | None:
        return release_facts(self.view, self.environment).actor(self.login)

    def gate(self, code: str) -> bool:
        """Whether a gate stands open for this reason."""
        return any(gate.get("reason_code") == code for gate in self.gates)

    def saying(self, line: str) -> Saying:
        entry = registry().commands[line.split(maxsplit=1)[0].removeprefix("/")]
        yours, refused = self._may(entry)
        return Saying(line, f"{entry.summary}.", self._who(entry), yours, refused)

    def _who(self, entry: CommandEntry) -> tuple[str, ...]:
        if entry.signature.name == "approve-release":
            named = [who for gate in self.gates if gate["name"] in APPROVING for who in gate["who_can"]]
            return tuple(dict.fromkeys(named))
        if entry.needs is Permission.READ:
            return messages.READERS
        return holders(self.policy, entry.needs, self.environment)

    def _may(self, entry: CommandEntry) -> tuple[bool | None, str]:
        person = self.actor or Actor(login=self.login)
        try:
            if entry.signature.name == "approve-release":
                facts = release_facts(self.view, self.environment)
                policies.approve(self.policy, facts, person, self.environment, facts.head, REASON)
                return True, ""
        except Refused as refusal:
            return (False, refusal.message) if self.actor else (None, "")
        may = allowed(self.policy, person, entry.needs, self.environment)
        return (may if may or self.actor else None), ""


APPROVING = frozenset({"approvals", "changes-to-this-file"})
Wanted = Callable[[_Asked], bool]


def _approvable(asked: _Asked) -> bool:
    gates = asked.policy.approval_gates(asked.environment)
    by_command = any("commands" in gate.accept for gate in gates)
    return by_command and any(gate["name"] in APPROVING for gate in asked.gates)


def _given(asked: _Asked) -> bool:
    return any(
        one.approver.casefold() == asked.login.casefold() and one.environment == asked.environment
        for one in asked.view.state.approvals
        if not one.ended
    )


def _failed(asked: _Asked) -> bool:
    state = asked.view.state
    deployed = state.deployments.get(asked.environment)
    return state.tests.get(state.head or "") == "failed" or bool(deployed and deployed.status == "failed")


def _runs(asked: _Asked) -> bool:
    deployed = asked.view.state.deployments.get(asked.environment)
    slot = asked.view.slots.get(asked.environment)
    here = deployed is not None and deployed.status == "completed"
    return bool(here and slot and slot.running_revision == deployed.revision and slot.previous_good)  # type: ignore[union-attr]


def _undecided(asked: _Asked) -> bool:
    change = asked.view.state.change or {}
    return change.get("state") == "open" and not asked.gate("RejectedByPerson")


LINES: tuple[tuple[str, Wanted], ...] = (
    ("/approve-release {0} " + REASON, _approvable),
    ("/approve-release {0} cancel", _given),
    ("/override-freeze {0} " + REASON, lambda asked: asked.gate("FreezeActive")),
    ("/deploy {0}", lambda asked: asked.gate("ManualStart")),
    ("/retry", _failed),
    ("/request-rollback {0} " + REASON, _runs),
    ("/reject-release {0} " + REASON, _undecided),
    ("/explain {0}", lambda _: True),
    ("/status", lambda _: True),
    ("/help", lambda _: True),
)
"""Each command, and when it is worth saying."""


def _lines(asked: _Asked) -> Iterator[str]:
    return (line.format(asked.environment) for line, wanted in LINES if wanted(asked))
