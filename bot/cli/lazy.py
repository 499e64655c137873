"""The top of the command tree.

Names and summaries here, everything else in the noun's own module, imported when used.

It is also the one place where an error becomes a sentence and an exit code.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from bot.cli.failure import failure_of
from bot.cli.output import report

NOUNS: Final = {
    "serve": ("bot.cli.serve", "Run the bot: web and worker in one process."),
    "worker": ("bot.cli.worker", "Run a worker beside other processes on the same Postgres."),
    "demo": ("bot.cli.demo", "Take a change from intent to production, here and now."),
    "submit": ("bot.cli.submit", "Submit a folder of generated code as a module."),
    "trace": ("bot.cli.trace", "List, show, export, replay and verify traces."),
    "release": ("bot.cli.release", "Approve, deploy, hold and roll back releases; lift a freeze."),
    "policy": ("bot.cli.policy", "Check, explain and try policy files."),
    "evidence": ("bot.cli.evidence", "Hand in reports: tests, findings, parts, signatures."),
    "attestation": ("bot.cli.attestation", "Show and verify what the bot has signed."),
    "pipeline": ("bot.cli.pipeline", "Make pipelines and build files from templates."),
    "inbox": ("bot.cli.inbox", "Look at what could not be applied, and try it again."),
    "token": ("bot.cli.token", "Create, list and revoke bearer tokens."),
    "forge": ("bot.cli.forge", "Make users and repositories of the embedded forge."),
    "connect": ("bot.cli.connect", "Let a forge call the bot about a repository."),
    "doctor": ("bot.cli.doctor", "Look whether everything is set up, and say what to mend."),
    "db": ("bot.cli.db", "Bring the database up to date; rebuild read models."),
}


def load(name: str) -> Any:
    """The command of a noun; its module's `app` is a typer application."""
    command = typer.main.get_command(importlib.import_module(NOUNS[name][0]).app)
    command.name = name
    return command


class LazyGroup(TyperGroup):
    """Lists its commands from the table above and imports one when it is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = dict(self.commands) | {
            name: TyperCommand(name, help=summary) for name, (_, summary) in NOUNS.items()
        }

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        return list(NOUNS)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, found, rest = super().resolve_command(ctx, args)
        return (name, load(name), rest) if name in NOUNS else (name, found, rest)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            failure = failure_of(error)
            if failure is None:
                raise
            report(failure, ctx.obj)
            raise typer.Exit(failure.code) from error
