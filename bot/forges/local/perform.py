"""Doing effects on the embedded forge: one function per kind, each looking first for what is done."""

from __future__ import annotations

from collections.abc import Callable

from sqlmodel import select

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent, Retryable
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.local import changes, comments, history, pipelines, read, records
from bot.forges.local.changes import Impossible
from bot.forges.local.commit_files import commit_files
from bot.forges.local.environments import prepare_environment
from bot.forges.local.git import GitFailed
from bot.forges.local.ground import Ground, Missing
from bot.forges.local.link_issues import link_issues, open_issue
from bot.forges.local.merge import Wish, merge
from bot.forges.local.new_repository import create_repository
from bot.forges.local.revert import revert_commit
from bot.forges.local.tables import ForgePipeline
from bot.forges.local.tags import create_tag, publish_release
from bot.forges.local.telling import get_change
from bot.forges.local.update_branch import update_branch
from bot.forges.port import same_target

MARK = "<!-- pointsman:sticky:{} -->"
PENDING = {"RequiredCheckPending"}


def perform(ground: Ground, effect_id: str, effect: e.Effect, context: EffectContext) -> Model:
    """The result model of the effect's kind. Raises Retryable or Permanent."""
    # Another tenant learns nothing, not even which repositories there are.
    if context.tenant_id != ground.settings.tenant:
        raise Permanent("NotFound", f"there is no repository {effect.repository!r}")
    function = PERFORM.get(effect.kind)
    if function is None:
        raise Permanent("UnknownEffect", f"the embedded forge does not know {effect.kind}")
    try:
        return function(ground, effect_id, effect, context)
    except Impossible as error:
        if error.code in PENDING:
            raise Retryable(error.message) from error
        raise Permanent(error.code, error.message) from error
    except Missing as error:
        raise Permanent("NotFound", str(error.args[0] if error.args else error)) from error
    except GitFailed as error:
        raise Retryable(str(error)) from error


def gather_facts(
    ground: Ground, _effect_id: str, effect: e.GatherFacts, _context: EffectContext
) -> p.FactsGathered:
    """Read what a decision wants to know."""
    return read.gather(ground, effect)


def open_change(
    ground: Ground, _effect_id: str, effect: e.OpenChange, _context: EffectContext
) -> e.ChangeResult:
    """Open a change, or find the open one."""
    wanted = changes.Proposal(effect.source, effect.target_branch, effect.title, effect.body, effect.labels)
    change, created = changes.open_change(ground, effect.repository, wanted, login=ground.settings.bot_login)
    url = ground.change_url(change.repository, change.number)
    return e.ChangeResult(number=change.number, url=url, head=change.head, created=created)


def update_change(ground: Ground, _effect_id: str, effect: e.UpdateChange, _context: EffectContext) -> e.Done:
    """Title, body, labels, then state."""
    login, number = ground.settings.bot_login, effect.change
    if effect.title is not None or effect.body is not None:
        changes.edit(ground, effect.repository, number, login=login, title=effect.title, body=effect.body)
    if effect.add_labels or effect.remove_labels:
        changes.label(
            ground, effect.repository, number, login=login, add=effect.add_labels, remove=effect.remove_labels
        )
    if effect.state is not None:
        changes.set_state(ground, effect.repository, number, effect.state, login=login)
    with ground.read() as session:
        get_change(session, effect.repository, number)
    return e.Done(id=str(number), url=ground.change_url(effect.repository, number))


def post_comment(
    ground: Ground, effect_id: str, effect: e.PostComment, _context: EffectContext
) -> e.CommentResult:
    """Write a comment once; a sticky one is edited in place."""
    body = f"{effect.body}\n\n{MARK.format(effect.sticky)}" if effect.sticky else effect.body
    once = None if effect.sticky else effect_id
    words = comments.Words(body, mark=effect.sticky, reply_to=effect.reply_to, effect_id=once)
    written = comments.comment(
        ground, effect.repository, effect.change, words, login=ground.settings.bot_login
    )
    url = f"{ground.change_url(effect.repository, effect.change)}#comment-{written.id}"
    return e.CommentResult(comment_id=str(written.id), url=url)


def react(ground: Ground, _effect_id: str, effect: e.React, _context: EffectContext) -> e.Done:
    """A reaction is there or is not."""
    comments.react(
        ground, effect.repository, effect.comment_id, effect.reaction, login=ground.settings.bot_login
    )
    return e.Done(id=effect.comment_id)


def set_check(ground: Ground, _effect_id: str, effect: e.SetCheck, _context: EffectContext) -> e.CheckResult:
    """Checks are told apart by name and revision."""
    check = records.set_check(
        ground, effect.repository, records.CheckSaid.of(effect), login=ground.settings.bot_login
    )
    return e.CheckResult(check_id=str(check.id), url=check.url)


def merge_change(
    ground: Ground, effect_id: str, effect: e.MergeChange, _context: EffectContext
) -> e.MergeResult:
    """The change's own row tells whether it is merged."""
    with ground.read() as session:
        known = get_change(session, effect.repository, effect.change)
    if known.state == "open":
        same_target(effect, known.target)
    wish = Wish(
        effect.repository,
        effect.change,
        effect.expected_head,
        effect.method,
        effect.message,
        {**effect.trailers, "Effect-Id": effect_id},
        effect.up_to_date,
    )
    merged = merge(ground, wish, login=ground.settings.bot_login)
    if merged.merge_sha is None:
        raise Retryable(f"{merged.target} moved while change {merged.number} was being merged")
    return e.MergeResult(sha=merged.merge_sha, tree=merged.tree, head_tree=merged.head_tree)


def run_pipeline(
    ground: Ground, effect_id: str, effect: e.RunPipeline, _context: EffectContext
) -> e.PipelineResult:
    """One more run for each effect."""
    folder = ground.folder(effect.repository)
    if not folder.is_dir() or history.resolve(folder, effect.revision) is None:
        raise Permanent("RevisionMissing", f"there is no revision {effect.revision} in {effect.repository}")
    if history.read(folder, effect.revision, pipelines.FILE) is None:
        raise Permanent("NoPipeline", f"{effect.revision[:12]} has no {pipelines.FILE}")
    with ground.write() as session:
        run_ = session.scalars(select(ForgePipeline).where(ForgePipeline.effect_id == effect_id)).first()
        asked = pipelines.Asked(
            f"refs/heads/{effect.branch}",
            effect.revision,
            ground.settings.bot_login,
            effect.variables,
            effect_id,
        )
        run_ = run_ or pipelines.queue_again(ground, session, effect.repository, asked)
        number = run_.id
    return e.PipelineResult(pipeline_id=str(number), url=ground.pipeline_url(effect.repository, number))


def record_deployment(
    ground: Ground, effect_id: str, effect: e.RecordDeployment, _context: EffectContext
) -> e.Done:
    """One line for each effect."""
    said = records.DeploymentSaid.of(effect, effect_id)
    deployment = records.record_deployment(ground, effect.repository, said, login=ground.settings.bot_login)
    return e.Done(id=str(deployment.id), url=deployment.url)


PERFORM: dict[str, Callable[..., Model]] = {
    "GatherFacts": gather_facts,
    "CommitFiles": commit_files,
    "OpenChange": open_change,
    "UpdateChange": update_change,
    "PostComment": post_comment,
    "React": react,
    "SetCheck": set_check,
    "UpdateBranch": update_branch,
    "MergeChange": merge_change,
    "CreateTag": create_tag,
    "RunPipeline": run_pipeline,
    "RecordDeployment": record_deployment,
    "PublishRelease": publish_release,
    "OpenIssue": open_issue,
    "LinkIssues": link_issues,
    "PrepareEnvironment": prepare_environment,
    "RevertCommit": revert_commit,
    "CreateRepository": create_repository,
}
