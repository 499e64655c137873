"""YAML text to plain data, with the line and column of every key and value.

Stricter than YAML on purpose: no aliases (they are how small files grow into large ones), no tags, no
repeated keys, and no plain value that GitLab's YAML 1.1 reader would take for something else than a YAML 1.2
reader does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.forges.local.runner.errors import PipelineError

MAX_CHARACTERS = 256 * 1024
MAX_VALUES = 10_000
MAX_DEPTH = 12

# Psych, GitLab's reader, follows YAML 1.1: `yes` is a boolean, `0755` is octal, `12:30` is base sixty.
YAML_1_1_SURPRISE = re.compile(
    r"(?i:yes|no|on|off)|[-+]?0[0-9]+|[-+]?[0-9]+(:[0-5]?[0-9])+|[-+]?[0-9]+(_[0-9]+)+"
)

Path = tuple[str | int, ...]
_TAG = "tag:yaml.org,2002:"
_CORE = {_TAG + name for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")}


class Document(NamedTuple):
    """`data` as plain values; `positions` maps a path of keys and indices to (line, column), both from 1;
    `files` says of paths that came with an include which file they stand in.
    """

    data: dict[str, Any]
    positions: dict[Path, tuple[int, int]]
    files: Mapping[Path, str] = MappingProxyType({})

    def position(self, path: Path) -> tuple[int, int]:
        """The place of the longest part of `path` that stands in the file."""
        return self.positions.get(self._known(path), (1, 1))

    def file(self, path: Path) -> str:
        """The included file in which that place is; empty for the file that includes."""
        return self.files.get(self._known(path), "")

    def _known(self, path: Path) -> Path:
        lengths = range(len(path), 0, -1)
        return next((path[:length] for length in lengths if path[:length] in self.positions), ())


def read(text: str) -> Document:
    """Read one YAML document whose top is a mapping. Raises PipelineError."""
    if len(text) > MAX_CHARACTERS:
        raise PipelineError(
            f"the file has {len(text)} characters, more than {MAX_CHARACTERS}",
            line=1,
            column=1,
            suggestion="make it smaller",
        )
    try:
        _inspect(text)
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise PipelineError(
            f"not YAML: {error.problem or error.context}",
            line=mark.line + 1 if mark else 1,
            column=mark.column + 1 if mark else 1,
        ) from error
    except (YAMLError, RecursionError) as error:
        raise PipelineError(f"not YAML: {str(error).splitlines()[0]}", line=1, column=1) from error
    if not isinstance(node, MappingNode):
        raise PipelineError(
            "the file is not a mapping of jobs",
            line=1,
            column=1,
            suggestion="write `job-name:` and under it `script:`",
        )
    positions: dict[Path, tuple[int, int]] = {}
    return Document(_plain(node, (), positions), positions)


def _inspect(text: str) -> None:
    """Refuse by the event stream, which needs no recursion and expands nothing."""
    depth = 0
    for count, event in enumerate(_events(text)):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if isinstance(event, AliasEvent):
            raise _at(event, "aliases are not supported by the embedded runner", "write the value out")
        if depth > MAX_DEPTH:
            raise _at(event, f"nested deeper than {MAX_DEPTH} levels", "flatten it")
        if count > 2 * MAX_VALUES:
            raise _at(event, f"more than {MAX_VALUES} values", "make the file smaller")


def _events(text: str) -> Iterator[Any]:
    yield from YAML(typ="safe", pure=True).parse(text)


def _plain(node: Node, path: Path, positions: dict[Path, tuple[int, int]]) -> Any:
    positions.setdefault(path, _place(node))
    if str(node.tag) not in _CORE:
        tag = str(node.tag).replace(_TAG, "!!")
        raise _at(node, f"the tag `{tag}` is not supported by the embedded runner", "write the value out")
    if isinstance(node, ScalarNode):
        return _scalar(node)
    if isinstance(node, SequenceNode):
        return [_plain(item, (*path, index), positions) for index, item in enumerate(node.value)]
    return _mapping(node, path, positions)


def _mapping(node: Node, path: Path, positions: dict[Path, tuple[int, int]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            raise _at(key, "a key is not a name", "use a plain word as the key")
        name = str(key.value)
        if name in found:
            raise _at(key, f"the key `{name}` stands here twice", "keep one of them")
        # The key's place, not the value's: that is where a reader looks for an unknown keyword.
        positions[(*path, name)] = _place(key)
        found[name] = _plain(value, (*path, name), positions)
    return found


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    value, tag = str(node.value), str(node.tag).removeprefix(_TAG)
    if node.style is None and (tag == "timestamp" or YAML_1_1_SURPRISE.fullmatch(value)):
        raise _at(
            node,
            f"GitLab reads the plain value `{value}` as something else (YAML 1.1)",
            f'write "{value}" in quotes',
        )
    match tag:
        case "null":
            return None
        case "bool":
            return value.lower() == "true"
        case "int":
            return int(value, 0)
        case "float":
            return float(value)
        case _:
            return value


def _place(node: Node | NodeEvent) -> tuple[int, int]:
    return (node.start_mark.line + 1, node.start_mark.column + 1)


def _at(node: Node | NodeEvent, message: str, suggestion: str) -> PipelineError:
    line, column = _place(node)
    return PipelineError(message, line=line, column=column, suggestion=suggestion)
