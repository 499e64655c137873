"""docs/demo.md names every step of the demo and every key of its answer. The demo itself runs elsewhere."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from types import FunctionType

from bot.demo import delivery, run, steps
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "demo.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ((?:`[\w-]+`(?:, )?)+) \| [^|]+ \| ((?:`\w+` ?)*)\|$", re.MULTILINE)
VERIFIED = ["ok", "traces", "events", "first_bad"]
"""The report of `bot.log.verify`, which the step hands on whole."""


def shown() -> dict[str, list[str]]:
    return {
        name: re.findall(r"`(\w+)`", keys)
        for names, keys in ROW.findall(PAGE)
        for name in re.findall(r"`([\w-]+)`", names)
    }


def details() -> Iterator[tuple[str, list[str]]]:
    """The keys of each step's detail, from the dictionary it gives to `Told`."""
    places = {"deployed": delivery.deployed_to}
    for name, step in steps.STEPS:
        source = places.get(step.__name__, step)
        assert isinstance(source, FunctionType)
        (told,) = [
            node
            for node in ast.walk(ast.parse(inspect.getsource(source)))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Told"
        ]
        detail = told.args[1]
        yield name, _keys(detail) if isinstance(detail, ast.Dict) else VERIFIED


def _keys(detail: ast.Dict) -> list[str]:
    return [key.value for key in detail.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]


def test_every_step_is_there_in_order() -> None:
    assert list(shown()) == ["start", *(name for name, _ in steps.STEPS)]


def test_every_key_of_a_detail_is_there() -> None:
    page = shown()
    assert {name: page[name] for name, _ in details()} == dict(details())


def test_the_document_has_the_keys_that_are_shown() -> None:
    """Every key of the document, by the words that set it."""
    source = inspect.getsource(run.once)
    (document,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    top = re.findall(r'^  "(\w+)":', document, re.MULTILINE)
    assert [key for key in top if f'"{key}"' not in source] == []
    assert sorted(set(re.findall(r'document\["(\w+)"\]', source)) - set(top)) == []
