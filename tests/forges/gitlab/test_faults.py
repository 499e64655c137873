"""Whatever goes wrong on the way, an effect happens once, or somebody is told why not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.forges.gitlab.perform import PERFORM
from bot.forges.local import git as real
from tests.forges.gitlab.cases import EFFECTS, seen, with_a_pipeline
from tests.forges.gitlab.conftest import Desk
from tests.forges.gitlab.fake import git
from tests.forges.gitlab.fake.world import TOKEN

WRITES = [(name, number) for name, case in EFFECTS.items() for number in range(case.writes)]
LIMITED = {"Retry-After": "7"}
FAULTS: dict[str, dict[str, Any]] = {
    "429": {"status": 429, "headers": LIMITED},
    "403 with Retry-After": {"status": 403, "headers": LIMITED},
    "500": {"status": 500},
    "408": {"status": 408},
    "503 with Retry-After": {"status": 503, "headers": LIMITED},
    "timeout": {"kind": "timeout"},
    "reset": {"kind": "reset"},
    "done but the answer lost": {"kind": "lost"},
    "done but the answer cut short": {"kind": "truncated"},
    "locked": {"status": 409, "body": {"message": "409 Resource lock"}},
}


def test_what_is_seen_does_not_hang_on_the_second_it_happened_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A squashed commit and its merge, dated as the commit below them: by date, that one comes in between."""
    effect = EFFECTS["MergeChange"].at(desk)
    begun = desk.world.project.repo.commits("main")[0]["committed_date"]

    def line(folder: Path, *arguments: str, env: Mapping[str, str] | None = None, **more: Any) -> str:
        return real.line(folder, *arguments, env={**(env or {}), "GIT_COMMITTER_DATE": begun}, **more)

    monkeypatch.setattr(git, "line", line)
    desk.insist(effect)
    assert seen(desk)["branches"]["main"] == ["feat: x (#1)", "feat: x (#1)", "chore: begin"]


@pytest.fixture(scope="module")
def right() -> dict[str, dict[str, Any]]:
    """What each effect leaves behind when nothing goes wrong."""
    return {}


def expected(name: str, desk: Desk, right: dict[str, dict[str, Any]], effect: e.Effect) -> dict[str, Any]:
    """The effect done once more is done already: so the state after two is the state after one."""
    desk.insist(effect)
    right.setdefault(name, seen(desk))
    return right[name]


def test_every_effect_that_gitlab_performs_is_here() -> None:
    assert {name.split()[0] for name in EFFECTS} | {"GatherFacts"} == set(PERFORM)


@pytest.mark.parametrize("name", EFFECTS)
def test_every_write_of_an_effect_is_known(desk: Desk, name: str) -> None:
    effect = EFFECTS[name].at(desk)
    begun = len(desk.server.asked)
    desk.do(effect)
    wrote = [path for method, path in desk.server.asked[begun:] if method not in {"GET", "HEAD"}]
    assert len(wrote) == EFFECTS[name].writes, wrote
    begun = len(desk.server.asked)
    desk.do(effect)
    again = [path for method, path in desk.server.asked[begun:] if method not in {"GET", "HEAD"}]
    assert len(again) == EFFECTS[name].refused, "what is done already is looked at, and nothing else"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("name", "number"), WRITES)
def test_a_write_that_goes_wrong_is_done_once(
    desk: Desk, right: dict[str, dict[str, Any]], name: str, number: int, fault: str
) -> None:
    effect = EFFECTS[name].at(desk)
    before = seen(desk)
    wrong = desk.fault("WRITE", ".", skip=number, **FAULTS[fault])

    desk.insist(effect)

    assert wrong.times == 0, "the effect writes"
    after = seen(desk)
    assert after != before
    assert expected(name, desk, right, effect) == after
    assert len(desk.waits) <= 1 or fault == "timeout"
    if "headers" in FAULTS[fault]:
        assert desk.waits == [7.0]


READ_FAULTS = ("429", "reset", "done but the answer cut short")


@pytest.mark.parametrize("fault", READ_FAULTS)
@pytest.mark.parametrize("name", EFFECTS)
def test_a_read_that_goes_wrong_changes_nothing(
    desk: Desk, right: dict[str, dict[str, Any]], name: str, fault: str
) -> None:
    effect = EFFECTS[name].at(desk)
    before = seen(desk)
    desk.fault("GET", r"/projects/", **FAULTS[fault])

    with pytest.raises(Retryable):
        desk.do(effect)

    assert seen(desk) == before
    desk.insist(effect)
    assert expected(name, desk, right, effect) == seen(desk)


@pytest.mark.parametrize("name", EFFECTS)
def test_what_is_not_there_yet_just_after_the_call_is_done_once_or_refused(desk: Desk, name: str) -> None:
    effect = EFFECTS[name].at(desk)
    before = seen(desk)
    desk.fault("GET", r"/projects/", status=404, body={"message": "404 Not Found"})
    code = ""
    try:
        desk.do(effect)
    except Permanent as refused:
        code = refused.reason_code
    after = seen(desk)
    if code:
        assert code in {"NotFound", "BranchDeleted", "RevisionMissing", "IssueMissing"}
        assert after == before
    else:
        desk.insist(effect)
        assert seen(desk) == after


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, {"BadToken", "NoMergeAccess"}),
        (403, {"Forbidden", "NoMergeAccess", "ProtectedBranch", "NoVariableAccess", "NoCreateAccess"}),
    ],
)
def test_what_the_token_may_not_is_told_with_what_to_mend(
    desk: Desk, name: str, status: int, code: set[str]
) -> None:
    effect = EFFECTS[name].at(desk)
    before = seen(desk)
    desk.fault("WRITE", ".", status=status, body={"message": f"{status} for {TOKEN}"})
    with pytest.raises(Permanent) as refused:
        desk.do(effect)
    assert refused.value.reason_code in code
    assert TOKEN not in refused.value.message
    assert seen(desk) == before


FACTS = {
    "of a change": e.GatherFacts(correlation="c", change=1, branch="feature/x", actors=("olive",), paths=("app.py",), past=1),
    "of a run": e.GatherFacts(correlation="c", run="1"),
    "of a tree": e.GatherFacts(correlation="c", tree_of="main"),
}  # fmt: skip


@pytest.mark.parametrize(
    "fault", ["429", "403 with Retry-After", "500", "timeout", "reset", "done but the answer cut short"]
)
@pytest.mark.parametrize("facts", FACTS)
def test_facts_are_whole_or_there_are_none(desk: Desk, facts: str, fault: str) -> None:
    """Whichever of its reads goes wrong: half of what a decision needs to know would be worse than nothing."""
    with_a_pipeline(desk)
    desk.stage.finish_run(str(desk.stage.head("feature/x")), "failed")
    whole = desk.do(FACTS[facts])
    begun = len(desk.server.asked)
    assert desk.do(FACTS[facts]) == whole  # who the bot is, is known by now
    reads = len(desk.server.asked) - begun
    for number in range(0, reads, 1 if fault == "429" else max(1, reads // 3)):
        wrong = desk.fault("GET", ".", skip=number, **FAULTS[fault])
        with pytest.raises(Retryable):
            desk.do(FACTS[facts])
        assert wrong.times == 0
        assert desk.do(FACTS[facts]) == whole
