"""What people read about pipelines written anew, infrastructure, and questions that agents ask them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import payloads as p
from bot.messages.text import code, plain


def pipeline_wanted(template: str) -> str:
    return f"🛠️ The pipeline is written from {code(template)} again; where it differs, a commit follows."


def no_module() -> str:
    return "This change was not submitted as a module, so its pipeline is its author's own."


def no_open_change() -> str:
    return "A pipeline is changed on an open change, and there is none."


def pipeline_being_made() -> str:
    return "The pipeline is being made right now: wait for its commit."


def unknown_template(named: str, known: Sequence[str]) -> str:
    return f"There is no template {code(named)}; there is {', '.join(known)}."


def pipeline_not_written(message: str) -> str:
    return f"The pipeline could not be written again: {message}"


def provisioning(environment: str, login: str) -> str:
    return f"🏗️ {code(login)} has the infrastructure of **{plain(environment)}** made."


def provisioned_already(environment: str, namespace: str) -> str:
    return f"Nothing waits: {environment} is provisioned as {code(namespace)}."


def provisioning_now(environment: str) -> str:
    return f"Nothing waits: {environment} is being provisioned."


def no_plan(environment: str) -> str:
    return f"Nothing waits: no infrastructure was asked for {environment}."


def asked(task: p.HumanTask) -> str:
    """The comment that asks a person."""
    answer = "|".join(task.options) or "<answer>"
    who = f"It takes the role {code(task.required_role)}." if task.required_role else ""
    head = f"❓ **{plain(task.title)}**"
    how = f"Answer with {code(f'/resolve-task {task.task_id} {answer}')}. {who}".strip()
    return "\n\n".join(part for part in (head, plain(task.description), how) if part)


def answered(task: str, login: str, response: str) -> str:
    return f"✅ {code(login)} answered {code(task)}: {plain(response)}"


def no_question(task: str, known: Sequence[str]) -> str:
    open_ones = f"open: {', '.join(code(name) for name in known)}" if known else "no question is open"
    return f"There is no open question {code(task)}; {open_ones}."


def not_an_answer(response: str, options: Sequence[str]) -> str:
    return f"{code(response)} is no answer to that; there is {', '.join(map(code, options))}."


def role_needed(login: str, role: str, able: Sequence[str]) -> str:
    who = " or ".join(able) or "nobody has it here"
    return f"{code(login)} may not answer this: it takes the role {role} ({who})."
