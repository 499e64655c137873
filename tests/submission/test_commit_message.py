"""Commit messages: the policy for subjects, the trailers we write, the links we read."""

import re
import subprocess

import pytest

from bot.domain.commit_message import changelog_anchor, find_inline
from bot.domain.errors import Invalid
from bot.domain.submission import check_message, find_trace, find_trailers, trailers


@pytest.mark.parametrize(
    "subject",
    [
        "feat: add booking-service 1.0.0",
        "fix(api): refuse past dates",
        "refactor!: drop python 3.10",
        "feat(booking/core)!: new keys",
        "docs: é",
        "chore: " + "y" * 65,
    ],
)
def test_subjects_that_fit(subject: str) -> None:
    check_message(subject)


FORM = (
    "is not `type: what it does`, where type is one of build, chore, ci, docs, feat, fix, perf, refactor, "
    "revert, style, test (Conventional Commits)"
)


@pytest.mark.parametrize(
    ("subject", "wrong"),
    [
        ("", FORM),
        ("add booking", FORM),
        ("Feat: add booking", FORM),
        ("feature: add booking", FORM),
        ("feat:add", FORM),
        ("feat: ", FORM),
        ("feat(): add", FORM),
        ("feat: add\n\nTrace-Id: other", "is not one plain line"),
        ("feat: add\u202e", "is not one plain line"),
        ("feat: add\x00", "is not one plain line"),
        ("feat: " + "x" * 67, "has 73 characters; at most 72 may be"),
        ("feat: add.", "ends in a full stop or in a space"),
        ("feat: add ", "ends in a full stop or in a space"),
    ],
)
def test_subjects_that_do_not(subject: str, wrong: str) -> None:
    with pytest.raises(Invalid) as raised:
        check_message(subject)
    said = raised.value
    assert (said.reason_code, said.message, said.path) == (
        "CommitMessage",
        f"The commit subject {wrong}",
        "summary",
    )


def test_a_house_may_want_another_form() -> None:
    tickets = re.compile(r"[A-Z]+-\d+ .+")
    check_message("SHOP-12 add booking", pattern=tickets)
    with pytest.raises(Invalid, match=r"The commit subject does not match \[A-Z\]\+-\\d\+ \.\+"):
        check_message("feat: add booking", pattern=tickets)
    check_message("feat: " + "x" * 90, longest=100)


def test_trailers_in_their_order() -> None:
    made = trailers(
        trace_id="trace-1234",
        module_id="booking-service",
        version="1.0.0",
        agent_id="code-committer",
        session_id="session-1",
        sprint_id="sprint-3",
        feature_id="feature-7",
    )
    assert list(made.items()) == [
        ("Trace-Id", "trace-1234"),
        ("Module-Id", "booking-service"),
        ("Version", "1.0.0"),
        ("Agent-Id", "code-committer"),
        ("Session-Id", "session-1"),
        ("Sprint-Id", "sprint-3"),
        ("Feature-Id", "feature-7"),
        ("Changelog", "#booking-service-100"),
    ]


def test_what_is_not_known_is_left_out_and_nothing_is_smuggled_in() -> None:
    made = trailers(
        trace_id="t",
        module_id="m",
        version="1.0.0",
        agent_id="a",
        sprint_id="s\nSigned-off-by: x",
        feature_id=" ",
    )
    assert list(made) == ["Trace-Id", "Module-Id", "Version", "Agent-Id", "Sprint-Id", "Changelog"]
    assert made["Sprint-Id"] == "s Signed-off-by: x"


@pytest.mark.parametrize(
    ("module", "version", "anchor"),
    [
        ("booking-service", "1.0.0", "#booking-service-100"),
        ("Booking Service", "1.0.0-rc.1", "#booking-service-100-rc1"),
        ("a_b", "2.10.0", "#a_b-2100"),
        ("", "1.0.0", ""),
    ],
)
def test_changelog_anchors_are_those_of_rendered_headings(module: str, version: str, anchor: str) -> None:
    assert changelog_anchor(module, version) == anchor


def message(*more: str) -> str:
    made = trailers(trace_id="trace-1234", module_id="m", version="1.0.0", agent_id="a")
    return "\n".join(
        ["feat: x", "", "- body", "", *(f"{name}: {value}" for name, value in made.items()), *more]
    )


def test_what_is_written_is_read_again() -> None:
    assert find_trailers(message("Co-authored-by: x <x@example.org>")) == {
        "Trace-Id": "trace-1234",
        "Module-Id": "m",
        "Version": "1.0.0",
        "Agent-Id": "a",
        "Changelog": "#m-100",
    }


def test_git_reads_the_same_trailers() -> None:
    command = ["git", "interpret-trailers", "--parse"]
    said = subprocess.run(command, input=message(), capture_output=True, text=True, check=True).stdout
    assert dict(line.split(": ", 1) for line in said.splitlines()) == find_trailers(message())


@pytest.mark.parametrize(
    ("text", "trace"),
    [
        (message(), "trace-1234"),
        ("feat: x\n\ntrace-id: abc", "abc"),
        ("* feat: a\n\nTrace-Id: t1\n\n* fix: b\n\nCo-authored-by: x <y>", "t1"),
        ("feat: x\n\nTrace-Id: old\nTrace-Id: new", "new"),
        ("Add BookAppointmentHandler [trace:trace-d8c7 sprint:sprint-3]", "trace-d8c7"),
        ("Add x [sprint:sprint-3 trace:trace-d8c7]", "trace-d8c7"),
        ("Add x [trace:inline]\n\nTrace-Id: trailer", "trailer"),
        ("feat: see Trace-Id: abc", None),
        ("feat: x\n\nTrace-Id:", None),
        ("feat: x\n\nTrace-Id: a b", None),
        ("feat: x\n\nTrace-Id: ../../etc", None),
        (f"feat: x\n\nTrace-Id: {'a' * 129}", None),
        ("Add x [sprint:sprint-3]", None),
        ("Add x [see trace:y]", None),
        ("", None),
    ],
)
def test_the_trace_of_a_commit(text: str, trace: str | None) -> None:
    assert find_trace(text) == trace


def test_the_inline_form() -> None:
    assert find_inline("Add x [trace:trace-d8c7 sprint:sprint-3] and [feature:f1]") == {
        "trace": "trace-d8c7",
        "sprint": "sprint-3",
        "feature": "f1",
    }
