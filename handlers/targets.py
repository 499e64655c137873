"""What is to run where: the deployment target of a trace's release."""

from __future__ import annotations

from typing import Literal

from bot.domain.effect import RecordDeployment, Service, Target
from bot.domain.release import namespace, release_id
from bot.domain.view import View
from handlers.policy import policy_of

ORCHESTRATOR = "deployment-orchestrator"


def service_of(view: View) -> Service:
    """How the module is started: as committed and approved, else `python3 -m <module>`."""
    said = (view.state.commit or {}).get("service")
    if said:
        return Service.model_validate(said)
    return Service(command=("python3", "-m", view.state.module_id.replace("-", "_")))


def target_of(view: View, environment: str) -> Target:
    """The release of this trace's head for an environment."""
    state = view.state
    head = state.head or ""
    return Target(
        environment=environment,
        namespace=namespace(state.tenant_id, environment),
        module_id=state.module_id,
        release_id=release_id(state.module_id, state.version, environment, head),
        version=state.version,
        revision=head,
        repository=state.repository,
        forge=state.forge,
        path=(state.commit or {}).get("path", ""),
        service=service_of(view),
    )


def last_environment(view: View, environment: str) -> bool:
    """Whether every other environment of the policy has this release already."""
    policy = policy_of(view.state)
    others = [name for name in (policy.environments if policy else ()) if name != environment]
    done = view.state.deployments
    return all(name in done and done[name].status == "completed" for name in others)


def tell_forge(
    view: View,
    target: Target,
    state: Literal["in_progress", "success", "failure", "inactive"],
    *,
    url: str = "",
    why: str = "",
) -> RecordDeployment:
    """Let the forge show where a release is deployed."""
    return RecordDeployment(
        target=view.state.forge,
        repository=view.state.repository,
        purpose="deploy",
        agent_id=ORCHESTRATOR,
        environment=target.environment,
        revision=target.revision,
        state=state,
        url=url,
        description=why,
    )
