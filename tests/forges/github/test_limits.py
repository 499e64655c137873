"""GitHub's limits: obeyed before it has to say so, and when it says so. What a release costs."""

from __future__ import annotations

import re
import time

import pytest
import sqlalchemy as sa

from bot.domain import effect as e
from bot.domain.errors import Retryable
from bot.forges.github.pace import Budget, Pace
from bot.forges.github.remembered import Remembered
from bot.log.tables import LEASES
from tests.forges.conformance.stages.github import GitHubStage
from tests.forges.github.conftest import Do
from tests.forges.github.deeds import BRANCH, committed, proposed
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


def test_a_comment_is_cut_with_a_link_and_keeps_its_mark(stage: GitHubStage, do: Do) -> None:
    proposed(stage)
    for _ in range(2):
        do(e.PostComment(change=1, body="ä" * 70_000))
    ((_, said),) = [one for one in stage.comments(1) if one[0] == stage.bot]
    assert said.endswith(
        "ä\n\n… The rest is too long for GitHub: [see all of it](http://127.0.0.1:8080/traces/trace-1)."
    )
    assert len(said.encode()) < 65_536


def test_so_is_the_text_of_a_change(stage: GitHubStage, do: Do) -> None:
    committed(stage)
    do(e.OpenChange(source=BRANCH, target_branch="main", title="t" * 300, body="x" * 70_000))
    change = stage.change(1)
    assert len(str(change["body"]).encode()) == 65_535
    assert change["title"] == "t" * 255 + "…"
    assert str(change["body"]).endswith("[see all of it](http://127.0.0.1:8080/traces/trace-1).\n")


def test_whoever_is_asked_to_wait_asks_nothing_meanwhile(stage: GitHubStage, do: Do) -> None:
    """GitHub locks out who goes on: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately"""
    sha = committed(stage)
    client = stage.forge.ground.client
    clock = Clock()
    clock.now = time.time()
    client._clock = clock
    stage.server.fail("check-runs", status=429)
    with pytest.raises(Retryable) as told:
        do(e.SetCheck(revision=sha, name="x", title="x"))
    assert (told.value.message, told.value.after) == ("GitHub asks to wait", 60.0)
    asked = len(stage.server.exchanges)
    clock.now += 20
    for other in (e.GatherFacts(correlation="c"), e.CreateTag(name="v1", revision=sha)):
        with pytest.raises(Retryable) as waiting:
            do(other)
        assert (waiting.value.message, waiting.value.after) == ("GitHub asks to wait", pytest.approx(40.0))
    assert [one for one in stage.server.exchanges[asked:] if not one.path.startswith("/app/")] == []
    clock.now += 41
    do(e.SetCheck(revision=sha, name="x", title="x"))


def test_one_kind_of_request_that_is_used_up_leaves_the_other(stage: GitHubStage, do: Do) -> None:
    committed(stage)
    reset = int(time.time()) + 120
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset), "X-RateLimit-Limit": "5000"}
    stage.server.fail("/graphql", status=403, headers=headers, json={"message": "API rate limit exceeded"})
    facts = e.GatherFacts(correlation="c")
    for _ in range(2):
        with pytest.raises(Retryable) as waiting:
            do(facts)
        assert waiting.value.after == pytest.approx(120, abs=3)
    assert len(stage.server.asked("/graphql")) == 1
    do(e.CreateTag(name="v1", revision=str(stage.head("main"))))


def test_processes_share_the_writes_of_their_account() -> None:
    """Three processes at full speed, each with a third: together they keep GitHub's limits."""
    clock = Clock()
    made: list[float] = []
    paces = [Pace(1.0, clock, clock.sleep, processes=lambda: 3) for _ in range(3)]
    waits = [0.0, 0.0, 0.0]
    while clock.now < 1000.0 + 2 * 3600:
        clock.now += 1.0
        for number, pace in enumerate(paces):
            if clock.now >= waits[number]:
                try:
                    pace.sleep = lambda _seconds: None
                    pace.turn()
                    made.append(pace._taken[-1])
                except Retryable as full:
                    waits[number] = clock.now + (full.after or 0.0)
    made.sort()
    for most, seconds in ((80, 60.0), (500, 3600.0)):
        within = [sum(1 for one in made if start <= one < start + seconds) for start in made[::7]]
        assert max(within) <= most
    assert len(made) > 900, "and they are not slower than they must be"


def test_a_process_counts_those_that_live(stage: GitHubStage) -> None:
    pace = stage.forge.ground.client.pace
    for name in ("one", "two"):
        with stage.store.begin() as session:
            lease = {"executor_id": name, "host": "h", "pid": 1, "renewed_at": 0.0}
            session.execute(sa.insert(LEASES).values(**lease, claimed_by="", claimed_at=0.0))
    assert pace.processes() == 2
    clock = Clock()
    pace.clock, pace.sleep, pace.pause = clock, clock.sleep, 1.0
    for _ in range(3):
        pace.turn()
    assert clock.slept == [2.0, 2.0]


def test_what_is_remembered_weighs_no_more_than_it_may() -> None:
    kept: Remembered[str] = Remembered(10, heaviest=5)
    kept.put("a", "a", weight=3)
    kept.put("b", "b", weight=2)
    assert (kept.get("a"), kept.get("b")) == ("a", "b")
    kept.put("c", "c", weight=1)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (None, "b", "c")
    kept.put("b again", "b", weight=4)
    assert (kept.get("b"), kept.get("c")) == ("b again", "c")
    kept.put("too heavy", "d", weight=6)
    assert [kept.get(key) for key in "abcd"] == [None] * 4
    kept.put("e", "e", weight=5)
    assert kept.get("e") == "e"
