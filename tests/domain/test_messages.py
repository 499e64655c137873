"""Text of people inside our text: never markup, never a mention, never a second line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot import messages
from bot.domain import payloads as p
from tests.handlers.world import World

NASTY = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=40)


@given(NASTY)
def test_plain_text_stays_one_paragraph_of_text(text: str) -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).parse("x " + messages.plain(text))

    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    inline = {child.type for child in tokens[1].children or ()}
    assert inline <= {"text", "text_special"}


@given(NASTY)
def test_nobody_is_mentioned(text: str) -> None:
    shown = messages.plain(f"@{text}")

    assert "@\u2060" in shown
    assert not any(shown[i] == "@" and shown[i + 1 : i + 2].isalnum() for i in range(len(shown)))


@given(NASTY.filter(lambda text: text.strip() != ""))
def test_code_is_one_span_of_code(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(messages.code(text))

    children = tokens[1].children or []
    assert [child.type for child in children] == ["code_inline"]


def test_the_body_of_a_change_names_what_the_seed_asks_for() -> None:
    world = World().submit()
    body = messages.change_body(world.state, "http://bot")

    for part in ("### Changelog", "- Book appointments", "### Affected files (1)", "`booking_service/\u200b__init__.py`".replace("\u200b", ""),
                 "### Test coverage", "Not measured yet: the pipeline has not finished.", "[trace-1234](http://bot/traces/trace-1234)",
                 "<!-- pointsman:gates -->"):  # fmt: skip
        assert part in body
    world.tests(coverage=87.4)
    assert "87 %" in messages.change_body(world.state, "http://bot")


def test_many_files_are_counted() -> None:
    world = World().submit()
    commit = dict(world.state.commit or {}) | {"files": [f"f{n}" for n in range(80)]}

    body = messages.change_body(world.state.model_copy(update={"commit": commit}), "http://bot")

    assert "### Affected files (80)" in body
    assert "- and 30 more" in body


@pytest.mark.parametrize(
    ("status", "reason", "jobs", "title"),
    [
        ("success", "", (("unit", "success", False),), "Passed, coverage 91 %"),
        ("success", "", (("lint", "failed", True),), "Passed, coverage 91 %"),
        ("failed", "", (("unit", "failed", False),), "Failed: unit"),
        ("failed", "runner lost", (), "Failed: runner lost"),
        ("canceled", "", (), "Failed: canceled"),
    ],
)
def test_the_pipelines_check_says_what_failed(
    status: str, reason: str, jobs: tuple[tuple[str, str, bool], ...], title: str
) -> None:
    run = p.PipelineFinished(
        repository="r", revision="a", pipeline_id="1", status=status, reason=reason, coverage=91.2,
        jobs=tuple(p.Job(name=name, stage="test", status=state, allow_failure=allowed) for name, state, allowed in jobs),
    )  # fmt: skip

    assert messages.pipeline_title(run) == title


def test_the_sticky_comment_says_what_runs_and_what_waits() -> None:
    world = World().submit().tests()
    text = world.forge.comments["verdict"]
    assert text.startswith("### Release of `booking-service` 1.0.0\n\n")
    assert "⏳ **production** waits:\n" in text

    world.comment("jane.doe", "/approve-release production")

    assert world.forge.comments["verdict"].splitlines()[2:4] == [
        "- 🚀 **staging** runs 1.0.0: http://x",
        "- 🚀 **production** runs 1.0.0: http://x",
    ]


def test_the_sticky_comment_says_what_was_rolled_back_and_what_to_do() -> None:
    world = World().submit().tests().comment("jane.doe", "/approve-release production")
    world.deployer.sick.add("2.0.0")
    world.forge.change = None
    world.submit("2.0.0", "trace-2").tests().comment("jane.doe", "/approve-release production")

    assert (
        "- ↩️ **staging**: 2.0.0 did not get healthy, 1.0.0 runs again. `/retry` tries 2.0.0 once more."
        in world.forge.comments["verdict"]
    )


def test_a_failed_run_shows_how_each_failed_job_ended() -> None:
    jobs = (
        p.Job(name="lint", stage="test", status="success", duration_s=1.0, log_tail="not shown"),
        p.Job(
            name="unit", stage="test", status="failed", duration_s=2.5, log_tail="FAIL: test_a\n```\n@ada <b>"
        ),
    )
    run = p.PipelineFinished(repository="r", revision="a" * 40, pipeline_id="1", status="failed", jobs=jobs)
    assert messages.pipeline_summary(run) == (
        "| stage | job | result | took |\n"
        "|---|---|---|---|\n"
        "| test | lint | success | 1.0 s |\n"
        "| test | unit | failed | 2.5 s |\n"
        "\n**unit** ended with\n\n````text\nFAIL: test_a\n```\n@ada <b>\n````"
    )


def test_an_approval_that_is_there_is_named_and_nothing_is_said_twice() -> None:
    leaf = {
        "name": "ProductOwner",
        "state": "delayed",
        "reason_code": "ApprovalMissing",
        "message": "Needs 1 more: `/approve-release production`.",
        "have": "jane.doe",
        "who_can": ["joe"],
    }
    tree = {**leaf, "name": "approvals", "children": [leaf]}
    assert messages.verdict_markdown({"children": [tree]}) == (
        "- ⏳ **approvals**: Needs 1 more: `/approve-release production`. Given by `jane.doe`. Can help: `joe`."
    )


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Say `/help` now.", "Say `/help` now."),
        ("a ` alone and *stars*", "a \\` alone and \\*stars\\*"),
        ("`a``b`", "`a``b`"),
        ("@ada `@ada`", "@\u2060ada `@ada`"),
    ],
)
def test_prose_keeps_code_and_defuses_the_rest(said: str, shown: str) -> None:
    assert messages.prose(said) == shown
