"""`/approve-release <environment> [reason]`: sign off the revision under review for an environment."""

from __future__ import annotations

import policies
from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import record
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of, revision_of
from handlers.evaluation import evaluate, release_facts
from handlers.merging import standing
from handlers.policy import policy_of
from policies.roles import Permission


@command(
    "/approve-release [environment] [reason...]",
    needs=Permission.READ,
    refusal="UnauthorizedApprover",
    undo="cancel",
)
def approve_release(call: Call, view: View) -> Answer:
    """Approve exactly the revision that was shown; `cancel` as the reason takes it back."""
    environment = environment_of(call, view)
    policy = policy_of(view.state)
    if policy is None:
        raise Refused("PolicyInvalid", messages.policy_broken())
    reason = call.arguments.get("reason", "")
    if reason.strip().lower() == "cancel":
        return _cancel(call, view, environment)
    revision, reason = revision_of(call, view, reason)
    facts = release_facts(view, environment)
    role = policies.approve(
        policy, facts, call.actor, environment=environment, revision=revision, reason=reason
    )
    if any(
        a.approver == call.actor.login
        and a.revision == revision
        and a.environment == environment
        and not a.ended
        for a in view.state.approvals
    ):
        return Answer(reply=messages.already_approved(environment, revision))
    granted = p.ApprovalGranted(
        environment=environment,
        revision=revision,
        approver=call.actor.login,
        role=role,
        method=messages.method(call.via),
        comment=reason,
        approved_at=call.at,
        correlation=call.correlation,
    )
    approved = messages.approved(environment, revision, call.actor.login, role)
    reply = approved
    stuck = [d for d in view.state.deployments.values() if d.status == "failed" and d.revision == revision]
    if stuck:
        reply += " " + messages.but_failed_before(stuck[0].environment, stuck[0].version)
    verdicts = {name: evaluation.verdict for name, evaluation in evaluate(view).items()}
    change = view.state.change or {}
    if change.get("state") == "open" and standing(verdicts, view.state) in {"behind", "updating", "held"}:
        reply += " " + messages.approval_will_end(change["target"])
    said = draft("ApprovalGranted", granted, environment=environment, actor=call.actor.login)
    return Answer(record(said), reply, shown=reply == approved)


def _cancel(call: Call, view: View, environment: str) -> Answer:
    mine = [
        a
        for a in view.state.approvals
        if a.approver == call.actor.login and a.environment == environment and not a.ended
    ]
    if not mine:
        raise Refused("NothingToCancel", messages.nothing_to_cancel(environment))
    revoked = [
        draft(
            "ApprovalRevoked",
            p.ApprovalRevoked(
                environment=environment,
                revision=a.revision,
                approver=a.approver,
                reason="cancelled by its author",
            ),
            environment=environment,
            actor=call.actor.login,
        )
        for a in mine
    ]
    return Answer(record(*revoked), messages.approval_cancelled(environment))
