"""Read flows from YAML: `load(text)`, and `definition(name)` for those in `definitions/`.

Every mistake is found in one go, each with line and column (from 1), the path of the word and perhaps a
suggestion.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from io import StringIO
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bot.flows.check import findings
from bot.flows.model import Flow

DEFINITIONS = files("bot.flows") / "definitions"


@dataclass(frozen=True)
class FlowError:
    """One mistake in a flow file."""

    line: int
    column: int
    path: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        hint = f" (did you mean {self.suggestion}?)" if self.suggestion else ""
        return f"{self.line}:{self.column}: {self.path or 'flow'}: {self.message}{hint}"


class FlowErrors(ValueError):
    """A flow file that can not be used. `errors` are in the order of the text."""

    def __init__(self, name: str, errors: list[FlowError]) -> None:
        self.name = name
        self.errors = tuple(sorted(errors, key=lambda error: (error.line, error.column)))
        super().__init__("\n".join(f"{name}:{error}" for error in self.errors))


@lru_cache(maxsize=64)
def load(text: str, *, name: str = "flow.yaml") -> Flow:
    """The flow that `text` describes. Raises FlowErrors."""
    document = _parse(text, name)
    try:
        flow = Flow.model_validate(document)
    except ValidationError as error:
        raise FlowErrors(name, [_of_shape(document, e) for e in error.errors()]) from None
    found = [_at(document, f.path, f.message, f.suggestion) for f in findings(flow)]
    if found:
        raise FlowErrors(name, found)
    return flow


@lru_cache(maxsize=64)
def definition(name: str) -> Flow:
    """The flow in `definitions/<name>.yaml`. Raises KeyError for a name that has none."""
    path = DEFINITIONS / f"{name}.yaml"
    if name not in names():
        raise KeyError(f"no flow is called {name!r}; there are {', '.join(names())}")
    return load(path.read_text(encoding="utf-8"), name=f"{name}.yaml")


def names() -> tuple[str, ...]:
    """The flows that come with the bot."""
    return tuple(sorted(file.name[:-5] for file in DEFINITIONS.iterdir() if file.name.endswith(".yaml")))


def _parse(text: str, name: str) -> CommentedMap:
    try:
        document = YAML(typ="rt").load(StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        said = (error.problem or str(error)).splitlines()[0]
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise FlowErrors(name, [FlowError(line, column, "", said)]) from None
    except YAMLError as error:
        raise FlowErrors(name, [FlowError(1, 1, "", str(error).splitlines()[0])]) from None
    if not isinstance(document, CommentedMap):
        wrong = "a flow is a mapping with flow, version, initial and states"
        raise FlowErrors(name, [FlowError(1, 1, "", wrong)])
    return document


def _of_shape(document: CommentedMap, error: Any) -> FlowError:
    said = {"extra_forbidden": "this word is not known here", "missing": "this word is missing"}
    message = said.get(error["type"]) or error["msg"].removeprefix("Value error, ")
    return _at(document, tuple(error["loc"]), message)


def _at(document: CommentedMap, path: tuple[str | int, ...], message: str, suggestion: str = "") -> FlowError:
    """Where `path` is in the text. Short forms leave levels out, so what is not there is passed over."""
    node: Any = document
    line, column, words = 0, 0, []
    for part in path:
        if isinstance(node, CommentedMap) and part in node:
            line, column = node.lc.key(part)
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line, column = node.lc.item(part)
        else:
            words += [str(part)] if isinstance(part, str) and part == path[-1] else []
            continue
        node = node[part]
        words.append(str(part))
    return FlowError(line + 1, column + 1, ".".join(words), message, suggestion)
