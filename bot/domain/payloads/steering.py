"""What people say to steer a trace: delays, holds, pauses, locks, and answers to what they were asked."""

from __future__ import annotations

from pydantic import Field

from bot.domain.model import OpenModel


class DelayEnded(OpenModel):
    """`pointsman.DelayEnded`: a person's delay of an environment is taken back before its time."""

    environment: str


class Steered(OpenModel):
    """`pointsman.ChangeHeld`, `pointsman.ChangeFreed`, `pointsman.FlowPaused`, `pointsman.FlowResumed`: a
    person's word about the whole trace; the event's actor said it.
    """

    reason: str = ""


class EnvironmentLocked(OpenModel):
    """`pointsman.EnvironmentLocked`, `pointsman.EnvironmentUnlocked`: for every release of the repository;
    the event's actor said it.
    """

    forge: str
    repository: str
    environment: str
    reason: str = ""


class PipelineWanted(OpenModel):
    """`pointsman.PipelineWanted`: a person wants the pipeline's files written again. `template` replaces the
    one that the module came with; empty: the same.
    """

    template: str = ""


class ProvisioningApproved(OpenModel):
    """A person has the infrastructure of an environment made."""

    environment: str
    approver: str


class HumanTask(OpenModel):
    """`HumanTaskRequested` (seed 001): a question to a person. `options`: the answers there are, empty: any.
    `required_role`: a role of the policy, empty: whoever may write.
    """

    task_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$")
    title: str = Field(min_length=1, max_length=200)
    description: str = ""
    options: tuple[str, ...] = ()
    required_role: str = ""


class HumanAnswer(OpenModel):
    """`HumanTaskResponseReceived`: what a person answered, and in which role."""

    task_id: str
    response: str
    submitted_by: str = ""
    role: str = ""
