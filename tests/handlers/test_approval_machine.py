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
from bot.domain.catalog import draft, read
from bot.domain.decision import Decision
from bot.domain.event import Event
from bot.domain.release import POLICY_FILE
from bot.domain.view import View
from handlers import on_comment
from handlers.declare import REGISTRY
from policies import roles
from tests.handlers.fake_forge import FakeForge
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
LAX = "version: 1\nenvironments:\n  production: {gates: [tests-passed]}\n"
"""What a change would like to be judged by."""
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
        self.brought = False

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
    def a_deleted_comment_said_it(self) -> None:
        self.serial += 1
        said = p.Comment(
            repository=self.world.forge.repository, change=1, comment_id=f"d{self.serial}", author="jane.doe",
            body=COMMAND, created_at=self.world.now,
        )  # fmt: skip
        self.world.say(draft("CommentDeleted", said, actor="jane.doe"))

    @precondition(lambda self: not self.brought)
    @rule()
    def the_change_brings_a_policy_of_its_own(self) -> None:
        self.brought = True
        self.world.push("agent", POLICY_FILE, LAX)
        self.pushed_by = "agent"
        self.world.tests()

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
        found = [child for child in tree["children"] if child["name"] == "approvals"]
        assert len(found) == 1, "it is judged by the policy of the base branch"
        (approvals,) = found
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
        run_state_machine_as_test(Comments, settings=settings(SETTINGS, max_examples=100))


def _whatever_is_there(self: Any, effect: Any, world: Any) -> Any:
    """As if the policy were read from the change."""
    found = REAL_FACTS(self, effect, world)
    text = self.branches[self.change["source"]].get(POLICY_FILE) if self.change else None
    return found.model_copy(update={"policy_text": text or self.policy})


REAL_FACTS = FakeForge.do_gather_facts


def _edited_too(event: Event, view: View) -> Decision:
    return on_comment.on_comment_created(event, view)


def _also_of_bots(event: Event, kind: Any) -> Any:
    found = read(event, kind)
    return found.model_copy(update={"author": "jane.doe", "author_is_bot": False})


def _reacting(type_: str) -> tuple[dict[str, Any], str, Any]:
    return REGISTRY.reactions, type_, [_edited_too]


PLANTED = {
    "policy from the change": (FakeForge, "do_gather_facts", _whatever_is_there),
    "edited comments count": _reacting("CommentEdited"),
    "deleted comments count": _reacting("CommentDeleted"),
    "everybody holds every role": (roles, "member", lambda *_asked: True),
    "a bot's words are somebody's": (on_comment, "read", _also_of_bots),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_turns_it_red(monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    where, name, value = PLANTED[bug]
    patch = monkeypatch.setitem if isinstance(where, dict) else monkeypatch.setattr
    patch(where, name, value)  # type: ignore[operator]
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Comments, settings=settings(SETTINGS, max_examples=100))
