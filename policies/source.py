"""Policy text -> data that remembers where each value was written.

YAML 1.2 by ruamel.yaml, less than all of it: no anchors, aliases, tags, duplicate keys, second documents;
128 KiB, 24 levels and 20,000 values at most. What a policy needs is plain mappings, lists and scalars, and
every one of those features has broken some loader.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scanner import Scanner

from policies.errors import PolicyError, PolicyErrors, dotted

LARGEST = 128 * 1024
"""Bytes of one policy file."""
DEEPEST = 24
MOST = 20_000
"""Keys and values of one policy file."""
TWICE = 20
"""So many keys may be written twice before the rest of the file is not looked at any more."""

Path = tuple[str | int, ...]
_PLAIN = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: `origin` is the file or `pack strict`; lines and columns count from 1."""

    origin: str
    line: int
    column: int


class Map(dict[str, Any]):
    """A mapping; `keys_at` and `values_at` are the places of its keys and values."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.keys_at: dict[str, Place] = {}
        self.values_at: dict[str, Place] = {}

    def put(self, key: str, value: Any, key_at: Place, value_at: Place) -> None:
        """Set a key together with its places."""
        self[key] = value
        self.keys_at[key] = key_at
        self.values_at[key] = value_at


class Seq(list[Any]):
    """A list; `items_at` are the places of its items."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.items_at: list[Place] = []

    def put(self, value: Any, place: Place) -> None:
        """Append an item together with its place."""
        self.append(value)
        self.items_at.append(place)


class _Unwanted(MarkedYAMLError):
    pass


class _Shallow(Scanner):
    """Refuses while scanning: the scanner runs ahead of the composer as long as a `[` may begin a key."""

    def fetch_flow_collection_start(self, token: Any, to_push: str) -> None:
        if len(self.flow_context) >= DEEPEST:
            mark = self.reader.get_mark()
            raise _Unwanted(problem=f"nested deeper than {DEEPEST} levels", problem_mark=mark)
        super().fetch_flow_collection_start(token, to_push)


class _Strict(Composer):
    """Refuses while composing, so that a bomb costs nothing."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self.count = self.twice = 0
        self.keys: dict[int, set[str]] = {}

    def compose_document(self) -> Any:
        start = self.parser.peek_event()
        if start.version not in {None, (1, 2)}:
            raise _Unwanted(problem="a policy is YAML 1.2", problem_mark=start.start_mark)
        return super().compose_document()

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        if getattr(event, "anchor", None):
            raise _Unwanted(problem="anchors and aliases are not allowed", problem_mark=event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise _Unwanted(problem="tags are not allowed", problem_mark=event.start_mark)
        self.count += 1
        if self.count > MOST:
            raise _Unwanted(problem=f"more than {MOST} keys and values", problem_mark=event.start_mark)
        if isinstance(index, ScalarNode):
            self._key(parent, index)
        return super().compose_node(parent, index)

    def _key(self, mapping: Any, key: ScalarNode) -> None:
        known = self.keys.setdefault(id(mapping), set())
        self.twice += key.value in known
        known.add(key.value)
        if self.twice > TWICE:
            raise _Unwanted(problem=f"more than {TWICE} keys are written twice", problem_mark=key.start_mark)


def parse(text: str, name: str) -> Map:
    """The data of one policy file. Raises PolicyErrors."""
    size = len(text.encode(errors="surrogatepass"))
    if size > LARGEST:
        _refuse(name, 1, 1, f"a policy may have {LARGEST} bytes, this one has {size}")
    node = _compose(text, name)
    if node is None:
        _refuse(name, 1, 1, "the file is empty", "version: 1")
    reader = _Reader(name)
    data = reader.read(node, ())
    if reader.errors:
        raise PolicyErrors(name, reader.errors)
    if not isinstance(data, Map):
        _refuse(name, 1, 1, "a policy is a mapping", "version: 1")
    return data


def _compose(text: str, name: str) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _Shallow
    yaml.Composer = _Strict
    yaml.max_depth = DEEPEST
    try:
        node: Node | None = yaml.compose(text)
    except MaxDepthExceededError as error:
        _refuse(
            name,
            error.problem_mark.line + 1,
            error.problem_mark.column + 1,
            f"nested deeper than {DEEPEST} levels",
        )
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        _refuse(name, line, column, ": ".join(part for part in (error.context, error.problem) if part))
    except YAMLError as error:
        _refuse(name, 1, 1, f"not YAML: {str(error).splitlines()[0]}")
    return node


def _refuse(name: str, line: int, column: int, message: str, suggestion: str | None = None) -> NoReturn:
    raise PolicyErrors(name, [PolicyError(line, column, "", message, suggestion)])


class _Reader:
    """Nodes -> Map, Seq and scalars."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.errors: list[PolicyError] = []

    def read(self, node: Node, path: Path) -> Any:
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            sequence = Seq(self._place(node))
            for index, item in enumerate(node.value):
                sequence.put(self.read(item, (*path, index)), self._place(item))
            return sequence
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path) -> Map:
        mapping = Map(self._place(node))
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key_node, ScalarNode):
                self._complain(key_node, path, "a key must be a word")
            elif key in mapping:
                first = mapping.keys_at[key].line
                self._complain(key_node, (*path, key), f"{key!r} is written twice (first in line {first})")
            else:
                mapping.put(
                    key, self.read(value_node, (*path, key)), self._place(key_node), self._place(value_node)
                )
        return mapping

    def _scalar(self, node: Node, path: Path) -> Any:
        kind, text = str(node.tag).removeprefix(_PLAIN), node.value
        if kind == "bool":
            return text.lower() == "true"
        if kind == "null":
            return None
        if kind in {"int", "float"}:
            return self._number(node, path, kind)
        return text  # dates stay text: which midnight they mean depends on the freeze's zone

    def _number(self, node: Node, path: Path, kind: str) -> int | float | None:
        try:
            text = node.value.replace("_", "")
            return (
                int(text, 0 if text.lstrip("+-")[:1] == "0" and len(text) > 1 else 10)
                if kind == "int"
                else float(text)
            )
        except ValueError:
            self._complain(
                node, path, f"{node.value[:20]!r} is not a number we can read: quote it if it is text"
            )
            return None

    def _place(self, node: Node) -> Place:
        return Place(self.origin, node.start_mark.line + 1, node.start_mark.column + 1)

    def _complain(self, node: Node, path: Path, message: str) -> None:
        place = self._place(node)
        self.errors.append(PolicyError(place.line, place.column, dotted(path), message))


def place_of(data: Map, path: Path, *, key: bool = False) -> tuple[Place, int]:
    """Where `path` was written, or the nearest thing around it, and how many steps of the path led there.

    `key`: the place of the last key, not of its value.
    """
    here: Any = data
    place, depth = data.place, 0
    for depth, step in enumerate(path):
        if isinstance(here, Map) and step in here:
            last = key and depth == len(path) - 1
            name = str(step)
            place, here = (here.keys_at if last else here.values_at)[name], here[name]
        elif isinstance(here, Seq) and isinstance(step, int) and step < len(here):
            place, here = here.items_at[step], here[step]
        else:
            return place, depth
    return place, len(path)


def paths(data: Any, path: Path = ()) -> Iterator[tuple[Place, bool, Path]]:
    """Every place in a text, whether it is a key's (a mapping begins where its first key does), its path."""
    if isinstance(data, Seq):
        for index, value in enumerate(data):
            yield data.items_at[index], False, (*path, index)
            yield from paths(value, (*path, index))
    if isinstance(data, Map):
        for key, value in data.items():
            yield data.values_at[key], False, (*path, key)
            yield from paths(value, (*path, key))
            yield data.keys_at[key], True, (*path, key)
