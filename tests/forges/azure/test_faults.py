"""Whatever goes wrong between the bot and Azure DevOps: an effect happens once, or somebody is told why not.

For every effect each of its writes fails in each way, and the first read; then the engine tries again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent, Retryable
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.azure import client
from bot.forges.azure.perform import PERFORM
from bot.forges.local.git import git
from tests.forges.azure.fake.pulls import look
from tests.forges.azure.fake.state import Fault
from tests.forges.conformance.stages.azure import AzureStage

PAUSE = {"Retry-After": "1"}
FAULTS = {
    "429": Fault("", "", "status", 429, PAUSE),
    "403 with a pause": Fault("", "", "status", 403, PAUSE),
    "503": Fault("", "", "status", 503),
    "500": Fault("", "", "status", 500),
    "reset": Fault("", "", "reset"),
    "done, and the answer lost": Fault("", "", "lost"),
    "half an answer": Fault("", "", "cut"),
    "no answer in time": Fault("", "", "slow", seconds=1.5),
}
MOST_WRITES, MOST_READS = 12, 40
HOOKED = "https://bot.example/webhooks/azure"
Ready = Callable[[AzureStage, int], e.Effect]
Count = Callable[[AzureStage], int]


def do(stage: AzureStage, effect: e.Effect, effect_id: str) -> Model:
    effect = effect.model_copy(update={"repository": effect.repository or stage.repository})
    return stage.forge.perform(effect_id, effect, EffectContext("acme", "trace-1", lambda _: None))


def committed(stage: AzureStage, number: int, path: str = "app.py") -> str:
    files = (e.File(path=path, content=f"{number}\n"),)
    wanted = e.CommitFiles(branch=f"feature/{number}", base="main", files=files, message=f"feat: {number}")
    made = do(stage, wanted, f"made.{number}")
    assert isinstance(made, e.CommitResult)
    return made.sha


def opened(stage: AzureStage, number: int) -> tuple[int, str]:
    head = committed(stage, number, f"{number}.py")
    change = do(
        stage, e.OpenChange(source=f"feature/{number}", target_branch="main", title="t", body=""), "o"
    )
    assert isinstance(change, e.ChangeResult)
    return change.number, head


def commit(stage: AzureStage, number: int) -> e.Effect:
    files = (e.File(path="b.py", content=f"{number}\n"),)
    return e.CommitFiles(branch=f"try/{number}", base="main", files=files, message="feat: b")


def open_(stage: AzureStage, number: int) -> e.Effect:
    committed(stage, number)
    return e.OpenChange(source=f"feature/{number}", target_branch="main", title="t", body="b", labels=("x",))


def update(stage: AzureStage, number: int) -> e.Effect:
    change, _ = opened(stage, number)
    return e.UpdateChange(change=change, title=f"new {number}", add_labels=("a",), state="closed")


def comment(stage: AzureStage, number: int) -> e.Effect:
    return e.PostComment(change=_first(stage), body=f"words {number}")


def sticky(stage: AzureStage, number: int) -> e.Effect:
    return e.PostComment(change=_first(stage), body=f"words {number}", sticky=f"mark-{number}")


def _first(stage: AzureStage) -> int:
    return next(iter(stage.repo.pulls), None) or opened(stage, 1000)[0]


def like(stage: AzureStage, number: int) -> e.Effect:
    change = _first(stage)
    stage.person("jane", "write")
    return e.React(
        change=change, comment_id=stage.comment("jane", change, f"/help {number}"), reaction="eyes"
    )


def check(stage: AzureStage, number: int) -> e.Effect:
    _, head = opened(stage, number)
    return e.SetCheck(revision=head, name="pointsman/merge", title=f"{number}", conclusion="success")


def merge(stage: AzureStage, number: int) -> e.Effect:
    change, head = opened(stage, number)
    return e.MergeChange(change=change, expected_head=head, message=f"feat: {number}")


def bring_up(stage: AzureStage, number: int) -> e.Effect:
    change, head = opened(stage, number)
    stage.put({f"main-{number}.txt": "x\n"})
    return e.UpdateBranch(change=change, expected_head=head)


def tag(stage: AzureStage, number: int) -> e.Effect:
    return e.CreateTag(name=f"v{number}", revision=str(stage.head("main")), message="one")


def plain_tag(stage: AzureStage, number: int) -> e.Effect:
    return e.CreateTag(name=f"plain{number}", revision=str(stage.head("main")))


def run(stage: AzureStage, number: int) -> e.Effect:
    head = committed(stage, number, "azure-pipelines.yml")
    return e.RunPipeline(branch=f"feature/{number}", revision=head)


def deployed(stage: AzureStage, number: int) -> e.Effect:
    return e.RecordDeployment(environment=f"e{number}", revision=str(stage.head("main")), state="success")


def answer(stage: AzureStage, number: int) -> e.Effect:
    stage.org.waiting.append(f"plan-{number}")
    waiting = f"{stage.repo.project_id}/build/plan-{number}/job-1/task-1"
    return e.AnswerDeployment(
        environment="production", deployment_id=waiting, state="approved", comment="approved"
    )


def release(stage: AzureStage, number: int) -> e.Effect:
    """The first one ever: there is no tag, no wiki and no page."""
    for tag in stage.tags():
        git(stage.repo.folder, "update-ref", "-d", f"refs/tags/{tag}")
    stage.org.wikis.clear()
    stage.org.pages.clear()
    return e.PublishRelease(
        tag=f"r{number}", revision=str(stage.head("main")), title=f"Booking {number}", notes="what is new"
    )


def issue(_stage: AzureStage, number: int) -> e.Effect:
    return e.OpenIssue(title=f"it broke {number}", body="look", labels=("rollback",))


def links(stage: AzureStage, number: int) -> e.Effect:
    change, _ = opened(stage, number)
    stage.person("jane", "write")
    return e.LinkIssues(change=change, references=(stage.open_issue("jane", "Move a booking"),), closes=True)


def environment(_stage: AzureStage, number: int) -> e.Effect:
    return e.PrepareEnvironment(environment=f"e{number}", variables={"A": "1"})


def more_variables(stage: AzureStage, number: int) -> e.Effect:
    do(stage, e.PrepareEnvironment(environment=f"e{number}", variables={"A": "0"}), f"first.{number}")
    return e.PrepareEnvironment(environment=f"e{number}", variables={"A": "1"})


def revert(stage: AzureStage, number: int) -> e.Effect:
    head = committed(stage, number, f"{number}.py")
    return e.RevertCommit(revision=head, branch=f"feature/{number}", base="main", message="revert: it")


def found(stage: AzureStage, number: int) -> e.Effect:
    """In a repository of its own for each try."""
    return e.CreateRepository(
        repository=f"{stage.repo.project}/new-{number}",
        mark=f"pointsman:{number}",
        required_check="pointsman/merge",
        webhook_url=HOOKED,
    )


def gather(stage: AzureStage, number: int) -> e.Effect:
    change, _ = opened(stage, number)
    return e.GatherFacts(correlation="c", change=change)


def _commits(stage: AzureStage) -> int:
    return sum(len(push.commits) for push in stage.repo.pushes)


def _said(stage: AzureStage) -> int:
    return sum(len(thread.comments) for one in stage.repo.pulls.values() for thread in one.threads)


def _likes(stage: AzureStage) -> int:
    threads = [thread for one in stage.repo.pulls.values() for thread in one.threads]
    return sum(len(comment.likes) for thread in threads for comment in thread.comments)


def _merged(stage: AzureStage) -> int:
    return sum(one.status == "completed" for one in stage.repo.pulls.values())


def _closed(stage: AzureStage) -> int:
    return sum((one.status, one.labels) == ("abandoned", ["a"]) for one in stage.repo.pulls.values())


def _pages(stage: AzureStage) -> int:
    """Each with its tag."""
    assert set(stage.releases()) == set(stage.tags())
    return len(stage.releases())


def _linked(stage: AzureStage) -> int:
    """Once each, and to be closed by the merge."""
    items = stage.org.work_items.values()
    assert all(len(one.get("relations") or ()) <= 1 for one in items)
    closing = [one for one in stage.repo.pulls.values() if (one.options or {}).get("transitionWorkItems")]
    return len(closing)


def _environments(stage: AzureStage) -> int:
    names = [one["name"] for one in stage.org.environments]
    assert len(names) == len(set(names))
    return sum(stage.variables(name) == {"A": "1"} for name in names)


def _founded(stage: AzureStage) -> int:
    """Whole ones: a first commit, the policy and each hook once."""
    new = [name for name in stage.repositories() if "/new-" in name]
    for name in new:
        repo = stage.org.repositories[name]
        assert len(repo.pushes) <= 1
        assert len(repo.policies) <= 1
        kinds = [
            (one["eventType"], one["publisherInputs"].get("notificationType"))
            for one in stage.org.subscriptions
            if one["publisherInputs"].get("repository") == repo.id
        ]
        assert len(kinds) == len(set(kinds))
    return sum(stage.hooks(name) == {HOOKED} and bool(stage.required_checks(name)) for name in new)


def _checks(stage: AzureStage) -> int:
    """The commit's and the change's."""
    on_commits = sum(len(said) for said in stage.repo.statuses.values())
    on_changes = sum(len(one.statuses) for one in stage.repo.pulls.values())
    assert on_commits == on_changes
    return on_commits


@dataclass(frozen=True)
class Case:
    """An effect that is ready to be performed, what counts how often it happened, and its writes."""

    ready: Ready
    count: Count
    writes: int


CASES = {
    "CommitFiles": Case(commit, _commits, 1),
    "OpenChange": Case(open_, lambda stage: len(stage.repo.pulls), 1),
    "UpdateChange": Case(update, _closed, 3),
    "PostComment": Case(comment, _said, 1),
    "PostComment, sticky": Case(sticky, _said, 1),
    "React": Case(like, _likes, 1),
    "SetCheck": Case(check, _checks, 2),
    "MergeChange": Case(merge, _merged, 1),
    "UpdateBranch": Case(bring_up, lambda stage: sum(len(p.updates) for p in stage.repo.pushes), 2),
    "CreateTag": Case(tag, lambda stage: len(stage.tags()), 1),
    "CreateTag, plain": Case(plain_tag, lambda stage: len(stage.tags()), 1),
    "RunPipeline": Case(run, lambda stage: len(stage.org.builds), 1),
    "RecordDeployment": Case(deployed, lambda stage: len(stage.deployments()), 1),
    "AnswerDeployment": Case(answer, lambda stage: len(stage.org.answered), 1),
    "PublishRelease": Case(release, _pages, 5),
    "OpenIssue": Case(issue, lambda stage: len(stage.org.work_items), 1),
    "LinkIssues": Case(links, _linked, 2),
    "PrepareEnvironment": Case(environment, _environments, 2),
    "PrepareEnvironment, once more": Case(more_variables, _environments, 1),
    "RevertCommit": Case(revert, _commits, 1),
    "CreateRepository": Case(found, _founded, 10),
}
READS_ONLY = {"GatherFacts"}
ANSWERED_WITH_NOTHING = {"React", "AnswerDeployment"}
"""Of an answer without a body there is no half."""


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for half a minute; a pause of a second is none."""
    monkeypatch.setattr(client, "TIMEOUT_S", 10.0)
    monkeypatch.setattr("bot.forges.azure.perform.PATIENCE_S", 5.0)


def again_and_again(stage: AzureStage, effect: e.Effect, effect_id: str) -> tuple[Model, list[Retryable]]:
    """As the engine does it: the same effect until it is done."""
    tried: list[Retryable] = []
    while len(tried) < 4:
        try:
            return do(stage, effect, effect_id), tried
        except Retryable as error:
            tried.append(error)
    raise AssertionError(f"it never came to an end: {tried[-1]}")


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("name", CASES)
def test_every_write_that_fails_happens_once(
    stage: AzureStage, name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if FAULTS[kind].kind == "slow":
        monkeypatch.setattr(client, "TIMEOUT_S", 1.0)
    case = CASES[name]
    _first(stage)
    hit = 0
    for at in range(MOST_WRITES):
        effect = case.ready(stage, at)
        before = case.count(stage)
        fault = NthWrite(kind, at)
        stage.org.faults = [fault]
        result, tried = again_and_again(stage, effect, f"trace-1.{at:06}.0")
        stage.org.faults = []
        assert case.count(stage) == before + 1, f"write {at}"
        assert _plain(again_and_again(stage, effect, f"trace-1.{at:06}.0")[0]) == _plain(result)
        assert case.count(stage) == before + 1, f"write {at}, once more"
        if not fault.was_hit:
            break
        hit += 1
        assert tried or (name in ANSWERED_WITH_NOTHING and kind == "half an answer"), (
            f"write {at} failed unseen"
        )
        if kind in {"429", "403 with a pause"}:
            assert tried[0].after == 1.0
    assert hit == case.writes


def _plain(result: Model) -> Model:
    """Whether something was made or found is another answer the second time."""
    found = isinstance(result, (e.ChangeResult, e.IssueResult))
    return result.model_copy(update={"created": False}) if found else result


def _more(kind: str) -> dict[str, Any]:
    one = FAULTS[kind]
    return {"status": one.status, "headers": one.headers, "seconds": one.seconds}


class NthWrite(Fault):
    """The fault of the n-th write, whatever its method."""

    def __init__(self, kind: str, at: int) -> None:
        super().__init__("*", "", FAULTS[kind].kind, **_more(kind))
        self.left = at
        self.was_hit = False

    def due(self, method: str, path: str) -> bool:
        if method not in {"POST", "PUT", "PATCH", "DELETE"} or path.endswith("/wiql") or self.was_hit:
            return False
        self.left -= 1
        self.was_hit = self.left < 0
        return self.was_hit


class NthRead(Fault):
    """The fault of the n-th question."""

    def __init__(self, kind: str, at: int) -> None:
        super().__init__("GET", "", FAULTS[kind].kind, **_more(kind))
        self.left = at
        self.was_hit = False

    def due(self, method: str, path: str) -> bool:
        asks = method == "GET" or path.endswith("/wiql")
        if not asks or self.was_hit:
            return False
        self.left -= 1
        self.was_hit = self.left < 0
        return self.was_hit


READ_FAULTS = [kind for kind in FAULTS if FAULTS[kind].kind not in {"lost", "slow"}]


def test_every_effect_that_is_performed_has_its_faults() -> None:
    assert {name.partition(",")[0] for name in CASES} | READS_ONLY == set(PERFORM)


@pytest.mark.parametrize("name", CASES)
def test_whichever_read_fails_the_effect_happens_once(stage: AzureStage, name: str) -> None:
    case = CASES[name]
    _first(stage)
    for at in range(MOST_READS):
        kind = READ_FAULTS[at % len(READ_FAULTS)]
        effect, fault = case.ready(stage, at), NthRead(kind, at)
        before = case.count(stage)
        stage.org.faults = [fault]
        again_and_again(stage, effect, f"trace-1.{at:06}.0")
        stage.org.faults = []
        assert case.count(stage) == before + 1, f"read {at}: {kind}"
        if not fault.was_hit:
            break
    assert not fault.was_hit, "there are more reads than were tried"


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_there_just_after_the_hook_is_told_and_done_later(stage: AzureStage, name: str) -> None:
    """The forge tells of something by a hook before all of its servers know it."""
    case = CASES[name]
    _first(stage)
    for at in range(MOST_READS):
        effect, fault = case.ready(stage, at), NthRead("500", at)
        fault.status = 404
        before = case.count(stage)
        stage.org.faults = [fault]
        with suppress(Permanent, Retryable):  # some of it may be done; that is found again
            do(stage, effect, f"trace-1.{at:06}.0")
        stage.org.faults = []
        again_and_again(stage, effect, f"trace-1.{at:06}.0")
        assert case.count(stage) == before + 1, f"read {at}"
        if not fault.was_hit:
            break
    assert not fault.was_hit, "there are more reads than were tried"


@pytest.mark.parametrize("name", CASES)
def test_lists_that_come_in_pages_are_read_to_their_end(stage: AzureStage, name: str) -> None:
    case = CASES[name]
    _first(stage)
    stage.org.page = 1
    for at in range(2):
        effect = case.ready(stage, at)
        before = case.count(stage)
        for _ in range(2):
            do(stage, effect, f"trace-1.{at:06}.0")
        assert case.count(stage) == before + 1


@pytest.mark.parametrize("kind", [kind for kind in FAULTS if kind != "done, and the answer lost"])
def test_a_read_that_fails_does_nothing_and_is_tried_again(
    stage: AzureStage, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if FAULTS[kind].kind == "slow":
        monkeypatch.setattr(client, "TIMEOUT_S", 1.0)
    stage.org.faults = [Fault("GET", "/refs", FAULTS[kind].kind, **_more(kind))]
    before = len(stage.repo.pushes)
    with pytest.raises(Retryable) as failed:
        do(stage, commit(stage, 1), "trace-1.000001.0")
    assert len(stage.repo.pushes) == before
    assert failed.value.after == (1.0 if "Retry-After" in FAULTS[kind].headers else None)
    assert do(stage, commit(stage, 1), "trace-1.000001.0")


@pytest.mark.parametrize("kind", [kind for kind in FAULTS if kind != "done, and the answer lost"])
@pytest.mark.parametrize("path", ["/refs", "/pullRequests/"])
def test_facts_are_gathered_whole_or_not_at_all(
    stage: AzureStage, path: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if FAULTS[kind].kind == "slow":
        monkeypatch.setattr(client, "TIMEOUT_S", 1.0)
    effect = gather(stage, 1)
    stage.org.faults = [Fault("GET", path, FAULTS[kind].kind, **_more(kind))]
    with pytest.raises(Retryable):
        do(stage, effect, "trace-1.000001.0")
    facts = do(stage, effect, "trace-1.000001.0")
    assert isinstance(facts, p.FactsGathered)
    assert facts.change


@pytest.mark.usefixtures("ignorant")
@pytest.mark.parametrize("first", ["OPTIONS", "ResourceAreas"])
def test_the_questions_that_the_sdk_asks_first_may_fail_too(stage: AzureStage, first: str) -> None:
    method, path = ("OPTIONS", "") if first == "OPTIONS" else ("GET", "ResourceAreas")
    stage.org.faults = [Fault(method, path, "reset")]
    with pytest.raises(Retryable):
        do(stage, commit(stage, 1), "trace-1.000001.0")
    assert do(stage, commit(stage, 1), "trace-1.000001.0")


def test_a_404_just_after_the_hook_is_told_clearly(stage: AzureStage) -> None:
    change = _first(stage)
    stage.org.faults = [Fault("GET", f"/pullRequests/{change}", "status", 404)]
    with pytest.raises(Permanent) as refused:
        do(stage, e.UpdateChange(change=change, title="x"), "trace-1.000001.0")
    assert refused.value.reason_code == "NotFound"
    assert refused.value.message == "demo/booking: something went wrong on purpose"


def test_a_head_that_moves_under_a_commit_is_built_upon(stage: AzureStage) -> None:
    stage.person("jane", "write")
    head = committed(stage, 1)
    race = Race(lambda: stage.push("jane", "feature/1", {"hers.txt": "x\n"}, "fix: hers"))
    stage.org.faults = [race]
    files = (e.File(path="c.py", content="c\n"),)
    made = do(
        stage,
        e.CommitFiles(branch="feature/1", base="main", files=files, message="feat: c", expected_head=head),
        "c",
    )
    assert isinstance(made, e.CommitResult)
    assert set(stage.files(made.sha)) == {"README.md", "app.py", "c.py", "hers.txt"}
    assert made.parent != head


def test_a_head_that_moves_under_a_revert_is_built_upon(stage: AzureStage) -> None:
    stage.person("jane", "write")
    effect = revert(stage, 1)
    stage.org.faults = [Race(lambda: stage.push("jane", "feature/1", {"hers.txt": "x\n"}, "fix: hers"))]
    made = do(stage, effect, "r")
    assert isinstance(made, e.CommitResult)
    assert set(stage.files(made.sha)) == {"README.md", "hers.txt"}


def test_a_file_that_changes_under_a_revert_is_not_touched(stage: AzureStage) -> None:
    stage.person("jane", "write")
    effect = revert(stage, 1)
    race = Race(lambda: stage.push("jane", "feature/1", {"1.py": "hers\n"}, "fix: hers"))
    stage.org.faults = [race]
    with pytest.raises(Permanent) as refused:
        do(stage, effect, "r")
    assert refused.value.reason_code == "RevertConflict"
    assert stage.files(str(stage.head("feature/1")))["1.py"] == b"hers\n"


def test_a_page_that_somebody_edits_meanwhile_is_read_again(stage: AzureStage) -> None:
    effect = release(stage, 1)
    do(stage, effect, "r.1")
    ((where, page),) = [one for one in stage.org.pages.items() if one[1]["content"]]

    def edit() -> None:
        stage.org.pages[where] = page | {"content": "hers"}

    stage.org.faults = [Race(edit, "PUT", "/pages")]
    wanted = effect.model_copy(update={"notes": "rewritten"})
    with pytest.raises(Retryable, match=r"^demo/booking changed in between: The page "):
        do(stage, wanted, "r.2")
    assert stage.org.pages[where]["content"] == "hers"
    do(stage, wanted, "r.2")
    assert stage.releases() == {"r1": ("Booking 1", "rewritten")}


def test_a_head_that_moves_under_a_merge_is_not_merged(stage: AzureStage) -> None:
    stage.person("jane", "write")
    change, head = opened(stage, 1)
    main = stage.head("main")
    stage.org.faults = [Race(lambda: stage.push("jane", "feature/1", {"hers.txt": "x\n"}, "fix"), "PATCH")]
    with pytest.raises(Permanent) as refused:
        do(stage, e.MergeChange(change=change, expected_head=head, message="x"), "m")
    assert refused.value.reason_code == "HeadMoved"
    assert stage.head("main") == main


def test_a_head_that_the_forge_has_not_looked_at_is_waited_for(stage: AzureStage) -> None:
    change, _ = opened(stage, 1)
    stage.org.looks_at_pushes = False
    stage.person("jane", "write")
    hers = stage.push("jane", "feature/1", {"hers.txt": "x\n"}, "fix: hers")
    wanted = e.MergeChange(change=change, expected_head=hers, message="x")
    with pytest.raises(Retryable, match=r"^Azure DevOps has not looked at the head of change 1 yet$"):
        do(stage, wanted, "m")
    look(stage.org, stage.repo, stage.repo.pulls[change])
    assert do(stage, wanted, "m")


def test_a_merge_that_takes_long_is_found_when_it_is_done(
    stage: AzureStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.forges.azure.merging.WAITS_S", (0.0,))
    change, head = opened(stage, 1)
    stage.org.slow_merges = 6
    wanted = e.MergeChange(change=change, expected_head=head, message="x")
    result, tried = again_and_again(stage, wanted, "m")
    assert str(tried[0]) == f"Azure DevOps is still merging change {change}"
    assert isinstance(result, e.MergeResult)
    assert stage.head("main") == result.sha
    asked = [path for method, path in stage.org.asked if method == "PATCH"]
    assert len(asked) == 1, "it is asked for once"


class Race(Fault):
    """Somebody is faster, just before a write."""

    def __init__(self, happens: Callable[[], object], method: str = "POST", path: str = "") -> None:
        super().__init__(method, path or ("/pushes" if method == "POST" else ""), "race")
        self.happens = happens

    def due(self, method: str, path: str) -> bool:
        if method != self.method or self.path not in path or not self.times:
            return False
        self.times = 0
        self.happens()
        return False
