"""`GatherFacts`: what a decision needs to know, in as few requests as GitHub allows."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from bot.domain import payloads as p
from bot.domain.effect import GatherFacts
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.domain.release import POLICY_FILE
from bot.forges.github import pipelines, queries
from bot.forges.github.account import READ, Needs
from bot.forges.github.asking import Ask
from bot.forges.github.errors import Answered, not_found
from bot.forges.github.files import files_of
from bot.forges.github.ground import MISSING, Ground
from bot.forges.github.past import merged
from bot.forges.github.read_change import change_of
from bot.messages import BOT
from bot.telemetry import get_logger

log = get_logger(__name__)
Json = dict[str, Any]
LOGIN = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,99})")
UNSURE = re.compile(r"c\d+|baseRef")
"""Parts of an answer that may be missing: they are asked for otherwise."""
MAY_WRITE = frozenset({"WRITE", "MAINTAIN", "ADMIN"})
PERMISSIONS = {"admin": "admin", "maintain": "maintain", "write": "write", "triage": "read", "read": "read"}
LARGEST = 16 * 1024 * 1024
WISHES: Needs = {"members": "read", "administration": "read"}


def gather_facts(
    ground: Ground, _effect_id: str, effect: GatherFacts, _context: EffectContext
) -> p.FactsGathered:
    """Everything asked for. Raises Permanent, Retryable."""
    said = _asked(ground, effect)
    default = said["defaultBranchRef"] or {}
    default_head = (default.get("target") or {}).get("oid")
    branch_head = ((said.get("branch") or {}).get("target") or {}).get("oid")
    can_write = _can_write(ground, effect.repository, said)
    return p.FactsGathered(
        correlation=effect.correlation,
        repository=effect.repository,
        purpose=effect.purpose,
        default_branch=default.get("name", "main"),
        default_head=default_head,
        branch_head=branch_head,
        change=change_of(ground, effect.repository, said["pullRequest"]) if effect.change else None,
        policy_text=_text(ground, effect.repository, said["policy"]),
        # The revision the text was read at, also when the file is not there: "no policy" has a moment, too.
        policy_revision=default_head,
        actors=_actors(ground, effect, said, can_write=can_write),
        files={
            path: _text(ground, effect.repository, said[f"{'b' if branch_head else 'd'}{n}"])
            for n, path in enumerate(effect.paths)
        },
        can_write=can_write,
        protected_branches=(default["name"],) if default and _is_protected(default) else (),
        tree=files_of(ground, effect.repository, effect.tree_of) if effect.tree_of else (),
        past=merged(ground, effect.repository, effect.past) if effect.past else (),
        run=pipelines.told(ground, effect.repository, effect.run) if effect.run else None,
    )


def _asked(ground: Ground, effect: GatherFacts) -> Json:
    """The answer to the query. Raises Permanent('NotFound')."""
    people = _people(ground, effect)
    owner, _, name = effect.repository.partition("/")
    variables: Json = {"owner": owner, "name": name, "policy": f"HEAD:{POLICY_FILE}"}
    variables |= {"branch": f"refs/heads/{effect.branch}"} if effect.branch else {}
    variables |= {"number": effect.change} if effect.change else {}
    source = ground.sources.get(effect.repository, str(effect.change)) if effect.change else None
    variables |= {"source": source} if source else {}
    variables |= {f"u{n}": login for n, login in enumerate(people)}
    for n, path in enumerate(effect.paths):
        variables |= {f"b{n}": f"refs/heads/{effect.branch}:{path}", f"d{n}": f"HEAD:{path}"}
    wanted = queries.Wanted(
        people, effect.paths, branch=bool(effect.branch), change=bool(effect.change), source=bool(source)
    )
    said = _sent(ground, effect, wanted, variables)
    return _understood(effect, said)


def _sent(ground: Ground, effect: GatherFacts, wanted: queries.Wanted, variables: Json) -> Json:
    """With the teams of people, where the bot may see them: a refusal would take the whole answer with it.

    Who may not see the teams counts nobody as one of them, so nobody is let through by it.
    """
    visible = ground.client.account.may(effect.repository, "members", "read") is not False
    asked = queries.facts(replace(wanted, teams=visible))
    said: Json = ground.client.graphql(effect.repository, asked, variables, needs=READ, wishes=WISHES)
    if visible and any("owner" in (error.get("path") or ()) for error in said.get("errors") or []):
        visible = False
        asked = queries.facts(replace(wanted, teams=False))
        said = ground.client.graphql(effect.repository, asked, variables, needs=READ, wishes=WISHES)
    if wanted.people and not visible:
        log.warning("teams_not_visible", repository=effect.repository)
    return said


def _understood(effect: GatherFacts, said: Json) -> Json:
    """What GitHub would not tell is missing from the data and named among the errors."""
    found: Json | None = said["data"].get("repository")
    if found is None:
        raise not_found(f"repository {effect.repository!r}")
    if effect.change and found.get("pullRequest") is None:
        raise not_found(f"change {effect.change} in {effect.repository}")
    for error in said.get("errors") or []:
        place = [str(part) for part in error.get("path") or ()]
        if not any(UNSURE.fullmatch(part) for part in place):
            raise Retryable(f"GitHub could not answer a query: {error.get('type') or 'no reason given'}")
    return found


def _people(ground: Ground, effect: GatherFacts) -> list[str]:
    """Logins of the people asked for; addresses out of commits are nobody's."""
    names = (ground.login_of(name) for name in effect.actors if name != BOT)
    return [login for login in names if LOGIN.fullmatch(login)]


def _can_write(ground: Ground, repository: str, said: Json) -> bool:
    granted = ground.client.account.may(repository, "contents", "write")
    held = said.get("viewerPermission") in MAY_WRITE if granted is None else granted
    return held and not said.get("isArchived")


def _is_protected(branch: Json) -> bool:
    """By classic protection or by a ruleset, as far as somebody sees it who may only read."""
    return bool(branch.get("refUpdateRule") or (branch.get("rules") or {}).get("totalCount"))


def _actors(ground: Ground, effect: GatherFacts, said: Json, *, can_write: bool) -> dict[str, p.Actor]:
    people = _people(ground, effect)
    found: dict[str, p.Actor] = {}
    for name in effect.actors:
        login = ground.login_of(name)
        if name == BOT:
            found[name] = p.Actor(login=name, permission="write" if can_write else "read", bot=True)
        elif login in people:
            teams = (said.get("owner") or {}).get(f"t{people.index(login)}") or {}
            slugs = tuple(sorted(team["combinedSlug"] for team in teams.get("nodes") or []))
            held = _held(said.get(f"c{people.index(login)}"), login)
            known = (
                p.Actor.model_validate({"login": name, "permission": held, "teams": slugs}) if held else None
            )
            found[name] = known or _person(ground, effect.repository, name, login, slugs)
        else:
            found[name] = p.Actor(login=name, bot=login.endswith("[bot]"))
    return found


def _held(collaborators: Json | None, login: str) -> str | None:
    """What somebody may do here, as the query told it; None where it did not.

    It tells those alone who may administer or push, and looks names up by likeness.
    """
    for edge in (collaborators or {}).get("edges") or []:
        if edge["node"]["login"].casefold() == login.casefold():
            return PERMISSIONS.get(edge["permission"].lower())
    return None


def _person(ground: Ground, repository: str, name: str, login: str, teams: tuple[str, ...]) -> p.Actor:
    """What somebody may do here, whoever asks."""
    path = f"/collaborators/{quote(login, safe='')}/permission"
    try:
        said = ground.client.get(repository, path, needs={"metadata": "read"})
    except Answered as error:
        if error.status == MISSING:
            return p.Actor(login=name, teams=teams)
        raise
    # A role of an organisation's own has a name of its own; `permission` is then what it is based on.
    held = PERMISSIONS.get(said.get("role_name") or "") or PERMISSIONS.get(said["permission"], "none")
    bot = (said.get("user") or {}).get("type") == "Bot"
    return p.Actor.model_validate({"login": name, "permission": held, "teams": teams, "bot": bot})


def _text(ground: Ground, repository: str, blob: Json | None) -> str | None:
    """A file as text; None when there is none. GraphQL leaves out what is large or no text."""
    if not blob or "oid" not in blob:
        return None
    if blob.get("text") is not None and not blob.get("isTruncated"):
        return str(blob["text"])
    path = f"/repos/{repository}/git/blobs/{blob['oid']}"
    ask = Ask("GET", path, repository, accept="application/vnd.github.raw+json")
    try:
        return ground.client.download(ask, LARGEST).decode(errors="replace")
    except Answered as error:
        raise Permanent("NotFound", f"GitHub does not give a file of {repository}") from error
