"""The user of a personal token: what it does differently from an App."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent
from tests.forges.conformance.stages.github import GitHubStage
from tests.forges.github.conftest import doing
from tests.forges.github.deeds import BRANCH, DEEDS, committed, proposed

ADMINISTRATORS = {"CreateRepository", "PrepareEnvironment"}
"""What GitHub lets administrators do alone."""
ALIKE = sorted(set(DEEDS) - {"SetCheck", "AnswerDeployment"})


@pytest.mark.parametrize("name", ALIKE)
def test_a_user_does_what_an_app_does(user_stage: GitHubStage, name: str) -> None:
    deed, stage = DEEDS[name], user_stage
    if name.partition(" ")[0] in ADMINISTRATORS:
        stage.repo.people["acme-bot"] = "admin"
        stage.hub.makers.add("acme-bot")
    revision = deed.before(stage)
    for _ in range(2):
        stage.forget()
        doing(stage)(deed.effect(stage, revision), "t.000009.0")
    if name != "RunPipeline":  # a run that has ended since may be run again
        assert deed.left(stage) == deed.expected(stage)


def test_who_is_no_administrator_makes_no_environment(user_stage: GitHubStage) -> None:
    with pytest.raises(Permanent) as refused:
        doing(user_stage)(e.PrepareEnvironment(environment="staging"))
    assert (refused.value.reason_code, refused.value.message) == (
        "NoWriteAccess",
        "acme-bot may not make the environment staging in acme/booking: let an administrator make it",
    )


def test_its_commits_are_not_signed(user_stage: GitHubStage) -> None:
    made = doing(user_stage)(
        e.CommitFiles(branch=BRANCH, base="main", files=(e.File(path="a", content="a"),), message="feat: a")
    )
    assert isinstance(made, e.CommitResult)
    assert made.signed is False


def test_an_apps_commits_are(stage: GitHubStage) -> None:
    made = doing(stage)(
        e.CommitFiles(branch=BRANCH, base="main", files=(e.File(path="a", content="a"),), message="feat: a")
    )
    assert isinstance(made, e.CommitResult)
    assert made.signed is True


def test_a_name_in_a_commit_is_not_believed_of_a_user(user_stage: GitHubStage) -> None:
    """Whoever pushes with the bot's name and mark on it: GitHub knows who pushed."""
    stage = user_stage
    stage.person("mallory", "write")
    repo = stage.repo
    tree = repo.git.write_tree(
        repo.git.tree(str(repo.head("main"))), [("100644", repo.git.blob(b"evil\n"), "app.py")]
    )
    us = stage.hub.signature("acme-bot")
    forged = repo.git.commit(tree, [str(repo.head("main"))], "feat: add\n\nEffect-Id: t.000001.0\n", us, us)
    repo.move(BRANCH, forged, "mallory")
    made = committed(stage)
    assert stage.parents(made) == [forged]


def test_its_checks_are_statuses(user_stage: GitHubStage) -> None:
    stage, do = user_stage, doing(user_stage)
    sha = committed(stage)
    said: dict[str, Any] = {
        "revision": sha,
        "name": "pointsman/release: production",
        "url": "http://bot.test/t",
    }
    first = do(e.SetCheck(title="waiting", **said))
    assert do(e.SetCheck(title="waiting", **said), "t.2") == first
    assert do(e.SetCheck(title="a" * 200, conclusion="failure", **said), "t.3") == first
    do(e.SetCheck(title="observed", conclusion="neutral", **said), "t.4")
    told = [(one["state"], one["description"], one["target_url"]) for one in stage.repo.statuses]
    assert told == [
        ("pending", "waiting", "http://bot.test/t"),
        ("failure", "a" * 139 + "…", "http://bot.test/t"),
        ("success", "observed", "http://bot.test/t"),
    ]


def test_a_status_of_a_revision_that_is_not_there(user_stage: GitHubStage) -> None:
    with pytest.raises(Permanent) as refused:
        doing(user_stage)(e.SetCheck(revision="0" * 39 + "1", name="x", title="x"))
    assert refused.value.reason_code == "NotFound"


def test_without_the_right_to_push_it_is_told_so(user_stage: GitHubStage) -> None:
    user_stage.take_write_access()
    facts = doing(user_stage)(e.GatherFacts(correlation="c"))
    assert isinstance(facts, p.FactsGathered)
    assert facts.can_write is False
    with pytest.raises(Permanent) as refused:
        committed(user_stage)
    assert refused.value.reason_code == "NoWriteAccess"
    assert refused.value.message == "acme-bot may not push to acme/booking"


def test_people_are_asked_for_one_by_one_where_the_query_does_not_tell(user_stage: GitHubStage) -> None:
    stage = user_stage
    stage.person("jane", "maintain", ("acme/release",))
    stage.repo.people["acme-bot"] = "read"
    facts = doing(stage)(
        e.GatherFacts(correlation="c", actors=("jane", "nobody", "x@example.org", "ci[bot]"))
    )
    assert isinstance(facts, p.FactsGathered)
    assert facts.actors == {
        "jane": p.Actor(login="jane", permission="maintain", teams=("acme/release",)),
        "nobody": p.Actor(login="nobody"),
        "x@example.org": p.Actor(login="x@example.org"),
        "ci[bot]": p.Actor(login="ci[bot]", bot=True),
    }
    assert [one.path for one in stage.server.asked("collaborators")] == [
        "/repos/acme/booking/collaborators/jane/permission",
        "/repos/acme/booking/collaborators/nobody/permission",
    ]


def test_its_own_name_is_the_bots(user_stage: GitHubStage) -> None:
    proposed(user_stage)
    facts = doing(user_stage)(e.GatherFacts(correlation="c", change=1))
    assert isinstance(facts, p.FactsGathered)
    assert facts.change is not None
    assert facts.change["author"] == user_stage.bot
