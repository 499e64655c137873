"""Which work items are linked to a change: a relation of theirs, of which the change has no trace."""

from __future__ import annotations

from urllib.parse import unquote

from tests.forges.azure.fake.state import Json, Organisation, Repo

PREFIX = "vstfs:///Git/PullRequestId/"


def linked_to(org: Organisation, repo: Repo, number: int) -> list[Json]:
    """The work items, the oldest first."""
    wanted = f"{repo.project_id}/{repo.id}/{number}"
    return [
        item
        for item in org.work_items.values()
        if any(unquote(one["url"].removeprefix(PREFIX)) == wanted for one in item.get("relations") or ())
    ]
