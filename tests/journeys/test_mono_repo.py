"""Several modules of one repository, under way at the same time, each with a pipeline of its own."""

from __future__ import annotations

import json
from pathlib import Path

from bot.pipelines import gitlab_root
from tests.journeys import modules
from tests.journeys.house import House, git

JOBS = ("build", "test", "scan", "package")


def named(module: str) -> list[str]:
    return ["every-change", *(f"{module}:{job}" for job in JOBS)]


def ran(house: House, trace: str, revision: str) -> list[str]:
    """The jobs of a revision's run, which all succeeded."""
    run = house.event(trace, "PipelineFinished", revision=revision).data
    assert run["status"] == "success", run
    assert {job["status"] for job in run["jobs"]} == {"success"}
    return sorted(job["name"] for job in run["jobs"])


def own(module: str) -> str:
    return f".gitlab/ci/pointsman/{module}.yml"


def test_two_modules_open_at_once_are_both_merged_and_keep_their_pipelines(
    house: House, tmp_path: Path
) -> None:
    bare = house.repository("acme/mono")
    gate = tmp_path / "both are there"
    held = modules.files(test_before=modules.held_by(gate))

    left = house.submit("acme/mono", "left", held)
    right = house.submit("acme/mono", "right", held)
    ready = {trace: house.event(trace, "PipelineReady").data for trace in (left, right)}
    assert house.types(left, "ChangeMerged") == house.types(right, "ChangeMerged") == []
    assert git(bare, "branch", "--list", "--format=%(refname:short)").split() == [
        f"feature/left/{left}", f"feature/right/{right}", "main",
    ]  # fmt: skip
    gate.touch()

    for trace, module in ((left, "left"), (right, "right")):
        assert (ready[trace]["path"], ready[trace]["files"]) == (own(module), [".gitlab-ci.yml", own(module)])
        assert ran(house, trace, ready[trace]["revision"]) == sorted(named(module))
        merged = house.event(trace, "ChangeMerged").data
        assert merged["mergedBy"] == "pointsman[bot]"
        # The push to main brought one module, and only its jobs ran.
        assert ran(house, trace, merged["mergeSha"]) == sorted(named(module))
        running = house.event(trace, "DeploymentCompleted", environment="staging")
        assert house.answers(running.data["url"]) == "1.0.0"
        house.event(trace, "ReleasePublished")
        asked = house.types(trace, "ManualInterventionRequired", "TaskEscalated", "AgentTaskFailed")
        assert asked == [], "no person was needed"

    on_main = git(bare, "ls-tree", "-r", "--name-only", "main").split("\n")
    assert [name for name in on_main if name.startswith(".gitlab")] == [
        ".gitlab-ci.yml", own("left"), own("right"),
    ]  # fmt: skip
    assert f"{git(bare, 'show', 'main:.gitlab-ci.yml')}\n" == gitlab_root.text()


def test_a_new_version_of_one_module_leaves_the_others_alone(house: House) -> None:
    house.repository("acme/mono-next")
    for module in ("left", "right"):
        house.event(house.submit("acme/mono-next", module, modules.files()), "ReleasePublished")

    trace = house.submit("acme/mono-next", "left", modules.files("1.1.0"), version="1.1.0")
    ready = house.event(trace, "PipelineReady").data
    assert (ready["committed"], ready["revision"]) == (False, house.event(trace, "CommitReady").data["sha"])
    assert ran(house, trace, ready["revision"]) == sorted(named("left"))
    merged = house.event(trace, "ChangeMerged").data["mergeSha"]
    assert ran(house, trace, merged) == sorted(named("left"))
    house.event(trace, "ReleasePublished")


def test_what_was_built_says_whose_it_is_though_no_file_names_a_trace(house: House) -> None:
    bare = house.repository("acme/mono-traced")
    trace = house.submit("acme/mono-traced", "traced", modules.files(), sprintId="sprint-3")
    house.tested(trace)
    run = house.event(trace, "PipelineFinished").data
    url = f"acme/mono-traced/pipelines/{run['pipelineId']}/jobs/traced:package/log"
    log = house.http.get(
        f"/forge/api/repositories/{url}", headers={"Authorization": f"Bearer {house.people['ada']}"}
    ).text
    assert (
        f"moduleId=traced versionTag=1.0.0 imageTag=1.0.0-{trace} revision={run['revision']} traceId={trace} sprintId=sprint-3 milestoneId="
        " agentId=devops-engineer skillId=GeneratePipeline\n"
    ) in log
    assert f"packed traced.zip for {trace}\n" in log
    branch = house.event(trace, "CommitReady").data["branch"]
    for path in (".gitlab-ci.yml", own("traced")):
        assert trace not in git(bare, "show", f"{branch}:{path}")


def test_a_persons_own_root_file_stays_theirs_and_their_jobs_run_beside_ours(house: House) -> None:
    theirs = "# Our house rules.\nhouse-rules: {stage: test, script: ['echo kept']} # do not touch\n"
    bare = house.repository("acme/mono-theirs", **{".gitlab-ci.yml": theirs})
    trace = house.submit("acme/mono-theirs", "guest", modules.files())
    ready = house.event(trace, "PipelineReady").data
    assert ready["notes"] == [
        "`include: .gitlab/ci/pointsman/*.yml` was added to `.gitlab-ci.yml`",
        "the stages scan, package were added to `.gitlab-ci.yml`",
        "`.gitlab-ci.yml` has no `workflow`: GitLab may run jobs for a branch and its change",
    ]
    jobs = ["house-rules", *(f"guest:{job}" for job in JOBS)]
    assert ran(house, trace, ready["revision"]) == sorted(jobs)
    house.event(trace, "ReleasePublished")
    assert git(bare, "show", "main:.gitlab-ci.yml").startswith(theirs)
    body = git(bare, "log", "-1", "--format=%B", ready["revision"])
    assert "- `include: .gitlab/ci/pointsman/*.yml` was added to `.gitlab-ci.yml`\n" in body


def test_a_change_of_no_module_has_a_pipeline_and_can_be_merged(house: House, tmp_path: Path) -> None:
    bare = house.repository("acme/mono-readme")
    house.event(house.submit("acme/mono-readme", "only", modules.files()), "ReleasePublished")
    clone = house.clone("acme/mono-readme", "ada", tmp_path / "clone")
    git(clone, "checkout", "-q", "-b", "fix-readme")
    (clone / "README.md").write_text("better\n")
    git(clone, "commit", "-q", "-am", "docs: say it better")
    git(clone, "push", "-q", "origin", "fix-readme")
    house.forge_says(
        "POST",
        "acme/mono-readme/changes",
        json={"source": "fix-readme", "target": "main", "title": "docs: say it better", "body": ""},
    )
    opened = house.wait(lambda: house.told("ChangeOpened", source="fix-readme"), "the change")
    head = git(clone, "rev-parse", "HEAD")
    assert ran(house, opened.trace_id, head) == ["every-change"]
    house.event(opened.trace_id, "TestsPassed", revision=head)
    house.event(opened.trace_id, "ChangeMerged")
    assert git(bare, "show", "main:README.md") == "better"


def test_a_person_who_takes_the_tests_out_gets_no_pass(house: House, tmp_path: Path) -> None:
    gate = tmp_path / "go on"
    house.repository("acme/mono-gutted")
    trace = house.submit("acme/mono-gutted", "gutted", modules.files(test_before=modules.held_by(gate)))
    branch = house.event(trace, "CommitReady").data["branch"]
    house.event(trace, "PipelineReady")
    clone = house.clone("acme/mono-gutted", "ada", tmp_path / "clone")
    git(clone, "checkout", "-q", branch)
    git(clone, "rm", "-q", own("gutted"))
    git(clone, "commit", "-q", "-m", "ci: who needs tests")
    git(clone, "push", "-q", "origin", branch)
    head = git(clone, "rev-parse", "HEAD")

    failed = house.event(trace, "TestsFailed", revision=head).data
    assert failed["reason"] == (
        "The run left out gutted:build, gutted:test, gutted:scan, gutted:package: its pipeline is not the one of"
        " this module"
    )
    gate.touch()
    assert "ChangeMerged" not in house.types(trace)


def test_the_artefacts_name_the_modules_own_pipeline(house: House) -> None:
    house.repository("acme/mono-kept")
    trace = house.submit("acme/mono-kept", "kept", modules.files())
    house.event(trace, "ReleasePublished")

    def snapshot() -> str | None:
        found = list((house.home / "memory").rglob(f"{trace}/**/PipelineSnapshot.yaml"))
        text = found[0].read_text() if found else ""
        return text if "kept:package" in text and own("kept") in text else None

    text = house.wait(snapshot, "the snapshot")
    assert text.count("kept:test") == 1
    assert json.dumps(trace) in text or trace in text
