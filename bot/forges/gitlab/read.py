"""Reading for decisions: the facts that `GatherFacts` asks for."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain.effect import GatherFacts
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.domain.release import POLICY_FILE
from bot.forges import pushed
from bot.forges.gitlab import files, past
from bot.forges.gitlab.access import DEVELOPER, get_branch, get_project, head_of, level
from bot.forges.gitlab.change_facts import change_facts
from bot.forges.gitlab.client import Api, project
from bot.forges.gitlab.people import actors
from bot.forges.gitlab.pipelines import read_run


def gather(api: Api, _effect_id: str, effect: GatherFacts, _context: EffectContext) -> p.FactsGathered:
    """Everything asked for. Raises Answered, Permanent, Retryable."""
    known = get_project(api, effect.repository)
    default = str(known.get("default_branch") or "main")
    default_head = head_of(get_branch(api, effect.repository, default))
    branch_head = head_of(get_branch(api, effect.repository, effect.branch)) if effect.branch else None
    at = branch_head or default_head
    policy = files.read(api, effect.repository, default_head, POLICY_FILE) if default_head else None
    return p.FactsGathered(
        correlation=effect.correlation,
        repository=effect.repository,
        purpose=effect.purpose,
        default_branch=default,
        default_head=default_head,
        branch_head=branch_head,
        change=change_facts(api, effect.repository, effect.change) if effect.change is not None else None,
        policy_text=policy,
        # The revision the text was read at, also when the file is not there: "no policy" has a moment, too.
        policy_revision=default_head,
        actors=actors(api, known, effect.actors, policy),
        files={path: files.read(api, effect.repository, at, path) if at else None for path in effect.paths},
        can_write=level(known) >= DEVELOPER,
        protected_branches=_protected(api, effect.repository),
        past=past.merged(api, effect.repository, effect.past) if effect.past else (),
        tree=pushed.checked(files.files(api, effect.repository, effect.tree_of)) if effect.tree_of else (),
        run=read_run(api, effect.repository, effect.run, known) if effect.run else None,
    )


def _protected(api: Api, repository: str) -> tuple[str, ...]:
    """Patterns of protected branches; none when the bot may not see them."""
    try:
        return tuple(rule["name"] for rule in api.list(f"{project(repository)}/protected_branches"))
    except Permanent as refused:
        if refused.reason_code != "Forbidden":
            raise
        return ()
