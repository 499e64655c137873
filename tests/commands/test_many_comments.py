"""Whatever people write, in however many comments: the grammar and the handler that reads it never raise.

`pytest tests/commands/test_many_comments.py --comments 100000` tries as many; a run of all tests tries fewer.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from bot.domain import invocation
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.command import bind, parse
from bot.domain.errors import Refused
from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.domain.view import View
from handlers.decide import registry
from handlers.known import meant
from handlers.on_comment import MOST, on_comment_created

NAMES = sorted({*registry().commands, *registry().second_names})
WORDS = [
    "production",
    "cancel",
    "2h",
    "at=2027",
    "--reason",
    "--",
    "in",
    "to",
    "it's",
    '"',
    "'",
    "“",
    "\\",
    "@x",
    "=",
    "a=b",
]
MARKDOWN = [
    "\n", "\n", "\n\n", "\r\n", "\r", "> ", "- ", "1. ", "    ", "\t", "```", "~~~", "`", "<!--", "-->", "<details>",
    "</details>", "<pre>", "[a](", "|", "|---|", "# ", "---", "*", "_", "&amp;", "<!DOCTYPE", "<![CDATA[", "<?", "&#x2f;",
]  # fmt: skip
ODD = [
    "\u200b",
    "\u202e",
    "\u2066",
    "\u2069",
    "\ufeff",
    "\u2028",
    "\u0085",
    "\x00",
    "\x0b",
    "\ue000",
    "\ue0000\ue001",
    "\ue002",
    "а",
    "／",
    "\u00a0",
    "\ud7ff",
    "\U0010ffff",
]
LINES = st.tuples(
    st.sampled_from(NAMES), st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=5)
).map(lambda line: "\n/" + " ".join([line[0], *line[1]]))
PIECES = (
    LINES
    | st.sampled_from([f"/{name}" for name in NAMES])
    | st.sampled_from(WORDS)
    | st.sampled_from(MARKDOWN)
    | st.sampled_from(ODD)
    | st.text(max_size=6)
)
COMMENTS = st.lists(PIECES, max_size=25).map("".join)
NOW = "2026-11-20T09:00:00Z"


def read_whole(body: str) -> None:
    """All that is done with a comment before anybody's rights are known."""
    for said in parse(body):
        entry = registry().commands.get(meant(said, STATE).name)
        if entry is not None:
            try:
                bind(entry.signature, meant(said, STATE))
            except Refused as refused:
                assert refused.message.endswith(f"Usage: `{entry.signature.usage}`")  # noqa: PT017 - it may be refused
    decision = on_comment_created(created(body), View(now=created(body).time, state=STATE))
    issued = [event for event in decision.events if event.type == "CommandIssued"]
    assert len(issued) <= MOST


STATE = TraceState(tenant_id="acme", trace_id="trace-1")


def created(body: str) -> Event:
    said = p.Comment.model_validate(
        {
            "repository": "acme/shop",
            "change": 1,
            "commentId": "c",
            "author": "ada",
            "body": body,
            "createdAt": NOW,
        }
    )
    fact = draft("CommentCreated", said, actor="ada").model_dump()
    return Event(**fact, id="e", source="t", time=NOW, tenant_id="acme", trace_id="trace-1")


def test_no_comment_stops_the_grammar(pytestconfig: pytest.Config) -> None:
    wanted = pytestconfig.getoption("--comments")
    tried = [0]

    @settings(
        max_examples=wanted,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(COMMENTS)
    def every(body: str) -> None:
        tried[0] += 1
        read_whole(body)

    every()
    assert tried[0] >= wanted


@pytest.mark.parametrize(
    "wanted",
    [
        lambda body: len(parse(body)) > 1,
        lambda body: any(said.error for said in parse(body)),
        lambda body: any(said.options for said in parse(body)),
        lambda body: "```" in body and parse(body) != [],
    ],
    ids=["several commands", "a line that can not be read", "options", "a command beside a fence"],
)
def test_the_comments_are_of_every_kind(wanted: Any) -> None:
    """A generator that never came near the grammar would prove nothing."""
    found = find(
        COMMENTS,
        wanted,
        settings=settings(
            max_examples=20_000, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    assert wanted(found)


def _careless(line: str) -> list[str]:
    import shlex

    return shlex.split(line)  # raises where a quotation mark is missing


@pytest.mark.parametrize(("name", "bug"), [("words", _careless), ("_value", lambda rest: rest.pop(0))])
def test_a_grammar_that_can_be_stopped_turns_it_red(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config, name: str, bug: Any
) -> None:
    """A quotation mark that is missing, and an option with nothing behind it."""
    monkeypatch.setattr(invocation, name, bug)
    with pytest.raises((ValueError, IndexError)):
        test_no_comment_stops_the_grammar(pytestconfig)
