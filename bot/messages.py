"""Every sentence a person reads in a comment, a check or a notification. Pure text; Markdown where a forge shows it.

Rule of the house: say what is so, then what to do next, in the fewest words. Names of people and files are data: they pass
through `code` or `plain`, so that a title can not become markup and a login can not become a mention.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain import payloads as p
from bot.domain.model import rfc3339
from bot.domain.trace import TraceState

BOT = "pointsman[bot]"
PIPELINE_CHECK = "pointsman/pipeline"
ICONS = {"approved": "✅", "delayed": "⏳", "rejected": "❌", "skipped": "➖"}
GATES_BEGIN, GATES_END = "<!-- pointsman:gates -->", "<!-- /pointsman:gates -->"


def code(text: str) -> str:
    """Text shown as it is: no markup, no mention, no line break."""
    return "`" + re.sub(r"\s+", " ", text.replace("`", "ʼ")).strip() + "`"


def plain(text: str) -> str:
    """Text of a person inside a sentence: markup, HTML and mentions defused."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", re.sub(r"\s+", " ", text)).replace("@", "@\u2060").strip()


def short(revision: str | None) -> str:
    """The first ten digits of a sha."""
    return (revision or "")[:10]


def check_name(environment: str) -> str:
    """The stable name of an environment's check."""
    return f"pointsman/release: {environment}"


def trace_url(base_url: str, trace_id: str) -> str:
    """Studio's page of a trace."""
    return f"{base_url}/traces/{trace_id}"


# -- verdicts ------------------------------------------------------------------------------------------------------------


def verdict_title(tree: Mapping[str, Any]) -> str:
    """One line for a check: the state and the first thing that is missing."""
    return f"{tree['state'].capitalize()}: {tree['message']}"


def verdict_lines(tree: Mapping[str, Any], depth: int = 0) -> list[str]:
    """The tree as a Markdown list: icon, name, sentence, who can help, when it changes."""
    extra = []
    if tree["state"] in {"delayed", "rejected"} and not tree.get("children"):
        if tree.get("who_can"):
            extra.append("Can help: " + ", ".join(code(who) for who in tree["who_can"]) + ".")
        if tree.get("next_change_at"):
            extra.append(f"Changes at {tree['next_change_at']}.")
    said = " ".join([plain(tree["message"]), *extra])
    line = f"{'  ' * depth}- {ICONS[tree['state']]} **{plain(tree['name'])}**: {said}"
    return [
        line,
        *(inner for child in tree.get("children") or () for inner in verdict_lines(child, depth + 1)),
    ]


def verdict_markdown(tree: Mapping[str, Any]) -> str:
    """The whole tree, for a check's summary and for `/explain`."""
    return "\n".join(line for child in tree.get("children") or [tree] for line in verdict_lines(child))


def explained(environment: str, tree: Mapping[str, Any]) -> str:
    """The answer to `/explain`."""
    return f"{ICONS[tree['state']]} **{plain(environment)}** is {tree['state']}: {plain(tree['message'])}\n\n{verdict_markdown(tree)}"


def sticky(state: TraceState, trees: Mapping[str, Mapping[str, Any]], base_url: str) -> str:
    """The one comment on a change: what each environment waits for, and where to read more."""
    head = f"### Release of {code(state.module_id or state.repository)} {plain(state.version)}".rstrip()
    blocks = [
        f"{ICONS[t['state']]} **{plain(name)}** is {t['state']}: {plain(t['message'])}\n\n{verdict_markdown(t)}"
        for name, t in trees.items()
    ]
    foot = (
        f"Revision {code(short(state.head))} · [trace {plain(state.trace_id)}]({trace_url(base_url, state.trace_id)}) · "
        "`/help` lists what you may do here"
    )
    return "\n\n".join([head, *blocks, foot])


# -- change --------------------------------------------------------------------------------------------------------------


def change_body(state: TraceState, base_url: str) -> str:
    """Body of a change: changelog, affected files, coverage, trace link, gate table's place."""
    commit = state.commit or {}
    changelog = [f"- {plain(entry)}" for entry in commit.get("changelog", ())] or [
        "- " + plain(f"Add {state.module_id} {state.version}")
    ]
    files = list(commit.get("files", ()))
    shown = [f"- {code(name)}" for name in files[:50]] + (
        [f"- and {len(files) - 50} more"] if len(files) > 50 else []
    )
    coverage = (state.runs.get((state.change or {}).get("head", "")) or {}).get("coverage")
    return "\n".join(
        [
            f"### Changelog\n{_anchor(state)}",
            *changelog,
            "",
            f"### Affected files ({len(files)})",
            *shown,
            "",
            "### Test coverage",
            f"{coverage:.0f} %"
            if coverage is not None
            else "Not measured yet: the pipeline has not finished.",
            "",
            "### Trace",
            f"[{plain(state.trace_id)}]({trace_url(base_url, state.trace_id)})",
            "",
            GATES_BEGIN,
            "The gates are in the comment below, kept up to date.",
            GATES_END,
        ]
    )


def _anchor(state: TraceState) -> str:
    return f'<a id="{re.sub(r"[^a-z0-9-]", "", f"{state.module_id}-{state.version}".lower())}"></a>'


def pipeline_title(run: p.PipelineFinished) -> str:
    """One line for the pipeline's check."""
    failed = [job.name for job in run.jobs if job.status == "failed" and not job.allow_failure]
    if run.status == "success" and not failed:
        return "Passed" + (f", coverage {run.coverage:.0f} %" if run.coverage is not None else "")
    return "Failed: " + (", ".join(failed) or run.reason or run.status)


def pipeline_summary(run: p.PipelineFinished) -> str:
    """Jobs with their stage and result."""
    rows = [
        f"| {plain(job.stage)} | {plain(job.name)} | {plain(job.status)} | {job.duration_s:.1f} s |"
        for job in run.jobs
    ]
    table = ["| stage | job | result | took |", "|---|---|---|---|", *rows] if rows else []
    return "\n".join([*([plain(run.reason), ""] if run.reason else []), *table])


# -- answers to commands -------------------------------------------------------------------------------------------------


def method(via: str) -> str:
    """How a person approved, in the seeds' words (`method: Studio UI`)."""
    return {"comment": "comment", "api": "API", "cli": "CLI", "studio": "Studio UI"}.get(via, via)


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


def refused(line: str, reason_code: str, message: str) -> str:
    return f"👎 {code(line)} was refused ({reason_code}): {message}"


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
    return f"There is no environment {code(named)} in the policy; there is {', '.join(known) or 'none'}."


def nothing_to_approve() -> str:
    return "Nothing has been evaluated here yet: wait for the check, then approve."


def head_moved(meant: str, head: str) -> str:
    return f"You saw {code(short(meant))}, but the head is {code(short(head))} by now. Look at it, then approve again."


def help_text(login: str, commands: Sequence[tuple[str, str]]) -> str:
    rows = [f"| {code(usage)} | {plain(summary)} |" for usage, summary in commands]
    return "\n".join([f"What {code(login)} may say here:", "", "| command | does |", "|---|---|", *rows])


def status(state: TraceState, base_url: str) -> str:
    """The answer to `/status`."""
    lines = [
        f"Trace [{plain(state.trace_id)}]({trace_url(base_url, state.trace_id)}), step {code(state.flow.state or 'not begun')}."
    ]
    if state.tests and state.head:
        lines.append(f"- tests of {code(short(state.head))}: {state.tests.get(state.head, 'not finished')}")
    lines += [
        f"- {plain(name)}: {release.shown_state} ({release.reason_code})"
        for name, release in state.releases.items()
    ]
    lines += [
        f"- {plain(name)} deployment of {plain(d.version)}: {d.status}" + (f" at {d.url}" if d.url else "")
        for name, d in state.deployments.items()
    ]
    lines += [f"- needs a person: {plain(said['message'])}" for said in state.escalations[-3:]]
    return "\n".join(lines)


# -- what agents say when they refuse ------------------------------------------------------------------------------------


def secret_found(path: str, line: int, kind: str) -> str:
    return (
        f"{path}:{line} holds what looks like a secret ({kind}). Nothing was committed. Take it out, change it where it is in "
        "use, and refer to it as @vault:NAME."
    )


def bot_cannot_write(repository: str) -> str:
    return f"The bot may not push to {repository}. Give its account write access, then /retry."


def submitter_cannot_write(login: str, repository: str) -> str:
    return f"{login} may not write to {repository}, so the bot does not do it for them. Ask someone with write access to submit."


def repository_empty(repository: str, branch: str) -> str:
    return (
        f"{repository} has no commit on {branch} yet. Push a first commit (a README is enough), then /retry."
    )


def agent_branch_name(branch: str) -> str:
    return f"The branch {branch} does not name a module: push to agent/<module>/<version>, for example agent/booking-service/1.0.0."


def nothing_committed() -> str:
    return "There is no commit to open a change for."


def target_branch(target: str, default: str) -> str:
    return f"Changes go to {default} here; {target} is not a branch that releases start from."


def changelog_invalid(entry: str) -> str:
    return f"A changelog entry is one line of 2 to 200 characters; this one is not: {entry[:60]!r}."


def effect_failed(effect: str, attempt: int, message: str) -> str:
    return f"{effect} failed after {attempt} attempt{'s' if attempt != 1 else ''}: {message}"


def new_revision(head: str) -> str:
    return f"the head is {short(head)} now"


def nothing_approved() -> str:
    return "No environment is approved for deployment."


def rolled_back_before(environment: str, version: str) -> str:
    return f"{version} was rolled back in {environment}; automation does not deploy it there again. Submit a new version."


def not_provisioned(environment: str) -> str:
    return f"{environment} has no namespace for this module yet. /retry once the cloud-provisioner is done."


def rollback_not_allowed(environment: str, version: str, reason: str) -> str:
    return f"{version} is not healthy in {environment} ({reason}) and the policy forbids an automatic rollback. Use /request-rollback {environment}."


def rolled_back(version: str, before: str) -> str:
    return f"{version} did not become healthy; {before} runs again."


def rollback_failed(version: str, reason: str) -> str:
    return f"{version} did not become healthy and nothing good runs now: {reason or 'nothing was running before'}."
