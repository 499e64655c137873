"""`/explain [environment]`: why it is blocked, who can help, when it changes."""

from __future__ import annotations

from bot import messages
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of
from handlers.evaluation import evaluate
from policies.roles import Permission


@command("/explain [environment]", needs=Permission.READ)
def explain(call: Call, view: View) -> Answer:
    """Show the whole verdict tree: what is there, what is missing, who can give it, when it changes."""
    trees = {name: evaluation.tree for name, evaluation in evaluate(view, settled=True).items()}
    if call.arguments.get("environment"):
        name = environment_of(call, view)
        trees = {name: trees[name]}
    return Answer(reply="\n\n".join(messages.explained(name, tree) for name, tree in trees.items()))
