"""YAML that is refused before anybody looks for jobs in it."""

import time

import pytest

from bot.forges.local.runner import PipelineError, parse
from bot.forges.local.runner.document import MAX_CHARACTERS, read

BOMB = "a: &a [x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
)
REFUSED = {
    "alias bomb": (
        BOMB,
        "line 2, column 8: aliases are not supported by the embedded runner (write the value out)",
    ),
    "merge key": (
        "x: &x {script: make}\ny: {<<: *x}\n",
        "line 2, column 9: aliases are not supported by the embedded runner (write the value out)",
    ),
    "repeated job": (
        "unit: {script: make}\nunit: {script: make}\n",
        "line 2, column 1: the key `unit` stands here twice (keep one of them)",
    ),
    "repeated keyword": (
        "unit:\n  script: a\n  stage: test\n  script: b\n",
        "line 4, column 3: the key `script` stands here twice (keep one of them)",
    ),
    "tag": (
        "unit: {script: !reference [a, script]}\n",
        "line 1, column 16: the tag `!reference` is not supported by the embedded runner (write the value out)",
    ),
    "object of Python": (
        "unit: {script: !!python/object/apply:os.system [id]}\n",
        "line 1, column 16: the tag `!!python/object/apply:os.system` is not supported by the embedded runner (write the value out)",
    ),
    "deep": ("a: " + "[" * 500, "line 1, column 15: nested deeper than 12 levels (flatten it)"),
    "many": ("a: [" + "x, " * 30_000 + "]", "more than 10000 values (make the file smaller)"),
    "large": (
        "#" * (MAX_CHARACTERS + 1),
        "line 1, column 1: the file has 262145 characters, more than 262144 (make it smaller)",
    ),
    "two documents": ("a: {script: x}\n---\nb: {script: x}\n", "not YAML: but found another document"),
    "not closed": (
        "a: {script: x\n",
        "line 2, column 1: not YAML: expected ',' or '}', but got '<stream end>'",
    ),
    "control character": ("a: \x07\n", "not YAML: "),
    "list at the top": (
        "- a\n",
        "line 1, column 1: the file is not a mapping of jobs (write `job-name:` and under it `script:`)",
    ),
    "empty": (
        "",
        "line 1, column 1: the file is not a mapping of jobs (write `job-name:` and under it `script:`)",
    ),
    "key that is a list": (
        "[a]: {script: x}\n",
        "line 1, column 1: a key is not a name (use a plain word as the key)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    text, sentence = REFUSED[name]
    began = time.perf_counter()
    with pytest.raises(PipelineError) as caught:
        parse(text)
    assert sentence in str(caught.value)
    assert time.perf_counter() - began < 30, "refusing must not cost more than reading"


@pytest.mark.parametrize("value", ["yes", "OFF", "0755", "12:30", "1_000", "2026-11-20"])
def test_what_gitlab_reads_differently_must_be_quoted(value: str) -> None:
    with pytest.raises(PipelineError) as caught:
        parse(f"variables: {{A: {value}}}\nunit: {{script: make}}\n")
    assert str(caught.value) == (
        f'line 1, column 16: GitLab reads the plain value `{value}` as something else (YAML 1.1) (write "{value}" in quotes)'
    )
    assert parse(f"variables: {{A: '{value}'}}\nunit: {{script: make}}\n").variables == {"A": value}


def test_places_are_those_of_keys_and_items() -> None:
    document = read("a:\n  b: [x, y]\n")
    assert document.data == {"a": {"b": ["x", "y"]}}
    assert document.position(("a", "b")) == (2, 3)
    assert document.position(("a", "b", 1)) == (2, 10)
    assert document.position(("a", "b", 1, "not there")) == (2, 10)
