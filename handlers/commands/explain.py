"""`/explain [environment] [at=...]`: why it is blocked, who can help, when it changes."""

from __future__ import annotations

from dataclasses import replace

from bot import messages
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of
from handlers.evaluation import evaluate
from handlers.moments import moment_of
from policies.roles import Permission


@command("/explain [environment] [at=<moment>]", needs=Permission.READ)
def explain(call: Call, view: View) -> Answer:
    """Show the whole verdict tree: what is there, what is missing, who can give it, when it changes."""
    at = call.arguments.get("at")
    asked = replace(view, now=moment_of(at, view.now)) if at else view
    trees = {name: evaluation.tree for name, evaluation in evaluate(asked, settled=True).items()}
    if call.arguments.get("environment"):
        name = environment_of(call, view)
        trees = {name: trees[name]}
    told = [messages.explained(name, tree) for name, tree in trees.items()]
    return Answer(reply="\n\n".join([messages.explained_at(asked.now), *told] if at else told))
