"""Who runs after what: every combination of two earlier jobs, for every `when`."""

from typing import Literal

import pytest

from bot.forges.local.runner import JobResult, PlannedJob
from bot.forges.local.runner.model import Job, JobWhen
from bot.forges.local.runner.readiness import reason, verdict

# What two earlier jobs did, and what then becomes of a job: by stages, and by `needs`.
# ok: succeeded; bad: failed; may: failed and was allowed to; off: did not run; hand: waits for a person.
TABLE: dict[str, dict[JobWhen, tuple[str, str]]] = {
    "ok ok": {"on_success": ("run", "run"), "on_failure": ("skipped", "skipped"), "always": ("run", "run")},
    "ok may": {"on_success": ("run", "run"), "on_failure": ("skipped", "skipped"), "always": ("run", "run")},
    "ok bad": {"on_success": ("skipped", "skipped"), "on_failure": ("run", "run"), "always": ("run", "run")},
    "bad bad": {"on_success": ("skipped", "skipped"), "on_failure": ("run", "run"), "always": ("run", "run")},
    "may bad": {"on_success": ("skipped", "skipped"), "on_failure": ("run", "run"), "always": ("run", "run")},
    "ok off": {
        "on_success": ("run", "skipped"),
        "on_failure": ("skipped", "skipped"),
        "always": ("run", "run"),
    },
    "ok hand": {
        "on_success": ("run", "skipped"),
        "on_failure": ("skipped", "skipped"),
        "always": ("run", "run"),
    },
    "bad off": {
        "on_success": ("skipped", "skipped"),
        "on_failure": ("run", "skipped"),
        "always": ("run", "run"),
    },
    "bad hand": {
        "on_success": ("skipped", "skipped"),
        "on_failure": ("run", "skipped"),
        "always": ("run", "run"),
    },
    "off off": {
        "on_success": ("run", "skipped"),
        "on_failure": ("skipped", "skipped"),
        "always": ("run", "run"),
    },
}
DID: dict[str, tuple[Literal["success", "failed", "skipped", "manual"], bool]] = {
    "ok": ("success", False),
    "bad": ("failed", False),
    "may": ("failed", True),
    "off": ("skipped", False),
    "hand": ("manual", True),
}


def result(word: str, name: str = "earlier") -> JobResult:
    status, allowed = DID[word]
    return JobResult(name=name, stage="build", status=status, allow_failure=allowed)


def planned(when: JobWhen, *, by_needs: bool = False) -> PlannedJob:
    job = Job(script=("x",))
    return PlannedJob(name="job", job=job, when=when, allow_failure=False, variables={}, by_needs=by_needs)


@pytest.mark.parametrize("words", TABLE)
@pytest.mark.parametrize("when", ["on_success", "on_failure", "always"])
@pytest.mark.parametrize("by_needs", [False, True])
def test_the_table(words: str, when: JobWhen, by_needs: bool) -> None:
    before = [result(word) for word in words.split()]
    expected = TABLE[words][when][by_needs]
    assert verdict(planned(when, by_needs=by_needs), before) == expected
    assert verdict(planned(when, by_needs=by_needs), before[::-1]) == expected


@pytest.mark.parametrize("words", TABLE)
@pytest.mark.parametrize("by_needs", [False, True])
def test_a_manual_job_is_offered_where_another_would_run(words: str, by_needs: bool) -> None:
    before = [result(word) for word in words.split()]
    would_run = verdict(planned("on_success", by_needs=by_needs), before) == "run"
    assert verdict(planned("manual", by_needs=by_needs), before) == ("manual" if would_run else "skipped")


@pytest.mark.parametrize(
    ("when", "expected"),
    [("on_success", "run"), ("on_failure", "skipped"), ("always", "run"), ("manual", "manual")],
)
def test_a_first_job(when: JobWhen, expected: str) -> None:
    assert verdict(planned(when), []) == expected


def test_a_cancelled_job_stops_those_after_it() -> None:
    canceled = JobResult(name="earlier", stage="build", status="canceled")
    assert verdict(planned("on_success"), [canceled]) == "skipped"


def test_the_reason_is_said() -> None:
    assert (
        reason(planned("on_success"), [result("bad", "a"), result("ok", "b"), result("bad", "c")])
        == "a, c failed"
    )
    assert reason(planned("on_failure"), [result("may")]) == "nothing failed"
    assert reason(planned("on_success", by_needs=True), [result("off")]) == "a job it needs did not run"
