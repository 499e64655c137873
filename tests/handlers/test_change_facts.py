"""What a forge says of a change reaches the gates that read it."""

from __future__ import annotations

import pytest

from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.effect import Service
from bot.domain.trace import TraceState
from handlers.change_facts import secrets_of, stages_of
from tests.handlers.world import POLICY, World

TOLD = {
    "additions": 3,
    "deletions": 1,
    "paths": ["a"],
    "behind": 0,
    "commits": [{"sha": "a" * 40, "message": "feat: add (ABC-1)"}],
}


def gated(*gates: str, **told: object) -> World:
    policy = POLICY.replace(
        "      - tests-passed\n", "".join(f"      - {gate}\n" for gate in ("tests-passed", *gates))
    )
    world = World(policy=policy)
    world.forge.told = TOLD | told
    world.submit().tests()
    return world


def code(world: World) -> str:
    return world.state.releases["production"].reason_code


@pytest.mark.parametrize(
    ("gate", "told", "expected"),
    [
        ("change-size: {lines: 4}", {}, "ApprovalMissing"),
        ("change-size: {lines: 3}", {}, "ChangeTooLarge"),
        ("change-size: {lines: 3}", {"additions": None}, "ApprovalMissing"),
        ("work-item-linked: [ABC]", {}, "ApprovalMissing"),
        ("up-to-date", {"behind": 3}, "ApprovalMissing"),
        ("commit-message: {of: commits}", {"commits": [{"sha": "b" * 40, "message": "wip"}]}, "MessageUnfit"),
        ("commit-message", {}, "ApprovalMissing"),
        ("target-branch: release/*", {}, "TargetNotAllowed"),
        ("pipeline-stages-present: [test]", {}, "ApprovalMissing"),
        ("pipeline-stages-present: [scan]", {}, "StageMissing"),
    ],
)
def test_gates_read_what_the_forge_told(gate: str, told: dict[str, object], expected: str) -> None:
    assert code(gated(gate, **told)) == expected


@pytest.mark.parametrize("gate", ["up-to-date", "change-size: {lines: 9}", "commit-message: {of: commits}"])
def test_what_a_forge_does_not_tell_keeps_the_change_waiting(gate: str) -> None:
    world = gated(gate, behind=None, additions=None, commits=None)
    world.comment("jane.doe", "/approve-release production fine")
    assert world.types("ChangeMerged") == []


def test_the_namespace_is_the_one_that_was_provisioned() -> None:
    world = gated("namespace-authorised")
    world.comment("jane.doe", "/approve-release production fine")
    assert world.types("ReleasePublished") == ["ReleasePublished"]


def test_a_stage_is_as_bad_as_its_worst_job_that_counts() -> None:
    jobs = [
        ("a", "build", "success", False), ("b", "build", "failed", True), ("c", "test", "success", False),
        ("d", "test", "failed", False), ("e", "scan", "skipped", False), ("f", "", "success", False), ("g", "wait", "running", False),
    ]  # fmt: skip
    run = p.PipelineFinished(
        repository="r", revision="x", pipeline_id="1", status="success",
        jobs=tuple(p.Job(name=n, stage=s, status=t, allow_failure=a) for n, s, t, a in jobs),
    )  # fmt: skip
    assert {stage.name: stage.status for stage in stages_of(draft("PipelineFinished", run).data)} == {
        "build": "passed", "test": "failed", "scan": "skipped", "f": "passed", "wait": "running",
    }  # fmt: skip


def provisioned(secrets: dict[str, str] | None, asked: dict[str, str]) -> TraceState:
    infra = {} if secrets is None else {"production": {"secrets": secrets}}
    commit = {"service": {"command": ["x"], "environment": asked}}
    return TraceState(tenant_id="t", trace_id="t", infra=infra, commit=commit)


@pytest.mark.parametrize(
    ("secrets", "asked", "expected"),
    [
        (None, {"A": "@vault:A"}, None),
        ({}, {}, {}),
        ({"A": "@vault:A"}, {"URL": "@vault:A", "PLAIN": "x"}, {"A": True}),
        ({"A": "@vault:A"}, {"URL": "@vault:B"}, {"A": True, "B": False}),
        ({"A": "a value by mistake"}, {"URL": "@vault:A"}, {"A": False}),
    ],
)
def test_secrets_are_known_once_the_environment_is_provisioned(
    secrets: dict[str, str] | None, asked: dict[str, str], expected: dict[str, bool] | None
) -> None:
    assert secrets_of(provisioned(secrets, asked), "production") == expected
    assert secrets_of(provisioned(secrets, asked), "staging") is None


def test_a_release_whose_secret_is_missing_is_rejected_in_its_environment() -> None:
    world = World(
        policy=POLICY.replace("      - tests-passed\n", "      - tests-passed\n      - secrets-available\n")
    )
    world.submit(service=Service(command=("x",), environment={"URL": "@vault:DATABASE_URL"})).tests()
    world.comment("jane.doe", "/approve-release production")
    verdict = world.state.releases["production"]
    assert (verdict.shown_state, verdict.reason_code) == ("rejected", "SecretsMissing")
    assert [name for name, _, _ in world.deployer.applied] == ["staging"]
