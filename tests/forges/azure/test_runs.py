"""Runs of Azure Pipelines: what the service hooks tell, and what is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from tests.forges.azure import bodies
from tests.forges.azure.bodies import HEAD, MERGED, draft, fact, facts
from tests.forges.azure.fake import runs
from tests.forges.azure.fake.state import Fault
from tests.forges.conformance.stages.azure import AzureStage

FILE = "azure-pipelines.yml"


def build(**more: Any) -> bytes:
    said = {
        "id": 21,
        "status": "completed",
        "result": "succeeded",
        "sourceBranch": "refs/heads/feature/booking",
        "sourceVersion": HEAD,
        "project": {"name": "demo"},
        "repository": {"id": "repo-1", "type": "TfsGit", "name": "booking"},
        "requestedFor": bodies.JANE,
        "_links": {"web": {"href": "https://dev.azure.com/acme/demo/_build/results?buildId=21"}},
    }
    return bodies.body("build.complete", said | more, "Build 20261120.1 succeeded")


def test_the_end_of_a_run_is_announced_and_asks_to_be_looked_at() -> None:
    said = fact(build())
    assert said.hints == ("azure:demo/booking@feature/booking", f"azure:demo/booking={HEAD}")
    assert (said.draft.type, said.draft.actor) == ("PipelineFinished", "jane@acme.example")
    assert said.draft.data == {
        "repository": "demo/booking",
        "revision": HEAD,
        "branch": "feature/booking",
        "pipelineId": "21",
        "path": "",
        "told": "outcome",
        "status": "success",
        "reason": "",
        "url": "https://dev.azure.com/acme/demo/_build/results?buildId=21",
        "jobs": [],
    }


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ("succeeded", "success"),
        ("partiallySucceeded", "success"),
        ("failed", "failed"),
        ("canceled", "canceled"),
        ("stopped", "canceled"),
    ],
)
def test_how_a_run_ended(result: str, status: str) -> None:
    assert draft(build(result=result)).data["status"] == status


def test_a_validation_run_is_of_the_head_and_not_of_the_merge_that_nobody_sees() -> None:
    trigger = {"pr.number": "5", "pr.sourceBranch": "refs/heads/feature/booking", "pr.sourceSha": HEAD}
    said = fact(build(sourceBranch="refs/pull/5/merge", sourceVersion=MERGED, triggerInfo=trigger))
    assert (said.draft.data["revision"], said.draft.data["branch"]) == (HEAD, "feature/booking")
    # Not by the branch: the change may come from a fork that has one of the same name.
    assert said.hints == ("azure:demo/booking#5", f"azure:demo/booking={HEAD}")


@pytest.mark.parametrize(
    "more",
    [
        {"result": "none"},
        {"result": None, "status": "inProgress"},
        {"repository": {"type": "GitHub", "name": "acme/booking", "id": "acme/booking"}},
        {"repository": None},
        {"sourceVersion": None},
    ],
)
def test_a_run_that_says_nothing_of_a_revision_here(more: dict[str, Any]) -> None:
    assert facts(build(**more)) == []


def test_the_repository_may_be_named_by_its_address_alone() -> None:
    about = {"id": "repo-1", "type": "TfsGit", "url": "https://dev.azure.com/acme/demo/_git/booking"}
    assert fact(build(repository=about)).repository == "demo/booking"


def step(**more: Any) -> bytes:
    said = {
        "stage": {"name": "test", "state": "completed", "result": "failed", "_links": {"web": {"href": "u"}}},
        "pipeline": {"name": "CI"},
        "repositories": [
            {
                "type": "Git",
                "url": "https://acme@dev.azure.com/acme/demo/_git/booking",
                "change": {"version": HEAD},
            }
        ],
    }
    return bodies.body("ms.vss-pipelines.stage-state-changed-event", said | more, "Run 2 stage test failed.")


def test_a_stage_that_changed_is_a_status_of_its_revision() -> None:
    said = fact(step())
    assert (said.repository, said.hints, said.new_trace) == (
        "demo/booking",
        (f"azure:demo/booking={HEAD}",),
        False,
    )
    assert said.draft.data == {
        "repository": "demo/booking",
        "revision": HEAD,
        "name": "CI/test",
        "state": "failed",
        "description": "Run 2 stage test failed.",
        "url": "u",
    }


def test_a_job_that_changed_and_a_stage_of_no_revision() -> None:
    body = step(stage=None, job={"name": "unit", "state": "inProgress"})
    assert draft(body).data["name"] == "CI/unit"
    assert facts(step(repositories=[{"url": "https://dev.azure.com/acme/demo/_git/booking"}])) == []
    assert (
        facts(bodies.body("ms.vss-pipelines.run-state-changed-event", {"run": {"state": "completed"}})) == []
    )


def do(stage: AzureStage, effect: e.Effect, effect_id: str = "trace-1.000007.0") -> Any:
    effect = effect.model_copy(update={"repository": stage.repository})
    return stage.forge.perform(effect_id, effect, EffectContext("acme", "trace-1", lambda _: None))


def committed(stage: AzureStage) -> str:
    files = (e.File(path=FILE, content="trigger: none\n"),)
    made = do(stage, e.CommitFiles(branch="feature/x", base="main", files=files, message="ci: add"), "c.1")
    return str(made.sha)


def test_a_committed_file_becomes_a_pipeline_once(stage: AzureStage) -> None:
    committed(stage)
    do(
        stage,
        e.CommitFiles(
            branch="feature/x",
            base="main",
            files=(e.File(path=FILE, content="trigger: [main]\n"),),
            message="ci: more",
        ),
        "c.2",
    )
    (made,) = stage.org.definitions.values()
    assert (made["name"], made["process"], made["repository"]["id"]) == (
        "booking (Pointsman)",
        {"type": 2, "yamlFilename": FILE},
        stage.repo.id,
    )
    assert made["queue"] == {"id": 41}
    assert made["triggers"] == [{"triggerType": "continuousIntegration", "settingsSourceType": 2}]


def test_a_project_without_the_forges_own_machines_uses_what_it_has(stage: AzureStage) -> None:
    stage.org.queues = ("Default",)
    committed(stage)
    assert [one["queue"] for one in stage.org.definitions.values()] == [{"id": 40}]


def test_files_are_committed_also_where_no_pipeline_can_be_made(stage: AzureStage) -> None:
    stage.org.queues = ()
    head = committed(stage)
    assert stage.head("feature/x") == head
    assert stage.org.definitions == {}
    with pytest.raises(Permanent) as refused:
        do(stage, e.RunPipeline(branch="feature/x", revision=head))
    assert refused.value.message == "demo/booking: demo has no agent queue to run pipelines on"


def test_each_module_has_a_pipeline_of_its_own(stage: AzureStage) -> None:
    names = [f".azure-pipelines/pointsman-{module}.yml" for module in ("left", "right")]
    files = tuple(e.File(path=name, content="trigger: none\n") for name in names)
    made = do(stage, e.CommitFiles(branch="feature/x", base="main", files=files, message="ci: add"), "c.1")
    assert {one["name"]: one["process"]["yamlFilename"] for one in stage.org.definitions.values()} == {
        "booking left (Pointsman)": names[0],
        "booking right (Pointsman)": names[1],
    }
    again = e.RunPipeline(branch="feature/x", revision=str(made.sha), path=names[1])
    run = stage.org.builds[int(do(stage, again).pipeline_id)]
    assert stage.org.definitions[run["definition"]["id"]]["process"]["yamlFilename"] == names[1]
    with pytest.raises(Permanent) as refused:
        do(stage, again.model_copy(update={"path": ".azure-pipelines/pointsman-up.yml"}), "c.3")
    assert refused.value.message == f"{made.sha[:12]} has no .azure-pipelines/pointsman-up.yml"


def test_a_run_is_queued_once_with_its_variables(stage: AzureStage) -> None:
    head = committed(stage)
    again = e.RunPipeline(branch="feature/x", revision=head, variables={"POINTSMAN_TRACE_ID": "trace-1"})
    stage.org.definitions.clear()
    first = do(stage, again)
    assert do(stage, again) == first
    other = do(stage, again, "trace-1.000009.0")
    assert (stage.runs(head), other != first) == (2, True)
    run = stage.org.builds[int(first.pipeline_id)]
    assert run["parameters"] == '{"POINTSMAN_TRACE_ID": "trace-1", "POINTSMAN_EFFECT_ID": "trace-1.000007.0"}'
    assert first.url == f"{stage.org.url}/demo/_build/results?buildId={first.pipeline_id}"


def test_variables_that_a_pipeline_of_others_does_not_let_be_set(stage: AzureStage) -> None:
    head = committed(stage)
    for one in stage.org.definitions.values():
        one["variables"] = {}
    with pytest.raises(Permanent) as refused:
        do(stage, e.RunPipeline(branch="feature/x", revision=head, variables={"A": "1"}))
    assert refused.value.reason_code == "VariablesRefused"
    assert refused.value.message == (
        "the pipeline of azure-pipelines.yml lets these not be set when it is queued: A, POINTSMAN_EFFECT_ID "
        "(define them there, settable at queue time)"
    )
    assert stage.runs(head) == 0


@pytest.mark.parametrize("revision", ["main", "0" * 39 + "1"])
def test_nothing_is_run_on_a_revision_that_is_not_there(stage: AzureStage, revision: str) -> None:
    with pytest.raises(Permanent) as refused:
        do(stage, e.RunPipeline(branch="main", revision=revision))
    assert refused.value.reason_code == "RevisionMissing"


def test_nothing_is_run_without_a_file(stage: AzureStage) -> None:
    with pytest.raises(Permanent) as refused:
        do(stage, e.RunPipeline(branch="main", revision=str(stage.head("main"))))
    assert refused.value.reason_code == "NoPipeline"


def told(stage: AzureStage, run: str) -> p.PipelineFinished:
    found = do(stage, e.GatherFacts(correlation="c", run=run)).run
    assert isinstance(found, p.PipelineFinished)
    return found


def test_a_run_that_has_ended_is_told_whole(stage: AzureStage) -> None:
    head = committed(stage)
    queued = do(stage, e.RunPipeline(branch="feature/x", revision=head))
    with pytest.raises(Retryable, match=r"^run 1 of demo/booking has not ended yet$"):
        told(stage, queued.pipeline_id)
    jobs = [("unit", "succeeded"), ("lint", "failed"), ("skip me", "skipped")]
    runs.end(stage.org, stage.org.builds[1], "failed", 83.4, jobs)
    run = told(stage, queued.pipeline_id)
    assert (run.status, run.coverage, run.path, run.told) == ("failed", 83.4, FILE, "all")
    assert (run.revision, run.branch) == (head, "feature/x")
    assert [(job.name, job.stage, job.status, job.allow_failure, job.failure_reason) for job in run.jobs] == [
        ("unit", "", "success", False, ""),
        ("lint", "", "failed", False, "Bash exited with code '1'."),
        ("skip me", "", "skipped", False, ""),
    ]
    assert run.jobs[0].duration_s == 12.5
    assert [job.log_tail for job in run.jobs] == ["", "Run\nit broke", ""]


def test_only_the_end_of_a_log_is_asked_for(stage: AzureStage) -> None:
    head = committed(stage)
    do(stage, e.RunPipeline(branch="feature/x", revision=head))
    stage.org.log = [f"line {number}" for number in range(1000)]
    runs.end(stage.org, stage.org.builds[1], "failed", None, [("lint", "failed")])
    assert told(stage, "1").jobs[0].log_tail.splitlines()[-1] == "line 999"
    stage.org.faults = [Fault("GET", "/logs", "status", 404)]
    assert told(stage, "1").jobs[0].log_tail == ""


def test_what_partially_succeeded_was_allowed_to_fail(stage: AzureStage) -> None:
    head = committed(stage)
    queued = do(stage, e.RunPipeline(branch="feature/x", revision=head))
    runs.end(stage.org, stage.org.builds[1], "partiallySucceeded", None, [("lint", "failed")])
    run = told(stage, queued.pipeline_id)
    assert (run.status, run.coverage, run.jobs[0].allow_failure) == ("success", None, True)


@pytest.mark.parametrize("run", ["99", "x", "../1"])
def test_a_run_that_is_not_there(stage: AzureStage, run: str) -> None:
    with pytest.raises(Permanent) as refused:
        told(stage, run)
    assert refused.value.reason_code == "NotFound"
