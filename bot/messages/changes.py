"""The body of a change and its pipeline's check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain import payloads as p
from bot.domain.trace_state import TraceState
from bot.messages.beside import issue_lines
from bot.messages.text import GATES_BEGIN, GATES_END, block, code, plain, trace_url

SHOWN = 50
"""Files listed in a change's body; the rest is counted."""


def change_body(state: TraceState, base_url: str) -> str:
    """Body of a change: changelog, affected files, coverage, trace link, gate table's place."""
    commit = state.commit or {}
    changelog = [f"- {plain(entry)}" for entry in commit.get("changelog", ())] or [
        "- " + plain(f"Add {state.module_id} {state.version}")
    ]
    files = list(commit.get("files", ()))
    shown = [f"- {code(name)}" for name in files[:SHOWN]] + (
        [f"- and {len(files) - SHOWN} more"] if len(files) > SHOWN else []
    )
    coverage = (state.runs.get((state.change or {}).get("head", "")) or {}).get("coverage")
    return "\n".join(
        [
            "### Changelog",
            # Forges make the anchor of a heading from its text: the `Changelog:` trailer points here.
            f"#### {plain(state.module_id)} {plain(state.version)}",
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
            *_started_by(commit),
            *issue_lines(state.module.get("issues", ()), closes=bool(state.module.get("closeIssues"))),
            "### Trace",
            f"[{plain(state.trace_id)}]({trace_url(base_url, state.trace_id)})",
            "",
            GATES_BEGIN,
            "The gates are in the comment below, kept up to date.",
            GATES_END,
        ]
    )


def _started_by(commit: dict[str, Any]) -> list[str]:
    """The start command is not among the files, and whoever approves signs it too."""
    service = commit.get("service") or {}
    words = " ".join(service.get("command", ()))
    settings = [f"- {code(f'{name}={value}')}" for name, value in service.get("environment", {}).items()]
    return ["### Started by", code(words), *settings, ""] if words else []


def pipeline_title(run: p.PipelineFinished) -> str:
    """One line for the pipeline's check."""
    failed = [job.name for job in run.jobs if job.status == "failed" and not job.allow_failure]
    if run.status == "success" and not failed:
        return "Passed" + (f", coverage {run.coverage:.0f} %" if run.coverage is not None else "")
    return "Failed: " + (", ".join(failed) or run.reason or run.status)


def pipeline_summary(run: p.PipelineFinished) -> str:
    """Jobs with their stage and result; of failed ones the end of what they printed."""
    rows = [
        f"| {plain(job.stage)} | {plain(job.name)} | {plain(job.status)} | {job.duration_s:.1f} s |"
        for job in run.jobs
    ]
    table = ["| stage | job | result | took |", "|---|---|---|---|", *rows] if rows else []
    tails = [_tail(job) for job in run.jobs if job.status == "failed" and job.log_tail]
    return "\n".join([*([plain(run.reason), ""] if run.reason else []), *table, *tails])


def _tail(job: p.Job) -> str:
    return f"\n**{plain(job.name)}** ended with\n\n{block(job.log_tail)}"


def pipeline_commit(module: str, notes: Sequence[str]) -> str:
    """Subject, and in the body what was done to files of a person's."""
    return "\n".join(
        [f"ci: generate the pipeline of {module}", *([""] if notes else []), *(f"- {note}" for note in notes)]
    )


def jobs_left_out(names: Sequence[str]) -> str:
    """A run that succeeded without the jobs that count."""
    return f"The run left out {', '.join(names)}: its pipeline is not the one of this module"
