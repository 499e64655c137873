"""GitHub's limits: obeyed before it has to say so, and when it says so. What a release costs."""

from __future__ import annotations

import re
import time

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.forges.github.pace import Budget, Pace
from bot.forges.github.remembered import Remembered
from tests.forges.conformance.stages.github import GitHubStage
from tests.forges.github.conftest import Do
from tests.forges.github.deeds import committed, proposed
from tests.forges.github.fake.server import Exchange

NOTIFYING = re.compile(
    r"^POST /repos/[^/]+/[^/]+/(issues|pulls|releases|issues/\d+/comments|pulls/\d+/(comments|reviews|requested_reviewers))$"
    r"|^PUT /repos/[^/]+/[^/]+/pulls/\d+/merge$"
)
"""What creates content that people are notified of: GitHub's lowest limit (the list is Octokit's, of its plugin
throttling)."""


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_there_is_a_pause_between_two_writes() -> None:
    clock = Clock()
    pace = Pace(1.0, clock, clock.sleep)
    for _ in range(3):
        pace.turn()
    assert clock.slept == [1.0, 1.0]
    clock.now += 10
    pace.turn()
    assert clock.slept == [1.0, 1.0]


@pytest.mark.parametrize(("most", "seconds", "gap"), [(80, 60.0, 0.01), (500, 3600.0, 0.8)])
def test_no_more_than_so_many_writes_in_a_time(most: int, seconds: float, gap: float) -> None:
    clock = Clock()
    pace = Pace(0.0, clock, clock.sleep)
    began, made = clock.now, []
    for _ in range(most):
        pace.turn()
        made.append(clock.now)
        clock.now += gap
    with pytest.raises(Retryable) as full:
        pace.turn()
    assert full.value.message == "GitHub's limit of writes is used up for now"
    assert full.value.after == pytest.approx(began + seconds - clock.now)
    clock.now = began + seconds + 0.001
    pace.turn()


def test_ask_to_wait_is_passed_on_and_costs_no_attempt(stage: GitHubStage, do: Do) -> None:
    sha = committed(stage)
    stage.server.fail(
        "check-runs", status=403, headers={"Retry-After": "33"}, json={"message": "secondary rate limit"}
    )
    with pytest.raises(Retryable) as waiting:
        do(e.SetCheck(revision=sha, name="x", title="x"))
    assert (waiting.value.message, waiting.value.after) == ("GitHub asks to wait", 33.0)


def test_a_used_up_budget_is_waited_for_without_asking_again(stage: GitHubStage, do: Do) -> None:
    sha = committed(stage)
    reset = int(time.time()) + 120
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset), "X-RateLimit-Limit": "5000"}
    stage.server.fail("check-runs", status=403, headers=headers, json={"message": "API rate limit exceeded"})
    with pytest.raises(Retryable) as waiting:
        do(e.SetCheck(revision=sha, name="x", title="x"))
    assert waiting.value.after == pytest.approx(120, abs=3)
    client = stage.forge.ground.client
    client.budgets["installation 99/core"] = Budget(5000, 0, reset)
    asked = len(stage.server.exchanges)
    with pytest.raises(Retryable) as again:
        do(e.SetCheck(revision=sha, name="x", title="x"))
    assert again.value.message == "GitHub's limit of requests is used up"
    assert again.value.after == pytest.approx(120, abs=3)
    assert len(stage.server.exchanges) == asked
    client.budgets["installation 99/core"] = Budget(5000, 0, time.time() - 1)
    do(e.SetCheck(revision=sha, name="x", title="x"))


def test_the_budget_is_known_for_each_installation_and_kind(stage: GitHubStage, do: Do) -> None:
    committed(stage)
    do(e.GatherFacts(correlation="c"))
    budgets = stage.forge.ground.client.budgets
    assert set(budgets) == {"installation 99/core", "installation 99/graphql"}
    assert budgets["installation 99/core"].limit == 5000
    assert budgets["installation 99/core"].remaining < 5000


def test_what_has_not_changed_is_not_sent_again(stage: GitHubStage, do: Do) -> None:
    proposed(stage)
    for _ in range(2):
        do(e.UpdateChange(change=1, add_labels=()))
    first, second = stage.server.asked(r"^GET /repos/acme/booking/pulls/1$")
    assert (first.status, second.status) == (200, 304)
    stage.comment("jane", 1, "something new")
    do(e.UpdateChange(change=1))
    assert stage.server.asked(r"^GET /repos/acme/booking/pulls/1$")[-1].status == 200


def test_a_long_list_is_read_to_its_end(stage: GitHubStage, do: Do) -> None:
    proposed(stage)
    for number in range(205):
        stage.hub.tell = lambda *_: None
        stage.repo.comments[number] = type(next(iter(stage.repo.comments.values())))(
            number, 1, "jane", "x", "2026-11-20T04:05:06Z", "2026-11-20T04:05:06Z"
        )
    do(e.PostComment(change=1, body="one", sticky="status"))
    assert [one.query["page"] for one in stage.server.asked("^GET .*/issues/1/comments$")] == ["1", "2", "3"]
    stage.forget()
    do(e.PostComment(change=1, body="two", sticky="status"))
    assert [text for who, text in stage.comments(1) if who == stage.bot] == ["two"]


def test_approval_to_release_costs_two_content_writes_and_six_reads(stage: GitHubStage, do: Do) -> None:
    """The effects are those of the journey, from the approving comment to `ReleaseApproved`, in their order."""
    head = proposed(stage)
    do(e.SetCheck(revision=head, name="pointsman/release: production", title="waiting"), "t.000010.0")
    do(e.SetCheck(revision=head, name="pointsman/merge", title="waiting"), "t.000010.1")
    do(e.PostComment(change=1, body="waiting", sticky="status"), "t.000010.2")
    do(e.GatherFacts(correlation="before", change=1, actors=(stage.bot,)))
    comment = stage.comment("jane", 1, "/approve-release production")
    before = len(stage.server.exchanges)

    people = (stage.bot, "jane")
    do(e.React(change=1, comment_id=comment, reaction="eyes"))
    do(e.GatherFacts(correlation="command", change=1, actors=people))
    do(e.PostComment(change=1, body="jane approved."), "t.000011.0")
    do(e.React(change=1, comment_id=comment, reaction="rocket"))
    do(
        e.SetCheck(
            revision=head, name="pointsman/release: production", title="approved", conclusion="success"
        ),
        "t.000011.1",
    )
    do(
        e.SetCheck(revision=head, name="pointsman/merge", title="may be merged", conclusion="success"),
        "t.000011.2",
    )
    do(e.PostComment(change=1, body="approved", sticky="status"), "t.000011.3")
    do(e.MergeChange(change=1, expected_head=head, message="feat: add (#1)", up_to_date=True), "t.000012.0")
    do(e.GatherFacts(correlation="merged", change=1, actors=people))
    do(e.GatherFacts(correlation="release", change=1, actors=people))

    spent = [
        one
        for one in stage.server.exchanges[before:]
        if not one.path.startswith("/app/") and not one.path.endswith("/installation")
    ]
    assert [name(one) for one in spent if NOTIFYING.match(name(one))] == [
        "POST /repos/acme/booking/issues/1/comments",
        "PUT /repos/acme/booking/pulls/1/merge",
    ]
    reads = [name(one) for one in spent if one.method == "GET" or one.path == "/graphql"]
    assert len(reads) == 6, reads
    assert len(spent) - len(reads) == 7  # two reactions, two checks, the comment edited, and the two above


def name(one: Exchange) -> str:
    return f"{one.method} {one.path}"


def test_tokens_are_made_once_an_hour_for_each_kind_of_work(stage: GitHubStage, do: Do) -> None:
    sha = committed(stage)
    for number in range(3):
        do(e.SetCheck(revision=sha, name=f"check {number}", title="x"), f"t.00002{number}.0")
    asked = [one.answer["permissions"] for one in stage.server.asked("access_tokens")]
    assert len(asked) == len({tuple(sorted(one.items())) for one in asked})


def test_what_is_remembered_has_an_end() -> None:
    kept: Remembered[int] = Remembered(2)
    for number in range(3):
        kept.put(number, str(number))
    assert [kept.get(str(number)) for number in range(3)] == [None, 1, 2]
    kept.get("1")
    kept.put(3, "3")
    assert kept.get("2") is None
    kept.forget("1")
    assert kept.get("1") is None


def test_the_summary_of_a_check_is_cut_with_a_link(stage: GitHubStage, do: Do) -> None:
    sha = committed(stage)
    do(e.SetCheck(revision=sha, name="x", title="x", summary="ä" * 40_000, url="http://bot.test/traces/t"))
    (run,) = stage.repo.checks
    summary = run["output"]["summary"]
    assert len(summary.encode()) <= 65_535
    assert summary.endswith(
        "ä\n\n… The rest is too long for GitHub: [see all of it](http://bot.test/traces/t).\n"
    )


def test_a_comment_too_long_is_told(stage: GitHubStage, do: Do) -> None:
    proposed(stage)
    with pytest.raises(Permanent) as refused:
        do(e.PostComment(change=1, body="x" * 70_000))
    assert refused.value.reason_code == "TooLong"
