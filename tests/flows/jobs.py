"""A flow with one piece of work in it, for tests of what the words of the language do."""

from bot.domain.event import Draft
from bot.flows.load import load
from tests.flows.rig import Rig, fact

JOB = "{agent: builder, skill: Build, done: TestsPassed}"


def flow(work: str, more: str = "") -> Rig:
    """begin -CommitReady-> work -> end, with `lost` for what goes wrong."""
    return Rig(
        load(f"""
flow: job
version: 1
initial: begin
states:
  begin: {{on: {{CommitReady: work, StudioPRAction: end, ChangeClosed: lost}}}}
  work:
    onDone: end
{work}
  end: {{final: true}}
  lost: {{on: {{CommitReady: work}}}}
{more}""")
    )


def failed(rig: Rig, agent: str = "builder", **more: object) -> Draft:
    return fact("AgentTaskFailed", taskId=rig.task(agent), reasonCode="Broken", message="it broke", **more)
