"""`OpenIssue` and `LinkIssues`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.github.account import Needs
from bot.forges.github.changes import get_pull
from bot.forges.github.errors import Answered
from bot.forges.github.fitting import LONGEST_BODY, fitted, one_line
from bot.forges.github.ground import ISSUES, MISSING, TALK, Ground
from bot.forges.github.linked import REFERENCE, with_links
from bot.messages import trace_url

Json = dict[str, Any]
MARK = "<!-- pointsman:effect:{} -->"
READ: Needs = {"issues": "read", "metadata": "read"}
WRITE: Needs = {**ISSUES, "metadata": "read"}
LOOKED_AT = 300
"""Newest issues among which one whose answer was lost is looked for: GitHub's search is minutes behind."""
GONE = 410
DELETED = frozenset({MISSING, GONE})


def open_issue(ground: Ground, effect_id: str, effect: e.OpenIssue, context: EffectContext) -> e.IssueResult:
    """One issue for each effect, known again by a mark in its text."""
    mark = MARK.format(effect_id)
    if found := next((one for one in _newest(ground, effect) if _is_ours(ground, one, mark)), None):
        return _result(found, created=False)
    said: Json = {
        "title": one_line(effect.title),
        "body": fitted(effect.body, trace_url(ground.base_url, context.trace_id), end=f"\n\n{mark}"),
        "labels": list(effect.labels),
    }
    try:
        made = ground.client.send("POST", effect.repository, "/issues", said, needs=WRITE).json
    except Answered as error:
        raise _turned_off(effect.repository) if error.status == GONE else error from error
    return _result(made, created=True)


def _newest(ground: Ground, effect: e.OpenIssue) -> Iterator[Json]:
    """Changes are among them: to GitHub each is an issue as well."""
    params = {"state": "all", "sort": "created", "direction": "desc"}
    try:
        yield from islice(
            ground.client.pages(effect.repository, "/issues", params=params, needs=READ), LOOKED_AT
        )
    except Answered as error:
        raise _turned_off(effect.repository) if error.status == GONE else error from error


def _is_ours(ground: Ground, issue: Json, mark: str) -> bool:
    """Anybody can write a mark; only the bot's own count."""
    return ground.is_us(issue["user"]) and (issue.get("body") or "").rstrip().endswith(mark)


def _result(issue: Json, *, created: bool) -> e.IssueResult:
    return e.IssueResult(reference=f"#{issue['number']}", url=issue["html_url"], created=created)


def _turned_off(repository: str) -> Permanent:
    return Permanent("NotSupported", f"issues are turned off in {repository}: turn them on in its settings")


def link_issues(ground: Ground, _effect_id: str, effect: e.LinkIssues, _context: EffectContext) -> e.Done:
    """Name them in the change's text: GitHub has no other way. All of them or none."""
    for reference in effect.references:
        _exists(ground, effect.repository, reference)
    pull = get_pull(ground, effect.repository, effect.change)
    there = pull.get("body") or ""
    body = with_links(there, effect.references, closes=effect.closes)
    if len(body.encode()) > LONGEST_BODY:
        full = f"the text of change {effect.change} has no room for its issues: shorten it"
        raise Permanent("TooLong", full)
    if body != there:
        path = f"/pulls/{effect.change}"
        ground.client.send("PATCH", effect.repository, path, {"body": body}, needs=TALK, wishes=ISSUES)
    return e.Done(id=str(effect.change), url=pull["html_url"])


def _exists(ground: Ground, repository: str, reference: str) -> None:
    """Raises Permanent('IssueMissing'). Work items are Azure's: GitHub only hands their names on."""
    named = REFERENCE.fullmatch(reference)
    if named is None:
        how = "write `#12`, `owner/name#12` or `AB#12`"
        raise Permanent("IssueMissing", f"{reference!r} names no issue: {how}")
    if named["item"]:
        return
    where = named["repository"] or repository
    try:
        ground.client.get(where, f"/issues/{named['number']}", needs=READ)
    except (Answered, Permanent) as error:
        code = error.status if isinstance(error, Answered) else error.reason_code
        if code not in {*DELETED, "NotFound"}:
            raise
        missing = f"there is no issue {reference}, or the bot may not see it"
        raise Permanent("IssueMissing", missing) from error
