"""Every recorded call is let in and read; and what the stand-in says looks like what was recorded.

The recordings are other people's and are read where they lie. Without them these tests warn and prove nothing.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from bot.app import application, furnish
from bot.domain import effect as e
from bot.domain.catalog import CATALOG
from bot.domain.performer import EffectContext
from bot.forges.gitlab.client import Api, project
from bot.forges.gitlab.forge import GitLabForge
from bot.forges.gitlab.normalise import normalise
from bot.settings import Settings
from tests.forges.conformance.stages.gitlab import GitLabStage, stage
from tests.forges.world import until

PLACES = (parent / "shared" / "corpora" / "go-gitlab" / "testdata" for parent in Path(__file__).parents)
RECORDED = next((place for place in PLACES if place.is_dir()), Path("nowhere"))
SAYS_NOTHING = {
    "build.json", "feature_flag.json", "group_create.json", "group_destroy.json", "group_rename.json", "issue.json",
    "key_create.json", "key_destroy.json", "note_commit.json", "note_snippet.json", "project_update.json",
    "repository_update.json", "resource_access_token_group.json", "resource_access_token_project.json", "subgroup.json",
    "user_create.json", "user_destroy.json", "user_failed_login.json", "user_rename.json", "wiki_page.json",
    "group_merge_request.json",  # its names end with a space
    "systemhooks/merge_request.json",  # an update that changes nothing
}  # fmt: skip
NEWER = {
    "push": {"message", "push_options", "ref_protected"},
    "merge_request": {"object_attributes.draft"},
    "note": {
        "merge_request.draft", "object_attributes.change_position", "object_attributes.discussion_id",
        "object_attributes.internal", "object_attributes.original_position", "object_attributes.position",
        "object_attributes.resolved_at", "object_attributes.resolved_by_id", "object_attributes.resolved_by_push",
        "object_attributes.type",
    },
    "pipeline": {"object_attributes.name", "object_attributes.protected_ref", "object_attributes.url"},
    "build": set(),
    "deployment": set(),
    "branch": {"web_url"},
    "commit": {"committed_date", "created_at", "trailers", "web_url", "authored_date"},
    "change": {"closed_at", "merge_user", "squash_commit_sha"},
    "user": set(),
}  # fmt: skip
"""What the documentation of today's GitLab has, and the recordings of 2024 or before have not."""


def calls() -> list[Path]:
    found = sorted(RECORDED.glob("*hooks/*.json"))
    if not found:
        warnings.warn(
            "no recorded calls of GitLab here: what is tested with them is not tested", stacklevel=1
        )
    return found


@pytest.mark.parametrize("path", calls(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_recorded_call_is_read(path: Path) -> None:
    facts = normalise(path.read_bytes(), "release-bot")
    for fact in facts:
        CATALOG[fact.draft.type].payload.model_validate(fact.draft.data)
    silent = {path.name, f"{path.parent.name}/{path.name}"} & SAYS_NOTHING
    assert bool(facts) is not bool(silent)


def test_every_recorded_call_is_taken_in(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, gitlab_webhook_secret=SecretStr("s3cret"))
    house = furnish(settings, work=False, alone=True)
    with TestClient(application(house, embedded=False)) as web:
        for number, path in enumerate(calls()):
            headers = {
                "X-Gitlab-Token": "s3cret",
                "Idempotency-Key": f"call-{number}",
                "X-Gitlab-Event": "System Hook",
            }
            answer = web.post("/webhooks/gitlab", content=path.read_bytes(), headers=headers)
            assert answer.status_code == 202, path.name


# The stand-in


def keys(said: Any, below: str = "") -> set[str]:
    """The names of fields, with those of the objects in them."""
    if not isinstance(said, dict):
        return set()
    names = {f"{below}{name}" for name in said}
    return names.union(*(keys(value, f"{below}{name}.") for name, value in said.items()))


def recorded(*names: str) -> Iterable[dict[str, Any]]:
    return [json.loads((RECORDED / name).read_text()) for name in names]


def known(*names: str) -> set[str]:
    return set().union(*(keys(said) for said in recorded(*names)))


def of(said: set[str], *below: str) -> set[str]:
    """Fields of the object itself and of its own parts, not of people and places that are optional."""
    return {name for name in said if name.count(".") == 0 or name.rpartition(".")[0] in below}


@pytest.fixture
def played(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    with stage(request, tmp_path) as made:
        yield made


def play(made: GitLabStage) -> dict[str, dict[str, Any]]:
    """A little of everything; the last call of each kind."""

    def do(effect: e.Effect, effect_id: str) -> Any:
        effect = effect.model_copy(update={"repository": made.repository})
        return made.forge.perform(effect_id, effect, EffectContext("acme", "trace-1", lambda _: None))

    made.put({".gitlab-ci.yml": "test: {script: [make]}\n"})
    files = (e.File(path="app.py", content="one\n"),)
    head = do(e.CommitFiles(branch="feature/x", base="main", files=files, message="feat: x"), "t.1.0").sha
    do(e.OpenChange(source="feature/x", target_branch="main", title="feat: x", body=""), "t.2.0")
    made.comment("olive", 1, "/help")
    made.finish_run(head, "success", 80.0)
    do(e.RecordDeployment(environment="staging", revision=head, state="success"), "t.3.0")
    wanted = {"push", "merge_request", "note", "pipeline", "build", "deployment"}
    found: dict[str, dict[str, Any]] = {}

    def all_told() -> bool:
        found.update(
            {said["object_kind"]: said for said in (json.loads(one.body) for one in made.world.received)}
        )
        return wanted <= found.keys()

    until(all_told)
    return found


def test_the_stand_ins_calls_look_like_recorded_ones(played: GitLabStage) -> None:
    if not RECORDED.is_dir():
        return
    told = play(played)
    parts = ("object_attributes", "project", "merge_request", "commit", "repository", "user")
    like = {
        "push": ("webhooks/push.json",),
        "merge_request": ("webhooks/merge_request.json", "webhooks/service_merge_request.json"),
        "note": (
            "webhooks/note_merge_request.json",
            "webhooks/note_issue.json",
            "webhooks/merge_request.json",
            "webhooks/service_merge_request.json",
        ),
        "pipeline": ("webhooks/pipeline.json",),
        "build": ("webhooks/build.json", "webhooks/job.json"),
        "deployment": ("webhooks/deployment.json",),
    }
    for kind, names in like.items():
        there = of(known(*names), *parts)
        if kind == "note":  # the change in a note has the same attributes as in a call about itself
            there |= {name.replace("object_attributes.", "merge_request.") for name in there}
        new = (
            of(keys(told[kind]), *parts) - there - {"project.ci_config_path", "commit.title"}
        )  # in newer recordings of other calls
        assert new == NEWER[kind], kind


def test_the_stand_ins_answers_look_like_recorded_ones(played: GitLabStage) -> None:
    if not RECORDED.is_dir():
        return
    play(played)
    assert isinstance(played.forge, GitLabForge)
    api = played.forge.api
    assert isinstance(api, Api)
    where = project(played.repository)
    head = played.head("main")
    answers = {
        "branch": (api.get(f"{where}/repository/branches/main"), "get_branch.json"),
        "commit": (api.get(f"{where}/repository/commits/{head}"), "get_commit.json"),
        "change": (api.get(f"{where}/merge_requests/1"), "get_merge_request.json"),
        "user": (api.get("/users/2"), "get_user.json"),
    }
    for kind, (said, name) in answers.items():
        assert keys_at_top(said) - known(name) - NEWER[kind] == set(), kind
    lacking = known("get_merge_request.json") - keys(answers["change"][0])
    assert {name for name in lacking if "." not in name} == set()


def keys_at_top(said: dict[str, Any]) -> set[str]:
    return {name for name in keys(said) if "." not in name}
