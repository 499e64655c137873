"""`/v1/releases`, `/v1/dead-letters` and health.

What waits, what went wrong, whether there is somebody to do the work.
"""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from bot.log.tables import LEASES
from tests.support.house import House, house, wait_for
from tests.support.story import BLOCKED, RELEASED, SHA, STAGED, change, tell

WAITS = {
    "traceId": "trace-1", "moduleId": "booking", "version": "1.0.0", "environment": "production",
    "revision": SHA, "state": "delayed", "phase": "change", "reasonCode": "FreezeActive",
    "message": "Frozen by weekend until Mon 2026-11-23 08:00 Europe/Paris. "
    "Wait, or say `/override-freeze production <reason>`. Needs ProductOwner.",
    "whoCan": ["sam", "jane.doe"], "nextChangeAt": "2026-11-23T07:00:00.000Z",
    "changeUrl": "http://127.0.0.1:8080/forge/acme/booking/changes/1", "verdict": BLOCKED,
}  # fmt: skip


def waiting(home: House, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = home.http().get(f"/v1/releases{query}").json()["releases"]
    return found


def test_what_waits_says_why_and_who_can_help(home: House) -> None:
    production = next(one for one in waiting(home) if one["environment"] == "production")
    assert production["releaseId"].startswith("release-")
    assert {name: production[name] for name in WAITS} == WAITS
    assert [one["environment"] for one in waiting(home, "?environment=staging")] == ["staging"]
    assert waiting(home, "?environment=elsewhere") == []


@pytest.mark.parametrize(
    ("then", "left"),
    [
        (RELEASED, []),
        (RELEASED[:3] + STAGED, ["production"]),
        (RELEASED[:3] + STAGED[:1], ["production"]),
        ((("ChangeClosed", change(), {}),), []),
    ],
)
def test_what_is_deployed_or_closed_does_not_wait(sqlite_url: str, then: Any, left: list[str]) -> None:
    with house(sqlite_url) as home:
        tell(home.store, then=then)
        assert [one["environment"] for one in waiting(home)] == left


# -- dead letters ----------------------------------------


@pytest.fixture
def broken(sqlite_url: str) -> Any:
    """A bot whose handlers have a bug, and one submission that met it."""
    from tests.support.story import module

    bug = {"there": True}

    def decide(*_: object) -> Any:
        from bot.domain.decision import NOTHING

        if bug["there"]:
            raise ValueError("planted; glpat-abcdefghij0123456789 must not show")
        return NOTHING

    with house(sqlite_url, decide, work=True) as home:
        home.http().post("/v1/modules", json=module())
        wait_for(lambda: home.http().get("/v1/dead-letters").json()["deadLetters"])
        yield home, bug


def test_a_dead_letter_is_seen_and_applied_after_the_repair(broken: tuple[House, dict[str, bool]]) -> None:
    home, bug = broken
    admin = home.http("root", scopes=("admin",))
    (letter,) = admin.get("/v1/dead-letters").json()["deadLetters"]
    assert (letter["error"], letter["status"], letter["source"]) == ("ValueError", "quarantined", "api")
    assert "glpat" not in letter["message"]
    assert home.http("eve", tenant="other").get("/v1/dead-letters").json() == {"deadLetters": []}
    stranger = home.http("eve", tenant="other", scopes=("admin",)).post(
        f"/v1/dead-letters/{letter['id']}/retry"
    )
    assert (stranger.status_code, stranger.json()["detail"]) == (
        404,
        f"There is no dead letter '{letter['id']}'.",
    )
    bug["there"] = False
    retried = admin.post(f"/v1/dead-letters/{letter['id']}/retry")
    assert (retried.status_code, retried.json()) == (202, {"id": letter["id"], "status": "retried"})
    wait_for(lambda: admin.get(f"/v1/traces/{letter['traceId']}").status_code == 200)
    again = admin.post(f"/v1/dead-letters/{letter['id']}/retry")
    assert (again.status_code, again.json()["reasonCode"]) == (409, "AlreadyRetried")


def test_a_dead_letter_nobody_knows_is_404(home: House) -> None:
    answer = home.http(scopes=("admin",)).post("/v1/dead-letters/99/retry")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no dead letter '99'.")


# -- health ----------------------------------------


def ready(home: House) -> tuple[int, dict[str, str]]:
    answer = home.anybody().get("/readyz")
    assert answer.json()["ok"] is (answer.status_code == 200)
    return answer.status_code, answer.json()["checks"]


def test_health_needs_no_token(home: House) -> None:
    answer = home.anybody().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "checks": {}})


def test_ready_means_that_a_worker_lives(database_url: str) -> None:
    with house(database_url, work=True) as home:
        assert ready(home) == (200, {"database": "ok", "migrations": "ok", "worker": "ok"})
        home.runtime.wiring.activity.stop(1)
        home.runtime._keeper._stop.set()  # type: ignore[union-attr]
        home.runtime._keeper._thread.join()  # type: ignore[union-attr]
        with home.store.begin() as session:
            session.execute(sa.update(LEASES).values(renewed_at=LEASES.c.renewed_at - 11))
        assert ready(home) == (503, {"database": "ok", "migrations": "ok", "worker": "not seen"})


def test_without_a_worker_it_is_not_ready(home: House) -> None:
    assert ready(home) == (503, {"database": "ok", "migrations": "ok", "worker": "not seen"})


def test_older_tables_are_not_ready(sqlite_url: str) -> None:
    with house(sqlite_url) as home:
        with home.store.begin() as session:
            session.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
        assert ready(home) == (503, {"database": "ok", "migrations": "outdated"})
        with home.store.begin() as session:
            session.execute(sa.text("DROP TABLE alembic_version"))
        assert ready(home) == (503, {"database": "ok", "migrations": "outdated"})
