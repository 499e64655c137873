"""Commits that an effect of ours has made: found by the mark in their message, and believed of the bot
alone.
"""

from __future__ import annotations

from itertools import islice

from bot.domain.errors import Retryable
from bot.forges.gitlab.client import Api, Json, project
from bot.forges.trailers import trailers

NEWEST = 300
"""Commits and pushes that are looked at. A lost answer is asked for again within minutes."""


def done_before(api: Api, repository: str, branch: str, effect_id: str) -> Json | None:
    """The commit that an effect made on a branch, if its answer was lost.

    Anybody can write our mark and our address into a commit; who pushed it, GitLab knows. Raises Retryable
    while it has not said so yet.
    """
    mine = api.myself.get("commit_email") or api.myself.get("email")
    commits = api.list(f"{project(repository)}/repository/commits", ref_name=branch)
    for commit in islice(commits, NEWEST):
        marked = trailers(commit["message"]).get("effect-id") == effect_id
        if marked and commit["committer_email"] == mine and _pushed_by_us(api, repository, commit["id"]):
            found: Json = commit
            return found
    return None


def _pushed_by_us(api: Api, repository: str, sha: str) -> bool:
    events = api.list(f"{project(repository)}/events", action="pushed", sort="desc")
    for event in islice(events, NEWEST):
        if (event.get("push_data") or {}).get("commit_to") == sha:
            return bool(event["author_username"] == api.account.login)
    raise Retryable(f"GitLab has not told yet who pushed {sha[:12]}, which carries our mark")
