"""`/update-pipeline`: the pipeline's files as the bot would write them today."""

from __future__ import annotations

from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.on_pipeline_wanted import want
from policies.roles import Permission


@command("/update-pipeline", needs=Permission.WRITE)
def update_pipeline(call: Call, view: View) -> Answer:
    """Write the pipeline's files again as the template says today, and commit what differs."""
    return want(call, view, "")
