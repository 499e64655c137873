"""Cloud Provisioner: makes the namespace `{tenantId}-{environment}` ready for a module (seed 003, agent
4).
"""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import Provision, Provisioned
from bot.domain.release import namespace
from bot.domain.view import View
from handlers.asking import ask
from handlers.declare import done, facts, skill
from handlers.policy import paths_of, policy_of
from handlers.tasks import failed, running

AGENT = "cloud-provisioner"


@skill(AGENT, "ProvisionEnvironment")
def provision_environment(task: p.TaskScheduled, view: View) -> Decision:
    """One provisioning per environment of the policy; what is there already is found, not made again."""
    if policy_of(view.state) is None and set(paths_of(view.state)) - view.state.policy_files.keys():
        return ask(view, "environments", task.task_id, task_id=task.task_id)
    return _provision(task, view)


@facts("environments")
def on_policy_read(gathered: p.FactsGathered, view: View) -> Decision:
    """What the policy extends has been read, and may itself extend something."""
    task = running(view, AGENT, gathered.correlation)
    if task is None:
        return NOTHING
    if set(paths_of(view.state)) - view.state.policy_files.keys() - gathered.files.keys():
        return ask(view, "environments", task.task_id, task_id=task.task_id)
    return _provision(task, view)


def _provision(task: p.TaskScheduled, view: View) -> Decision:
    policy = policy_of(view.state)
    if policy is None:
        return failed(
            task,
            "PolicyMissing",
            "The policy file is missing or broken: no environment is known. Mend it, then /retry.",
        )
    wanted = policy.environments.items()
    return do(*(provision_of(view, name, found.deploy.strategy, task.task_id) for name, found in wanted))


def provision_of(view: View, environment: str, strategy: str, task_id: str) -> Provision:
    """Have the infrastructure of one environment made."""
    return Provision(
        purpose="environment",
        task_id=task_id,
        agent_id=AGENT,
        environment=environment,
        module_id=view.state.module_id,
        namespace=namespace(view.state.tenant_id, environment),
        strategy=strategy,
    )


@done("Provision", "environment")
def provisioned(action: p.ActionCompleted, view: View) -> Decision:
    """State what the devops-engineer and the deployment-orchestrator wait for."""
    result = Provisioned.model_validate(action.result)
    environment = action.request["environment"]
    ready = p.InfraProvisioned(
        environment=environment,
        namespace=result.namespace,
        endpoint=result.endpoint,
        resources=result.resources,
        dns=result.dns,
        secrets=result.secrets,
    )
    said = draft(
        "InfraProvisioned",
        ready,
        environment=environment,
        agent_id=AGENT,
        skill_id="ProvisionEnvironment",
        task_id=action.task_id,
    )
    return record(said) + _completed(view, environment, action.task_id)


def _completed(view: View, environment: str, task_id: str | None) -> Decision:
    """The task is done with its last environment; nothing waits for it but the record."""
    task = running(view, AGENT, task_id)
    policy = policy_of(view.state)
    if task is None or policy is None or set(policy.environments) - {environment, *view.state.infra}:
        return NOTHING
    ended = p.TaskEnded(task_id=task.task_id, agent=AGENT, skill=task.skill)
    return record(
        draft("AgentTaskCompleted", ended, agent_id=AGENT, task_id=task.task_id, status="Completed")
    )
