"""Doing effects on GitHub: effect kind -> function. Each looks first for what is done."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.domain.effect import Effect
from bot.domain.errors import Permanent
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.github.changes import create_tag, open_change, update_change
from bot.forges.github.checks import set_check
from bot.forges.github.comments import post_comment, react
from bot.forges.github.commit_files import commit_files
from bot.forges.github.deployments import answer_deployment, record_deployment
from bot.forges.github.environments import prepare_environment
from bot.forges.github.errors import Answered, not_found
from bot.forges.github.ground import MISSING, Ground
from bot.forges.github.issues import link_issues, open_issue
from bot.forges.github.merging import merge_change, update_branch
from bot.forges.github.pipelines import run_pipeline
from bot.forges.github.read import gather_facts
from bot.forges.github.releases import publish_release
from bot.forges.github.repositories import create_repository
from bot.forges.github.reverting import revert_commit

Function = Callable[..., Model]
LATE = frozenset({"NotFound", "RevisionMissing", "BranchDeleted", "IssueMissing"})
"""Reasons that may have gone in a moment: webhooks overtake GitHub's API."""


def perform(ground: Ground, effect_id: str, effect: Effect, context: EffectContext) -> Model:
    """The result model of the effect's kind. Raises Retryable or Permanent."""
    # Another tenant learns nothing, not even which repositories there are.
    if context.tenant_id != ground.tenant:
        raise Permanent("NotFound", f"there is no repository {effect.repository!r}")
    function = PERFORM.get(effect.kind)
    if function is None:
        raise Permanent("UnknownEffect", f"GitHub does not know {effect.kind}")
    try:
        return _done(function, ground, effect_id, effect, context)
    except Permanent as error:
        if error.reason_code not in LATE or context.attempt > 1 or not ground.patience:
            raise
    time.sleep(ground.patience)
    return _done(function, ground, effect_id, effect, context)


def _done(
    function: Function, ground: Ground, effect_id: str, effect: Effect, context: EffectContext
) -> Model:
    try:
        return function(ground, effect_id, effect, context)
    except Answered as error:
        if error.status == MISSING:
            raise not_found(f"repository {effect.repository!r}") from error
        raise Permanent("Refused", f"GitHub refused {effect.kind}: {error.message}") from error


PERFORM: dict[str, Function] = {
    "GatherFacts": gather_facts,
    "CommitFiles": commit_files,
    "OpenChange": open_change,
    "UpdateChange": update_change,
    "PostComment": post_comment,
    "React": react,
    "SetCheck": set_check,
    "MergeChange": merge_change,
    "UpdateBranch": update_branch,
    "CreateTag": create_tag,
    "RunPipeline": run_pipeline,
    "RecordDeployment": record_deployment,
    "AnswerDeployment": answer_deployment,
    "PublishRelease": publish_release,
    "OpenIssue": open_issue,
    "LinkIssues": link_issues,
    "PrepareEnvironment": prepare_environment,
    "RevertCommit": revert_commit,
    "CreateRepository": create_repository,
}
