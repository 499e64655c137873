"""The policy engine is quick: loosely, since other work shares the machine; `make bench` has the numbers."""

from __future__ import annotations

import statistics

from benchmarks.policy import cel_python, load, timed, verdict


def test_a_verdict_is_ten_times_quicker_than_its_conditions_in_cel_python() -> None:
    ours, theirs = timed(verdict(), 100), timed(cel_python(), 10)
    assert statistics.median(theirs) > 10 * statistics.median(ours)


def test_a_verdict_is_a_matter_of_microseconds() -> None:
    assert min(timed(verdict(), 200)) < 400e-6, "the goal is 200, on an idle machine"


def test_a_policy_of_two_thousand_lines_is_loaded_in_time() -> None:
    assert min(timed(load(), 3)) < 0.8, "the goal is 0.4, on an idle machine"
