"""`OpenIssue` and `LinkIssues`: what the bot does with issues."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.local import changes, links
from bot.forges.local.ground import Ground, Missing
from bot.forges.local.issues import Matter, get_issue
from bot.forges.local.issues import open_issue as opened
from bot.forges.local.telling import get_change


def open_issue(ground: Ground, effect_id: str, effect: e.OpenIssue, _context: EffectContext) -> e.IssueResult:
    """One issue for each effect."""
    matter = Matter(effect.title, effect.body, effect.labels, effect_id)
    issue, created = opened(ground, effect.repository, matter, login=ground.settings.bot_login)
    url = ground.issue_url(effect.repository, issue.number)
    return e.IssueResult(reference=f"#{issue.number}", url=url, created=created)


def link_issues(ground: Ground, _effect_id: str, effect: e.LinkIssues, _context: EffectContext) -> e.Done:
    """A line of the change's description for each issue that is not linked yet; all of them or none."""
    with ground.read() as session:
        body = get_change(session, effect.repository, effect.change).body
        numbers = [_number(session, effect.repository, reference) for reference in effect.references]
    known = links.closed_by(body) if effect.closes else links.named_in(body)
    word = "Closes" if effect.closes else "About"
    lines = [f"{word} #{number}" for number in dict.fromkeys(numbers) if number not in known]
    if lines:
        text = "\n\n".join(part for part in (body.rstrip(), "\n".join(lines)) if part)
        changes.edit(ground, effect.repository, effect.change, login=ground.settings.bot_login, body=text)
    return e.Done(id=str(effect.change), url=ground.change_url(effect.repository, effect.change))


def _number(session: Session, repository: str, reference: str) -> int:
    """Raises Permanent('IssueMissing')."""
    named = links.REFERENCE.fullmatch(reference.strip())
    try:
        if named:
            return get_issue(session, repository, int(named[1])).number
    except Missing:
        pass
    raise Permanent(
        "IssueMissing", f"there is no issue {reference} in {repository}: write the number of one, as in #12"
    )
