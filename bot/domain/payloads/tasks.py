"""What flows, tasks, effects and timers say."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from bot.domain.model import OpenModel


class TaskScheduled(OpenModel):
    """`AgentTaskScheduled`: what an agent is told (seed 003, invocation metadata)."""

    task_id: str
    agent: str
    skill: str
    fsm_state: str
    step: int
    retries: int = 0
    flow: str = "delivery"
    trace_id: str = ""
    tenant_id: str = ""
    module_id: str = ""
    wait: bool = True
    """False: runs alongside, the flow goes on meanwhile."""


class TaskEnded(OpenModel):
    """`AgentTaskCompleted`, `AgentTaskFailed`, `TaskTimedOut`."""

    task_id: str
    agent: str = ""
    skill: str = ""
    reason_code: str = ""
    message: str = ""
    retryable: bool = True
    """False: trying again would change nothing; a person or a new fact is needed."""
    verdict: str = ""
    """The event that was the agent's negative answer, where the failure is one."""


class PhaseAdvanced(OpenModel):
    """`LifecyclePhaseAdvanced`: a flow went from one state to another."""

    flow: str
    from_state: str
    to_state: str
    step: int
    trigger: str
    trigger_sequence: int | None = None
    """Sequence of the fact that led here: what came after it counts in the new state."""
    retries: int = 0


class ActionCompleted(OpenModel):
    """`AgentActionCompleted`: an effect is done. `request` is the effect without file contents."""

    effect_id: str
    effect: str
    purpose: str = ""
    task_id: str | None = None
    attempt: int = 1
    request: dict[str, Any] = Field(default_factory=dict)
    result: dict[str, Any] = Field(default_factory=dict)


class SkillFailed(OpenModel):
    """`AgentSkillFailed`: an effect failed. `exhausted`: no further attempt will be made."""

    effect_id: str
    effect: str
    purpose: str = ""
    task_id: str | None = None
    attempt: int
    reason_code: str
    message: str
    exhausted: bool
    retry_in_s: float | None = None
    request: dict[str, Any] = Field(default_factory=dict)


class TriggerRequested(OpenModel):
    """A timer or sweep asks a trace to look again; `branch` has the new head `revision`."""

    reason: str
    timer: str = ""
    task_id: str | None = None
    step: int | None = None
    branch: str = ""
    revision: str = ""
    why: str = ""
    """A person's reason."""


class CommandAnswered(OpenModel):
    """`TaskCompleted` of a person's command: what they were told. Tasks of agents carry what they like."""

    command: str = ""
    correlation: str = ""
    line: str = ""
    reply: str = ""


class EnvironmentTask(OpenModel):
    """`TaskStalled`, `TaskSkipped`, `NodeUnblocked` of a deployment: who waits for an environment, and
    why.
    """

    environment: str = ""
    release_id: str = ""
    reason: str = ""
