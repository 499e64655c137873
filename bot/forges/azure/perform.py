"""Doing effects on Azure DevOps: which function does which kind, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent, Retryable
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.azure import changes, checks, comments, pipelines, read, tags, work_items
from bot.forges.azure.client import Client
from bot.forges.azure.commit_files import commit_files
from bot.forges.azure.environments import prepare_environment
from bot.forges.azure.founding import create_repository
from bot.forges.azure.gates import answer_deployment
from bot.forges.azure.merging import merge_change
from bot.forges.azure.names import Repository
from bot.forges.azure.place import Place
from bot.forges.azure.releases import publish_release
from bot.forges.azure.reverting import revert_commit
from bot.forges.azure.speech import Refusal
from bot.forges.azure.updating import update_branch
from bot.pipelines import azure_pipelines
from bot.telemetry import get_logger

log = get_logger(__name__)
SCOPES = (
    "give its account the permission, and its token the scopes code, build, identity, hooks, "
    "work items, wiki, variable groups, environments"
)
PATIENCE_S = 1.0
"""A shorter pause that the forge asked for is over before the first request is out."""


def perform(client: Client, effect_id: str, effect: e.Effect, context: EffectContext) -> Model:
    """The result model of the effect's kind. Raises Retryable or Permanent."""
    function = PERFORM.get(effect.kind)
    if function is None:
        raise Permanent("UnknownEffect", f"Azure DevOps does not know {effect.kind}")
    if (pause := client.budget.pause()) > PATIENCE_S:
        raise Retryable("Azure DevOps asked for a pause", after=pause)
    place = Place(client, Repository.of(effect.repository))
    with told(effect.repository):
        return function(place, effect_id, effect, context)


class told:  # noqa: N801 - reads as a statement: with told(...)
    """What the forge refused, in our words. A refusal that its asker understood never comes here."""

    def __init__(self, about: str) -> None:
        self._about = about

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Refusal):
            raise self._explained(error) from error

    def _explained(self, refusal: Refusal) -> Exception:
        said = refusal.message or f"Azure DevOps answered {refusal.status}"
        if refusal.status == 404:  # noqa: PLR2004 - HTTP
            return Permanent("NotFound", f"{self._about}: {said}")
        if refusal.status == 403:  # noqa: PLR2004 - HTTP
            return Permanent("AccessDenied", f"the bot may not do this in {self._about}: {said} ({SCOPES})")
        if refusal.status in {409, 412}:
            return Retryable(f"{self._about} changed in between: {said}")
        return Permanent("Refused", f"{self._about}: {said}")


def _gather(place: Place, _id: str, effect: e.GatherFacts, _context: EffectContext) -> p.FactsGathered:
    return read.gather(place, effect)


def _commit(place: Place, effect_id: str, effect: e.CommitFiles, context: EffectContext) -> e.CommitResult:
    result = commit_files(place, effect_id, effect, context)
    for file in filter(azure_pipelines.is_ours, result.files):
        try:
            pipelines.ensure(place, file=file)
        except Refusal as refusal:  # the files are committed: whoever may make pipelines can do it by hand
            log.warning("pipeline_not_made", repository=effect.repository, error=str(refusal))
    return result


def _open(place: Place, _id: str, effect: e.OpenChange, _context: EffectContext) -> e.ChangeResult:
    return changes.open_change(place, effect)


def _update(place: Place, _id: str, effect: e.UpdateChange, _context: EffectContext) -> e.Done:
    return changes.update_change(place, effect)


def _comment(place: Place, effect_id: str, effect: e.PostComment, _context: EffectContext) -> e.CommentResult:
    return comments.post_comment(place, effect_id, effect)


def _react(place: Place, _id: str, effect: e.React, _context: EffectContext) -> e.Done:
    return comments.react(place, effect)


def _check(place: Place, _id: str, effect: e.SetCheck, _context: EffectContext) -> e.CheckResult:
    return checks.set_check(place, effect)


def _merge(place: Place, effect_id: str, effect: e.MergeChange, _context: EffectContext) -> e.MergeResult:
    return merge_change(place, effect_id, effect)


def _tag(place: Place, _id: str, effect: e.CreateTag, _context: EffectContext) -> e.Done:
    return tags.create_tag(place, effect)


def _run(place: Place, effect_id: str, effect: e.RunPipeline, _context: EffectContext) -> e.PipelineResult:
    return pipelines.run_pipeline(place, effect_id, effect)


def _deployed(place: Place, _id: str, effect: e.RecordDeployment, _context: EffectContext) -> e.Done:
    return checks.record_deployment(place, effect)


def _bring_up(
    place: Place, effect_id: str, effect: e.UpdateBranch, _context: EffectContext
) -> e.UpdateResult:
    return update_branch(place, effect_id, effect)


def _answer(place: Place, _id: str, effect: e.AnswerDeployment, _context: EffectContext) -> e.Done:
    return answer_deployment(place, effect)


def _release(place: Place, _id: str, effect: e.PublishRelease, _context: EffectContext) -> e.Done:
    return publish_release(place, effect)


def _issue(place: Place, effect_id: str, effect: e.OpenIssue, _context: EffectContext) -> e.IssueResult:
    return work_items.open_issue(place, effect_id, effect)


def _link(place: Place, _id: str, effect: e.LinkIssues, _context: EffectContext) -> e.Done:
    return work_items.link_issues(place, effect)


def _environment(place: Place, _id: str, effect: e.PrepareEnvironment, _context: EffectContext) -> e.Done:
    return prepare_environment(place, effect)


def _revert(place: Place, effect_id: str, effect: e.RevertCommit, _context: EffectContext) -> e.CommitResult:
    return revert_commit(place, effect_id, effect)


def _create(place: Place, _id: str, effect: e.CreateRepository, _context: EffectContext) -> e.Done:
    return create_repository(place, effect)


PERFORM: dict[str, Callable[..., Model]] = {
    "GatherFacts": _gather,
    "CommitFiles": _commit,
    "OpenChange": _open,
    "UpdateChange": _update,
    "PostComment": _comment,
    "React": _react,
    "SetCheck": _check,
    "UpdateBranch": _bring_up,
    "MergeChange": _merge,
    "CreateTag": _tag,
    "RunPipeline": _run,
    "RecordDeployment": _deployed,
    "AnswerDeployment": _answer,
    "PublishRelease": _release,
    "OpenIssue": _issue,
    "LinkIssues": _link,
    "PrepareEnvironment": _environment,
    "RevertCommit": _revert,
    "CreateRepository": _create,
}
