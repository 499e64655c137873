"""Runs that wait for our own checks, and runs of changes alone."""

from __future__ import annotations

import re

import pytest

from bot.domain import effect as e
from bot.domain import payloads as p
from tests.forges.gitlab.conftest import FOR_CHANGES, Desk, check, refusal
from tests.forges.gitlab.fake.git import Person


@pytest.fixture
def run(desk: Desk) -> str:
    """The revision of a change with a pipeline that goes on."""
    desk.stage.put({".gitlab-ci.yml": "test: {script: [make]}\n"})
    made = desk.commit()
    desk.change()
    return made


def read(desk: Desk, number: int = -1) -> p.PipelineFinished | None:
    pipeline = desk.world.project.pipelines[number]
    found: p.PipelineFinished | None = desk.do(e.GatherFacts(correlation="c", run=str(pipeline.id))).run
    return found


def test_a_run_is_read_when_its_jobs_have_ended_whatever_our_own_checks_say(desk: Desk, run: str) -> None:
    desk.do(check(run))
    assert read(desk) is None
    desk.stage.finish_run(run, "success", 87.5)
    assert desk.world.project.pipelines[-1].status == "running", "it waits for the bot's check"
    told = read(desk)
    assert told is not None
    assert (told.status, told.coverage, told.told, told.path) == ("success", 87.5, "all", ".gitlab-ci.yml")
    assert (told.revision, told.branch) == (run, "feature/x")
    assert [(job.name, job.stage, job.status, job.duration_s, job.log_tail) for job in told.jobs] == [
        ("test", "test", "success", 1.5, "")
    ]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/acme/platform/booking/-/pipelines/\d+", told.url)


def test_a_failed_check_of_ours_is_no_failed_run(desk: Desk, run: str) -> None:
    desk.do(check(run, conclusion="failure"))
    desk.stage.finish_run(run, "success", None)
    assert desk.world.project.pipelines[-1].status == "failed"
    told = read(desk)
    assert told is not None
    assert (told.status, told.coverage) == ("success", None)


def test_a_failed_job_is_told_with_the_end_of_its_log(desk: Desk, run: str) -> None:
    desk.stage.finish_run(run, "failed", None)
    desk.world.project.pipelines[-1].jobs[0].trace = (
        "section_start:1:step\r\x1b[0Kone\n" * 100
        + "\x1b[31;1mE   assert 1 == 2\x1b[0;m\npassword=hunter22\n"
    )
    told = read(desk)
    assert told is not None
    (job,) = told.jobs
    assert (told.status, job.failure_reason) == ("failed", "script_failure")
    assert job.log_tail.splitlines()[-2:] == ["E   assert 1 == 2", "password=[hidden]"]
    assert len(job.log_tail.splitlines()) == 20


def test_a_log_that_is_gone_is_no_matter(desk: Desk, run: str) -> None:
    desk.stage.finish_run(run, "failed", None)
    desk.fault("GET", "/trace$", status=404)
    told = read(desk)
    assert told is not None
    assert told.jobs[0].log_tail == ""


@pytest.mark.parametrize(
    ("jobs", "status"),
    [
        ([("success", False), ("failed", True)], "success"), ([("success", False), ("failed", False)], "failed"),
        ([("success", False), ("canceled", False)], "canceled"), ([("success", False), ("manual", True)], "success"),
        ([("success", False), ("manual", False)], None), ([("success", False), ("created", False)], None),
        ([("success", False), ("skipped", False)], "success"), ([("failed", False), ("pending", True)], None),
    ],
)  # fmt: skip
def test_what_counts_is_every_job_that_may_not_fail(
    desk: Desk, run: str, jobs: list[tuple[str, bool]], status: str | None
) -> None:
    pipeline = desk.world.project.pipelines[-1]
    first = pipeline.jobs[0]
    from dataclasses import replace

    pipeline.jobs = [
        replace(first, name=f"job-{at}", status=state, allow_failure=may)
        for at, (state, may) in enumerate(jobs)
    ]
    told = read(desk)
    assert (told.status if told else None) == status


def test_a_merged_results_run_is_of_the_head_that_it_merged(desk: Desk, run: str) -> None:
    repo, pipeline = desk.world.project.repo, desk.world.project.pipelines[-1]
    main = desk.stage.put({"b.py": "b\n"})
    tree = repo.merged_tree(main, run)
    pipeline.sha = repo.write(str(tree), [main, run], "Merge", Person("x", "x@y"))
    pipeline.ref = "refs/merge-requests/1/merge"
    pipeline.jobs[0].status = "success"
    told = read(desk, desk.world.project.pipelines.index(pipeline))
    assert told is not None
    assert (told.revision, told.branch) == (run, "")


def again(head: str) -> e.RunPipeline:
    return e.RunPipeline(branch="feature/x", revision=head, variables={"TRACE": "trace-1"})


def test_a_run_is_started_once_for_each_effect(desk: Desk, run: str) -> None:
    first = desk.do(again(run))
    assert desk.do(again(run)) == first
    assert desk.do(again(run), "trace-1.000009.0") != first
    assert desk.world.project.pipelines[-2].variables[0] == {
        "key": "TRACE",
        "value": "trace-1",
        "variable_type": "env_var",
    }


def test_a_run_is_of_the_head_alone(desk: Desk, run: str) -> None:
    desk.world.person("jane", "write")
    desk.stage.push("jane", "feature/x", {"hers.py": "x\n"}, "fix: hers")
    assert refusal(desk, again(run))[0] == "HeadMoved"
    desk.stage.delete_branch("jane", "feature/x")
    assert refusal(desk, again(run))[0] == "BranchDeleted"


def test_where_changes_have_runs_of_their_own_one_of_those_is_started(desk: Desk) -> None:
    desk.stage.put({".gitlab-ci.yml": FOR_CHANGES, "ci/one.yml": "unit: {stage: test, script: [make]}\n"})
    made = desk.commit()
    desk.change()
    desk.stage.finish_run(made, "failed")
    first = desk.do(again(made))
    assert desk.do(again(made)) == first, "it goes on"
    run = desk.world.project.pipelines[-1]
    assert len(desk.world.project.pipelines) == 4, "of main, the branch, the change; and this one"
    assert (run.ref, run.source, run.sha, [job.name for job in run.jobs]) == (
        "refs/merge-requests/1/head",
        "merge_request_event",
        made,
        ["unit"],
    )
    desk.stage.finish_run(made, "success", 50.0)
    told = read(desk)
    assert told is not None
    assert (told.revision, told.branch, told.status, told.coverage) == (made, "", "success", 50.0)
    assert desk.do(again(made)) != first


def test_without_a_pipeline_file_nothing_can_run(desk: Desk, head: str) -> None:
    code, message = refusal(desk, again(head))
    assert (code, message) == (
        "NoPipeline",
        "GitLab starts no pipeline for feature/x: {'base': ['Missing CI config file']}",
    )
    assert refusal(desk, again("0" * 39 + "1"))[0] == "RevisionMissing"
