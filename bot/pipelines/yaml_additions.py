"""Putting something into a YAML file of a person's without rewriting anything of it.

The YAML reader names the places, and text is put in there: comments, quotes and layout stay as they are,
which a round trip through a parser keeps only mostly.

    top = read(text)
    text = put_in(text, items_into(text, find(top, "stages"), {1: ["scan"]}))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MAX_VALUES = 20_000
Additions = list[tuple[int, str]]
"""Texts and the places they are put in, by index of the text that is there."""


class NotSafe(Exception):
    """The file is of a shape in which an addition might change something else; the sentence says which."""


def read(text: str) -> MappingNode:
    """The one mapping that the file is. Raises NotSafe."""
    try:
        documents = list(YAML(typ="safe", pure=True).compose_all(text))
    except (YAMLError, RecursionError) as error:
        raise NotSafe(f"it is no YAML: {str(error).partition(chr(10))[0]}") from error
    if len(documents) != 1 or not isinstance(documents[0], MappingNode):
        raise NotSafe("it is not one mapping")
    if _in_braces(documents[0]):
        raise NotSafe("it is written in braces")
    return documents[0]


def find(top: MappingNode, key: str) -> Node | None:
    """What stands under a key at the top."""
    return next((value for name, value in top.value if name.value == key), None)


def put_in(text: str, additions: Additions) -> str:
    """The text with the additions; those of one place in their order. Lines break as they do in the text."""
    parts: list[str] = []
    done = 0
    for index, added in sorted(additions, key=lambda entry: entry[0]):
        parts += [text[done:index], added.replace("\n", "\r\n") if "\r\n" in text else added]
        done = index
    return "".join([*parts, text[done:]])


def key_at_end(text: str, lines: str) -> Additions:
    """A key of the top, after all that is there. `lines` end in a line break."""
    return [(len(text), ("\n" if text.endswith("\n") else "\n\n") + lines)]


def items_into(text: str, items: SequenceNode, added: Mapping[int, Sequence[str]]) -> Additions:
    """Items put in before the one of each position (the length: at the end), written in flow style."""
    place = _in_brackets if _in_braces(items) else _in_lines
    return [place(text, items, at, several) for at, several in sorted(added.items())]


def item_beside(text: str, single: Node, item: str) -> Additions:
    """A list of what stands there alone and one more item."""
    start, end = single.start_mark.index, single.end_mark.index
    if isinstance(single, ScalarNode) or _in_braces(single):
        return [(start, "["), (end, f", {item}]")]
    first, last = single.start_mark.line, _last_line(single)
    column = single.start_mark.column
    further = [(_line_start(text, line), "  ") for line in range(first + 1, last + 1)]
    return [(start, "- "), *further, (_line_end(text, last), f"\n{' ' * column}- {item}")]


def _in_braces(node: Node) -> bool:
    return isinstance(node, (SequenceNode, MappingNode)) and bool(node.flow_style)


def _in_brackets(_text: str, items: SequenceNode, at: int, added: Sequence[str]) -> tuple[int, str]:
    if at < len(items.value):
        return items.value[at].start_mark.index, "".join(f"{item}, " for item in added)
    if items.value:
        return items.value[-1].end_mark.index, "".join(f", {item}" for item in added)
    return items.start_mark.index + 1, ", ".join(added)


def _in_lines(text: str, items: SequenceNode, at: int, added: Sequence[str]) -> tuple[int, str]:
    lines = [f"{' ' * items.start_mark.column}- {item}" for item in added]
    if at:
        return _line_end(text, _last_line(items.value[at - 1])), "".join(f"\n{line}" for line in lines)
    return _line_start(text, items.start_mark.line), "".join(f"{line}\n" for line in lines)


def _last_line(node: Node) -> int:
    """The last line with something of the node; for a block the reader names the place of what comes next."""
    if isinstance(node, ScalarNode) and node.style in {"|", ">"}:
        raise NotSafe(f"line {node.start_mark.line + 1} begins a text of several lines")
    if isinstance(node, ScalarNode) or _in_braces(node):
        return int(node.end_mark.line)
    parts = [part for entry in node.value for part in (entry if isinstance(entry, tuple) else (entry,))]
    return max(_last_line(part) for part in parts)


def _line_start(text: str, line: int) -> int:
    return sum(len(one) for one in text.splitlines(keepends=True)[:line])


def _line_end(text: str, line: int) -> int:
    lines = text.splitlines(keepends=True)
    return _line_start(text, line) + len(lines[line].rstrip("\r\n"))


def plain(node: Node) -> Any:
    """The content, to be compared: scalars with their tags, mappings as pairs. Raises NotSafe when
    endless.
    """
    budget = iter(range(MAX_VALUES))
    return _plain(node, budget)


def _plain(node: Node, budget: Iterator[int]) -> Any:
    if next(budget, None) is None:
        raise NotSafe(f"it has more than {MAX_VALUES} values")
    if isinstance(node, SequenceNode):
        return [_plain(item, budget) for item in node.value]
    if isinstance(node, MappingNode):
        return {str(key.value): _plain(value, budget) for key, value in node.value}
    return (str(node.tag), node.value)
