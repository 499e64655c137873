"""Whatever people write, only a plain, created comment of the right person about the head approves.

A machine writes comments of every kind and pushes; a model says whether the change may be merged.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from handlers import on_comment
from tests.handlers.world import POLICY, World

COMMAND = "/approve-release production looks right"
NOT_COMMANDS = {
    "quoted": f"> {COMMAND}",
    "fenced": f"```\n{COMMAND}\n```",
    "indented": f"as he wrote:\n\n    {COMMAND}",
    "hidden": f"<!-- {COMMAND} -->",
    "hidden over lines": f"<!--\n{COMMAND}\n-->",
    "in the middle": f"I would say {COMMAND}",
    "homoglyph": COMMAND.replace("a", "а", 1),
    "another hyphen": COMMAND.replace("-", "‑", 1),
    "turned around": f"\u202e{COMMAND}",
    "joined": COMMAND.replace("/approve", "/ap\u200bprove"),
    "another environment": "/approve-release staging looks right",
}
HELD = POLICY.replace(
    "- approvals: {role: ProductOwner}",
    "- hold\n      - approvals: {role: ProductOwner, exclude: [last-pusher]}",
)


class Comments(RuleBasedStateMachine):
    """`hold` keeps the change open until the end of a step sequence is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(policy=HELD)
        self.world.forge.told = {"labels": ["hold"]}
        self.world.submit().tests()
        self.approved_head: str | None = None
        self.pushed_by = "agent"
        self.serial = 0

    @property
    def head(self) -> str:
        return str((self.world.state.change or {})["head"])

    @rule(who=st.sampled_from(["jane.doe", "sam", "mallory"]), form=st.sampled_from(sorted(NOT_COMMANDS)))
    def write_what_is_no_command(self, who: str, form: str) -> None:
        self.world.comment(who, NOT_COMMANDS[form])

    @rule(who=st.sampled_from(["sam", "mallory", "reader", messages.BOT]))
    def the_wrong_one_approves(self, who: str) -> None:
        self.world.comment(who, COMMAND)

    @rule()
    def an_edit_says_it(self) -> None:
        self.serial += 1
        said = p.Comment(
            repository=self.world.forge.repository, change=1, comment_id=f"e{self.serial}", author="jane.doe",
            body=COMMAND, created_at=self.world.now,
        )  # fmt: skip
        self.world.say(draft("CommentEdited", said, actor="jane.doe"))

    @rule()
    def she_approves(self) -> None:
        self.world.comment("jane.doe", COMMAND)
        if self.pushed_by != "jane.doe":
            self.approved_head = self.head

    @precondition(lambda self: self.approved_head is not None)
    @rule()
    def she_takes_it_back(self) -> None:
        self.world.comment("jane.doe", "/approve-release production cancel")
        self.approved_head = None

    @rule(who=st.sampled_from(["agent", "jane.doe"]))
    def push(self, who: str) -> None:
        self.serial += 1
        self.world.push(who, f"file-{self.serial}.py")
        self.pushed_by = who
        self.world.tests()

    @invariant()
    def only_her_own_words_about_the_head_approve(self) -> None:
        tree: dict[str, Any] = self.world.state.releases["production"].tree
        (approvals,) = (child for child in tree["children"] if child["name"] == "approvals")
        expected = self.approved_head == self.head and self.pushed_by != "jane.doe"
        assert (approvals["state"] == "approved") == expected, approvals["message"]


SETTINGS = settings(
    max_examples=15,
    stateful_step_count=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
)


def test_only_plain_words_of_the_right_person_about_the_head_approve() -> None:
    run_state_machine_as_test(Comments, settings=SETTINGS)


def _every_line(body: str) -> list[Any]:
    """As if quotes, code and comments were words like others."""
    from bot.domain.command import parse

    return [found for line in body.splitlines() for found in parse(line.lstrip("> ").strip())]


def test_a_parser_that_reads_quotes_and_code_turns_it_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_comment, "parse", _every_line)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Comments, settings=SETTINGS)
