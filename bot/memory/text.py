"""Artefacts as text: the same data is the same bytes, and every reader reads the same data."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

PLAIN = re.compile(r"[A-Za-z_/][\w./+-]*(?: [\w./+-]+)*|\d+\.\d+\.\d+[A-Za-z.+-]*", re.ASCII)
WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Strings to readers of YAML 1.2, something else to those of 1.1."""


class _Representer(RoundTripRepresenter):
    """Quotes whatever any version of YAML might not take for a string; no anchors."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _string(representer: _Representer, text: str) -> ScalarNode:
    plain = PLAIN.fullmatch(text) and text.lower() not in WORDS
    node: ScalarNode = representer.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if plain else '"'
    )
    return node


def _null(representer: _Representer, _nothing: None) -> ScalarNode:
    node: ScalarNode = representer.represent_scalar("tag:yaml.org,2002:null", "null")
    return node


_Representer.add_representer(str, _string)
_Representer.add_representer(type(None), _null)


def _plain(data: Any) -> Any:
    """Whole numbers without a point: in the log, whose JSON is canonical, `2.0` is `2`."""
    if isinstance(data, dict):
        return {name: _plain(value) for name, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(value) for value in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data


def as_json(data: Any) -> str:
    """Sorted, indented by two."""
    return json.dumps(_plain(data), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def as_yaml(data: Any) -> str:
    """In the order given, block style, lines never folded."""
    if isinstance(data, list) and data:
        # A log only grows: of a list, what was written before need not be made again.
        return "".join(_item(json.dumps(_plain(item))) for item in data)
    return _dump(data)


@lru_cache(maxsize=8192)
def _item(text: str) -> str:
    return _dump([json.loads(text)])


def _dump(data: Any) -> str:
    writer = YAML()
    writer.Representer = _Representer
    writer.width = 1_000_000
    out = StringIO()
    writer.dump(_plain(data), out)
    return out.getvalue()
