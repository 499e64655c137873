"""`POST /v1/evidence`: bound to a revision that is known, in the tenant of the token, or nothing is stored."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from httpx import Response

from bot.domain.event import Event
from bot.evidence.read import CAP
from bot.log.tables import INBOX
from bot.projections.trace_keys import KEYS
from tests.evidence import files as f
from tests.support.house import House
from tests.support.story import SHA

URL = "/v1/evidence"
SCOPE = ("evidence:write",)
OF = {"repository": "acme/booking", "revision": SHA}


@pytest.fixture(scope="module", autouse=True)
def owned(home: House) -> None:
    with home.store.begin() as session:
        for tenant, trace in (("acme", "trace-1"), ("other", "trace-9")):
            key = f"local:acme/{'booking' if tenant == 'acme' else 'secret'}={SHA}"
            session.execute(sa.insert(KEYS), {"tenant": tenant, "key": key, "trace": trace})


def send(home: House, content: bytes, scopes: tuple[str, ...] = SCOPE, **said: Any) -> Response:
    headers = {"Content-Type": said.pop("media", "application/octet-stream")}
    return home.http("ci", scopes=scopes).post(URL, content=content, params=OF | said, headers=headers)


def stored(home: House) -> list[Event]:
    query = sa.select(INBOX.c.body).where(INBOX.c.source == "api").order_by(INBOX.c.seq)
    with home.store.read() as session:
        events = [Event.model_validate_json(bytes(body)) for body in session.execute(query).scalars()]
    return [event for event in events if event.type == "pointsman.EvidenceAdded"]


def test_a_report_is_taken_into_the_trace_that_owns_the_revision(home: House) -> None:
    answer = send(home, f.JUNIT_ONE_FAILED, path="out/junit.xml")
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert (said["traceId"], said["kind"], said["url"]) == (
        "trace-1",
        "junit",
        "http://127.0.0.1:8080/traces/trace-1",
    )
    assert said["summary"] == {
        "total": 4, "failed": 2, "skipped": 1,
        "failing": ["tests.test_clock.test_strikes", "tests.test_clock.test_alarm"],
    }  # fmt: skip
    event = next(event for event in stored(home) if event.id == said["eventId"])
    assert (event.tenant_id, event.trace_id, event.actor, event.source) == (
        "acme",
        "trace-1",
        "ci",
        "/v1/evidence",
    )
    assert (event.data["revision"], event.data["source"], event.data["digest"]) == (
        SHA,
        "upload",
        said["digest"],
    )


def test_the_same_file_again_is_the_same_event(home: House) -> None:
    first, again = (send(home, f.COBERTURA_THREE_OF_FOUR).json() for _ in range(2))
    assert first == again
    assert [event.id for event in stored(home)].count(first["eventId"]) == 1


@pytest.mark.parametrize("media", ["application/json", "application/vnd.cyclonedx+json"])
def test_other_types_of_content_are_taken_as_well(home: House, media: str) -> None:
    assert send(home, f.bom(("a", f.licence("MIT"))), media=media, path=media).status_code == 202


@pytest.mark.parametrize(
    ("content", "said", "status", "code", "path"),
    [
        (b"", {}, 422, "UnknownKind", "kind"),
        (f.JUNIT_ALL_PASSED, {"revision": SHA[:12]}, 422, "InvalidPayload", "revision"),
        (f.JUNIT_ALL_PASSED, {"revision": f.OTHER}, 404, "UnknownRevision", "revision"),
        (f.JUNIT_ALL_PASSED, {"repository": "acme/secret"}, 404, "UnknownRevision", "revision"),
        (f.JUNIT_ALL_PASSED, {"forge": "github"}, 404, "UnknownRevision", "revision"),
        (f.JUNIT_ALL_PASSED, {"kind": "jacoco"}, 422, "InvalidPayload", "kind"),
        (f.JUNIT_ALL_PASSED, {"kind": "sarif"}, 422, "NotSarif", ""),
        (f.JUNIT_ALL_PASSED, {"path": "a\nb"}, 422, "InvalidPayload", "path"),
        (f.JUNIT_ALL_PASSED, {"media": "text/plain"}, 415, "UnsupportedMediaType", None),
        (b'{"version": "2.1.0", "runs": [{"tool": {}}]}', {}, 422, "NotSarif", "runs.0.tool.driver"),
        (json.dumps(f.signed(f.provenance(f.OTHER), f.key()[0])).encode(), {}, 422, "OtherRevision", "payload.predicate"),
        (json.dumps(f.signed(f.provenance(None), f.key()[0]) | {"payload": "A" * 65_000}).encode(), {}, 422, "AttestationTooLarge", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_path_and_nothing_is_stored(
    home: House, content: bytes, said: dict[str, Any], status: int, code: str, path: str | None
) -> None:
    before = len(stored(home))
    answer = send(home, content, **said)
    assert (answer.status_code, answer.json()["reasonCode"], answer.json().get("path")) == (
        status,
        code,
        path,
    )
    assert len(stored(home)) == before


def test_a_body_over_the_cap_is_not_read(home: House) -> None:
    answer = send(home, b"<" * (CAP + 1))
    assert (answer.status_code, answer.json()["reasonCode"]) == (413, "BodyTooLarge")


@pytest.mark.parametrize("scopes", [("read",), ("events:write", "command", "read"), ("events:any",)])
def test_the_scope_is_one_of_its_own(home: House, scopes: tuple[str, ...]) -> None:
    answer = send(home, f.JUNIT_ALL_PASSED, scopes)
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "the token lacks the scope 'evidence:write'",
    )
    assert home.anybody().post(URL, params=OF, content=b"x").status_code == 401


def test_more_reports_than_can_be_kept_are_refused(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.api.evidence.PER_REVISION", 0)
    answer = send(home, f.JUNIT_ALL_PASSED, path="one-more.xml")
    assert (answer.status_code, answer.json()["reasonCode"]) == (422, "TooMuchEvidence")
    assert answer.json()["detail"] == "0 reports about this revision are kept already."


def test_another_tenant_has_no_say(home: House) -> None:
    answer = home.http("eve", tenant="other", scopes=SCOPE).post(
        URL, content=f.JUNIT_ALL_PASSED, params=OF, headers={"Content-Type": "application/octet-stream"}
    )
    assert (answer.status_code, answer.json()["reasonCode"]) == (404, "UnknownRevision")
    assert answer.json()["detail"] == (
        f"No trace is about {SHA} of local:acme/booking. Push it, or open a change with it, and add the report then."
    )
