"""The facts of a trace, as the policy engine reads them, and the verdicts it gives. The one way to a verdict
for checks, comments,
commands, API and deployment.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any, Literal

import policies
from bot import messages
from bot.domain.deployment import Slot
from bot.domain.release import release_id
from bot.domain.trace_branch import last_pusher
from bot.domain.view import View
from handlers.change_facts import change_facts, stages_of
from handlers.evidence_facts import evidence_facts
from handlers.policy import code_owners_of, policy_errors, policy_of, touches_policy
from policies.facts import ReleaseFacts
from policies.trust import NOBODY


@dataclass(frozen=True)
class Evaluation:
    """One environment's verdict. `tree` is its JSON; `digest` changes when what a person reads changes."""

    environment: str
    revision: str
    release_id: str
    phase: Literal["change", "deployment"]
    verdict: policies.Verdict
    tree: dict[str, Any]
    digest: str
    observed: bool = False
    compliance: bool = False

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences of the gates that do not hold."""
        return tuple(_open_reasons(self.tree))


def _open_reasons(tree: dict[str, Any]) -> list[str]:
    children = tree.get("children") or []
    if not children:
        return [tree["message"]] if tree["state"] in {"delayed", "rejected"} else []
    return [reason for child in children for reason in _open_reasons(child)]


def release_facts(view: View, environment: str) -> ReleaseFacts:
    """Everything gates read about this trace's release for an environment."""
    state = view.state
    change = state.change or {}
    head = state.head or ""
    policy = policy_of(state)
    return ReleaseFacts(
        tenant=state.tenant_id,
        module=state.module_id,
        version=state.version,
        environment=environment,
        revision=head,
        phase="deployment" if state.merged else "change",
        carried=state.carried,
        tests=state.tests,
        approvals=(*state.approvals, *state.reviews),
        overrides=state.overrides,
        rejections=state.rejections,
        delays=state.delays,
        held=state.held,
        paused=state.paused,
        locks=dict(view.locks),
        starts=state.starts,
        author=state.submitter or change.get("author") or "",
        committers=tuple(change.get("committers", ())),
        last_pusher=last_pusher(state),
        co_authors=tuple(change.get("coAuthors", ())),
        labels=tuple(change.get("labels", ())),
        actors=state.people,
        code_owners=code_owners_of(state),
        **change_facts(state),
        **evidence_facts(state, policy.trust if policy else NOBODY),
        stages={sha: stages_of(run) for sha, run in state.runs.items() if run.get("told", "all") == "all"},
        namespace=state.infra.get(environment, {}).get("namespace"),
        slots=_slots(view, head),
        base_branch=change.get("target", "main"),
        draft=bool(change.get("draft")),
        compliance_mode=state.module.get("complianceMode") is True,
        touches_policy=touches_policy(state),
        calendars=state.calendars,
        intent_at=state.intent_at,
    )


def _slots(view: View, head: str) -> dict[str, Slot]:
    """The environments, with what this trace itself has just deployed (its facts are newer than the read
    model).
    """
    slots = dict(view.slots)
    for name, deployed in view.state.deployments.items():
        if deployed.revision == head:
            slot = slots.get(name) or Slot(environment=name)
            slots[name] = slot.model_copy(
                update={
                    "healthy": deployed.status == "completed",
                    "running_revision": head if deployed.status == "completed" else slot.running_revision,
                    "running_version": view.state.version
                    if deployed.status == "completed"
                    else slot.running_version,
                    "running_since": deployed.ended_at,
                }
            )
    return slots


def evaluate(view: View, *, settled: bool = False) -> dict[str, Evaluation]:
    """Environment -> Evaluation, in the policy's order. Environments this revision is already deployed to are
    left out
    unless `settled`.
    """
    policy = policy_of(view.state)
    if policy is None:
        return _broken(view)
    if view.state.merged and not view.state.module_event:
        return {}  # of a change that people made the merge was all there was to decide
    found = {}
    for name in policy.environments:
        if settled or not _is_settled(view, name):
            facts = release_facts(view, name)
            verdict = policies.evaluate(policy, facts, view.now)
            found[name] = replace(
                _evaluation(view, name, facts.phase, verdict),
                observed=policy.mode == "observe",
                compliance=facts.compliance_mode or policy.complies(name),
            )
    return found


def paused(view: View, environment: str) -> bool:
    """Whether a freeze forbids what has started there to take a further step."""
    policy = policy_of(view.state)
    return policy is not None and policies.paused(policy, release_facts(view, environment), view.now)


def _is_settled(view: View, environment: str) -> bool:
    deployed = view.state.deployments.get(environment)
    return (
        deployed is not None
        and deployed.revision == view.state.head
        and deployed.status in {"completed", "failed", "started", "rolling-back"}
    )


def _evaluation(
    view: View, environment: str, phase: Literal["change", "deployment"], verdict: policies.Verdict
) -> Evaluation:
    state = view.state
    head = state.head or ""
    tree = verdict.to_json()
    digest = hashlib.sha256(json.dumps([phase, tree], sort_keys=True).encode()).hexdigest()[:16]
    return Evaluation(
        environment,
        head,
        release_id(state.module_id, state.version, environment, head),
        phase,
        verdict,
        tree,
        digest,
    )


def _broken(view: View) -> dict[str, Evaluation]:
    """A broken policy file blocks every environment that was known, and says where it is broken."""
    errors = policy_errors(view.state)
    if not errors:
        return {}
    names = tuple(view.state.releases) or ("production",)
    phase: Literal["change", "deployment"] = "deployment" if view.state.merged else "change"
    return {name: _evaluation(view, name, phase, _unusable(name, errors)) for name in names}


def _unusable(environment: str, errors: tuple[str, ...]) -> policies.Verdict:
    message = messages.policy_unusable(errors[0])
    return policies.Verdict(
        environment,
        "rejected",
        "PolicyInvalid",
        message,
        have=f"{len(errors)} errors",
        need="a valid policy file",
    )
