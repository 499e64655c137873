"""A repository is made for a submission that says so, where the settings allow it."""

from __future__ import annotations

import pytest

from bot.domain import effect as fx
from tests.handlers.world import World


def world(*creates_in: str) -> World:
    made = World(creates_in=creates_in)
    made.forge.missing = True
    return made


def failure(made: World) -> tuple[str, str]:
    ended = made.last("AgentTaskFailed").data
    return ended["reasonCode"], ended["message"]


def test_a_repository_is_made_and_the_module_committed_to_it() -> None:
    made = world("local:demo").submit(create_repository=True, summary="bookings")

    (creation,) = made.forge.wanted(fx.CreateRepository)
    assert (creation.repository, creation.target) == ("demo/booking", "local")
    assert (creation.mark, creation.owner) == ("pointsman:trace-1234", "agent")
    assert (creation.description, creation.private) == ("bookings", True)
    assert creation.required_check == "pointsman/merge"
    assert creation.webhook_url == "http://127.0.0.1:8080/webhooks/local"
    assert "CommitReady" in made.types()
    assert made.types("AgentTaskFailed") == []


def test_a_repository_that_is_there_is_not_made() -> None:
    made = World(creates_in=("local:demo",)).submit(create_repository=True)
    assert made.forge.wanted(fx.CreateRepository) == []
    assert "CommitReady" in made.types()


@pytest.mark.parametrize("allowed", [(), ("local:other",), ("github:demo",), ("local:demo/booking",)])
def test_it_is_not_made_where_the_settings_do_not_allow_it(allowed: tuple[str, ...]) -> None:
    made = world(*allowed).submit(create_repository=True)
    assert made.forge.wanted(fx.CreateRepository) == []
    assert failure(made)[0] == "RepositoryCreationRefused"
    assert failure(made)[1] == (
        "There is no repository demo/booking, and it may not be made. Make it by hand, or have the operator "
        "add local:demo to POINTSMAN_CREATE_REPOSITORIES_IN."
    )


def test_without_being_asked_for_it_is_refused_as_ever() -> None:
    made = world("local:demo").submit()
    assert made.forge.wanted(fx.CreateRepository) == []
    assert failure(made) == ("NotFound", "there is no repository 'demo/booking'")


def test_one_that_is_not_found_afterwards_is_not_made_for_ever() -> None:
    made = world("local:demo")
    made.forge.owned = False
    made.submit(create_repository=True)
    assert len(made.forge.wanted(fx.CreateRepository)) == 1
    assert failure(made) == ("NotFound", "there is no repository 'demo/booking'")


def test_whoever_had_it_made_may_have_the_first_commit_made() -> None:
    made = world("local:demo")
    made.forge.people["agent"] = made.forge.people["reader"].model_copy(update={"login": "agent"})
    made.submit(create_repository=True)
    assert "CommitReady" in made.types()


def test_in_one_that_was_there_a_reader_may_not() -> None:
    made = World(creates_in=("local:demo",))
    made.forge.people["agent"] = made.forge.people["reader"].model_copy(update={"login": "agent"})
    made.submit(create_repository=True)
    assert failure(made)[0] == "RepositoryAccessDenied"
