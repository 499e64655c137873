"""An environment is made ready: it is there, and its variables say where things are."""

from __future__ import annotations

from bot.domain import effect as e
from bot.forges.capabilities import Feature
from tests.forges.conformance.ability import cannot
from tests.forges.conformance.conftest import Do
from tests.forges.conformance.stage import Stage

VARIABLES = {"POINTSMAN_NAMESPACE": "acme-staging", "POINTSMAN_ENDPOINT": "http://127.0.0.1:4000/?a=b&c=%20d"}
READY = e.PrepareEnvironment(environment="staging", variables=VARIABLES)


def test_an_environment_gets_its_variables(stage: Stage, do: Do) -> None:
    if cannot(stage, do, Feature.ENVIRONMENTS, READY):
        return
    assert isinstance(do(READY), e.Done)
    assert stage.variables("staging") == VARIABLES
    assert stage.variables("production") == {}


def test_preparing_twice_is_once(stage: Stage, do: Do) -> None:
    if cannot(stage, do, Feature.ENVIRONMENTS, READY):
        return
    assert do(READY) == do(READY) == do(READY, "trace-1.000009.0")
    assert stage.variables("staging") == VARIABLES


def test_variables_change_and_those_it_has_beside_them_stay(stage: Stage, do: Do) -> None:
    if cannot(stage, do, Feature.ENVIRONMENTS, READY):
        return
    do(READY)
    more = {"POINTSMAN_NAMESPACE": "acme-staging-2", "DB_PASSWORD": "@vault:acme/staging/db"}
    do(READY.model_copy(update={"variables": more}), "trace-1.000009.0")
    assert stage.variables("staging") == VARIABLES | more


def test_two_environments_do_not_know_each_others_variables(stage: Stage, do: Do) -> None:
    if cannot(stage, do, Feature.ENVIRONMENTS, READY):
        return
    do(READY)
    do(
        e.PrepareEnvironment(environment="production", variables={"POINTSMAN_NAMESPACE": "acme"}),
        "trace-1.000009.0",
    )
    assert stage.variables("staging") == VARIABLES
    assert stage.variables("production") == {"POINTSMAN_NAMESPACE": "acme"}


def test_an_environment_may_be_without_variables(stage: Stage, do: Do) -> None:
    bare = e.PrepareEnvironment(environment="staging")
    if cannot(stage, do, Feature.ENVIRONMENTS, bare):
        return
    assert isinstance(do(bare), e.Done)
    assert stage.variables("staging") == {}
