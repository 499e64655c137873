"""Pull Request Creator: one trace-linked change per trace and branch (seed 003, agent 2)."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import ChangeResult, GatherFacts, OpenChange, UpdateChange
from bot.domain.event import Event
from bot.domain.view import View
from handlers.declare import done, facts, on, skill
from handlers.tasks import failed, running

AGENT = "pull-request-creator"


def title(view: View) -> str:
    """`feat: add booking-service for trace-1234`."""
    state = view.state
    kind = state.module.get("changeType", "feat")
    what = state.module.get("summary") or f"add {state.module_id}"
    return f"{kind}: {what} for {state.trace_id}"


@skill(AGENT, "CreatePullRequest")
def create_pull_request(task: p.TaskScheduled, view: View) -> Decision:
    """Look at the repository again: the target branch must be there, an open change must not be."""
    state = view.state
    commit = state.commit
    if commit is None:
        return failed(task, "NothingCommitted", messages.nothing_committed())
    return do(
        GatherFacts(
            target=state.forge,
            repository=state.repository,
            purpose="change",
            correlation=task.task_id,
            task_id=task.task_id,
            agent_id=AGENT,
            branch=commit["branch"],
        )
    )


@facts("change")
def open_change(gathered: p.FactsGathered, view: View) -> Decision:
    """Validate target branch and changelog, then open the change (or find the open one)."""
    task = running(view, AGENT, gathered.correlation)
    commit = view.state.commit
    if task is None or commit is None:
        return NOTHING
    target = view.state.module.get("targetBranch", gathered.default_branch)
    if target != gathered.default_branch:
        return failed(task, "TargetBranchRefused", messages.target_branch(target, gathered.default_branch))
    return do(
        OpenChange(
            target=view.state.forge,
            repository=view.state.repository,
            purpose="change",
            task_id=task.task_id,
            agent_id=AGENT,
            source=commit["branch"],
            target_branch=target,
            title=title(view),
            body=messages.change_body(view.state, view.base_url),
            labels=(f"trace:{view.state.trace_id}",),
        )
    )


@done("OpenChange", "change")
def opened(action: p.ActionCompleted, view: View) -> Decision:
    """State the fact that the devops-engineer waits for."""
    result = ChangeResult.model_validate(action.result)
    state = view.state
    commit = state.commit or {}
    created = p.PullRequestCreated(
        repository=state.repository,
        number=result.number,
        url=result.url,
        title=action.request.get("title", ""),
        source=action.request.get("source", ""),
        target=action.request.get("targetBranch", ""),
        head=result.head,
        changelog=tuple(commit.get("changelog", ())),
        files=tuple(commit.get("files", ())),
    )
    return record(
        draft(
            "PullRequestCreated",
            created,
            agent_id=AGENT,
            skill_id="CreatePullRequest",
            task_id=action.task_id,
        )
    )


@on("TestsPassed", "TestsFailed")
def refresh_body(event: Event, view: View) -> Decision:
    """Bring the coverage in the body up to date once per pipeline result of the head."""
    tests = read(event, p.Tests)
    change = view.state.change
    if (
        change is None
        or change.get("state") != "open"
        or tests.revision != change.get("head")
        or not view.state.commit
    ):
        return NOTHING
    return do(
        UpdateChange(
            target=view.state.forge,
            repository=view.state.repository,
            purpose="body",
            agent_id=AGENT,
            change=change["number"],
            body=messages.change_body(view.state, view.base_url),
        )
    )
