"""The CI systems, and which one a forge has. One line per forge; what a system does is in its own module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.pipelines import azure_pipelines, github_actions, gitlab
from bot.pipelines.model import Pipeline
from bot.pipelines.written import There, Written


@dataclass(frozen=True)
class System:
    """`reads` are the files that `written` must see; `schema` names the published one to check-jsonschema."""

    name: str
    reads: Callable[[Pipeline], tuple[str, ...]]
    written: Callable[[Pipeline, There], Written]
    schema: tuple[str, ...]


GITLAB_CI = System("gitlab-ci", gitlab.reads, gitlab.written, ("--builtin-schema", "vendor.gitlab-ci"))
GITHUB_ACTIONS = System(
    "github-actions",
    github_actions.reads,
    github_actions.written,
    ("--builtin-schema", "vendor.github-workflows"),
)
AZURE_PIPELINES = System(
    "azure-pipelines",
    azure_pipelines.reads,
    azure_pipelines.written,
    # Without these two, check-jsonschema crashes on that schema.
    (
        *("--builtin-schema", "vendor.azure-pipelines", "--data-transform", "azure-pipelines"),
        *("--regex-variant", "nonunicode"),
    ),
)
BY_FORGE = {"local": GITLAB_CI, "gitlab": GITLAB_CI, "github": GITHUB_ACTIONS, "azure": AZURE_PIPELINES}


def of(forge: str) -> System:
    """The CI system of a forge. Raises ValueError when it has none."""
    if forge not in BY_FORGE:
        raise ValueError(f"no CI system is known for the forge {forge!r}; known: {', '.join(BY_FORGE)}")
    return BY_FORGE[forge]
