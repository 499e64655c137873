"""Does a job run, now that all it waits for has ended? Pure.

GitLab's own table: lib/gitlab/ci/status/composite.rb, app/services/ci/pipeline_processing/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bot.forges.local.runner.plan import PlannedJob
from bot.forges.local.runner.results import JobResult


def verdict(planned: PlannedJob, before: Sequence[JobResult]) -> Literal["run", "skipped", "manual"]:
    """`before` are the results of `planned.waits_for`.

    A failure that is allowed counts as success. A job of `needs` that did not run keeps those that need it
    from running; by stages it is passed over.
    """
    failed = any(result.status in ("failed", "canceled") and not result.allow_failure for result in before)
    missing = planned.by_needs and any(result.status in ("skipped", "manual") for result in before)
    match planned.when:
        case "always":
            return "run"
        case "on_failure":
            return "run" if failed and not missing else "skipped"
        case "on_success":
            return "skipped" if failed or missing else "run"
        case "manual":
            return "skipped" if failed or missing else "manual"


def reason(planned: PlannedJob, before: Sequence[JobResult]) -> str:
    """Why a job did not run, in one sentence."""
    failed = [result.name for result in before if result.status == "failed" and not result.allow_failure]
    if planned.when == "on_failure" and not failed:
        return "nothing failed"
    if failed:
        return f"{', '.join(failed)} failed"
    return "a job it needs did not run"
