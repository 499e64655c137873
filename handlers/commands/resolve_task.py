"""`/resolve-task <task> <answer>`: the answer to a question that an agent asked a person."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import record
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.policy import policy_of
from policies.authorise import Asker, Denied, Needs, authorise
from policies.roles import Permission


@command("/resolve-task <task> <answer...>", needs=Permission.READ)
def resolve_task(call: Call, view: View) -> Answer:
    """Answer a question of an agent, in the role that it asks for."""
    tasks, named = view.state.human_tasks, call.arguments["task"]
    task = tasks.get(named)
    if task is None:
        raise Refused("UnknownTask", messages.no_question(named, sorted(tasks)))
    _check_role(task, call, view)
    said = p.HumanAnswer(
        task_id=named,
        response=_one_of(task, call.arguments["answer"]),
        submitted_by=call.actor.login,
        role=task.required_role,
    )
    told = draft("HumanTaskResponseReceived", said, actor=call.actor.login, task_id=named)
    return Answer(record(told), messages.answered(named, call.actor.login, said.response))


def _check_role(task: p.HumanTask, call: Call, view: View) -> None:
    needs = Needs(role=task.required_role) if task.required_role else Needs(permission=Permission.WRITE)
    try:
        authorise(Asker(call.actor), needs, policy_of(view.state))
    except Denied as denied:
        role = task.required_role or "write"
        raise Refused("NotAuthorised", messages.role_needed(call.actor.login, role, denied.able)) from None


def _one_of(task: p.HumanTask, answer: str) -> str:
    """The option meant, in its own spelling; any answer where there are no options. Raises Refused."""
    if not task.options:
        return answer
    found = [option for option in task.options if option.casefold() == answer.casefold()]
    if not found:
        raise Refused("InvalidAnswer", messages.not_an_answer(answer, task.options))
    return found[0]
