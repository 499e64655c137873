"""Comments that want to be taken for something else: what happens, and what their author reads.

Every row is one trick by its name. `None`: the bot stays silent, nothing is recorded but the comment.
"""

from __future__ import annotations

import pytest

from bot import messages
from tests.handlers.said import refusal, reply
from tests.handlers.world import POLICY, World

TWO = POLICY.replace("{users: [jane.doe]}", "{users: [jane.doe, joe]}").replace(
    "- approvals: {role: ProductOwner}", "- approvals: {role: ProductOwner, count: 2}"
)
"""One approval is not enough, so that the change stays open."""
SAY = "/approve-release production"
UNKNOWN = "There is no environment {} in the policy; there is staging, production."
UNCLOSED = (
    'In `/approve-release production "it is` a quotation mark is opened and never closed.'
    " Usage: `/approve-release [environment] [reason...]`"
)
ALIKE = " It is written with characters that only look like others."

SILENT = {
    "homoglyph in the name, Cyrillic a": SAY.replace("a", "\u0430", 1),
    "homoglyph in the name, Greek omicron": "/appr\u03bfve-release production",
    "full-width slash": "\uff0fapprove-release production",
    "division slash": "\u2215approve-release production",
    "non-breaking hyphen in the name": SAY.replace("-", "\u2011", 1),
    "soft hyphen in the name": "/approve\u00ad-release production",
    "zero-width space in the name": "/approve\u200b-release production",
    "zero-width joiner in the name": "/approve\u200d-release production",
    "zero-width space before the slash": f"\u200b{SAY}",
    "byte order mark before the slash": f"\ufeff{SAY}",
    "word joiner before the slash": f"\u2060{SAY}",
    "right-to-left override before the slash": f"\u202e{SAY}",
    "left-to-right isolate around it": f"\u2066{SAY}\u2069",
    "right-to-left mark in the name": "/approve\u200f-release production",
    "no-break space behind the name": "/approve-release\u00a0production",
    "line separator instead of a line break": f"looks good\u2028{SAY}",
    "paragraph separator instead of a line break": f"looks good\u2029{SAY}",
    "next line control instead of a line break": f"looks good\u0085{SAY}",
    "vertical tab instead of a line break": f"looks good\x0b{SAY}",
    "form feed instead of a line break": f"looks good\x0c{SAY}",
    "code fence": f"```\n{SAY}\n```",
    "code fence with a language": f"```sh\n{SAY}\n```",
    "code fence with CRLF": f"```\r\n{SAY}\r\n```\r\n",
    "code fence that is never closed": f"```\n{SAY}",
    "tilde fence": f"~~~\n{SAY}\n~~~",
    "longer fence around a shorter": f"````\n```\n{SAY}\n```\n````",
    "indented code": f"as it says:\n\n    {SAY}",
    "tab-indented code": f"as it says:\n\n\t{SAY}",
    "code span": f"`{SAY}`",
    "code span over lines": f"`a\n{SAY}\nb`",
    "HTML comment": f"<!-- {SAY} -->",
    "HTML comment over lines": f"<!--\n{SAY}\n-->",
    "HTML comment with CRLF": f"<!--\r\n{SAY}\r\n-->",
    "HTML comment inside a paragraph": f"text <!--\n{SAY}\n--> text",
    "HTML comment that is never closed": f"<!-- a remark\n\n{SAY}",
    "details": f"<details>\n\n{SAY}\n\n</details>",
    "preformatted": f"<pre>\n{SAY}\n</pre>",
    "template element": f"<template>\n\n{SAY}\n\n</template>",
    "quote": f"> {SAY}",
    "quote in a quote": f"> > {SAY}",
    "lazy line of a quote": f"> as she wrote\n{SAY}",
    "reply to a mail": f"On Monday jane wrote:\n> {SAY}",
    "quote element": f"<blockquote>\n\n{SAY}\n\n</blockquote>",
    "list item": f"- {SAY}",
    "table cell": f"| a |\n|---|\n{SAY}",
    "text of a link": f"[a\n{SAY}\nb](https://example.org)",
    "heading": f"# {SAY}",
    "in the middle of a sentence": f"I would say {SAY}",
    "behind a space": f" {SAY}",
}


@pytest.mark.parametrize("trick", SILENT)
def test_it_is_no_command_and_nobody_is_bothered(trick: str) -> None:
    world = World(policy=TWO).submit().tests()
    before, comments = len(world.events), dict(world.forge.comments)
    world.comment("jane.doe", SILENT[trick])
    assert [event.type for event in world.events[before:]] == ["CommentCreated"]
    assert (world.state.approvals, world.forge.reactions, world.forge.comments) == ((), [], comments)


REFUSED: dict[str, tuple[str, str, str]] = {
    "homoglyph in the environment": (
        "/approve-release pr\u043eduction", "UnknownEnvironment", UNKNOWN.format("`pr\u043eduction`") + ALIKE
    ),
    "zero-width space in the environment": (
        "/approve-release pro\u200bduction", "UnknownEnvironment", UNKNOWN.format("`pro⟨U+200B⟩duction`") + ALIKE
    ),
    "right-to-left override in the environment": (
        "/approve-release \u202enoitcudorp", "UnknownEnvironment", UNKNOWN.format("`⟨U+202E⟩noitcudorp`") + ALIKE
    ),
    "isolates around the environment": (
        "/approve-release \u2066production\u2069", "UnknownEnvironment",
        UNKNOWN.format("`⟨U+2066⟩production⟨U+2069⟩`") + ALIKE,
    ),
    "no-break space behind the environment": (
        "/approve-release production\u00a0fine", "UnknownEnvironment", UNKNOWN.format("`production fine`") + ALIKE
    ),
    "line separator behind the environment": (
        "/approve-release production\u2028cancel", "UnknownEnvironment",
        UNKNOWN.format("`production cancel`") + ALIKE,
    ),
    "back-tick in the environment": (
        "/approve-release `production`", "UnknownEnvironment", UNKNOWN.format("`ʼproductionʼ`")
    ),
    "mention as the environment": (
        "/approve-release @all", "UnknownEnvironment", UNKNOWN.format("`@all`")
    ),
    "quotation mark that is never closed": (
        '/approve-release production "it is', "InvalidArguments",
        UNCLOSED,
    ),
    "endless line": (
        f"/approve-release {'x' * 50_000}", "UnknownEnvironment", UNKNOWN.format(f"`{'x' * 200}…`")
    ),
    "endless argument of a command that takes none": (
        f"/status {'x' * 50_000}", "InvalidArguments",
        f"`{'x' * 200}…` is more than this command takes. Usage: `/status`",
    ),
}  # fmt: skip


@pytest.mark.parametrize("trick", REFUSED)
def test_it_is_refused_and_its_author_reads_why(trick: str) -> None:
    body, code, message = REFUSED[trick]
    world = World(policy=TWO).submit().tests().comment("jane.doe", body)
    assert refusal(world) == (code, message)
    assert world.state.approvals == ()
    assert reply(world).endswith(f"was refused ({code}): {message}")
    assert len(reply(world)) < 1000


DONE = {
    "CRLF at the end": (f"Fine.\r\n{SAY}\r\n", ""),
    "CR alone": (f"Fine.\r{SAY}\r", ""),
    "Markdown's hard break": (f"{SAY}  \nthanks", ""),
    "backslash at the end": (f"{SAY}\\\nthanks", ""),
    "behind a closed fence": (f"```\nlog\n```\n{SAY}", ""),
    "behind a closed comment": (f"<!-- a remark -->\n\n{SAY}", ""),
    "behind a quote and an empty line": (f"> shall we?\n\n{SAY}", ""),
    "name in capitals": (SAY.replace("approve-release", "APPROVE-Release"), ""),
    "typographic quotes": (f"{SAY} “it is fine”", "it is fine"),
    "reason with another script": (f"{SAY} все хорошо", "все хорошо"),
    "reason with direction controls": (f"{SAY} \u202edone\u202c", "\u202edone\u202c"),
}


@pytest.mark.parametrize("trick", DONE)
def test_it_is_a_command(trick: str) -> None:
    body, reason = DONE[trick]
    world = World(policy=TWO).submit().tests().comment("jane.doe", body)
    (approval,) = world.state.approvals
    assert (approval.environment, approval.approver, approval.comment) == ("production", "jane.doe", reason)
    assert [reaction for _, reaction in world.forge.reactions] == ["eyes", "rocket"]


def test_what_nobody_sees_is_shown_in_an_answer() -> None:
    world = World(policy=TWO).submit().comment("agent", "/hold \u202eexe.gnp\u2069 @all <b>`now`</b>")
    assert reply(world) == (
        "✋ `agent` holds the change: ⟨U+202E⟩exe.gnp⟨U+2069⟩ @\u2060all \\<b\\>\\`now\\`\\</b\\>."
        " It is neither merged nor deployed until `/unhold`."
    )


def test_one_comment_takes_so_many_commands_and_then_none() -> None:
    world = World(policy=TWO).submit().tests().comment("jane.doe", "\n".join([SAY, *["/status"] * 20]))
    message = "21 commands in one comment are too many: write at most 20. None of them was done."
    assert refusal(world) == ("TooManyCommands", message)
    assert reply(world) == message
    assert (world.state.approvals, world.forge.reactions) == ((), [("c" + reply_id(world), "-1")])
    world.comment("jane.doe", "\n".join([SAY, *["/status"] * 19]))
    assert len(world.state.approvals) == 1


def reply_id(world: World) -> str:
    """The number of the comment that was answered last."""
    return next(name for name in reversed(world.forge.comments) if name.startswith("reply-c")).removeprefix(
        "reply-c"
    )


def test_the_bots_own_words_are_no_command_whatever_they_hold() -> None:
    world = World(policy=TWO).submit().tests()
    for body, _ in DONE.values():
        world.comment(messages.BOT, body)
    assert (world.state.approvals, "CommandIssued" in world.types()) == ((), False)
