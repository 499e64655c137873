"""`rules:changes`: patterns, and what an event is compared with."""

import fnmatch
import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.forges.local import runner
from bot.forges.local.runner import PipelineError, RunContext, changes

MAIN = RunContext(branch="main")


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("README.md", "README.md", True),
        ("README.md", "docs/README.md", False),
        ("readme.md", "README.md", False),
        ("*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("**/*.md", "README.md", True),
        ("**/*.md", "docs/a/README.md", True),
        ("services/booking/**/*", "services/booking/app.py", True),
        ("services/booking/**/*", "services/booking/a/b/.hidden", True),
        ("services/booking/**/*", "services/booking-two/app.py", False),
        ("services/booking/**/*", "services/booking", False),
        ("services/**", "services/app.py", True),
        ("services/**", "services/a/app.py", False),
        ("a**/c", "ab/c", True),
        ("a**/c", "ab/b/c", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("a.c", "abc", False),
        ("$x+(", "$x+(", True),
        (".gitlab/ci/x.yml", ".gitlab/ci/x.yml", True),
    ],
)
def test_patterns_mean_what_ruby_means(glob: str, path: str, matches: bool) -> None:
    assert changes.matches([glob], [path]) is matches


PLAIN = st.text("abc.*?-", min_size=1, max_size=8)


@given(PLAIN, PLAIN)
def test_within_one_folder_it_is_fnmatch(glob: str, name: str) -> None:
    assert changes.matches([glob], [name]) is bool(re.match(fnmatch.translate(glob), name))


def test_an_unknown_event_and_endless_comparisons_let_the_rule_hold() -> None:
    assert changes.matches(["x"], None)
    assert not changes.matches(["x"], [])
    assert not changes.matches(["x"], ["y"] * 50_000)
    assert changes.matches(["x"], ["y"] * 50_001)


def planned(rules: str, changed: Callable[[str | None], Sequence[str] | None], **context: str) -> list[str]:
    text = f"unit: {{script: make, rules: [{rules}]}}\nother: {{script: make}}\n"
    found = runner.plan(runner.parse(text), MAIN.model_copy(update=context), changed)
    return [job.name for job in found.jobs if job.name == "unit"]


def test_a_rule_holds_when_its_condition_and_its_changes_do() -> None:
    rule = "{if: $CI_COMMIT_BRANCH, changes: [src/*]}"
    assert planned(rule, lambda _: ["src/a"]) == ["unit"]
    assert planned(rule, lambda _: ["doc/a"]) == []
    assert planned("{if: $CI_COMMIT_TAG, changes: [src/*]}", lambda _: ["src/a"]) == []
    assert planned("{changes: {paths: [src/*]}, when: never}, {when: on_success}", lambda _: ["src/a"]) == []
    assert planned(rule, changes.unknown) == ["unit"]


def test_names_are_put_in_where_they_are_referred_to() -> None:
    asked: list[str | None] = []

    def changed(compare_to: str | None) -> list[str]:
        asked.append(compare_to)
        return ["main/a"]

    rule = "{changes: {paths: [$CI_COMMIT_BRANCH/*], compare_to: refs/heads/$CI_DEFAULT_BRANCH}}"
    assert planned(rule, changed, default_branch="trunk") == ["unit"]
    assert asked == ["refs/heads/trunk"]


def test_a_ref_that_is_not_there_is_an_error_of_the_file() -> None:
    def changed(compare_to: str | None) -> list[str]:
        raise LookupError(compare_to)

    with pytest.raises(PipelineError) as caught:
        planned("{changes: {paths: [x], compare_to: gone}}", changed)
    assert str(caught.value) == (
        "line 1, column 1: job `unit`: `compare_to` names gone, which is no branch, tag or commit (correct it)"
    )


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "['a[bc]']",
            (
                "`unit.rules.0.changes.paths.0`: `a[bc]` is a pattern that the embedded runner does not know"
                " (use only `*`, `**/` and `?`)"
            ),
        ),
        (
            "[/a]",
            "`unit.rules.0.changes.paths.0`: `/a` matches no path (write it relative to the repository)",
        ),
        ("[]", "`unit.rules.0.changes.paths`: tuple should have at least 1 item after validation, not 0"),
        (
            "{paths: [a], regexp: b}",
            (
                "`unit.rules.0.changes.regexp` is not supported by the embedded runner"
                " (remove it; supported here: compare_to, paths)"
            ),
        ),
    ],
)
def test_what_is_not_supported_is_said(said: str, sentence: str) -> None:
    with pytest.raises(PipelineError) as caught:
        runner.parse(f"unit: {{script: make, rules: [{{changes: {said}}}]}}")
    assert str(caught.value).partition(": ")[2] == sentence
