"""Which jobs take part, and in which order."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.forges.local.runner import PipelineError, Plan, PlannedJob, RunContext, parse, plan

MAIN = RunContext(branch="main")
TAG = RunContext(tag="v1.0")
CHANGE = RunContext(branch="agent/x", source="merge_request_event", change=7)


def names(planned: Plan) -> list[str]:
    return [job.name for job in planned.jobs]


def test_jobs_without_rules_run_for_branches_and_tags_but_not_for_changes() -> None:
    pipeline = parse("unit: {script: make}")
    assert names(plan(pipeline, MAIN)) == ["unit"]
    assert names(plan(pipeline, TAG)) == ["unit"]
    nothing = plan(pipeline, CHANGE)
    assert (nothing.jobs, nothing.reason) == ((), "no job is for this event")


def test_with_workflow_rules_they_run_for_changes_too() -> None:
    pipeline = parse("workflow: {rules: [{if: $CI_MERGE_REQUEST_IID}]}\nunit: {script: make}")
    assert names(plan(pipeline, CHANGE)) == ["unit"]
    left_out = plan(pipeline, MAIN)
    assert (left_out.jobs, left_out.reason) == ((), "`workflow:rules` leave this event out")


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (MAIN, ["on-main"]),
        (RunContext(branch="other"), ["on-other"]),
        (TAG, ["on-tag"]),
        (CHANGE, ["on-change"]),
    ],
)
def test_rules_choose_by_event(context: RunContext, expected: list[str]) -> None:
    pipeline = parse(
        """
on-main: {script: x, rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH}]}
on-other: {script: x, rules: [{if: $CI_COMMIT_BRANCH == "main", when: never}, {if: $CI_COMMIT_BRANCH}]}
on-tag: {script: x, rules: [{if: $CI_COMMIT_TAG =~ /^v/}]}
on-change: {script: x, rules: [{if: $CI_PIPELINE_SOURCE == "merge_request_event"}]}
"""
    )
    assert names(plan(pipeline, context)) == expected


def test_a_rule_decides_when_whether_failure_is_allowed_and_variables() -> None:
    pipeline = parse(
        "unit:\n  script: x\n  variables: {A: job, B: job}\n"
        "  rules:\n"
        "    - {if: $CI_COMMIT_TAG, when: always, allow_failure: true, variables: {A: rule}}\n"
        "    - when: on_success\n"
    )
    (tagged,), (plain,) = plan(pipeline, TAG).jobs, plan(pipeline, MAIN).jobs
    assert (tagged.when, tagged.allow_failure, tagged.variables["A"], tagged.variables["B"]) == (
        "always",
        True,
        "rule",
        "job",
    )
    assert (plain.when, plain.allow_failure, plain.variables["A"]) == ("on_success", False, "job")


def test_variables_of_the_forge_win_over_those_of_the_file() -> None:
    context = RunContext(branch="main", variables={"A": "forge"})
    (job,) = plan(parse("variables: {A: file}\nunit: {script: x, variables: {A: job}}"), context).jobs
    assert job.variables["A"] == "forge"


def test_a_needed_job_that_the_rules_leave_out_is_an_error() -> None:
    pipeline = parse(
        "compile: {stage: build, script: x, rules: [{if: $CI_COMMIT_TAG}]}\n"
        "unit: {script: x, needs: [compile]}\n"
    )
    with pytest.raises(PipelineError) as caught:
        plan(pipeline, MAIN)
    assert str(caught.value) == (
        "line 2, column 1: job `unit` needs `compile`, which the rules leave out for this event"
        " (give both the same rules, or write `optional: true`)"
    )
    assert names(plan(pipeline, TAG)) == ["compile", "unit"]


def test_who_waits_for_whom_and_gets_whose_files() -> None:
    pipeline = parse(
        """
stages: [build, test]
a: {stage: build, script: x}
b: {stage: build, script: x}
by-stage: {stage: test, script: x}
by-needs: {stage: test, script: x, needs: [{job: a, artifacts: false}, {job: b}]}
at-once: {stage: test, script: x, needs: []}
"""
    )
    jobs = {job.name: job for job in plan(pipeline, MAIN).jobs}
    assert (jobs["by-stage"].waits_for, jobs["by-stage"].files_from) == (("a", "b"), ("a", "b"))
    assert (jobs["by-needs"].waits_for, jobs["by-needs"].files_from) == (("a", "b"), ("b",))
    assert (jobs["at-once"].waits_for, jobs["at-once"].files_from) == ((), ())


@pytest.mark.parametrize(
    "wrong",
    [
        {"branch": "main", "tag": "v1"},
        {},
        {"branch": "main", "change": 3},
        {"branch": "x", "source": "merge_request_event"},
        {"branch": "x", "colour": "red"},
    ],
)
def test_contexts_that_can_not_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"exactly one|change number|not permitted"):
        RunContext.model_validate(wrong)


STAGES = ["one", "two", "three"]


@st.composite
def pipelines(draw: st.DrawFn) -> str:
    """Up to eight jobs whose needs point to jobs with a smaller number in no later stage.

    Written in any order.
    """
    count = draw(st.integers(1, 8))
    stages = [draw(st.integers(0, 2)) for _ in range(count)]
    lines = []
    for number in range(count):
        possible = [other for other in range(number) if stages[other] <= stages[number]]
        needs = draw(st.none() | st.lists(st.sampled_from(possible), unique=True)) if possible else None
        written = "" if needs is None else f", needs: [{', '.join(f'j{other}' for other in needs)}]"
        lines.append(f"j{number}: {{script: x, stage: {STAGES[stages[number]]}{written}}}")
    return "\n".join([f"stages: [{', '.join(STAGES)}]", *draw(st.permutations(lines))])


Order = Callable[[Plan], Sequence[PlannedJob]]


def check_order(order: Order) -> None:
    """The property itself: all jobs, each once, after everything it waits for."""

    @settings(max_examples=200, deadline=None, database=None)
    @given(pipelines())
    def holds(text: str) -> None:
        pipeline = parse(text)
        ordered = order(plan(pipeline, MAIN))
        place = {job.name: index for index, job in enumerate(ordered)}
        assert sorted(place) == sorted(pipeline.jobs)
        assert len(ordered) == len(pipeline.jobs)
        for job in ordered:
            assert all(place[other] < place[job.name] for other in job.waits_for), text

    holds()


def test_every_job_follows_what_it_waits_for() -> None:
    check_order(lambda planned: planned.jobs)


def test_the_property_finds_an_order_by_name() -> None:
    with pytest.raises(AssertionError):
        check_order(lambda planned: sorted(planned.jobs, key=lambda job: job.name, reverse=True))


@settings(max_examples=50, deadline=None)
@given(pipelines())
def test_the_plan_is_the_same_each_time(text: str) -> None:
    assert plan(parse(text), MAIN) == plan(parse(text), MAIN)
