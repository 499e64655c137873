"""What the bot writes beside a change: notes of a release, issues, links to them, a repository's mark."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import payloads as p
from bot.domain.release import Approval
from bot.domain.trace_state import TraceState
from bot.messages.text import block, code, plain, prose, short, trace_url

TAIL = 4000
"""Characters of a log's end that an issue shows."""


def release_title(module_id: str, version: str) -> str:
    return f"{module_id} {version}"


def release_notes(
    state: TraceState, released: p.ReleaseVerdict, approvals: Sequence[Approval], base_url: str
) -> str:
    """Markdown: what is new, who approved it, where everything about it is written."""
    commit, change = state.commit or {}, state.change or {}
    entries = commit.get("changelog") or (f"{released.module_id} {released.version}",)
    said = list(dict.fromkeys(_approved(approval) for approval in approvals))
    number = f"Change #{change['number']}, r" if change.get("number") else "R"
    link = f"[{plain(state.trace_id)}]({trace_url(base_url, state.trace_id)})"
    return "\n".join(
        [
            "### Changes",
            *(f"- {plain(entry)}" for entry in entries),
            "",
            "### Approved by",
            *(said or ["Nobody was asked: the policy wants no approval."]),
            "",
            f"{number}evision {code(short(released.revision))}. Trace: {link}",
        ]
    )


def _approved(approval: Approval) -> str:
    why = f": {plain(approval.comment)}" if approval.comment else ""
    where = f" for **{plain(approval.environment)}**" if approval.environment else ""
    return f"- {code(approval.approver)} ({plain(approval.role)}){where}{why}"


def rolled_back_title(module_id: str, version: str, environment: str) -> str:
    return f"{module_id} {version} was rolled back in {environment}"


def given_up_title(module_id: str, version: str, environment: str) -> str:
    return f"{module_id} {version} could not be deployed to {environment}"


def rollback_issue(state: TraceState, rollback: p.RollbackTriggered, base_url: str) -> str:
    """What failed, the end of its log, what to do."""
    who = f"{code(rollback.by)} had it rolled back" if rollback.by else "The bot rolled it back"
    now = (
        f"{plain(rollback.to_version)} runs again"
        if rollback.to_version
        else "nothing runs there now, as nothing good ran before"
    )
    return _issue(
        f"{who}; {now}. {prose(rollback.reason)}",
        rollback.log_tail,
        "Repair it and submit a new version. To try the same one again, write `/retry` on its change.",
        state,
        base_url,
    )


def failure_issue(state: TraceState, ended: p.DeploymentEnded, base_url: str) -> str:
    """The same for a deployment that nothing was put in the place of."""
    back = " The rollback failed as well." if ended.rollback == "failed" else " It was not rolled back."
    return _issue(
        f"{prose(ended.reason)}{back}",
        ended.log_tail,
        f"Look at what runs in **{plain(ended.environment)}** now. Then repair it and submit a new version, "
        "or write `/retry` on its change.",
        state,
        base_url,
    )


def _issue(what: str, tail: str, then: str, state: TraceState, base_url: str) -> str:
    log = ["", "The end of its log:", "", block(tail[-TAIL:])] if tail else []
    number = (state.change or {}).get("number")
    change = f"Change #{number}. " if number else ""
    link = f"[{plain(state.trace_id)}]({trace_url(base_url, state.trace_id)})"
    return "\n".join([what, *log, "", then, "", f"{change}Trace: {link}"])


def issue_lines(references: Sequence[str], *, closes: bool) -> list[str]:
    """The part of a change's description that says what it is about, in words that forges act on."""
    word = "Closes" if closes else "About"
    return ["### Issues", *(f"- {word} {reference}" for reference in references), ""] if references else []


def made_for(trace_id: str) -> str:
    """By this mark in its description a repository is known to be the bot's work, for this trace."""
    return f"pointsman:{trace_id}"


def creation_refused(repository: str, place: str) -> str:
    return (
        f"There is no repository {repository}, and it may not be made. Make it by hand, or have the operator "
        f"add {place} to POINTSMAN_CREATE_REPOSITORIES_IN."
    )
