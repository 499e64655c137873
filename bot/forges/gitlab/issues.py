"""Issues (https://docs.gitlab.com/api/issues/): opened once, and named by a change so that GitLab links them.

GitLab follows the text of a change: an issue that its description names is related, and one behind a closing
word is closed when the change is merged into the default branch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.gitlab.changes import change_path, get_change
from bot.forges.gitlab.client import Api, Json, project
from bot.forges.gitlab.comments import ONCE
from bot.forges.gitlab.linked_issues import lines_of, with_lines

NEWEST = 300
"""Own issues that are looked at. A lost answer is asked for again within minutes."""
REFERENCE = re.compile(r"(?P<path>\w[\w.-]*(?:/\w[\w.-]*)+)?#(?P<number>[1-9]\d{0,9})", re.ASCII)
CLOSES, RELATED = "Closes", "Related to"


def open_issue(api: Api, effect_id: str, effect: e.OpenIssue, _context: EffectContext) -> e.IssueResult:
    """Open an issue once; its text carries the effect's mark."""
    where, mark = f"{project(effect.repository)}/issues", ONCE.format(effect_id)
    issue = next((one for one in _ours(api, where) if mark in (one["description"] or "")), None)
    found = issue is not None
    if issue is None:
        body = {"title": effect.title, "description": f"{effect.body}\n\n{mark}"}
        issue = api.post(where, labels=",".join(effect.labels), **body)
    return e.IssueResult(reference=f"#{issue['iid']}", url=issue["web_url"], created=not found)


def _ours(api: Api, where: str) -> Iterable[Json]:
    """Issues that the bot opened, the newest first. Another's with our mark on it is not ours."""
    query = {"author_id": api.myself["id"], "scope": "all", "order_by": "created_at", "sort": "desc"}
    return islice(api.list(where, **query), NEWEST)


def link_issues(api: Api, _effect_id: str, effect: e.LinkIssues, _context: EffectContext) -> e.Done:
    """Name the issues in the change's description, those that it does not name yet."""
    change = get_change(api, effect.repository, effect.change)
    for reference in effect.references:
        _there(api, effect, reference)
    text = change["description"] or ""
    lacking = [one for one in dict.fromkeys(effect.references) if one not in _linked(api, effect, text)]
    word = CLOSES if effect.closes else RELATED
    wanted = with_lines(text, {**lines_of(text), **dict.fromkeys(lacking, word)})
    if wanted != text:
        change = api.put(change_path(effect.repository, effect.change), description=wanted)
    return e.Done(id=str(effect.change), url=change["web_url"])


def _there(api: Api, effect: e.LinkIssues, reference: str) -> None:
    """Raises Permanent('IssueMissing')."""
    match = REFERENCE.fullmatch(reference)
    if match is None:
        said = f"{reference!r} is no issue's name on GitLab: write #12 or group/project#12"
        raise Permanent("IssueMissing", said)
    place = match["path"] or effect.repository
    if api.find(f"{project(place)}/issues/{match['number']}") is None:
        raise Permanent("IssueMissing", f"there is no issue {reference} in {place}, or not for the bot")


def _linked(api: Api, effect: e.LinkIssues, text: str) -> set[str]:
    """References that the change has already, in the way that is wanted."""
    if not effect.closes:
        named = {match[0] for match in REFERENCE.finditer(text)}
        return named | _as_named(effect, named)
    listed = api.list(f"{change_path(effect.repository, effect.change)}/closes_issues")
    closing = {str(issue["references"]["full"]) for issue in listed}
    said = {name for name, word in lines_of(text).items() if word == CLOSES}
    return closing | said | _as_named(effect, closing)


def _as_named(effect: e.LinkIssues, full: set[str]) -> set[str]:
    """Issues of the change's own project, by their short names."""
    here = f"{effect.repository}#"
    return {f"#{name.removeprefix(here)}" for name in full if name.startswith(here)}
