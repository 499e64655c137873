"""Code Committer: commits generated code with trace metadata, or says exactly why not (seed 003, agent 1).

CommitModule: ask for facts -> check rights, paths, sizes, secrets, message -> one commit on
`feature/<module>/<sprint-or-trace>`
-> `CommitReady`.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from bot import messages
from bot.domain import payloads as p
from bot.domain import secrets, submission
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import CommitFiles, CommitResult, GatherFacts
from bot.domain.errors import Invalid
from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.domain.view import View
from handlers.declare import done, facts, on, skill
from handlers.tasks import failed, running
from policies.authorise import Asker, Needs, may

AGENT = "code-committer"
AGENT_BRANCHES = "agent/"
CHANGELOG_ENTRY = re.compile(r"\S.{0,198}\S")


def branch_of(state: TraceState) -> str:
    """`feature/<module>/<sprint-or-trace>` (domain.md, trace linkage); once committed, where that was."""
    wanted = f"feature/{state.module_id}/{state.module.get('sprintId') or state.trace_id}"
    return str((state.commit or {}).get("branch", wanted))


def own_branch(state: TraceState, head: str | None) -> str:
    """The same, but not the sprint's when another trace, or a person, has that branch already."""
    taken = state.commit is None and head is not None
    return f"feature/{state.module_id}/{state.trace_id}" if taken else branch_of(state)


def check_module(module: p.ModuleGenerated) -> None:
    """Everything that can be said of submitted files without asking the forge. Raises Invalid with the
    field's path.

    Called when files are submitted over HTTP (422 before anything is stored) and again before they are
    committed.
    """
    submission.check(module.files, path=module.path)
    for index, entry in enumerate(module.changelog):
        if not CHANGELOG_ENTRY.fullmatch(entry):
            raise Invalid("ChangelogInvalid", messages.changelog_invalid(entry), path=f"changelog[{index}]")
    for index, file in enumerate(module.files):
        text = submission.text_of(file)
        found = secrets.scan(file.path, text) if text else []
        if found:
            message = messages.secret_found(file.path, found[0].line, found[0].kind)
            raise Invalid("SecretFound", message, path=f"files[{index}].content")


def subject(module: p.ModuleGenerated) -> str:
    """The Conventional Commits subject of a module's commit."""
    return f"{module.change_type}: {module.summary or f'add {module.module_id} {module.version}'}"


@on("Pushed")
def on_agent_push(event: Event, view: View) -> Decision:
    """A push to `agent/**` by anyone but the bot submits its files; so does the next, until the release."""
    pushed = read(event, p.Pushed)
    if not pushed.branch.startswith(AGENT_BRANCHES) or event.actor == messages.BOT or view.state.published:
        return NOTHING
    return do(
        GatherFacts(
            target=view.state.forge,
            repository=pushed.repository,
            purpose="agent-push",
            correlation=event.id,
            branch=pushed.branch,
            tree_of=pushed.after,
            actors=(pushed.pusher,),
            agent_id=AGENT,
        )
    )


@facts("agent-push")
def submit_agent_push(gathered: p.FactsGathered, view: View) -> Decision:
    """Turn the files of an agent's branch into `ModuleGenerated`; `agent/<module>[/<version>]` names the
    module.
    """
    event = view.find(gathered.correlation)  # the push that was asked about
    if event is None or not gathered.tree:
        return NOTHING
    pushed = read(event, p.Pushed)
    branch = pushed.branch
    module, _, version = branch.removeprefix(AGENT_BRANCHES).partition("/")
    try:
        generated = p.ModuleGenerated(
            repository=gathered.repository,
            forge=view.state.forge,
            module_id=module,
            version=version or "0.1.0",
            files=gathered.tree,
            branch=branch,
            revision=pushed.after,
            target_branch=gathered.default_branch,
        )
    except ValueError:
        return record(
            draft(
                "ManualInterventionRequired",
                p.Intervention(
                    reason_code="InvalidPayload",
                    message=messages.agent_branch_name(branch),
                    role="DevOpsEngineer",
                ),
            )
        )
    pusher = next(iter(gathered.actors), None)
    return record(draft("ModuleGenerated", generated, actor=pusher, agent_id=AGENT))


@on("ModuleGenerated")
def on_foreign_module(event: Event, view: View) -> Decision:
    """Say when a submission was not taken in, and by which rule."""
    if view.state.module_event == event.id:
        return NOTHING
    message = messages.module_not_accepted(view.state.module_id, view.state.submitter or "its submitter")
    told = p.Intervention(reason_code="ModuleNotAccepted", message=message, role="DevOpsEngineer")
    return record(draft("ManualInterventionRequired", told, actor=event.actor))


@skill(AGENT, "CommitModule")
def commit_module(task: p.TaskScheduled, view: View) -> Decision:
    """Ask what the forge says of the repository and of whoever submitted the module."""
    return do(asking(task, view, "module"))


def asking(task: p.TaskScheduled, view: View, purpose: str) -> GatherFacts:
    """What is asked before a module is committed."""
    state = view.state
    return GatherFacts(
        target=state.forge,
        repository=state.repository,
        purpose=purpose,
        correlation=task.task_id,
        task_id=task.task_id,
        agent_id=AGENT,
        branch=branch_of(state),
        actors=(state.submitter,) if state.submitter else (),
    )


@facts("module", "new-module")
def commit(gathered: p.FactsGathered, view: View) -> Decision:
    """Commit when everything is in order; otherwise the task fails with a stable reason."""
    task = running(view, AGENT, gathered.correlation)
    event = view.find(view.state.module_event or "")
    if task is None or event is None:
        return NOTHING
    module = read(event, p.ModuleGenerated)
    try:
        _check_rights(gathered, module, view.state.submitter)
        check_module(module)
        submission.check_message(subject(module))
    except Invalid as error:
        return failed(task, error.reason_code, error.message)
    branch = own_branch(view.state, gathered.branch_head)
    looked_at = branch == branch_of(view.state)
    return do(
        CommitFiles(
            target=view.state.forge,
            repository=view.state.repository,
            purpose="module",
            task_id=task.task_id,
            agent_id=AGENT,
            branch=branch,
            base=module.target_branch,
            files_from=event.id,
            prefix=module.path,
            clean=bool(module.path),
            message=_message(module),
            trailers=trailers(view.state, AGENT, "CommitModule"),
            expected_head=gathered.branch_head if looked_at else None,
            fresh=looked_at and gathered.branch_head is None,
        )
    )


def _check_rights(gathered: p.FactsGathered, module: p.ModuleGenerated, submitter: str | None) -> None:
    if not gathered.can_write:
        raise Invalid(
            "RepositoryAccessDenied", messages.bot_cannot_write(module.repository), path="repository"
        )
    if gathered.default_head is None:
        raise Invalid(
            "RepositoryEmpty",
            messages.repository_empty(module.repository, module.target_branch),
            path="repository",
        )
    person = gathered.actors.get(submitter or "")
    if gathered.purpose == "module" and person and not may(Asker(person), Needs(level="write")):
        raise Invalid(
            "RepositoryAccessDenied",
            messages.submitter_cannot_write(person.login, module.repository),
            path="repository",
        )


def _message(module: p.ModuleGenerated) -> str:
    lines = [f"- {entry}" for entry in module.changelog]
    return "\n".join([subject(module), "", *lines]).strip()


def trailers(
    state: TraceState, agent: str, skill: str | None = None, session_id: str | None = None
) -> dict[str, str]:
    """The trailers that let the whole trail be rebuilt from Git alone."""
    module = state.module
    return submission.trailers(
        trace_id=state.trace_id,
        module_id=state.module_id,
        version=state.module.get("version", state.version),
        agent_id=agent,
        skill_id=skill,
        session_id=session_id,
        sprint_id=module.get("sprintId"),
        milestone_id=module.get("milestoneId"),
        feature_id=module.get("featureId"),
    )


def end_approvals(
    state: TraceState, head: str, reason: str, *, kept: Collection[str | None] = (), agent: str = AGENT
) -> Decision:
    """End every approval that stands, but those of the revisions `kept`: what its author saw is not what
    would be released.
    """
    return record(
        *(
            draft(
                "ApprovalInvalidated",
                p.ApprovalInvalidated(
                    environment=a.environment,
                    revision=a.revision,
                    approver=a.approver,
                    new_revision=head,
                    reason=reason,
                ),
                environment=a.environment,
                agent_id=agent,
            )
            for a in state.approvals
            if not a.ended and a.revision not in kept
        )
    )


@done("CommitFiles", "module")
def committed(action: p.ActionCompleted, view: View) -> Decision:
    """State the fact that the pull-request-creator waits for."""
    result = CommitResult.model_validate(action.result)
    state = view.state
    ready = p.CommitReady(
        repository=state.repository,
        branch=result.branch,
        sha=result.sha,
        tree=result.tree,
        parent=result.parent,
        module_id=state.module_id,
        version=state.module.get("version", state.version),
        message=action.request.get("message", ""),
        changelog=tuple(state.module.get("changelog", ())),
        files=result.files,
        signed=result.signed,
        committed_at=result.committed_at,
        path=state.module.get("path", ""),
        service=state.module.get("service"),
    )
    said = draft("CommitReady", ready, agent_id=AGENT, skill_id="CommitModule", task_id=action.task_id)
    bound = ("path", "service")
    before = {name: state.commit.get(name) for name in bound} if state.commit else None
    changed = before is not None and before != {name: said.data.get(name) for name in bound}
    ended = end_approvals(state, result.sha, messages.service_changed()) if changed else NOTHING
    return record(said) + ended
