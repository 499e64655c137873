"""What a command's author reads: results, refusals, help, status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain.effect import Button
from bot.domain.model import rfc3339
from bot.domain.release import Release
from bot.domain.trace_state import TraceState
from bot.messages.text import ICONS, code, plain, prose, short, shortened, trace_url

LONGEST_LINE = 200
"""Characters of a person's line that are repeated to them."""


def method(via: str) -> str:
    """How a person approved, in the seeds' words (`method: Studio UI`)."""
    return {"comment": "comment", "api": "API", "cli": "CLI", "button": "button", "studio": "Studio UI"}.get(
        via, via
    )


def buttons() -> tuple[Button, ...]:
    """What a person may press on a verdict's check."""
    return (
        Button(action="approve", label="Approve", description="Sign off this revision, if you may"),
        Button(action="explain", label="Explain", description="Say what is missing, and who can give it"),
        Button(action="reevaluate", label="Re-evaluate", description="Look at everything again"),
    )


def pressed(login: str, line: str) -> str:
    """Above the answer to a button: who pressed it, and what that said."""
    return f"{code(login)} pressed a button that says {code(line)}."


def approved(environment: str, revision: str, login: str, role: str) -> str:
    return f"✅ {code(login)} ({plain(role)}) approved {code(short(revision))} for **{plain(environment)}**."


def already_approved(environment: str, revision: str) -> str:
    return f"You had approved {code(short(revision))} for **{plain(environment)}** already; nothing changed."


def approval_cancelled(environment: str) -> str:
    return f"Your approval for **{plain(environment)}** is taken back."


def nothing_to_cancel(environment: str) -> str:
    return f"You have no approval for {environment} to take back."


def rejected(environment: str, revision: str, login: str, reason: str) -> str:
    return f"❌ {code(login)} rejected {code(short(revision))} for **{plain(environment)}**: {plain(reason)}. A new revision is evaluated afresh."


def freeze_overridden(environment: str, windows: Sequence[tuple[str, Any]], login: str) -> str:
    named = ", ".join(f"{code(name)}" + (f" (until {rfc3339(end)})" if end else "") for name, end in windows)
    return f"🔓 {code(login)} lifted the freeze {named} for this release to **{plain(environment)}** only."


def rolling_back(environment: str, version: str, before: str, login: str) -> str:
    return f"↩️ {code(login)} asked for a rollback of **{plain(environment)}** from {plain(version)} to {plain(before)}; it has begun."


def not_running_here(environment: str, version: str) -> str:
    return f"Version {version} of this change does not run in {environment}: ask on the change whose version runs there."


def nothing_before(environment: str) -> str:
    return f"Nothing ran in {environment} before this version: there is nothing to go back to."


def unknown_version(wanted: str, known: str) -> str:
    return f"Version {wanted} is not the one that ran before; say `to {known}` or leave it out."


def retrying(what: str, revision: str | None) -> str:
    return f"🔁 Trying {what} again for {code(short(revision))}."


def nothing_to_retry() -> str:
    return "Nothing has failed here: there is nothing to try again."


def not_merged_yet(environment: str) -> str:
    return f"The change is not merged yet: only what is merged can be started in {code(environment)}."


def already_deployed(environment: str, version: str) -> str:
    return (
        f"{plain(version)} is deployed to {code(environment)}, or being deployed: there is nothing to start."
    )


def started_by_person(environment: str, version: str) -> str:
    return f"{plain(version)} may start in {code(environment)}, as soon as every other gate holds."


def refused(line: str, reason_code: str, message: str) -> str:
    return f"👎 {code(shortened(line, LONGEST_LINE))} was refused ({reason_code}): {message}"


def not_allowed(login: str, command: str, roles: Sequence[str]) -> str:
    who = " or ".join(roles) if roles else "nobody: the policy gives this right to no role"
    return f"{code(login)} may not use `/{command}`; it takes {who}."


def did_you_mean(name: str, close: str) -> str:
    return f"There is no `/{name}`. Did you mean `/{close}`?"


def edited_comment(login: str) -> str:
    return f"{code(login)}, an edited comment is never executed. Write the command in a new comment."


def policy_broken() -> str:
    return "The policy file `.pointsman/policy.yaml` is missing or broken, so nobody's rights are known. Mend it on the base branch first."


def environment_required(command: str, known: Sequence[str]) -> str:
    return f"Say which environment: `/{command} {'|'.join(known)} ...`."


def unknown_environment(named: str, known: Sequence[str]) -> str:
    looks = "" if named.isascii() else " It is written with characters that only look like others."
    named = shortened(named, LONGEST_LINE)
    return (
        f"There is no environment {code(named)} in the policy; there is {', '.join(known) or 'none'}.{looks}"
    )


def too_many_commands(count: int, most: int) -> str:
    return f"{count} commands in one comment are too many: write at most {most}. None of them was done."


def not_the_release(revision: str, head: str | None) -> str:
    now = f"it is {code(short(head))}" if head else "there is none"
    return f"{code(short(revision))} is not the release under review: {now}."


def observed_only(state: str, message: str) -> str:
    return f"The policy only observes. It would have said {state}: {message}"


def nothing_to_approve() -> str:
    return "Nothing has been evaluated here yet: wait for the check, then approve."


def head_moved(meant: str, head: str) -> str:
    return f"You saw {code(short(meant))}, but the head is {code(short(head))} by now. Look at it, then approve again."


def help_text(login: str, commands: Sequence[tuple[str, str]]) -> str:
    rows = [f"| {code(usage)} | {prose(summary)} |" for usage, summary in commands]
    return "\n".join([f"What {code(login)} may say here:", "", "| command | does |", "|---|---|", *rows])


def status(state: TraceState, base_url: str) -> str:
    """The answer to `/status`."""
    lines = [
        f"Trace [{plain(state.trace_id)}]({trace_url(base_url, state.trace_id)}), step {code(state.flow.state or 'not begun')}."
    ]
    if state.tests and state.head:
        lines.append(f"- tests of {code(short(state.head))}: {state.tests.get(state.head, 'not finished')}")
    lines += [
        f"- {ICONS.get(release.shown_state, '')} **{plain(name)}**: {prose(_said(release))}"
        for name, release in state.releases.items()
    ]
    lines += [
        f"- {plain(name)} deployment of {plain(d.version)}: {d.status}" + (f" at {d.url}" if d.url else "")
        for name, d in state.deployments.items()
    ]
    # A flow says again what an agent has said: once is enough.
    asked = dict.fromkeys(str(said["message"]) for said in state.escalations[-3:])
    lines += [f"- needs a person: {prose(message)}" for message in asked]
    lines += [
        f"- ❓ {prose(task.title)}: {code(f'/resolve-task {name}')}"
        for name, task in state.human_tasks.items()
    ]
    return "\n".join(lines)


def _said(release: Release) -> str:
    """What its verdict comes down to."""
    return str(release.tree.get("message") or f"{release.shown_state} ({release.reason_code})")


def another_change(number: int) -> str:
    return f"This trace is about change #{number}: say it there."


def but_failed_before(environment: str, version: str) -> str:
    return f"But {plain(version)} has failed in **{plain(environment)}**: nothing starts before a `/retry`, or a new version."
