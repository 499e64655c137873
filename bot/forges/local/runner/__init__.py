"""Runs a committed `.gitlab-ci.yml` on this machine, for the embedded forge.

    pipeline = parse(text, tree)                                 PipelineError: what, where, what to do
    planned = plan(pipeline, RunContext(branch="main"), changed) which jobs, in which order
    result = execute(planned, repository=..., sha=..., workdir=..., on_job=None, cancelled=None, clock=...)

**No security boundary.** Jobs are processes of the user who runs the bot. They get a clean environment,
resource limits, a time limit and a process group that is killed as one, which keeps accidents small; they can
still read that user's files, use the network and start processes that leave the group. Run only what the
people who may push to the embedded forge would run themselves; the embedded forge listens on loopback for
that reason.

The part of GitLab CI that is executed is what `model.py` has fields for. Anything else is an error before
anything runs.
"""

from bot.forges.local.runner.errors import PipelineError
from bot.forges.local.runner.execute import execute
from bot.forges.local.runner.model import Pipeline
from bot.forges.local.runner.parse import parse
from bot.forges.local.runner.plan import Plan, PlannedJob, plan
from bot.forges.local.runner.results import CaseResult, JobResult, Limits, RunResult
from bot.forges.local.runner.variables import RunContext

__all__ = [
    "CaseResult",
    "JobResult",
    "Limits",
    "Pipeline",
    "PipelineError",
    "Plan",
    "PlannedJob",
    "RunContext",
    "RunResult",
    "execute",
    "parse",
    "plan",
]
