"""`pointsman policy` over the log: explain a release of it, try a policy on all of it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Pointsman
from tests.support.house import House

STRICT = "version: 1\nenvironments: {staging: {}, production: {gates: [{required-labels: audited}]}}\n"


def test_a_release_of_the_log_is_explained_under_another_policy(
    pointsman: Pointsman, told: House, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(STRICT)
    asked = ("policy", "explain", "--trace", "trace-1", "--policy", policy, "--environment", "production")
    blocked = pointsman(*asked, "--output", "json")
    verdict = json.loads(blocked.out)
    assert blocked.code == 3
    assert {child["name"]: child["state"] for child in verdict["children"]}["required-labels"] == "delayed"
    lifted = json.loads(pointsman(*asked, "--with", "label:audited", "--output", "json").out)
    assert {child["name"]: child["state"] for child in lifted["children"]}["required-labels"] == "approved"


def test_a_trace_that_is_not_there_and_nothing_to_explain(pointsman: Pointsman, told: House) -> None:
    assert pointsman("policy", "explain", "--trace", "nobody").code == 1
    assert pointsman("policy", "explain").code == 2


def test_a_policy_is_tried_on_the_past(pointsman: Pointsman, told: House, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(STRICT)
    said = json.loads(pointsman("policy", "backtest", "--policy", policy, "--output", "json").out)
    assert said["traces"] == 1
    assert said["verdicts"] >= len(said["differences"]) >= 0
    assert (
        "verdicts in 1 traces would have been others"
        in pointsman("policy", "backtest", "--policy", policy).out
    )
