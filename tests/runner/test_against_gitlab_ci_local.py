"""Our runner does what gitlab-ci-local does: which jobs ran, how they ended, in which order, with which
files.

Left out, because gitlab-ci-local 4.75 differs from GitLab itself there: `retry` (it does not try again),
`when: always` in a stage that is not the next after a failure (it does not start it), `GITLAB_CI` (it says
false). test_execute.py has these.
"""

from pathlib import Path

import pytest

from bot.forges.local import runner
from bot.forges.local.runner import RunContext
from tests.runner.project import Seen, make, ours, theirs

PIPELINES = Path(__file__).with_name("pipelines")
MAIN = RunContext(branch="main")
CASES = {
    "allow_failure": MAIN,
    "artefacts": MAIN,
    "default": MAIN,
    "failing": MAIN,
    "manual": MAIN,
    "needs": MAIN,
    "optional_needs": MAIN,
    "rules_on_branch": RunContext(branch="feature/x"),
    "rules_on_tag": RunContext(tag="v1.2"),
    "shell": MAIN,
    "stages": MAIN,
    "variables": MAIN,
    "workflow": RunContext(branch="agent/one", source="merge_request_event", change=4),
}


def test_every_pipeline_file_is_compared() -> None:
    assert {path.stem for path in PIPELINES.glob("*.yml")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_both_runners_do_the_same(name: str, tmp_path: Path) -> None:
    text = (PIPELINES / f"{name}.yml").read_text()
    here = ours(make(tmp_path / "a" / "project", text), CASES[name], tmp_path / "a" / "marks")
    there = theirs(make(tmp_path / "b" / "project", text), CASES[name], tmp_path / "b" / "marks")

    assert here.outcome == there.outcome, there.text
    assert here.failed == there.failed, there.text
    assert here.notes == there.notes, there.text
    assert sorted(here.order) == sorted(there.order), there.text
    for seen in (here, there):
        assert_each_followed_what_it_waits_for(text, CASES[name], seen)


def assert_each_followed_what_it_waits_for(text: str, context: RunContext, seen: Seen) -> None:
    for planned in runner.plan(runner.parse(text), context).jobs:
        for other in planned.waits_for:
            if planned.name in seen.order and other in seen.order:
                assert seen.order.index(other) < seen.order.index(planned.name), (seen.order, seen.text)
