"""Committed pipelines really run, once, and their end is told."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent
from bot.forges.local.tables import ForgePipeline
from tests.forges.world import REPOSITORY, World, make, opened

GOOD = """
unit:
  script:
    - echo "hello from $CI_COMMIT_BRANCH"
    - 'echo "TOTAL 93%"'
  coverage: '/TOTAL (\\d+)%/'
lint:
  script: [exit 3]
  allow_failure: true
"""


def commit(world: World, text: str) -> str:
    return commit_files(world, (e.File(path=".gitlab-ci.yml", content=text),))


def commit_files(world: World, files: tuple[e.File, ...], effect_id: str = "trace-1.000001.0") -> str:
    result = world.perform(
        e.CommitFiles(
            repository=REPOSITORY,
            branch="feature/x",
            base="main",
            message="ci: pipeline",
            trailers={"Trace-Id": "trace-1"},
            files=files,
        ),
        effect_id,
    )
    assert isinstance(result, e.CommitResult)
    return result.sha


def runs(world: World) -> list[ForgePipeline]:
    with world.store.read() as session:
        session.expire_on_commit = False
        return list(session.scalars(select(ForgePipeline).order_by(col(ForgePipeline.id))).all())


def ended(world: World, count: int = 1) -> list[Any]:
    """The `PipelineFinished` facts, once there are `count`."""

    def found() -> list[Any]:
        return [fact for fact in world.facts() if fact.draft.type == "PipelineFinished"]

    world.until(lambda: len(found()) >= count, 60)
    return found()


def test_a_pushed_pipeline_runs_and_its_end_is_told(any_world: World) -> None:
    world = any_world
    world.repository()
    sha = commit(world, GOOD)
    fact = ended(world)[0]
    data = p.PipelineFinished.model_validate(fact.draft.data)
    assert (data.status, data.revision, data.branch, data.coverage, data.reason) == (
        "success",
        sha,
        "feature/x",
        93.0,
        "",
    )
    assert {(job.name, job.status, job.allow_failure) for job in data.jobs} == {
        ("unit", "success", False),
        ("lint", "failed", True),
    }
    assert (fact.trace_id, fact.new_trace) == ("trace-1", True)
    assert fact.hints == (f"local:{REPOSITORY}@feature/x", f"local:{REPOSITORY}={sha}")
    assert data.url == f"{world.url}/forge/{REPOSITORY}/pipelines/{data.pipeline_id}"
    world.person("jane", "read")
    with world.api("jane") as api:
        log = api.get(f"/repositories/{REPOSITORY}/pipelines/{data.pipeline_id}/jobs/unit/log").text
        missing = api.get(f"/repositories/{REPOSITORY}/pipelines/{data.pipeline_id}/jobs/nope/log")
    assert "hello from feature/x\n" in log
    assert missing.json()["detail"] == f"pipeline {data.pipeline_id} has no job 'nope'"


def test_a_failing_job_fails_the_run(world: World) -> None:
    world.repository()
    commit(world, "unit: {script: [exit 1]}\n")
    data = ended(world)[0].draft.data
    assert (data["status"], data["reason"]) == ("failed", "failed: unit")


def test_a_file_that_cannot_be_read_fails_with_the_parsers_words(world: World) -> None:
    world.repository()
    commit(world, "unit: {script: ['true'], services: [postgres]}\n")
    data = ended(world)[0].draft.data
    assert data["status"] == "failed"
    assert data["reason"].startswith(".gitlab-ci.yml: line 1, column ")
    assert "services" in data["reason"]


def test_an_included_file_that_cannot_be_read_is_named(world: World) -> None:
    world.repository()
    files = (
        e.File(path=".gitlab-ci.yml", content="include: [ci/*.yml]\n"),
        e.File(path="ci/one.yml", content="unit: {script: ['true']}\n"),
        e.File(path="ci/two.yml", content="more: {script: ['true'], services: [postgres]}\n"),
    )
    commit_files(world, files)
    assert ended(world)[0].draft.data["reason"].startswith("ci/two.yml: line 1, column 26: `more.services`")


COMPARED = """
push: {script: ['true'], rules: [{changes: [pushed]}]}
since: {script: ['true'], rules: [{changes: {paths: [first], compare_to: refs/heads/$CI_DEFAULT_BRANCH}}]}
always: {script: ['true']}
"""


def test_a_push_is_compared_with_what_was_there_before(world: World) -> None:
    """A new branch can not be, and then the rule holds; `compare_to` sees the whole branch."""
    world.repository()
    commit_files(world, (e.File(path=".gitlab-ci.yml", content=COMPARED), e.File(path="first", content="x")))
    commit_files(world, (e.File(path="second", content="x"),), "trace-1.000002.0")
    commit_files(world, (e.File(path="pushed", content="x"),), "trace-1.000003.0")
    facts = sorted(ended(world, 3), key=lambda fact: int(fact.draft.data["pipelineId"]))
    names = [{job["name"] for job in fact.draft.data["jobs"]} for fact in facts]
    assert names == [{"push", "since", "always"}, {"since", "always"}, {"push", "since", "always"}]


def test_a_run_that_is_asked_for_is_compared_with_nothing(world: World) -> None:
    world.repository()
    commit_files(world, (e.File(path=".gitlab-ci.yml", content=COMPARED),))
    sha = commit_files(world, (e.File(path="second", content="x"),), "trace-1.000002.0")
    again = e.RunPipeline(repository=REPOSITORY, branch="feature/x", revision=sha)
    world.perform(again, "trace-1.000003.0")
    facts = sorted(ended(world, 3), key=lambda fact: int(fact.draft.data["pipelineId"]))
    assert [{job["name"] for job in fact.draft.data["jobs"]} for fact in facts[1:]] == [
        {"always"},
        {"push", "always"},
    ]


def test_a_change_is_compared_with_its_target(world: World) -> None:
    world.repository()
    only = '$CI_PIPELINE_SOURCE == "merge_request_event"'
    text = (
        f"workflow: {{rules: [{{if: '{only}'}}]}}\n"
        "whole: {script: ['true'], rules: [{changes: [first]}]}\n"
        "not: {script: ['true'], rules: [{changes: [README.md]}]}\n"
    )
    commit_files(world, (e.File(path=".gitlab-ci.yml", content=text), e.File(path="first", content="x")))
    commit_files(world, (e.File(path="second", content="x"),), "trace-1.000002.0")
    world.until(lambda: [run.status for run in runs(world)] == ["skipped", "skipped"])
    opening = e.OpenChange(
        repository=REPOSITORY, source="feature/x", target_branch="main", title="t", body=""
    )
    world.perform(opening, "trace-1.000003.0")
    assert [job["name"] for job in ended(world)[0].draft.data["jobs"]] == ["whole"]


def test_what_can_not_be_compared_fails_the_run(world: World) -> None:
    world.repository()
    commit(world, "unit: {script: ['true'], rules: [{changes: {paths: [a], compare_to: gone}}]}\n")
    assert ended(world)[0].draft.data["reason"] == (
        ".gitlab-ci.yml: line 1, column 1: job `unit`: `compare_to` names gone, which is no branch, tag or commit"
        " (correct it)"
    )


def test_a_job_sees_the_commits_message_as_it_is(world: World, tmp_path: Path) -> None:
    world.repository()
    world.perform(
        e.CommitFiles(
            repository=REPOSITORY,
            branch="feature/x",
            base="main",
            message="ci: $HOME $(id) `id`",
            trailers={"Trace-Id": "trace-1"},
            files=(
                e.File(
                    path=".gitlab-ci.yml",
                    content=f'unit: {{script: [\'printf "%s" "$CI_COMMIT_MESSAGE" > {tmp_path}/said\']}}\n',
                ),
            ),
        ),
        "trace-1.000001.0",
    )
    ended(world)
    assert (tmp_path / "said").read_text().startswith("ci: $HOME $(id) `id`\n\nTrace-Id: trace-1\n")


def test_a_revision_runs_once_per_branch_unless_asked_for(world: World) -> None:
    world.repository()
    sha = commit(world, "unit: {script: ['echo $WHO']}\n")
    opening = e.OpenChange(
        repository=REPOSITORY, source="feature/x", target_branch="main", title="t", body=""
    )
    world.perform(opening, "trace-1.000002.0")
    ended(world)
    again = e.RunPipeline(
        repository=REPOSITORY, branch="feature/x", revision=sha, variables={"WHO": "asked for"}
    )
    first = world.perform(again, "trace-1.000003.0")
    assert world.perform(again, "trace-1.000003.0") == first
    ended(world, 2)
    assert [(run.source, run.attempt, run.status) for run in runs(world)] == [
        ("push", 1, "success"),
        ("again", 2, "success"),
    ]
    world.person("jane", "read")
    with world.api("jane") as api:
        assert (
            "asked for\n"
            in api.get(f"/repositories/{REPOSITORY}/pipelines/{runs(world)[1].id}/jobs/unit/log").text
        )


@pytest.mark.parametrize("branch", ["main", "feature/x"])
def test_running_what_is_not_there_is_refused(world: World, branch: str) -> None:
    world.repository()
    head = commit(world, "unit: {script: ['true']}\n") if branch != "main" else None
    revision = "0" * 39 + "1" if head else str(_main(world))
    with pytest.raises(Permanent) as refused:
        world.perform(
            e.RunPipeline(repository=REPOSITORY, branch=branch, revision=revision), "trace-1.000003.0"
        )
    assert refused.value.reason_code == ("RevisionMissing" if head else "NoPipeline")


def _main(world: World) -> str | None:
    from bot.forges.local import history

    return history.branch_head(world.forge.ground.folder(REPOSITORY), "main")


def test_a_file_for_changes_runs_when_there_is_a_change(world: World) -> None:
    world.repository()
    only = '$CI_PIPELINE_SOURCE == "merge_request_event"'
    commit(
        world, f"workflow: {{rules: [{{if: '{only}'}}]}}\nunit: {{script: ['echo $CI_MERGE_REQUEST_IID']}}\n"
    )
    world.until(lambda: runs(world)[0].status == "skipped")
    opening = e.OpenChange(
        repository=REPOSITORY, source="feature/x", target_branch="main", title="t", body=""
    )
    world.perform(opening, "trace-1.000002.0")
    data = ended(world)[0].draft.data
    assert data["status"] == "success"
    assert len(runs(world)) == 1


def test_a_tag_runs_with_its_name(world: World) -> None:
    world.repository()
    sha = commit(world, "unit: {script: ['test \"$CI_COMMIT_TAG\" = v1'], rules: [{if: $CI_COMMIT_TAG}]}\n")
    world.perform(e.CreateTag(repository=REPOSITORY, name="v1", revision=sha), "trace-1.000002.0")
    data = ended(world)[0].draft.data
    assert (data["status"], data["branch"], data["revision"]) == ("success", "", sha)


def test_a_run_of_a_process_that_was_killed_has_failed(migrated_sqlite: str, tmp_path: Path) -> None:
    dead = make(tmp_path / "home", migrated_sqlite)
    with opened(tmp_path / "other", migrated_sqlite, start=False):
        dead.create_repository(REPOSITORY)
    with dead.ground.write() as session:
        session.add(
            ForgePipeline(
                repository=REPOSITORY,
                ref="refs/heads/main",
                sha=_seed(dead),
                actor="jane",
                status="running",
                created_at="2026-11-20T00:00:00.000Z",
            )
        )
    with opened(tmp_path / "home", migrated_sqlite) as world:
        data = ended(world)[0].draft.data
        assert (data["status"], data["reason"]) == ("failed", "runner lost")
        assert [run.status for run in runs(world)] == ["failed"]


def _seed(forge: Any) -> str:
    from bot.forges.local import repositories
    from bot.forges.local.git import line
    from tests.forges.world import README

    folder = forge.ground.folder(REPOSITORY)
    repositories._first_commit(forge.ground, folder, "main", (README,))
    return line(folder, "rev-parse", "main")


def test_a_polite_stop_puts_a_run_back_into_the_queue(migrated_sqlite: str, tmp_path: Path) -> None:
    with opened(tmp_path / "home", migrated_sqlite) as world:
        world.repository()
        commit(
            world, f"unit: {{script: ['test -e {tmp_path}/go || {{ touch {tmp_path}/go; sleep 60; }}']}}\n"
        )
        world.until((tmp_path / "go").exists)
        stopping = threading.Thread(target=world.forge.close)
        stopping.start()
        stopping.join(timeout=20)
        assert [run.status for run in runs(world)] == ["queued"]
        world.forge.close = lambda: None  # type: ignore[method-assign]
    with opened(tmp_path / "home", migrated_sqlite) as world:
        assert ended(world)[0].draft.data["status"] == "success"
