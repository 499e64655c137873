"""Who has a part in a change."""

from __future__ import annotations

from typing import Any

from bot.forges.azure import accounts
from bot.forges.azure.names import ZERO
from bot.forges.azure.place import Commit, Place, commit_of
from bot.forges.trailers import CO_AUTHOR

COMMITS_READ = 100


def of(place: Place, change: Any, head: str) -> dict[str, Any]:
    """In its commits by their addresses, which are claims, and in its pushes, which the forge knows."""
    commits = _commits(place, change.pull_request_id)
    pushers = _pushers(place, change.source_ref_name) if not change.fork_source else []
    if not pushers and head != ZERO:
        known = place.commit(head)
        pushers = [place.client.people.login(known.pushed_by)] if known and known.pushed_by else []
    co_authors = [address.lower() for one in commits for address in CO_AUTHOR.findall(one.message)]
    addresses = {address for one in commits for address in (one.author, one.committer)} | {*co_authors}
    logins = accounts.by_address(place, addresses - {""}, pushers)
    return {
        "committers": sorted({*logins.values(), *pushers}),
        "coAuthors": sorted({logins[address] for address in co_authors}),
        "lastPusher": pushers[0] if pushers else None,
    }


def _commits(place: Place, number: int) -> list[Commit]:
    """The commits of a change; messages that the list shortens are read by themselves."""
    found = []
    for one in place.every("get_pull_request_commits", pull_request_id=number, top=COMMITS_READ):
        whole = place.commit(one.commit_id) if one.comment_truncated else None
        found.append(whole or commit_of(one))
    return found


def _pushers(place: Place, ref: str) -> list[str]:
    """Who has pushed to a branch since it was made, the last one first."""
    criteria = place.model("GitPushSearchCriteria", ref_name=ref, include_ref_updates=True)
    found: list[str] = []
    for push in place.all_of("get_pushes", search_criteria=criteria):
        found.append(place.client.people.login(push.pushed_by.unique_name))
        if any(one.name == ref and one.old_object_id == ZERO for one in push.ref_updates or ()):
            break
    return found
