"""A stage of Azure DevOps for each test, and bodies of service hook calls in the fewest words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.devops._file_cache import OPTIONS_CACHE
from azure.devops.client import Client as Sdk

from tests.forges.conformance.stages import azure
from tests.forges.conformance.stages.azure import AzureStage


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AzureStage]:
    with azure.stage(request, tmp_path) as made:
        yield made


@pytest.fixture
def ignorant() -> Iterator[None]:
    """The SDK knows nothing of any server: addresses come back, and it remembers by address."""
    forget()
    yield
    forget()


def forget() -> None:
    Sdk._locations_cache.clear()
    OPTIONS_CACHE.data.clear()
