"""A signed summary of what allowed a release, when its deployment starts."""

from __future__ import annotations

from bot.attestations.summary import Verified, verification_summary
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import SignedResult, SignStatement
from bot.domain.event import Event
from bot.domain.model import rfc3339
from bot.domain.release import POLICY_FILE
from bot.domain.view import View
from handlers.declare import done, on
from handlers.evaluation import release_facts
from handlers.merging import AGENT
from handlers.policy import full_policy_digest

PURPOSE = "release"


@on("DeploymentStarted")
def attest(event: Event, view: View) -> Decision:
    """Have the summary signed: once per approved release, by its first attempt. Without a key nothing is."""
    started = read(event, p.DeploymentStarted)
    if not view.attests or started.attempt > 1:
        return NOTHING
    return do(
        SignStatement(
            purpose=PURPOSE,
            agent_id=AGENT,
            environment=started.environment,
            release_id=started.release_id,
            revision=started.revision,
            statement=verification_summary(_verified(started, view)),
        )
    )


def _verified(started: p.DeploymentStarted, view: View) -> Verified:
    state = view.state
    facts = release_facts(view, started.environment)
    release = state.releases.get(started.environment)
    known = [one for revision in sorted(facts.same_tree) for one in state.evidence.get(revision, ())]
    return Verified(
        verifier=view.base_url,
        time=rfc3339(view.now),
        forge=state.forge,
        repository=state.repository,
        module=state.module_id,
        version=started.version,
        environment=started.environment,
        revision=started.revision,
        policy_path=POLICY_FILE,
        policy_revision=state.facts.get("policyRevision") or "",
        policy_digest=full_policy_digest(state),
        artifacts=[p.Subject(name=one.name, digest=one.digest) for one in facts.about(facts.artifacts) or ()],
        inputs=[p.Subject(name=f"{one.kind}:{one.name}", digest=one.digest) for one in known],
        approvers=sorted(
            {a.approver for a in state.approvals if not a.ended and a.environment == started.environment}
        ),
        verdict_digest=release.digest if release else "",
        log_hash=state.hash,
    )


@done("SignStatement", PURPOSE)
def on_signed(action: p.ActionCompleted, _view: View) -> Decision:
    """Keep the envelope in the log, where artefacts and people find it."""
    asked = SignStatement.model_validate(action.request)
    result = SignedResult.model_validate(action.result)
    said = p.ReleaseAttested(
        environment=asked.environment,
        release_id=asked.release_id,
        revision=asked.revision,
        key_id=result.key_id,
        envelope=result.envelope,
    )
    return record(
        draft(
            "pointsman.ReleaseAttested",
            said,
            environment=asked.environment,
            release_id=asked.release_id,
            agent_id=AGENT,
        )
    )
