"""The document says what the API does.

Complete by comparison with the routes, true by a fuzzer that believes it.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.house import House

OURS = ("/v1/", "/healthz", "/readyz")
NOT_FUZZED = {"/v1/events", "/v1/traces/{trace_id}/stream"}
"""The first is tested by its own room; the second does not end."""
SCOPES = ("read", "command", "events:write", "evidence:write", "admin")
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def document(home: House) -> dict[str, Any]:
    said: dict[str, Any] = home.anybody().get("/openapi.json").json()
    return said


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith(OURS) and path != "/v1/events"
    ]


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert not [path for path in document["paths"] if path.startswith(("/traces", "/static", "/sign-in"))]


def test_every_operation_says_what_it_does_who_may_and_how_it_fails(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert operation.get("summary"), path
        assert operation.get("description"), path
        assert operation["tags"], path
        if not path.startswith("/v1/"):
            continue
        assert operation["security"] == [{"HTTPBearer": []}], path
        assert operation["x-scope"] in SCOPES, path
        failures = {"401", "403"} | ({"413", "415"} if method == "POST" else set())
        assert failures <= operation["responses"].keys(), path


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status.startswith("4"):
                schema = {"$ref": "#/components/schemas/ProblemBody"}
                assert answer["content"] == {"application/problem+json": {"schema": schema}}, (path, status)


def test_names_outside_are_camel_case(document: dict[str, Any]) -> None:
    for name in ("Submission", "Accepted", "CommandAnswer", "WaitingRelease", "TraceItem"):
        assert not [key for key in document["components"]["schemas"][name]["properties"] if "_" in key]


def test_a_fuzzer_finds_nothing_the_document_does_not_say(home: House) -> None:
    api = schemathesis.openapi.from_asgi("/openapi.json", home.app)
    headers = {"Authorization": f"Bearer {home.token('fuzzer', scopes=SCOPES)}"}
    tried = []
    for operation in (found.ok() for found in api.get_all_operations()):
        if not operation.path.startswith(OURS) or operation.path in NOT_FUZZED:
            continue
        tried.append(operation.label)

        @settings(
            max_examples=20,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def run(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        run()
    assert len(tried) == 18, tried
