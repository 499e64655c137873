"""Which repository holds an organisation's policy, how often it is asked for, and what an outage is not."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bot.domain import payloads as p
from bot.domain.effect import Done, Effect, GatherFacts, React
from bot.domain.errors import Permanent, Retryable
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.organisation import REMEMBERED, Layered, home_of, layered
from bot.settings import Settings

CONTEXT = EffectContext("acme", "trace-1", lambda _: None)


@dataclass
class Reader:
    """Repositories and the policies in them; an exception instead of a policy is raised."""

    policies: dict[str, str | Exception | None]
    asked: list[tuple[str, int]] = field(default_factory=list)

    def perform(self, _effect_id: str, effect: Effect, context: EffectContext) -> Model:
        if not isinstance(effect, GatherFacts):
            return Done()
        self.asked.append((effect.repository, context.attempt))
        if effect.repository not in self.policies:
            raise Permanent("NotFound", f"there is no repository {effect.repository!r}")
        found = self.policies[effect.repository]
        if isinstance(found, Exception):
            raise found
        return p.FactsGathered(correlation="c", repository=effect.repository, policy_text=found)


def gathered(layer: Layered, repository: str = "acme/shop") -> p.FactsGathered:
    found = layer.perform("e", GatherFacts(correlation="c", repository=repository), CONTEXT)
    assert isinstance(found, p.FactsGathered)
    return found


@pytest.mark.parametrize(
    ("setting", "repository", "home"),
    [
        (".github", "acme/shop", "acme/.github"),
        (".gitlab", "acme/team/deep/shop", "acme/.gitlab"),
        ("pointsman/pointsman", "web/shop", "pointsman/pointsman"),
        (".github", "acme/.github", ""),
        (".github", "ACME/.GitHub", ""),
        ("", "acme/shop", ""),
        (".github", "alone", ""),
    ],
)
def test_where_it_is(setting: str, repository: str, home: str) -> None:
    assert home_of(setting, repository) == home


def test_it_comes_with_the_facts_and_is_asked_for_once_a_minute() -> None:
    now = [0.0]
    reader = Reader({"acme/shop": "version: 1\n", "acme/.github": "mine"})
    layer = Layered(reader, ".github", lambda: now[0])
    assert (gathered(layer).organisation_text, gathered(layer).policy_text) == ("mine", "version: 1\n")
    assert reader.asked.count(("acme/.github", 2)) == 1
    reader.policies["acme/.github"] = None
    now[0] = REMEMBERED - 0.1
    assert gathered(layer).organisation_text == "mine"
    now[0] = REMEMBERED
    assert gathered(layer).organisation_text is None
    assert reader.asked.count(("acme/.github", 2)) == 2


def test_a_repository_that_is_not_there_has_none() -> None:
    layer = Layered(Reader({"acme/shop": "x"}), ".github")
    assert gathered(layer).organisation_text is None


@pytest.mark.parametrize("failure", [Retryable("down"), Permanent("Forbidden", "not for you")])
def test_a_failure_never_looks_like_no_policy(failure: Exception) -> None:
    reader = Reader({"acme/shop": "x", "acme/.github": failure})
    layer = Layered(reader, ".github")
    with pytest.raises(type(failure)):
        gathered(layer)
    reader.policies["acme/.github"] = "back"
    assert gathered(layer).organisation_text == "back", "a failure is not remembered"


def test_other_effects_and_forges_without_one_are_left_alone() -> None:
    reader = Reader({"acme/shop": "x"})
    reaction = React(change=1, comment_id="1", reaction="eyes")
    assert isinstance(Layered(reader, ".github").perform("e", reaction, CONTEXT), Done)
    found = layered({"github": reader, "local": reader}, {"github": ".github", "local": ""})
    assert isinstance(found["github"], Layered)
    assert found["local"] is reader


def test_every_forge_has_its_setting() -> None:
    assert Settings().policy_repositories() == {
        "github": ".github",
        "gitlab": ".gitlab",
        "azure": "pointsman/pointsman",
        "local": "pointsman",
    }
