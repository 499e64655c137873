"""A repository is made ready for work: a first commit, the webhook, and a main that only changes may touch."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.capabilities import Feature
from tests.forges.conformance.ability import cannot
from tests.forges.conformance.conftest import Do
from tests.forges.conformance.stage import Stage

CHECK = "pointsman/merge"
In = Callable[..., Model]


@pytest.fixture
def fresh(stage: Stage) -> str:
    """A name beside the stage's repository that nobody has yet."""
    return f"{stage.repository.rpartition('/')[0]}/fresh-service"


@pytest.fixture
def url(stage: Stage) -> str:
    """Where this bot is called: all its repositories call the same address."""
    return next(iter(sorted(stage.hooks(stage.repository))), "https://bot.example.org/webhooks/forge")


@pytest.fixture
def within(stage: Stage) -> In:
    """Perform an effect in a repository of this name."""

    def perform(repository: str, effect: e.Effect, effect_id: str = "trace-1.000007.0") -> Model:
        effect = effect.model_copy(update={"target": stage.forge.name, "repository": repository})
        return stage.forge.perform(effect_id, effect, EffectContext("acme", "trace-1", {}.get))

    return perform


def making(url: str, mark: str = "pointsman:trace-1") -> e.CreateRepository:
    return e.CreateRepository(
        description="Bookings of the clinic", mark=mark, required_check=CHECK, webhook_url=url
    )


def test_a_repository_is_made_protected_and_heard(
    stage: Stage, do: Do, within: In, fresh: str, url: str
) -> None:
    if cannot(stage, do, Feature.CREATE_REPOSITORY, making(url)):
        return
    before = stage.repositories()

    result = within(fresh, making(url))

    assert isinstance(result, e.Done)
    assert result.url
    assert stage.repositories() == before | {fresh}
    assert stage.required_checks(fresh) == {CHECK}
    assert stage.hooks(fresh) == {url}


def test_it_can_be_worked_in_at_once(stage: Stage, do: Do, within: In, fresh: str, url: str) -> None:
    if cannot(stage, do, Feature.CREATE_REPOSITORY, making(url)):
        return
    within(fresh, making(url))

    facts = within(fresh, e.GatherFacts(correlation="c"))

    assert isinstance(facts, p.FactsGathered)
    assert (facts.default_branch, bool(facts.default_head), facts.can_write) == ("main", True, True)
    assert facts.protected_branches == ("main",)
    files = (e.File(path="app.py", content="one\n"),)
    commit = e.CommitFiles(branch="feature/x", base="main", files=files, message="feat: x")
    made = within(fresh, commit, "trace-1.000008.0")
    assert isinstance(made, e.CommitResult)
    assert made.parent == facts.default_head
    opening = e.OpenChange(source="feature/x", target_branch="main", title="feat: x", body="")
    opened = within(fresh, opening, "trace-1.000009.0")
    assert isinstance(opened, e.ChangeResult)
    assert opened.head == made.sha


def test_making_twice_is_once(stage: Stage, do: Do, within: In, fresh: str, url: str) -> None:
    if cannot(stage, do, Feature.CREATE_REPOSITORY, making(url)):
        return
    first = within(fresh, making(url))
    head = within(fresh, e.GatherFacts(correlation="c"))
    before = stage.repositories()

    assert within(fresh, making(url)) == first
    assert within(fresh, making(url), "trace-1.000009.0") == first

    assert within(fresh, e.GatherFacts(correlation="c")) == head
    assert stage.repositories() == before
    assert (stage.required_checks(fresh), stage.hooks(fresh)) == ({CHECK}, {url})


def test_what_was_made_for_something_else_is_not_taken(
    stage: Stage, do: Do, within: In, fresh: str, url: str
) -> None:
    if cannot(stage, do, Feature.CREATE_REPOSITORY, making(url)):
        return
    within(fresh, making(url))
    with pytest.raises(Permanent) as refused:
        within(fresh, making(url, mark="pointsman:trace-2"), "trace-2.000001.0")
    assert refused.value.reason_code == "RepositoryTaken"


def test_somebody_elses_repository_is_left_as_it_is(stage: Stage, do: Do, within: In, url: str) -> None:
    if cannot(stage, do, Feature.CREATE_REPOSITORY, making(url)):
        return
    head, required = stage.head("main"), stage.required_checks(stage.repository)
    with pytest.raises(Permanent) as refused:
        within(stage.repository, making(url))
    assert refused.value.reason_code == "RepositoryTaken"
    assert (stage.head("main"), stage.required_checks(stage.repository)) == (head, required)


def test_no_check_is_required_when_none_is_named(
    stage: Stage, do: Do, within: In, fresh: str, url: str
) -> None:
    bare = making(url).model_copy(update={"required_check": ""})
    if cannot(stage, do, Feature.CREATE_REPOSITORY, bare):
        return
    within(fresh, bare)
    facts = within(fresh, e.GatherFacts(correlation="c"))
    assert isinstance(facts, p.FactsGathered)
    assert (stage.required_checks(fresh), facts.protected_branches) == (set(), ("main",))
