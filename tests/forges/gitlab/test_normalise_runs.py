"""Runs, deployments and people of GitLab in our words; and what nobody asked about, or cannot be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Invalid
from bot.forges.gitlab.normalise import normalise
from bot.forges.gitlab.said import moment
from bot.forges.port import RepositoryFact
from bot.messages import BOT
from tests.forges.gitlab.calls import (
    BRANCH,
    CHANGE,
    LOGIN,
    PROJECT,
    US,
    A,
    B,
    Json,
    deployment,
    job,
    merge_request,
    note,
    one,
    pipeline,
    push,
    told,
)


@pytest.mark.parametrize("status", ["success", "failed", "canceled"])
def test_the_end_of_a_run_is_announced(status: str) -> None:
    fact = one(pipeline(status))
    assert fact.draft.data == {
        "repository": "acme/booking", "revision": B, "branch": "feature/x", "pipelineId": "31", "status": status,
        "url": "https://gitlab.test/acme/booking/-/pipelines/31", "path": ".gitlab-ci.yml", "told": "outcome",
    }  # fmt: skip
    assert (fact.hints, fact.trace_id) == ((BRANCH, f"gitlab:acme/booking={B}"), "trace-1")


def test_a_run_that_begins_has_none_of_our_checks() -> None:
    fact = one(pipeline("pending"))
    assert (fact.draft.type, fact.hints, fact.new_trace) == (
        "CheckRequested",
        (BRANCH, f"gitlab:acme/booking={B}"),
        False,
    )
    assert fact.draft.data == {
        "repository": "acme/booking",
        "revision": B,
        "branch": "feature/x",
        "again": True,
    }


@pytest.mark.parametrize("status", ["created", "running", "manual", "skipped"])
def test_a_run_that_goes_on_says_nothing(status: str) -> None:
    assert told(pipeline(status)) == []


@pytest.mark.parametrize("source", ["external", "parent_pipeline"])
def test_a_run_of_statuses_alone_or_of_a_child_is_none(source: str) -> None:
    assert told(pipeline(source=source)) == told(pipeline("pending", source=source)) == []


def test_a_run_for_a_change_is_known_by_the_change() -> None:
    said = pipeline(ref="refs/merge-requests/3/head", source="merge_request_event") | {
        "merge_request": {"iid": 3, "source_branch": "feature/x"}
    }
    fact = one(said)
    assert (fact.draft.data["branch"], fact.hints[0]) == ("feature/x", CHANGE)


def test_a_run_for_a_change_of_a_fork_claims_no_branch_here() -> None:
    change = {"iid": 3, "source_branch": "feature/x", "source_project_id": 77, "target_project_id": 1}
    fact = one(
        pipeline(ref="refs/merge-requests/3/head", source="merge_request_event") | {"merge_request": change}
    )
    assert fact.hints == (CHANGE, f"gitlab:acme/booking={B}")


def test_a_run_of_a_file_in_another_project_has_no_path_here() -> None:
    assert (
        one(pipeline() | {"project": PROJECT | {"ci_config_path": "ci/all.yml@acme/templates"}}).draft.data[
            "path"
        ]
        == ""
    )
    assert (
        one(pipeline() | {"project": PROJECT | {"ci_config_path": "ci/own.yml"}}).draft.data["path"]
        == "ci/own.yml"
    )


def test_a_job_that_ended_is_told_with_its_run() -> None:
    fact = one(job("failed"))
    assert fact.draft.data == {
        "repository": "acme/booking", "revision": B, "name": "job/test", "state": "failure", "description": "script_failure",
        "pipelineId": "31",
    }  # fmt: skip
    assert (fact.hints, fact.new_trace) == ((f"gitlab:acme/booking={B}",), False)
    assert (
        "description" not in one(job("success")).draft.data
        or one(job("success")).draft.data["description"] == ""
    )


@pytest.mark.parametrize("status", ["created", "pending", "running", "manual"])
def test_a_job_that_goes_on_says_nothing(status: str) -> None:
    assert told(job(status)) == []


@pytest.mark.parametrize(
    ("status", "state"),
    [("running", "in_progress"), ("success", "success"), ("failed", "failure"), ("canceled", "inactive")],
)
def test_deployments_of_others_are_told(status: str, state: str) -> None:
    fact = one(deployment(status))
    assert (fact.draft.data["name"], fact.draft.data["state"], fact.draft.data["revision"]) == (
        "deployment/staging",
        state,
        B,
    )
    assert told(deployment(status, US)) == []


def test_a_deployment_that_waits_for_an_approval_asks() -> None:
    fact = one(deployment("blocked"))
    assert fact.draft.type == "DeploymentRequested"
    assert (fact.draft.data["environment"], fact.draft.data["deploymentId"], fact.draft.data["revision"]) == (
        "staging",
        "15",
        B,
    )


@pytest.mark.parametrize(
    ("action", "ours"), [("create", "published"), ("update", "edited"), ("delete", "deleted")]
)
def test_release_notes(action: str, ours: str) -> None:
    fact = one(
        {
            "object_kind": "release",
            "action": action,
            "tag": "v1",
            "name": "One",
            "url": "u",
            "project": PROJECT,
        }
    )
    assert (fact.draft.type, fact.draft.data) == (
        "pointsman.ReleaseNoted",
        {"repository": "acme/booking", "tag": "v1", "action": ours, "title": "One", "url": "u"},
    )


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("user_add_to_group", "added"),
        ("user_remove_from_group", "removed"),
        ("user_update_for_group", "changed"),
    ],
)
def test_members_of_groups(event: str, action: str) -> None:
    fact = one({"event_name": event, "group_path": "acme/release", "user_username": "jane"})
    assert (fact.draft.data, fact.draft.actor) == (
        {"scope": "acme/release", "member": "jane", "action": action, "repository": ""},
        None,
    )


def test_members_of_a_project() -> None:
    fact = one(
        {
            "event_name": "user_add_to_team",
            "project_path_with_namespace": "acme/booking",
            "user_username": LOGIN,
        }
    )
    assert fact.draft.data == {
        "scope": "acme/booking",
        "member": BOT,
        "action": "added",
        "repository": "acme/booking",
    }


@pytest.mark.parametrize("event", ["project_rename", "project_transfer"])
def test_a_project_with_another_name(event: str) -> None:
    fact = one(
        {"event_name": event, "path_with_namespace": "acme/new", "old_path_with_namespace": "acme/old"}
    )
    assert (fact.draft.type, fact.draft.data) == (
        "RepositoryRenamed",
        {"repository": "acme/new", "previous": "acme/old"},
    )


@pytest.mark.parametrize(("event", "side"), [("project_create", "added"), ("project_destroy", "removed")])
def test_projects_that_come_and_go(event: str, side: str) -> None:
    fact = one({"event_name": event, "path_with_namespace": "acme/sub/new"})
    assert fact.draft.data == {"account": "acme/sub", "action": "changed", side: ["acme/sub/new"]}


@pytest.mark.parametrize(
    "said",
    [
        {}, {"object_kind": "issue"}, {"object_kind": "emoji", "event_type": "award"}, {"object_kind": "wiki_page"},
        {"object_kind": "feature_flag"}, {"object_kind": "vulnerability"}, {"event_name": "repository_update"},
        {"event_name": "subgroup_create"}, {"object_kind": "access_token"}, {"object_kind": "milestone"},
    ],
)  # fmt: skip
def test_what_nobody_asked_about_says_nothing(said: Json) -> None:
    assert told(said) == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b'"x"', b"\xff", b'{"object_kind":["push"]}', b"[" * 100_000]
)
def test_what_cannot_be_read_is_refused_as_such(body: bytes) -> None:
    with pytest.raises(Invalid, match=r"^not a delivery of GitLab: ") as refused:
        normalise(body, LOGIN)
    assert refused.value.reason_code == "UnreadableDelivery"


WHOLE = [
    push(),
    merge_request("open"),
    merge_request("update", oldrev=A),
    note(),
    pipeline(),
    job("success"),
    deployment("success"),
]


@given(st.sampled_from(WHOLE), st.data())
def test_a_call_with_something_missing_is_read_or_refused_and_never_breaks(
    said: Json, data: st.DataObject
) -> None:
    said = json.loads(json.dumps(said))
    place = said
    while True:
        name = data.draw(st.sampled_from(sorted(place)))
        if isinstance(place[name], dict) and place[name] and data.draw(st.booleans()):
            place = place[name]
            continue
        wrong = st.sampled_from([None, 5, "x", [], {}, [1], {"id": 1}])
        if data.draw(st.booleans()):
            del place[name]
        else:
            place[name] = data.draw(wrong)
        break
    try:
        facts = normalise(json.dumps(said).encode(), LOGIN)
    except Invalid as refused:
        assert refused.reason_code == "UnreadableDelivery"  # noqa: PT017 - either way is right
    else:
        assert all(isinstance(fact, RepositoryFact) for fact in facts)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-01-01 00:00:00 UTC", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-01-01T00:00:00Z", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-01-01T00:00:00.250Z", datetime(2024, 1, 1, 0, 0, 0, 250000, tzinfo=UTC)),
        ("2021-04-28 21:50:00 +0200", datetime(2021, 4, 28, 19, 50, tzinfo=UTC)),
        ("2021-04-28T21:50:00.000+02:00", datetime(2021, 4, 28, 19, 50, tzinfo=UTC)),
    ],
)
def test_times_are_written_in_several_ways(text: str, at: datetime) -> None:
    assert moment(text) == at


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2024-01-01", "2024-01-01 00:00:00", "2024-13-01 00:00:00 UTC"]
)
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        moment(text)
