"""Whatever goes wrong with any request of any effect: in the end it has happened once, or somebody is told."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from bot.domain.errors import Permanent, Retryable
from bot.forges.github import client
from tests.forges.conformance.stages.github import GitHubStage, opened
from tests.forges.github.conftest import doing
from tests.forges.github.deeds import DEEDS, Deed

ATTEMPTS = 4
FAULTS: dict[str, dict[str, Any]] = {
    "403 with Retry-After": {
        "status": 403,
        "headers": {"Retry-After": "7"},
        "json": {"message": "You have exceeded a secondary rate limit"},
    },
    "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "7"}},
    "502": {"status": 502, "headers": {}},
    "reset": {"reset": True},
    "done, but the answer lost": {"lost": True},
    "done, but the answer cut off": {"truncated": True},
}
AFTERWARDS = {"done, but the answer lost", "done, but the answer cut off"}
WAITS = {"403 with Retry-After": 7.0, "429 with Retry-After": 7.0}


def until_done(stage: GitHubStage, deed: Deed, revision: str) -> list[Exception]:
    """Try as the engine does, with a memory of its own each time: another worker may have taken over."""
    failures: list[Exception] = []
    for attempt in range(1, ATTEMPTS + 1):
        stage.forget()
        try:
            doing(stage)(deed.effect(stage, revision), "t.000009.0", attempt)
        except Retryable as error:
            failures.append(error)
        else:
            return failures
    raise AssertionError(f"not done after {ATTEMPTS} attempts: {failures}")


@cache
def asked_of(name: str) -> tuple[str, ...]:
    """What the effect asks when all goes well."""
    deed = DEEDS[name]
    with TemporaryDirectory() as folder, opened(Path(folder)) as stage:
        revision = deed.before(stage)
        stage.forget()
        before = len(stage.server.exchanges)
        doing(stage)(deed.effect(stage, revision), "t.000009.0")
        assert deed.left(stage) == deed.expected(stage)
        return tuple(f"{one.method} {one.path}" for one in stage.server.exchanges[before:])


def places(name: str, fault: str) -> list[int]:
    """Which requests are made to fail: all that change something, where it matters whether they did; else the
    last of them and the first of all.
    """
    asked = asked_of(name)
    writes = [n for n, what in enumerate(asked) if "/repos/" in what and not what.startswith("GET")]
    return writes or [len(asked) - 1] if fault in AFTERWARDS else sorted({0, *writes[-1:]})


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", DEEDS)
def test_every_request_may_fail_once(tmp_path: Path, name: str, fault: str) -> None:
    deed = DEEDS[name]
    for number in places(name, fault):
        with opened(tmp_path / str(number)) as stage:
            revision = deed.before(stage)
            stage.forget()
            stage.server.fail("", skip=number, **FAULTS[fault])
            failures = until_done(stage, deed, revision)
            assert deed.left(stage) == deed.expected(stage), asked_of(name)[number]
            assert len(failures) <= 1, asked_of(name)[number]
            if fault in WAITS:
                (failure,) = failures
                assert isinstance(failure, Retryable)
                assert failure.after == WAITS[fault]


@pytest.mark.parametrize("name", DEEDS)
def test_a_forge_that_answers_too_late_has_done_it_all_the_same(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deed = DEEDS[name]
    with opened(tmp_path) as stage:
        revision = deed.before(stage)  # with all the time that a busy machine needs
        monkeypatch.setattr(client, "TIMEOUT_S", 1.0)
        stage.server.fail(r"^(POST|PUT|PATCH|DELETE) /repos", slow=2.0)
        failures = until_done(stage, deed, revision)
        assert deed.left(stage) == deed.expected(stage)
        assert {str(failure) for failure in failures} <= {"GitHub did not answer in time"}


@pytest.fixture(params=["CommitFiles to a branch", "PostComment", "MergeChange", "GatherFacts"])
def deed(request: pytest.FixtureRequest) -> Deed:
    return DEEDS[request.param]


def test_a_forge_that_never_answers_is_told(tmp_path: Path, deed: Deed) -> None:
    with opened(tmp_path) as stage:
        revision = deed.before(stage)
        stage.forget()
        stage.server.fail("", times=1000, status=503)
        with pytest.raises(Retryable) as failed:
            doing(stage)(deed.effect(stage, revision), "t.000009.0")
        assert failed.value.message == "GitHub answered 503"


def test_credentials_that_end_are_told_with_what_to_mend(tmp_path: Path, deed: Deed) -> None:
    with opened(tmp_path) as stage:
        revision = deed.before(stage)
        stage.forget()
        stage.server.fail("", times=1000, status=401, json={"message": "Bad credentials"})
        with pytest.raises(Permanent) as failed:
            doing(stage)(deed.effect(stage, revision), "t.000009.0")
        assert failed.value.reason_code == "BadCredentials"
        assert failed.value.message == (
            "GitHub does not know the App: check POINTSMAN_GITHUB_APP_ID, POINTSMAN_GITHUB_APP_KEY_FILE and this machine's clock"
        )


def test_a_token_taken_back_in_between_is_made_anew(tmp_path: Path, deed: Deed) -> None:
    with opened(tmp_path) as stage:
        revision = deed.before(stage)
        stage.hub.bearers.clear()
        until_done(stage, deed, revision)
        assert deed.left(stage) == deed.expected(stage)
