"""docs/cli.md from the typer applications of `bot/cli/`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.cli.failure import Code
from bot.cli.lazy import NOUNS, load
from docs.generate.text import code, one_line, page, table

COMMON = {"help", "install_completion", "show_completion"}
MEANINGS = {
    Code.OK: "done",
    Code.FAILED: "it failed, or something is wrong with what was checked",
    Code.USAGE: "the command line cannot be understood",
    Code.BLOCKED: "the policy is against it",
    Code.NOT_AUTHORISED: "it is not yours to do",
}
INTRO = """\
`pointsman --help` and `pointsman <noun> --help` say the same. Answers go to standard output, as text or,
with `--output json`, as one JSON document; everything else goes to standard error.

Commands that act on a running bot need its address (`--url`, or `POINTSMAN_URL`) and a token
(`POINTSMAN_TOKEN`, or a file with `--token-file`; never an argument, which others could read). Commands
that read the log work on the database itself: `POINTSMAN_HOME` or `POINTSMAN_DATABASE_URL` say where it
is (see [settings.md](settings.md))."""


def text() -> str:
    """The page."""
    codes = table(("exit code", "means"), [(str(int(key)), said) for key, said in MEANINGS.items()])
    return page("Command line", INTRO, codes, *(_noun(name) for name in NOUNS))


def commands() -> Iterator[tuple[str, Any]]:
    """Every command as typed after `pointsman`, with its declaration."""
    for noun in NOUNS:
        command = load(noun)
        inner = getattr(command, "commands", None)
        if inner:
            yield from ((f"{noun} {name}", found) for name, found in inner.items())
        else:
            yield noun, command


def _noun(noun: str) -> str:
    parts = [_command(name, command) for name, command in commands() if name.split()[0] == noun]
    return "\n\n".join((f"## {noun}\n\n{NOUNS[noun][1]}", *parts))


def _command(name: str, command: Any) -> str:
    parameters = [p for p in command.params if p.name not in COMMON and not getattr(p, "hidden", False)]
    usage = " ".join(["pointsman", name, *filter(None, (_usage(p) for p in parameters))])
    said = f"```text\n{usage}\n```\n\n{one_line(command.help)}"
    rows = [(_name(p), _default(p), one_line(p.help)) for p in parameters]
    return "\n\n".join(filter(None, (said, table(("argument or option", "default", "meaning"), rows))))


def _usage(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return f"{parameter.opts[0]} ..." if parameter.required else ""
    name = (parameter.metavar or parameter.name.upper()).strip("[]")
    dots = "..." if parameter.nargs == -1 or parameter.multiple else ""
    return f"{name}{dots}" if parameter.required else f"[{name}{dots}]"


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return code(parameter.opts[0]) + (f", {code(parameter.envvar)}" if parameter.envvar else "")
    return code((parameter.metavar or parameter.name.upper()).strip("[]"))


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = getattr(parameter.default, "value", parameter.default)
    return "" if value is None or value is False else code(value)
