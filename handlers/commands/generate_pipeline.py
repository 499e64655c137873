"""`/generate-pipeline [template]`: the pipeline from a template, perhaps from another one."""

from __future__ import annotations

from bot import messages
from bot.domain.errors import Refused
from bot.domain.view import View
from bot.pipelines import templates
from handlers.declare import Answer, Call, command
from handlers.on_pipeline_wanted import want
from policies.roles import Permission


@command("/generate-pipeline [template]", needs=Permission.WRITE)
def generate_pipeline(call: Call, view: View) -> Answer:
    """Write the pipeline's files from a template, the module's own or another, and commit what differs."""
    named = call.arguments.get("template", "")
    if named and named not in templates.names():
        raise Refused("UnknownTemplate", messages.unknown_template(named, templates.names()))
    return want(call, view, named)
