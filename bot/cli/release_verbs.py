"""The comment commands that `pointsman release` says word for word: a verb, the trace, and its words.

    pointsman release delay TRACE production 2h
    pointsman release lock TRACE production database migration

A verb is one line of the table; what may follow it is the command's own grammar (docs/commands.md).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Annotated, NamedTuple

import typer

from bot.cli.client import URL, Client, TokenFileOption, UrlOption
from bot.cli.output import Format, OutputOption
from bot.cli.saying import WAIT, TimeoutOption, TraceArgument, say


class Verb(NamedTuple):
    """`words` is what its help shows behind the trace."""

    command: str
    words: str
    summary: str


VERBS: dict[str, Verb] = {
    "delay": Verb("delay-release", "ENVIRONMENT UNTIL|cancel", "Start nothing there before a moment."),
    "deploy": Verb("deploy", "[ENVIRONMENT]", "Start a merged release where the policy leaves it to people."),
    "hotfix": Verb("hotfix", "ENVIRONMENT REASON", "Deploy an approved emergency version once more."),
    "retry": Verb("retry", "[TASK] [in DURATION]", "Do what failed once more, at once or after a while."),
    "provision": Verb("provision", "ENVIRONMENT", "Have infrastructure made that waits for a person."),
    "plan": Verb("plan-release", "ENVIRONMENT", "Say what a release would do; do nothing."),
    "explain": Verb("explain", "[ENVIRONMENT] [at=MOMENT]", "Show the whole verdict tree."),
    "hold": Verb("hold", "[REASON]", "Keep the change from being merged and deployed."),
    "unhold": Verb("unhold", "", "Let a held change go on."),
    "pause": Verb("pause", "[REASON]", "Start nothing new in the trace."),
    "resume": Verb("resume", "", "Let a paused trace go on."),
    "lock": Verb("lock", "ENVIRONMENT REASON", "Let no release start in an environment."),
    "unlock": Verb("unlock", "ENVIRONMENT", "Open a locked environment again."),
    "generate-pipeline": Verb("generate-pipeline", "[TEMPLATE]", "Write the pipeline from a template."),
    "update-pipeline": Verb("update-pipeline", "", "Write the pipeline's files again."),
    "resolve-task": Verb("resolve-task", "TASK ANSWER", "Answer a question of an agent."),
    "status": Verb("status", "", "Say where the trace stands."),
    "refresh": Verb("refresh", "", "Look at everything again."),
    "commands": Verb("help", "", "List the commands that you may use there."),
}


def line_of(command: str, words: list[str]) -> str:
    """The comment line that says the same. `--` keeps words that look like options in their place."""
    one_line = [" ".join(word.split()) for word in words]
    mark = ["--"] if any(word.startswith("--") for word in words) else []
    return " ".join([f"/{command}", *mark, *map(shlex.quote, one_line)])


def add_verbs(app: typer.Typer) -> None:
    """Enter every verb of the table into an application."""
    for name, verb in VERBS.items():
        app.command(name, help=verb.summary)(_with_words(verb) if verb.words else _alone(verb))


def _with_words(verb: Verb) -> Callable[..., None]:
    def run(
        trace: TraceArgument,
        words: Annotated[list[str] | None, typer.Argument(metavar=verb.words)] = None,
        timeout: TimeoutOption = WAIT,
        url: UrlOption = URL,
        token_file: TokenFileOption = None,
        output: OutputOption = Format.TEXT,
    ) -> None:
        say(Client(url, token_file), trace, line_of(verb.command, words or []), timeout, output)

    run.__annotations__["words"] = Annotated[list[str] | None, typer.Argument(metavar=verb.words)]
    return run


def _alone(verb: Verb) -> Callable[..., None]:
    def run(
        trace: TraceArgument,
        timeout: TimeoutOption = WAIT,
        url: UrlOption = URL,
        token_file: TokenFileOption = None,
        output: OutputOption = Format.TEXT,
    ) -> None:
        say(Client(url, token_file), trace, line_of(verb.command, []), timeout, output)

    return run
