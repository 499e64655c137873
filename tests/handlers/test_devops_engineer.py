"""The DevOps Engineer: which files it commits, what it says of them, which runs it believes."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.effect import CommitFiles, GatherFacts, RunPipeline
from bot.pipelines import gitlab, gitlab_ci, templates
from bot.pipelines.model import Pipeline
from tests.handlers.fake_forge import FakeForge
from tests.handlers.world import World

OWN = ".gitlab/ci/pointsman/booking-service.yml"
FOLDER = "services/booking"
JOBS = ("build", "test", "scan", "package")


def pipeline(path: str = ".", **inputs: Any) -> Pipeline:
    template = templates.load("python-service")
    return templates.render_pipeline(template, {"module": "booking-service", "path": path, **inputs})


def ready(world: World) -> dict[str, Any]:
    return [event.data for event in world.events if event.type == "PipelineReady"][-1]


def commits(world: World) -> list[CommitFiles]:
    return [effect for effect in world.forge.committed if effect.purpose == "pipeline"]


class Slow(FakeForge):
    """Does not answer the DevOps Engineer yet."""

    def do_gather_facts(self, effect: GatherFacts, world: Any) -> Any:
        return None if effect.purpose == "pipeline" else super().do_gather_facts(effect, world)


def test_a_repository_that_is_one_module_gets_one_file() -> None:
    world = World().submit()
    (commit,) = commits(world)
    assert [file.path for file in commit.files] == [".gitlab-ci.yml"]
    assert commit.files[0].content == gitlab_ci.render(pipeline())
    assert commit.message == "ci: generate the pipeline of booking-service"
    assert commit.trailers == {
        "Trace-Id": "trace-1234",
        "Module-Id": "booking-service",
        "Version": "1.0.0",
        "Agent-Id": "devops-engineer",
        "Skill-Id": "GeneratePipeline",
        "Changelog": "#booking-service-100",
    }
    said = ready(world)
    assert (said["path"], said["files"], said["notes"], said["committed"]) == (
        ".gitlab-ci.yml", [".gitlab-ci.yml"], [], True,
    )  # fmt: skip
    assert said["revision"] == world.forge.heads[commit.branch]
    assert said["jobs"] == [{"name": name, "stage": name, "always": True} for name in JOBS]


def test_a_module_in_a_folder_gets_a_file_of_its_own_beside_the_shared_one() -> None:
    world = World().submit(path=FOLDER)
    (commit,) = commits(world)
    written = gitlab.written(pipeline(FOLDER), {})
    assert {file.path: file.content for file in commit.files} == dict(written.files)
    said = ready(world)
    assert (said["path"], said["files"]) == (OWN, [".gitlab-ci.yml", OWN])
    assert [job["name"] for job in said["jobs"]] == [f"booking-service:{name}" for name in JOBS]
    (asked,) = [
        effect
        for effect in world.forge.performed
        if isinstance(effect, GatherFacts) and effect.purpose == "pipeline"
    ]
    assert asked.paths == (".gitlab-ci.yml", OWN)


def test_only_what_differs_is_committed_and_nothing_when_all_is_there() -> None:
    written = gitlab.written(pipeline(FOLDER), {})
    world = World()
    world.forge.branches["main"] |= {".gitlab-ci.yml": written.files[".gitlab-ci.yml"]}
    world.submit(path=FOLDER)
    assert [[file.path for file in commit.files] for commit in commits(world)] == [[OWN]]
    assert ready(world)["files"] == [".gitlab-ci.yml", OWN]

    world = World()
    world.forge.branches["main"] |= written.files
    world.submit(path=FOLDER)
    assert commits(world) == []
    assert (ready(world)["committed"], ready(world)["path"]) == (False, OWN)
    assert ready(world)["revision"] == world.forge.heads["feature/booking-service/trace-1234"]


def test_a_persons_root_file_is_added_to_and_it_is_said() -> None:
    world = World()
    world.forge.branches["main"][".gitlab-ci.yml"] = "# by hand\nlint: {script: make}\n"
    world.submit()
    (commit,) = commits(world)
    assert [file.path for file in commit.files] == [".gitlab-ci.yml", OWN]
    assert commit.files[0].content.startswith("# by hand\nlint: {script: make}\n\ninclude:\n")
    notes = [
        "`include: .gitlab/ci/pointsman/*.yml` was added to `.gitlab-ci.yml`",
        "the stages scan, package were added to `.gitlab-ci.yml`",
        "`.gitlab-ci.yml` has no `workflow`: GitLab may run jobs for a branch and its change",
    ]
    assert ready(world)["notes"] == notes
    assert commit.message == "\n".join(
        ["ci: generate the pipeline of booking-service", "", *(f"- {note}" for note in notes)]
    )


@pytest.mark.parametrize(
    ("there", "more", "code", "begins"),
    [
        (
            {".gitlab-ci.yml": "{a: {script: x}}"},
            {},
            "PipelineConflict",
            "`.gitlab-ci.yml` is not ours and could",
        ),
        (
            {OWN: "x: {script: y}"},
            {"path": FOLDER},
            "PipelineConflict",
            f"`{OWN}` is there and is not ours: move",
        ),
        ({}, {"template": "cobol"}, "PipelineInvalid", "no pipeline template is called 'cobol'"),
        ({}, {"path": "a b"}, "PipelineInvalid", "python-service: input path: String should match pattern"),
        ({}, {"forge": "cvs"}, "PipelineInvalid", "no CI system is known for the forge 'cvs'"),
    ],
)
def test_what_can_not_be_written_fails_with_its_reason(
    there: dict[str, str], more: dict[str, Any], code: str, begins: str
) -> None:
    world = World()
    world.forge.branches["main"] |= there
    world.submit(**more)
    (ended,) = [event.data for event in world.events if event.type == "AgentTaskFailed"]
    assert (ended["agent"], ended["reasonCode"]) == ("devops-engineer", code)
    assert ended["message"].startswith(begins)
    assert commits(world) == []


def test_no_input_makes_a_module_write_another_ones_pipeline() -> None:
    world = World().submit(path=FOLDER, inputs={"module": "other", "path": "services/other"})
    assert ready(world)["path"] == OWN
    (commit,) = commits(world)
    assert "services/other" not in "".join(file.content for file in commit.files)


def test_a_run_without_the_modules_jobs_is_no_pass() -> None:
    world = World().submit(path=FOLDER).tests(jobs=("every-change",))
    (said,) = [event.data for event in world.events if event.type == "TestsFailed"]
    reason = (
        "The run left out booking-service:build, booking-service:test, booking-service:scan,"
        " booking-service:package: its pipeline is not the one of this module"
    )
    assert said["reason"] == reason
    check = world.forge.checks["pointsman/pipeline"]
    assert (check.conclusion, check.title) == ("failure", f"Failed: {reason}")
    assert world.state.releases["staging"].reason_code == "TestsFailed"

    world.tests()
    assert world.types("TestsPassed", "TestsFailed") == ["TestsFailed", "TestsPassed"]


def test_a_job_that_was_skipped_did_not_run() -> None:
    """Who puts a condition on the tests that never holds gets no pass."""
    world = World().submit(forge="github")
    change = world.state.change or {}
    run = p.PipelineFinished(
        repository="demo/booking",
        revision=change["head"],
        pipeline_id="1",
        status="success",
        jobs=tuple(p.Job(name=name, status="skipped" if name == "test" else "success") for name in JOBS),
    )
    world.say(draft("PipelineFinished", run))
    (said,) = [event.data for event in world.events if event.type == "TestsFailed"]
    assert said["reason"] == "The run left out test: its pipeline is not the one of this module"


@pytest.mark.parametrize(
    ("path", "jobs", "passes"),
    [
        (FOLDER, ("every-change",), False),
        (FOLDER, tuple(f"booking-service:{name}" for name in (*JOBS, "more")), True),
        (FOLDER, tuple(f"other:{name}" for name in JOBS), False),
        ("", JOBS, True),
        ("", JOBS[1:], False),
        ("", (), True),
    ],
)
def test_before_the_pipeline_is_known_to_be_there_only_its_own_jobs_count(
    path: str, jobs: tuple[str, ...], passes: bool
) -> None:
    """A push of new code to a repository that has the pipeline already runs before the agent has looked."""
    world = World(forge=Slow()).submit(path=path)
    assert world.state.pipeline is None
    world.tests(jobs=jobs)
    assert world.types("TestsPassed", "TestsFailed") == (["TestsPassed"] if passes else [])


def test_a_run_of_another_revision_without_the_jobs_says_nothing() -> None:
    world = World().submit(path=FOLDER).tests(jobs=("every-change",), revision="e" * 40)
    assert world.types("TestsPassed", "TestsFailed") == []


@pytest.mark.parametrize(
    ("forge", "path", "file", "prefix"),
    [
        ("local", "", ".gitlab-ci.yml", ""),
        ("gitlab", FOLDER, OWN, "booking-service:"),
        ("github", "", ".github/workflows/pointsman-booking-service.yml", ""),
        ("github", FOLDER, ".github/workflows/pointsman-booking-service.yml", ""),
        ("azure", "", "azure-pipelines.yml", ""),
        ("azure", FOLDER, ".azure-pipelines/pointsman-booking-service.yml", ""),
    ],
)
def test_the_ci_system_follows_from_the_forge(forge: str, path: str, file: str, prefix: str) -> None:
    world = World().submit(forge=forge, path=path)
    said = ready(world)
    assert said["path"] == file
    assert [job["name"] for job in said["jobs"]] == [f"{prefix}{name}" for name in JOBS]
    (commit,) = commits(world)
    assert (commit.target, file in {one.path for one in commit.files}) == (forge, True)
    assert world.tests().types("TestsPassed", "TestsFailed") == ["TestsPassed"]


def test_a_retry_names_the_file_that_is_run_again() -> None:
    world = World().submit(forge="github", path=FOLDER).tests("failed").comment("dana", "/retry")
    (again,) = [effect for effect in world.forge.performed if isinstance(effect, RunPipeline)]
    assert again.path == ".github/workflows/pointsman-booking-service.yml"
