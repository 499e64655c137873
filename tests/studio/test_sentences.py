"""What an event says to a release engineer; every type of the catalogue says something."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.catalog import CATALOG
from bot.domain.event import Event
from bot.studio.phrases import PHRASES
from bot.studio.sentences import LONGEST, by_name, clip, told
from tests.support.story import BLOCKED, RELEASED, STORY, event, story

FROZEN = "Frozen by weekend until Mon 2026-11-23 08:00 Europe/Paris."
SAID = [
    ("booking 1.0.0 was submitted to acme/booking (1 file)", "info", "", "ada"),
    ("Committed a1a1a1a1a1 on feature/booking/trace-1 (1 file)", "good", "feat: add booking", ""),
    ("Change #1 opened: feat: add booking", "good", "", ""),
    ("Change #1 opened: feat: add booking", "info", "", "pointsman[bot]"),
    ("Pipeline .gitlab-ci.yml is in place (2 stages)", "good", "", ""),
    ("Pipeline of a1a1a1a1a1 passed, coverage 92 %", "good", "", ""),
    ("Tests of a1a1a1a1a1 passed", "good", "", ""),
    ("Release to staging may go ahead", "good", "Every gate holds.", ""),
    (
        "Release to production waits", "wait",
        BLOCKED["message"], "",
    ),
    ("booking 1.0.0 waits for production", "wait", FROZEN, ""),
    (
        "/approve-release production let me was refused (UnauthorizedApprover)", "bad",
        "`mallory` may not use `/approve-release`; it takes ProductOwner.", "mallory",
    ),
    ("jane.doe (ProductOwner) approved a1a1a1a1a1 for production", "good", "looks right", "jane.doe"),
    ("sam lifted the freeze weekend for production", "wait", "customers wait", "sam"),
    ("Change #1 merged: feat: add booking", "good", "", "pointsman[bot]"),
    ("Deploying 1.0.0 to staging", "info", "", ""),
    ("1.0.0 runs in staging and is healthy", "good", "", ""),
    ("Deploying 1.0.0 to production", "info", "", ""),
    ("1.0.0 runs in production and is healthy", "good", "", ""),
    ("booking 1.0.0 is released everywhere", "good", "", ""),
]  # fmt: skip


def test_the_story_as_it_is_told() -> None:
    lines = [told(one) for one in story(then=RELEASED)]
    assert [(line.text, line.tone, line.reason, line.actor) for line in lines] == SAID


def test_steps_on_the_way_are_minor() -> None:
    minor = [one.type for one in story(then=RELEASED) if told(one).minor]
    assert minor == ["ChangeOpened", "ReleaseDelayed"]


@pytest.mark.parametrize(
    ("type_", "data", "expected"),
    [
        (
            "TestsFailed",
            {"revision": "f" * 40, "failedJobs": ["unit", "lint"]},
            "Tests of ffffffffff failed: unit, lint",
        ),
        ("TestsFailed", {"revision": "f" * 40}, "Tests of ffffffffff failed"),
        (
            "PipelineFinished",
            {"revision": "f" * 40, "status": "canceled"},
            "Pipeline of ffffffffff was cancelled",
        ),
        (
            "DeploymentStarted",
            {"version": "2", "environment": "e", "attempt": 3},
            "Deploying 2 to e (attempt 3)",
        ),
        ("DeploymentFailed", {"version": "2.0.0", "environment": "staging"}, "2.0.0 failed in staging"),
        (
            "DeploymentFailed",
            {"version": "2", "environment": "e", "rolledBackTo": "1"},
            "2 failed in e; 1 runs again",
        ),
        (
            "RollbackTriggered",
            {"version": "2", "environment": "e", "toVersion": None},
            "Rolling e back from 2 to nothing",
        ),
        (
            "AgentSkillFailed",
            {"effect": "SetCheck", "attempt": 2, "exhausted": False, "retryInS": 15.0},
            "SetCheck failed at attempt 2; the next is in 15.0 s",
        ),
        (
            "AgentSkillFailed",
            {"effect": "SetCheck", "attempt": 1, "exhausted": True},
            "Gave up SetCheck after 1 attempt",
        ),
        (
            "AgentSkillFailed",
            {"effect": "SetCheck", "attempt": 4, "exhausted": True},
            "Gave up SetCheck after 4 attempts",
        ),
        ("TaskCompleted", {"line": "/status"}, "/status was done"),
        ("TaskCompleted", {}, "Task completed"),
        ("LifecyclePhaseAdvanced", {"toState": "release_evaluation"}, "Step release evaluation"),
        ("SprintStarted", {}, "Sprint started"),
        ("acme.QualityReportReady", {}, "Quality report ready"),
        ("QAVerified", {}, "Qa verified"),
    ],
)
def test_other_sentences(type_: str, data: dict[str, Any], expected: str) -> None:
    assert told(event(1, type_, data)).text == expected


def test_every_type_of_the_catalogue_says_something() -> None:
    assert not [name for name in CATALOG if not told(event(1, name, {})).text.strip()]
    assert PHRASES.keys() <= CATALOG.keys()


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://forge.example/1", "https://forge.example/1"),
        ("http://127.0.0.1:9/x?y#z", "http://127.0.0.1:9/x?y#z"),
        ("javascript:alert(1)", ""),
        ("//evil.example", ""),
        ("https://a b", ""),
        ("https://a\n", ""),
        ("data:text/html,x", ""),
        (7, ""),
        (None, ""),
    ],
)
def test_only_web_addresses_are_links(url: Any, link: str) -> None:
    assert told(event(1, "PipelineFinished", {"url": url})).link == link
    assert told(event(1, "AgentActionCompleted", {"result": {"url": url}})).link == link


def test_long_text_is_one_line_with_an_end() -> None:
    assert clip("a\n\tb  c") == "a b c"
    assert clip("x" * 301) == "x" * 299 + "…"


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted(
    {name for _, data, _ in [*STORY, *RELEASED] for name in data} | {"attempt", "exhausted", "result", "line"}
)


@given(st.sampled_from(sorted(PHRASES)), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_nothing_in_a_payload_can_break_a_sentence(type_: str, data: dict[str, Any]) -> None:
    """Payloads of open types are whatever somebody sent."""
    line = told(Event.model_construct(type=type_, data=data, agent_id=None, actor=None, environment=None))
    assert 0 < len(line.text) <= LONGEST
    assert len(line.reason) <= LONGEST
    assert "\n" not in line.text + line.reason
    assert line.tone in {"good", "bad", "wait", "info"}


def test_names_are_spelt_as_words() -> None:
    assert by_name("CIPipelineRun2Done") == "Ci pipeline run 2 done"
    assert by_name("??") == "??"
