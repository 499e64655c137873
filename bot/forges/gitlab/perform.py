"""Doing effects on GitLab: one function per kind, each looking first for what is done."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain.effect import Effect
from bot.domain.errors import Permanent
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.gitlab import (
    changes,
    checks,
    comments,
    deployments,
    environments,
    issues,
    pipelines,
    read,
    rebase,
    releases,
    tags,
)
from bot.forges.gitlab.client import NOT_FOUND, Answered, Api
from bot.forges.gitlab.commit_files import commit_files
from bot.forges.gitlab.merge import merge_change
from bot.forges.gitlab.new_project import create_repository
from bot.forges.gitlab.revert import revert_commit


def perform(api: Api, effect_id: str, effect: Effect, context: EffectContext) -> Model:
    """The result model of the effect's kind. Raises Retryable or Permanent."""
    function = PERFORM.get(effect.kind)
    if function is None:
        raise Permanent("UnknownEffect", f"GitLab does not know {effect.kind}")
    try:
        return function(api, effect_id, effect, context)
    except Answered as answer:
        raise translated(answer, effect.repository) from None


def translated(answer: Answered, repository: str) -> Permanent:
    """An answer that nothing nearer made sense of."""
    if answer.status == NOT_FOUND:
        return Permanent("NotFound", f"not there in {repository}, or not for the bot: {answer.said}")
    return Permanent("GitLabRefused", str(answer))


PERFORM: dict[str, Callable[..., Model]] = {
    "GatherFacts": read.gather,
    "CommitFiles": commit_files,
    "OpenChange": changes.open_change,
    "UpdateChange": changes.update_change,
    "UpdateBranch": rebase.update_branch,
    "PostComment": comments.post_comment,
    "React": comments.react,
    "SetCheck": checks.set_check,
    "MergeChange": merge_change,
    "CreateTag": tags.create_tag,
    "RunPipeline": pipelines.run_pipeline,
    "RecordDeployment": deployments.record_deployment,
    "AnswerDeployment": deployments.answer_deployment,
    "PublishRelease": releases.publish_release,
    "OpenIssue": issues.open_issue,
    "LinkIssues": issues.link_issues,
    "PrepareEnvironment": environments.prepare_environment,
    "RevertCommit": revert_commit,
    "CreateRepository": create_repository,
}
