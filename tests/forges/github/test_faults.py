"""Whatever goes wrong with any request of any effect: in the end it has happened once, or somebody is told."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from bot.domain.errors import Permanent, Retryable
from bot.forges.github import client
from bot.forges.github.perform import PERFORM
from tests.forges.conformance.stages.github import GitHubStage, opened
from tests.forges.github.conftest import doing
from tests.forges.github.deeds import BRANCH, DEEDS, Deed

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
PAGED = r"^GET /repos/.*/(check-runs|comments|issues|variables|rulesets|hooks|jobs)$"
LISTED = (
    "PostComment",
    "PostComment, sticky",
    "SetCheck",
    "OpenIssue",
    "PrepareEnvironment again",
    "CreateRepository",
    "GatherFacts",
)
"""What reads a list page by page."""
AFTERWARDS = {"done, but the answer lost", "done, but the answer cut off"}
CUT = {
    "reset": re.compile(r"GitHub cannot be reached: (ReadError|RemoteProtocolError|WriteError)"),
    "done, but the answer lost": re.compile(r"GitHub cannot be reached: (ReadError|RemoteProtocolError)"),
}
"""That a connection was cut, and not answered with an error, is what these are about."""
WAITS = {"403 with Retry-After": 7.0, "429 with Retry-After": 7.0}


def test_there_is_no_effect_without_faults() -> None:
    """Each kind that GitHub performs is tried below, so that a new one cannot come without them."""
    tried = {name.partition(" ")[0].rstrip(",") for name in DEEDS}
    assert tried == set(PERFORM)


def until_done(stage: GitHubStage, deed: Deed, revision: str, patience: float = 0.0) -> list[Exception]:
    """Try as the engine does, with a memory of its own each time: another worker may have taken over."""
    failures: list[Exception] = []
    for attempt in range(1, ATTEMPTS + 1):
        stage.forget()
        stage.forge.ground.patience = patience
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
            if fault in CUT:
                assert all(CUT[fault].fullmatch(str(failure)) for failure in failures), failures
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


@pytest.mark.parametrize("name", DEEDS)
def test_a_webhook_may_come_before_what_it_tells_of_is_there(tmp_path: Path, name: str) -> None:
    """Each of the first things that are looked for is not there yet at the first look."""
    deed = DEEDS[name]
    looks = [n for n, what in enumerate(asked_of(name)) if what.startswith("GET /repos/")]
    for number in looks[:3]:
        with opened(tmp_path / str(number)) as stage:
            revision = deed.before(stage)
            stage.server.fail("", skip=number, status=404)
            failures = until_done(stage, deed, revision, patience=0.01)
            assert deed.left(stage) == deed.expected(stage), asked_of(name)[number]
            assert len(failures) <= 1, asked_of(name)[number]


@pytest.mark.parametrize("name", LISTED)
def test_a_list_that_is_cut_off_is_not_taken_for_all_of_it(tmp_path: Path, name: str) -> None:
    """GitHub says that there is more, and has nothing more to give: a page was lost."""
    deed = DEEDS[name]
    with opened(tmp_path) as stage:
        revision = deed.before(stage)
        stage.forget()
        stage.server.fail(PAGED, emptied=True)
        failures = until_done(stage, deed, revision)
        assert deed.left(stage) == deed.expected(stage)
        assert [str(failure) for failure in failures] == ["GitHub left out a part of a list"]


@pytest.mark.parametrize("name", ["CommitFiles to a branch", "RevertCommit"])
def test_a_head_that_is_told_too_late_loses_nobodys_work(tmp_path: Path, name: str) -> None:
    """GitHub tells the head of a moment ago; jane has pushed since."""
    deed = DEEDS[name]
    with opened(tmp_path) as stage:
        revision = deed.before(stage)
        stage.person("jane", "write")
        hers = stage.push("jane", BRANCH, {"docs.md": "hers\n"}, "docs: hers")
        stale = {"ref": f"refs/heads/{BRANCH}", "object": {"sha": revision, "type": "commit"}}
        stage.server.fail("^GET .*/git/ref/heads", status=200, json=stale)
        failures = until_done(stage, deed, revision)
        assert [str(failure) for failure in failures] == [f"{BRANCH} moved while it was being committed to"]
        assert stage.parents(str(stage.head(BRANCH))) == [hers]
        assert stage.files(BRANCH)["docs.md"] == b"hers\n"


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
