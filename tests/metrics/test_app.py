"""The page where it is in the end: without a token, beside `/healthz`, with what each forge has said."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from bot.app import application, furnish
from bot.forges import registry
from bot.forges.allowance import Allowance
from bot.forges.azure.client import Client
from bot.forges.azure.forge import AzureForge
from bot.forges.github.forge import GitHubForge
from bot.forges.github.pace import Budget
from bot.settings import Settings


def test_anybody_may_read_it_and_nobody_is_named(tmp_path: Path) -> None:
    house = furnish(Settings(home=tmp_path, tenant="vetclinic-001"), work=False, alone=True)
    with TestClient(application(house, embedded=True)) as web:
        answer = web.get("/metrics")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"pointsman_effects", "command_queue_length", "deployment_duration_seconds"} <= names
    assert "vetclinic-001" not in answer.text


def test_github_tells_each_account_and_what_is_counted_apart() -> None:
    class Asked:
        client = type("C", (), {"budgets": {"installation 12/graphql": Budget(5000, 4990, 1_790_000_000.0)}})

    forge = GitHubForge.__new__(GitHubForge)
    forge._ground = Asked()  # type: ignore[assignment]
    assert list(forge.allowances()) == [Allowance("installation 12", "graphql", 5000, 4990, 1_790_000_000.0)]


def test_azure_tells_nothing_as_long_as_it_was_told_nothing() -> None:
    forge = AzureForge.__new__(AzureForge)
    forge._client = Client.__new__(Client)
    from bot.forges.azure.client import Budget as Units

    forge._client.budget = Units()
    assert list(forge.allowances()) == []
    forge._client.budget = Units(limit=200.0, remaining=12.5)
    assert list(forge.allowances()) == [Allowance("account", "api", 200.0, 12.5)]


@pytest.mark.parametrize("name", ["github", "azure", "gitlab"])
def test_a_forge_without_an_account_has_no_limits(name: str, tmp_path: Path) -> None:
    settings = Settings.model_validate({"home": tmp_path, f"{name}_webhook_secret": "s3cret"})
    forge = registry()[name].configured(settings, None)  # type: ignore[arg-type]
    assert forge is not None
    assert list(forge.allowances()) == []
