"""A process to be killed: `python chaos_process.py URL PORT {serve|worker}`. Prints one line when it is ready.

It takes signed deliveries like `{"branch": "b1", "number": 7, "trace": "chaos-1"}`, and wants an effect for every third.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import uvicorn
from fastapi import FastAPI

from bot.domain.decision import NOTHING, Decision
from bot.domain.effect import Effect, PostComment
from bot.domain.event import Event
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.domain.view import View
from bot.engine.runtime import Runtime
from bot.intake.webhook import webhook_router
from tests.engine.rig import TestForge, result, settings_for


class Commenter:
    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:
        return result("PostComment", comment_id=effect_id)


def decide(event: Event, _view: View) -> Decision:
    if event.type != "TestsExecuted" or event.data["number"] % 3:
        return NOTHING
    return Decision(effects=(PostComment(change=1, body=str(event.data["number"])),))


def main(url: str, port: int, role: str) -> None:
    alone = role == "serve"
    runtime = Runtime(
        settings_for(url),
        forges={"local": TestForge()},
        performers={"local": Commenter()},
        decide=decide,
        alone=alone,
    )
    runtime.launch()
    app = FastAPI()
    app.include_router(webhook_router(runtime.inbox, runtime.forges, runtime.settings))

    class Server(uvicorn.Server):
        async def startup(self, sockets: object = None) -> None:
            await super().startup(sockets)  # type: ignore[arg-type]
            sys.stdout.write("ready\n")
            sys.stdout.flush()

    Server(uvicorn.Config(app, port=port, log_level="error")).run()
    runtime.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
