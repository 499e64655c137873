"""`POST /v1/events`: all three modes, the seeds' shapes, and what is refused with its path and nothing stored."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain import flow_state, trace
from bot.domain.catalog import ALIASES, CATALOG
from bot.domain.event import Event
from bot.intake.stated import REPORTED, decided_here
from bot.projections import slots, trace_keys
from handlers.decide import registry
from tests.intake.conftest import CAP, Door

CLOUD = {
    "specversion": "1.0", "id": "e1", "source": "urn:qa", "type": "TestsExecuted", "time": "2026-11-01T10:00:00+02:00",
    "traceid": "trace-1", "moduleid": "booking", "data": {"number": 1},
}  # fmt: skip
JSON_CE = {"Content-Type": "application/cloudevents+json"}


def stored(door: Door) -> list[Event]:
    with door.runtime.store.read() as session:
        bodies = session.execute(sa.text("SELECT body FROM inbox ORDER BY seq")).scalars()
        return [Event.model_validate_json(bytes(body)) for body in bodies]


def post(door: Door, event: Any, headers: dict[str, str] | None = None, *scopes: str) -> Any:
    return door.client.post(
        "/v1/events", content=json.dumps(event), headers=door.bearer(*scopes) | (headers or JSON_CE)
    )


def test_structured_mode(door: Door) -> None:
    answer = post(door, CLOUD)
    assert (answer.status_code, answer.json()) == (
        202, {"accepted": [{"id": "e1", "traceId": "trace-1", "type": "TestsExecuted"}]},
    )  # fmt: skip
    (event,) = stored(door)
    assert event == Event(
        id="e1", source="urn:qa", type="TestsExecuted", time=datetime(2026, 11, 1, 8, tzinfo=UTC), tenant_id="acme",
        trace_id="trace-1", module_id="booking", actor="agent-1", data={"number": 1},
    )  # fmt: skip


def test_binary_mode(door: Door) -> None:
    headers = {f"ce-{name}": str(value) for name, value in CLOUD.items() if name != "data"}
    answer = post(door, CLOUD["data"], headers | {"Content-Type": "application/json"})
    assert answer.status_code == 202
    (event,) = stored(door)
    assert (event.id, event.trace_id, event.module_id, event.data) == (
        "e1",
        "trace-1",
        "booking",
        {"number": 1},
    )


def test_batch_mode_and_once_by_id(door: Door) -> None:
    batch = [CLOUD, CLOUD | {"id": "e2"}, CLOUD]
    headers = {"Content-Type": "application/cloudevents-batch+json; charset=utf-8"}
    for _ in range(2):
        answer = post(door, batch, headers)
        assert [entry["id"] for entry in answer.json()["accepted"]] == ["e1", "e2", "e1"]
    assert [event.id for event in stored(door)] == ["e1", "e2"]


def test_data_in_base64(door: Door) -> None:
    encoded = {key: value for key, value in CLOUD.items() if key != "data"}
    assert (
        post(door, encoded | {"data_base64": base64.b64encode(b'{"number": 3}').decode()}).status_code == 202
    )
    assert stored(door)[0].data == {"number": 3}


SEEDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"eventType": "AgentTaskCompleted", "eventId": "evt-123", "traceId": "trace-xyz", "projectId": "proj-abc",
         "source": "developer-agent", "payload": {"taskId": "T1", "status": "Success", "outputs": {"filesGenerated": 14}},
         "timestamp": "2025-05-05T16:40:00Z"},
        {"type": "AgentTaskCompleted", "id": "evt-123", "trace_id": "trace-xyz", "project_id": "proj-abc", "task_id": "T1"},
    ),
    (
        {"type": "HandlerReady", "traceId": "svc-002", "sessionId": "svc-002-handlergen", "emittedBy": "backend-dev-1",
         "componentTag": "BackendDevAgent:CreateUserHandler", "timestamp": "2025-05-04T13:32:00Z",
         "payload": {"file": "CreateUserHandler.cs", "status": "completed"}},
        {"type": "HandlerReady", "trace_id": "svc-002", "source": "backend-dev-1", "session_id": "svc-002-handlergen",
         "component_tag": "BackendDevAgent:CreateUserHandler", "data": {"file": "CreateUserHandler.cs", "status": "completed"}},
    ),
    (
        {"event": "SprintPlanned", "sprintId": "sprint-2025-05-MVP1", "milestone": "mvp-ready", "features": ["BookingFlow"],
         "timestamp": "2025-05-12T10:00:00Z"},
        {"type": "SprintPlanned", "trace_id": "sprint-2025-05-MVP1", "sprint_id": "sprint-2025-05-MVP1",
         "data": {"milestone": "mvp-ready", "features": ["BookingFlow"]}},
    ),
    (
        {"eventType": "HumanTaskResponseReceived", "traceId": "trace-abc", "taskId": "manual-456", "response": "Approved",
         "submittedBy": "user:dmitry", "timestamp": "2025-05-05T10:13:00Z"},
        {"type": "HumanTaskResponseReceived", "task_id": "manual-456", "actor": "user:dmitry",
         "data": {"taskId": "manual-456", "response": "Approved", "submittedBy": "", "role": ""}},
    ),
    (
        {"eventType": "InfrastructureReady", "traceId": "t", "environment": "staging", "payload": {"namespace": "acme-staging"}},
        {"type": "InfraProvisioned", "environment": "staging"},
    ),
    (
        {"event": "TestResultsReady", "traceId": "t", "payload": {"result": "passed", "revision": "r1"}},
        {"type": "TestsPassed"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "expected"), SEEDS, ids=[str(index) for index in range(len(SEEDS))])
def test_the_shapes_of_the_seeds(door: Door, sent: dict[str, Any], expected: dict[str, Any]) -> None:
    trusted = ("events:write", "events:any") if expected["type"] in decided_here() else ()
    answer = post(door, sent, {"Content-Type": "application/json"}, *trusted)
    assert answer.status_code == 202, answer.text
    (event,) = stored(door)
    assert {name: getattr(event, name) for name in expected} == expected


def test_a_missing_id_is_derived_so_that_the_same_is_stored_once(door: Door) -> None:
    anonymous = {key: value for key, value in CLOUD.items() if key not in {"id", "time"}}
    first, second = (post(door, anonymous).json()["accepted"][0]["id"] for _ in range(2))
    assert first == second
    assert post(door, anonymous | {"data": {"number": 2}}).json()["accepted"][0]["id"] != first
    assert len(stored(door)) == 2


def test_the_tenant_and_the_actor_come_from_the_token(door: Door) -> None:
    lying = CLOUD | {
        "tenantid": "umbrella",
        "tenantId": "umbrella",
        "actor": "jane.doe",
        "sequence": 7,
        "causationid": "x",
    }
    assert post(door, lying).status_code == 202
    (event,) = stored(door)
    assert (event.tenant_id, event.actor, event.sequence, event.causation_id) == ("acme", "agent-1", 0, None)


def test_a_trusted_integration_may_speak_for_others(door: Door) -> None:
    granted = {
        "type": "ApproverSigned", "traceId": "t", "approvedBy": "jane.doe",
        "data": {"environment": "production", "revision": "r", "approver": "jane.doe", "role": "ProductOwner",
                 "method": "api", "approvedAt": "2026-11-01T10:00:00Z"},
    }  # fmt: skip
    refused = post(door, granted)
    assert (refused.status_code, refused.json()["reasonCode"]) == (403, "ForbiddenEventType")
    assert (
        refused.json()["detail"] == "ApprovalGranted is decided here; stating it needs the scope 'events:any'"
    )
    assert stored(door) == []
    assert post(door, granted, None, "events:write", "events:any").status_code == 202
    assert (stored(door)[0].type, stored(door)[0].actor) == ("ApprovalGranted", "jane.doe")


LISTENED_TO = sorted(
    {
        *trace.APPLY, *slots.APPLY, *registry().reactions, *flow_state.ENDINGS, *trace_keys.CHANGES, *trace_keys.OWN_WORK,
        "LifecyclePhaseAdvanced", "AgentTaskScheduled", "FactsGathered", "AgentActionCompleted", "Pushed", "BranchDeleted",
        "StudioCommitRequest", "StudioPRAction",
    }
    - REPORTED
)  # fmt: skip


def test_what_we_listen_to_takes_a_scope_of_its_own_and_nothing_is_stored(door: Door) -> None:
    assert {"TriggerRequested", "TestsPassed", "ManualInterventionRequired", "PipelineReady"} <= {
        *LISTENED_TO
    }
    headers = door.bearer() | JSON_CE
    for name in (*LISTENED_TO, *(alias for type_ in LISTENED_TO for alias in CATALOG[type_].aliases)):
        sent = json.dumps(CLOUD | {"type": name, "data": {}})
        answer = door.client.post("/v1/events", content=sent, headers=headers)
        said = f"{ALIASES.get(name, name)} is decided here; stating it needs the scope 'events:any'"
        assert (answer.status_code, answer.json()["detail"]) == (403, said)
    assert stored(door) == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("ModuleReady", {"repository": "acme/booking", "version": "1.0.0", "files": []}),
        ("ReleaseIntentDeclared", {"moduleId": "booking", "version": "1.0.0"}),
        ("TraceInitialized", {}),
    ],
)
def test_what_only_asks_for_work_may_be_reported(door: Door, name: str, data: dict[str, Any]) -> None:
    assert post(door, CLOUD | {"type": name, "data": data}).status_code == 202
    assert [event.type for event in stored(door)] == [ALIASES.get(name, name)]


def test_a_fact_from_the_future_happened_now(door: Door) -> None:
    post(door, CLOUD | {"time": "2999-01-01T00:00:00Z"})
    assert stored(door)[0].time <= datetime.now(UTC)


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in CLOUD.items() if key != name}


INVALID = [
    ("unknown type", CLOUD | {"type": "NoSuchThing"}, "type", "UnknownEventType",
     "'NoSuchThing' is not an event type of the catalogue (see docs/events.md)"),
    ("no type", _without("type"), "type", "MissingField", "type is required"),
    ("no trace", _without("traceid"), "traceId", "MissingField", "traceId is required"),
    ("trace is a path", CLOUD | {"traceid": "../../etc"}, "traceId", "InvalidField",
     "traceId must be letters, digits and . _ : @ + - (at most 128)"),
    ("id is a number", CLOUD | {"id": 7}, "id", "InvalidField", "id must be a text of 1 to 500 printable characters"),
    ("control character", CLOUD | {"source": "a\x00b"}, "source", "InvalidField",
     "source must be a text of 1 to 500 printable characters"),
    ("a source of ours", CLOUD | {"source": "webhooks/local"}, "source", "InvalidField",
     "source must not be 'pointsman' or begin with 'webhooks/': so we name what we saw ourselves"),
    ("our own name", CLOUD | {"source": "pointsman"}, "source", "InvalidField",
     "source must not be 'pointsman' or begin with 'webhooks/': so we name what we saw ourselves"),
    ("time without zone", CLOUD | {"time": "2026-11-01T10:00:00"}, "time", "InvalidField",
     "time must be an RFC 3339 moment with its zone"),
    ("payload misses a field", CLOUD | {"type": "TestsPassed"}, "data.revision", "InvalidPayload",
     "TestsPassed: data.revision: Field required"),
    ("nested field wrong", CLOUD | {"type": "ModuleGenerated", "data": {
        "repository": "r", "version": "1.0.0", "files": [{"path": "a"}, {"content": "b"}]}}, "data.files.1.path",
     "InvalidPayload", "ModuleGenerated: data.files.1.path: Field required"),
    ("payload is a list", CLOUD | {"data": [1]}, "data", "InvalidPayload", "data must be a JSON object"),
    ("no object", 7, "", "InvalidEnvelope", "an event is a JSON object"),
    ("number nobody agrees on", CLOUD | {"data": {"n": 2**60}}, "data", "InvalidPayload", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("event", "path", "reason_code", "message"),
    [case[1:] for case in INVALID],
    ids=[case[0] for case in INVALID],
)
def test_what_does_not_fit_is_422_with_its_path_and_nothing_is_stored(
    door: Door, event: Any, path: str, reason_code: str, message: str | None
) -> None:
    answer = post(door, event, {"Content-Type": "application/json"}, "events:write", "events:any")
    said = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert said["errors"][0] == {
        "path": path, "reasonCode": reason_code, "message": message or said["errors"][0]["message"],
    }  # fmt: skip
    assert said["detail"].endswith("; nothing was stored")
    assert stored(door) == []


def test_one_wrong_event_of_a_batch_and_none_of_it_is_stored(door: Door) -> None:
    batch = [
        CLOUD,
        CLOUD | {"id": "e2", "type": "Nope"},
        CLOUD | {"id": "e3", "type": "TestsPassed"},
        CLOUD | {"id": "e4"},
    ]
    answer = post(door, batch, None, "events:write", "events:any")
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["[1].type", "[2].data.revision"]
    assert stored(door) == []


@pytest.mark.parametrize(
    ("content", "headers", "status", "reason_code"),
    [
        (b"{", {"Content-Type": "application/json"}, 400, "InvalidJson"),
        (b'{"n": NaN}', {"Content-Type": "application/json"}, 400, "InvalidJson"),
        (b"[" * 100_000, {"Content-Type": "application/json"}, 413, "BodyTooLarge"),
        (b"[" * (CAP - 1), {"Content-Type": "application/json"}, 400, "InvalidJson"),
        (b"\xff", {"Content-Type": "application/json"}, 400, "InvalidJson"),
        (b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "UnsupportedMediaType"),
        (b"[]", {"Content-Type": "application/json"}, 422, "InvalidBatch"),
        (b"[" + b"1," * 500 + b"1]", {"Content-Type": "application/json"}, 422, "InvalidBatch"),
        (b"{}", {"Content-Type": "application/cloudevents-batch+json"}, 422, "InvalidBatch"),
    ],
)
def test_bodies_that_are_no_events(
    door: Door, content: bytes, headers: dict[str, str], status: int, reason_code: str
) -> None:
    answer = door.client.post("/v1/events", content=content, headers=door.bearer() | headers)
    assert (answer.status_code, answer.json()["reasonCode"]) == (status, reason_code)
    assert stored(door) == []


def test_without_a_valid_token_nothing_is_taken(door: Door) -> None:
    token = door.token()
    expired = door.token(days=-1)
    bad = [
        {}, {"Authorization": token}, {"Authorization": f"Basic {token}"}, {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {token}x"}, {"Authorization": f"Bearer {token[:-1]}"},
        {"Authorization": f"Bearer {expired}"}, {"Authorization": "Bearer pm_000000000000_" + "a" * 43},
    ]  # fmt: skip
    for headers in bad:
        answer = door.client.post("/v1/events", content=json.dumps(CLOUD), headers=headers | JSON_CE)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["detail"] == "a valid bearer token is needed"
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}"), *JSON_CE.items()]
    assert door.client.post("/v1/events", content=json.dumps(CLOUD), headers=twice).status_code == 401
    reader = door.client.post("/v1/events", content=json.dumps(CLOUD), headers=door.bearer("read") | JSON_CE)
    assert (reader.status_code, reader.json()["detail"]) == (403, "the token lacks the scope 'events:write'")
    assert stored(door) == []
