"""`promoted-from: [staging]` (written `after: [staging]`): the same version runs there, and is healthy."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from bot.domain.release import release_id
from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Words
from policies.verdict import Verdict, blocking, everyone, fold_all

if TYPE_CHECKING:
    from policies.model import Policy


class PromotedFrom(GateModel):
    """Every named environment runs this revision, or one with equal files, with its probes passed."""

    name: ClassVar[str] = "promoted-from"
    short: ClassVar[str] = "environments"
    section: ClassVar[Section] = "delay"
    phase: ClassVar[Phase] = "deployment"
    reads: ClassVar[frozenset[str]] = frozenset(
        {
            "DeploymentStarted",
            "DeploymentCompleted",
            "DeploymentFailed",
            "RollbackTriggered",
            "TriggerRequested",
        }
    )

    environments: Annotated[Words, Field(min_length=1), ONE_OR_MORE]

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        children = tuple(_before(facts, environment) for environment in self.environments)
        if len(children) == 1:
            (only,) = children
            return Verdict(
                self.name, only.state, only.reason_code, only.message, only.have, only.need, only.who_can
            )
        stopped = blocking(children)
        message = " ".join(child.message for child in stopped or children)
        return Verdict(
            self.name, fold_all(children), (stopped or children)[0].reason_code, message,
            have=", ".join(child.have for child in children),
            need=", ".join(child.need for child in children),
            who_can=everyone(stopped), children=children,
        )  # fmt: skip


def _before(facts: ReleaseFacts, environment: str) -> Verdict:
    slot = facts.slots.get(environment)
    version = facts.version or facts.revision[:7] or "this release"
    need = f"{version} healthy in {environment}"
    running = (slot.running_version if slot else None) or "nothing"
    have = f"{running} in {environment}"
    gone = {release_id(facts.module, facts.version, environment, revision) for revision in facts.same_tree}
    if slot and gone & set(slot.rolled_back):
        message = f"{version} was rolled back in {environment}: release a new version."
        return Verdict(environment, "rejected", "RolledBack", message, have, need)
    if not slot or slot.running_revision not in facts.same_tree:
        message = f"Waits for {environment}, which runs {running}, to run {version}."
        return Verdict(environment, "delayed", "NotPromoted", message, have, need)
    if not slot.healthy:
        message = f"Waits for {environment} to be healthy: {version} runs there, its probes do not pass."
        return Verdict(environment, "delayed", "PreviousUnhealthy", message, f"{have}, unhealthy", need)
    return Verdict(environment, "approved", "Promoted", f"{version} is healthy in {environment}.", have, need)
