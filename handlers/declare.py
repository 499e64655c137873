"""How a handler says what it answers. One module, one subject; found by folder, never by a list.

    @on("PipelineFinished")                      a fact of a repository, or of another agent
    @skill("code-committer", "CommitModule")     a flow has invoked this skill of this agent
    @facts("module")                             the facts gathered for this purpose have arrived
    @done("CommitFiles", "module")               the effect asked for with this purpose is done
    @command("/hold [reason...]", needs=...)     a person wrote this command (handlers/commands)

Two handlers of one skill, one facts purpose, one effect purpose or one command name are an error at start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain import payloads as p
from bot.domain.command import BOTS_OWN, FORGES_OWN, Signature
from bot.domain.decision import Decision
from bot.domain.event import Event
from bot.domain.view import View
from policies.roles import Permission

Reaction = Callable[[Event, View], Decision]
Skill = Callable[[p.TaskScheduled, View], Decision]
Facts = Callable[[p.FactsGathered, View], Decision]
Done = Callable[[p.ActionCompleted, View], Decision]


@dataclass(frozen=True)
class Call:
    """One command as a person gave it, with what was found out about them. `at` is when it was written."""

    command: str
    line: str
    arguments: dict[str, str]
    actor: p.Actor
    at: datetime
    via: str
    correlation: str
    change: int | None = None


@dataclass(frozen=True)
class Answer:
    """What a command did and the sentence its author reads (Markdown).

    `shown`: the change itself shows it, so that a comment is answered by a reaction alone.
    """

    decision: Decision = field(default_factory=Decision)
    reply: str = ""
    shown: bool = False


Command = Callable[[Call, View], Answer]


@dataclass(frozen=True)
class CommandEntry:
    """A declared command: its grammar, what it takes to use it, what it is for."""

    signature: Signature
    needs: Permission
    run: Command
    summary: str
    refusal: str = "NotAuthorised"
    """The reason code that someone without the right gets."""
    undo: str = ""
    """What takes it back: `cancel` as an argument, or another command; empty: there is nothing to take."""
    second: str = ""
    """Another name, for where a forge or another bot keeps the first to itself."""


@dataclass
class Registry:
    """All handlers by what they answer."""

    reactions: dict[str, list[Reaction]] = field(default_factory=dict)
    skills: dict[tuple[str, str], Skill] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)
    done: dict[tuple[str, str], Done] = field(default_factory=dict)
    commands: dict[str, CommandEntry] = field(default_factory=dict)
    second_names: dict[str, str] = field(default_factory=dict)
    """Second name -> the command's first."""


REGISTRY = Registry()


def _claim(table: dict, key: object, value: object) -> None:  # type: ignore[type-arg]
    if key in table:
        raise TypeError(f"two handlers answer {key!r}: {table[key]!r} and {value!r}")
    table[key] = value


def on(*types: str) -> Callable[[Reaction], Reaction]:
    """React to events of these types, after the trace's state has taken them in."""

    def register(function: Reaction) -> Reaction:
        for name in types:
            REGISTRY.reactions.setdefault(name, []).append(function)
        return function

    return register


def skill(agent: str, name: str) -> Callable[[Skill], Skill]:
    """Do the skill that a flow invokes with `AgentTaskScheduled`."""

    def register(function: Skill) -> Skill:
        _claim(REGISTRY.skills, (agent, name), function)
        return function

    return register


def facts(*purposes: str) -> Callable[[Facts], Facts]:
    """Go on when the facts gathered for one of these purposes are there."""

    def register(function: Facts) -> Facts:
        for purpose in purposes:
            _claim(REGISTRY.facts, purpose, function)
        return function

    return register


def done(effect: str, purpose: str) -> Callable[[Done], Done]:
    """Go on when an effect asked for with this purpose has been performed."""

    def register(function: Done) -> Done:
        _claim(REGISTRY.done, (effect, purpose), function)
        return function

    return register


def command(
    grammar: str, *, needs: Permission, refusal: str = "NotAuthorised", undo: str = "", second: str = ""
) -> Callable[[Command], Command]:
    """Answer a comment command. Its docstring's first line is what `/help` shows.

    A name that a forge or another bot has takes a second one, which nobody has (TypeError).
    """

    def register(function: Command) -> Command:
        signature = Signature.parse(grammar)
        _free(signature.name, second)
        summary = (function.__doc__ or "").strip().splitlines()[0].removesuffix(".")
        entry = CommandEntry(signature, needs, function, summary, refusal, undo, second)
        _claim(REGISTRY.commands, signature.name, entry)
        if second:
            _claim(REGISTRY.second_names, second, signature.name)
        return function

    return register


def _free(name: str, second: str) -> None:
    taken = FORGES_OWN | BOTS_OWN
    if (name in taken and not second) or second in taken:
        raise TypeError(f"/{name} is a forge's, or another bot's: give it a second name that nobody has")
