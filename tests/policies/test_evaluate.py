"""The verdict as a whole: complete, in a person's order, folded honestly."""

# ruff: noqa: ISC004  sentences are asserted whole, beside what causes them

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.catalog import CATALOG
from bot.domain.deployment import Slot
from bot.domain.release import Override, Rejection
from policies import ReleaseFacts, Verdict, change_verdicts, evaluate, load, mergeable
from policies.explain import lines
from policies.gates import GATES
from tests.policies.builders import HEAD, MERGED, NOON, OLD, approval, facts, of_gates, people, policy

FRIDAY = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
"""18:00 in Paris: the weekend freeze begins."""
ALL = (approval("jane.doe"), approval("rita", "ReleaseManager"))
RITA = people(rita="acme/release", sue="acme/sre", sid="acme/sre")


def gate(verdict: Verdict, name: str) -> Verdict:
    (found,) = [child for child in verdict.children if child.name == name]
    return found


def test_friday_evening() -> None:
    assert lines(evaluate(policy(), facts(), FRIDAY)) == [
        "… production: delayed, 2 of 4 gates",
        "  … freeze: Frozen by weekend until Mon 2026-11-23 08:00 Europe/Paris. Wait, or say "
        "`/override-freeze production <reason>`. Who can: sam.",
        "  … approvals: Needs ProductOwner and (ReleaseManager or 2 of team acme/sre).",
        "    … ProductOwner: Needs an approval by ProductOwner: `/approve-release production`. "
        "Who can: jane.doe, team acme/product.",
        "    … any: Needs ReleaseManager or 2 of team acme/sre.",
        "      … ReleaseManager: Needs an approval by ReleaseManager: `/approve-release production`. "
        "Who can: team acme/release.",
        "      … team acme/sre: Needs 2 more approvals by team acme/sre: `/approve-release production`. "
        "Who can: team acme/sre.",
        '  - approvals: Does not apply: change.labels.exists(l, l == "schema")',
        "  - promoted-from: After the merge: 1.2.0 healthy in staging.",
        "  - minimum-delay: After the merge: 10m.",
        "  ✓ tests-passed: The tests of aaaaaaa passed.",
        "  ✓ coverage: Coverage is 85 %.",
        "Next change by itself: Mon 2026-11-23 07:00 UTC.",
    ]


def test_the_root_sums_up_what_blocks() -> None:
    verdict = evaluate(policy(), facts(tests={HEAD: "failed"}), FRIDAY)
    assert (verdict.name, verdict.state, verdict.reason_code) == ("production", "rejected", "TestsFailed")
    assert verdict.message == (
        "The tests of aaaaaaa failed: push a fix, or /retry if it was not the code. Also: freeze, approvals."
    )
    assert (verdict.have, verdict.need) == ("1 of 4 gates", "4 gates")
    assert verdict.who_can == ("sam", "jane.doe", "team acme/product", "team acme/release", "team acme/sre")
    assert verdict.next_change_at == datetime(2026, 11, 23, 7, tzinfo=UTC)


def test_the_json_shape_is_the_contract() -> None:
    shape = evaluate(of_gates(), facts(), NOON).to_json()
    assert shape == {
        "name": "production",
        "state": "approved",
        "reason_code": "Approved",
        "message": "1.2.0 may be merged for production.",
        "have": "2 of 2 gates",
        "need": "2 gates",
        "who_can": [],
        "next_change_at": None,
        "children": [
            {"name": "freeze", "state": "approved", "reason_code": "NoFreeze", "message": "No freeze.", "have": "open",
             "need": "open", "who_can": [], "next_change_at": None, "children": []},
            {"name": "tests-passed", "state": "approved", "reason_code": "TestsPassed",
             "message": "The tests of aaaaaaa passed.", "have": "passed", "need": "passed", "who_can": [],
             "next_change_at": None, "children": []},
        ],
    }  # fmt: skip


def test_an_open_freeze_announces_when_it_closes() -> None:
    verdict = evaluate(policy(), facts(approvals=ALL, actors=RITA), NOON)
    assert verdict.state == "approved"
    assert verdict.message == "1.2.0 may be merged for production."
    assert verdict.next_change_at == FRIDAY


def deployable(**said: Any) -> ReleaseFacts:
    slot = Slot(environment="staging", running_version="1.2.0", running_revision=MERGED, healthy=True)
    known = {
        "phase": "deployment",
        "revision": MERGED,
        "carried": {MERGED: HEAD},
        "approvals": ALL,
        "actors": RITA,
    }
    return facts(**(known | {"slots": {"staging": slot}} | said))


LATER = NOON + timedelta(minutes=10)


def test_after_the_merge_every_gate_counts() -> None:
    verdict = evaluate(policy(), deployable(), LATER)
    assert [(child.name, child.state) for child in verdict.children] == [
        ("freeze", "approved"),
        ("approvals", "approved"),
        ("approvals", "skipped"),
        ("promoted-from", "approved"),
        ("minimum-delay", "approved"),
        ("tests-passed", "approved"),
        ("coverage", "approved"),
    ]
    assert verdict.message == "1.2.0 may be deployed for production."


def test_a_squash_with_another_tree_is_not_approved() -> None:
    verdict = evaluate(policy(), deployable(carried={}), LATER)
    assert verdict.state == "delayed"
    assert {child.name for child in verdict.children if child.state == "delayed"} == {
        "approvals", "minimum-delay", "tests-passed", "coverage"
    }  # fmt: skip


def test_the_delay_counts_from_the_last_approval_that_was_needed() -> None:
    needed = NOON + timedelta(minutes=5)
    votes = (approval("jane.doe"), approval("rita", "ReleaseManager", approved_at=needed),
             approval("sue", "team:acme/sre", approved_at=needed + timedelta(minutes=3)))  # fmt: skip
    waiting = gate(evaluate(policy(), deployable(approvals=votes), LATER), "minimum-delay")
    assert (waiting.state, waiting.reason_code, waiting.have, waiting.need) == (
        "delayed",
        "DelayRunning",
        "5m",
        "10m",
    )
    assert waiting.message == "Waits until Wed 2026-11-18 12:15:00 UTC, 10m after the approval, by itself."
    assert waiting.next_change_at == NOON + timedelta(minutes=15)
    assert gate(
        evaluate(policy(), deployable(approvals=votes), waiting.next_change_at), "minimum-delay"
    ).approved


def test_the_delay_has_not_begun_without_an_approval() -> None:
    verdict = gate(evaluate(policy(), deployable(approvals=()), LATER), "minimum-delay")
    assert (verdict.state, verdict.reason_code) == ("delayed", "DelayNotStarted")
    assert verdict.message == "10m must pass after the approval, which is not there yet."


def test_without_approvals_the_delay_counts_from_the_intent() -> None:
    own = of_gates("minimum-delay: 1h")
    known = facts(phase="deployment", intent_at=NOON)
    assert evaluate(own, known, NOON + timedelta(minutes=59)).state == "delayed"
    assert evaluate(own, known, NOON + timedelta(minutes=60)).state == "approved"


@pytest.mark.parametrize(
    ("slot", "state", "code", "message"),
    [
        (None, "delayed", "NotPromoted", "Waits for staging, which runs nothing, to run 1.2.0."),
        ({"running_version": "1.1.0", "running_revision": OLD, "healthy": True}, "delayed", "NotPromoted",
         "Waits for staging, which runs 1.1.0, to run 1.2.0."),
        ({"running_version": "1.2.0", "running_revision": MERGED}, "delayed", "PreviousUnhealthy",
         "Waits for staging to be healthy: 1.2.0 runs there, its probes do not pass."),
        ({"running_version": "1.2.0", "running_revision": OLD, "healthy": True}, "delayed", "NotPromoted",
         "Waits for staging, which runs 1.2.0, to run 1.2.0."),
    ],
)  # fmt: skip
def test_promoted_only_from_where_it_is_healthy(slot: Any, state: str, code: str, message: str) -> None:
    slots = {"staging": Slot(environment="staging", **slot)} if slot else {}
    verdict = gate(evaluate(policy(), deployable(slots=slots), LATER), "promoted-from")
    assert (verdict.state, verdict.reason_code, verdict.message) == (state, code, message)


def test_what_was_rolled_back_is_not_promoted() -> None:
    from bot.domain.release import release_id

    gone = release_id("booking", "1.2.0", "staging", MERGED)
    slot = Slot(
        environment="staging",
        running_version="1.2.0",
        running_revision=MERGED,
        healthy=True,
        rolled_back=(gone,),
    )
    verdict = gate(evaluate(policy(), deployable(slots={"staging": slot}), LATER), "promoted-from")
    assert (verdict.state, verdict.reason_code) == ("rejected", "RolledBack")
    assert verdict.message == "1.2.0 was rolled back in staging: release a new version."


@pytest.mark.parametrize(
    ("tests", "state", "code", "message"),
    [
        ({HEAD: "passed"}, "approved", "TestsPassed", "The tests of aaaaaaa passed."),
        ({HEAD: "running"}, "delayed", "TestsRunning", "The tests of aaaaaaa are running."),
        ({}, "delayed", "TestsMissing", "Waits for the pipeline of aaaaaaa: nothing is known of its tests yet."),
        ({OLD: "passed"}, "delayed", "TestsMissing", "Waits for the pipeline of aaaaaaa: nothing is known of its tests yet."),
        ({HEAD: "failed"}, "rejected", "TestsFailed", "The tests of aaaaaaa failed: push a fix, or /retry if it was not the code."),
    ],
)  # fmt: skip
def test_tests_passed(tests: Any, state: str, code: str, message: str) -> None:
    verdict = gate(evaluate(of_gates(), facts(tests=tests), NOON), "tests-passed")
    assert (verdict.state, verdict.reason_code, verdict.message) == (state, code, message)


@pytest.mark.parametrize(
    ("tests", "state"),
    [
        ({HEAD: "passed"}, "approved"),
        ({HEAD: "passed", MERGED: "running"}, "approved"),
        ({HEAD: "passed", MERGED: "failed"}, "rejected"),
        ({HEAD: "failed", MERGED: "passed"}, "approved"),
        ({HEAD: "failed"}, "rejected"),
        ({}, "delayed"),
    ],
)
def test_an_equal_tree_is_tested_unless_its_own_pipeline_failed(tests: Any, state: str) -> None:
    known = facts(revision=MERGED, carried={MERGED: HEAD}, tests=tests)
    assert gate(evaluate(of_gates(), known, NOON), "tests-passed").state == state


@pytest.mark.parametrize(
    ("coverage", "state", "code", "message"),
    [
        ({HEAD: 80.0}, "approved", "CoverageMet", "Coverage is 80 %."),
        ({HEAD: 79.96}, "rejected", "CoverageTooLow", "Coverage is 79.96 %, needs 80 %: add tests."),
        ({}, "delayed", "CoverageMissing", "Waits for the pipeline to report its coverage."),
    ],
)
def test_coverage(coverage: Any, state: str, code: str, message: str) -> None:
    verdict = gate(evaluate(policy(), facts(coverage=coverage), NOON), "coverage")
    assert (verdict.state, verdict.reason_code, verdict.message) == (state, code, message)


def test_labels() -> None:
    own = of_gates("required-labels: [qa-ok, docs]", "hold")
    verdict = evaluate(own, facts(labels=("docs", "hold")), NOON)
    assert gate(verdict, "required-labels").message == "Label the change qa-ok."
    assert gate(verdict, "hold").message == "On hold: remove the label hold to go on."
    assert evaluate(own, facts(labels=("qa-ok", "docs")), NOON).state == "approved"


def test_a_person_who_rejected_it_stands_until_a_new_revision() -> None:
    no = Rejection(environment="production", revision=HEAD, by="rita", reason="wrong prices", at=NOON)
    verdict = evaluate(of_gates(), facts(rejections=(no,)), NOON)
    assert (verdict.state, verdict.reason_code) == ("rejected", "RejectedByPerson")
    assert verdict.message == "rita rejected this revision: wrong prices. Push a new one."
    assert evaluate(of_gates(), facts(rejections=(no,), revision=OLD, tests={OLD: "passed"}), NOON).approved
    elsewhere = no.model_copy(update={"environment": "staging"})
    assert evaluate(of_gates(), facts(rejections=(elsewhere,)), NOON).approved
    merged = facts(rejections=(no,), revision=MERGED, carried={MERGED: HEAD})
    assert evaluate(of_gates(), merged, NOON).reason_code == "RejectedByPerson"


def test_a_condition_decides_whether_a_gate_is_asked() -> None:
    asked = evaluate(policy(), facts(labels=("schema",), approvals=ALL, actors=RITA), NOON)
    assert asked.message == "Needs an approval by team acme/dba: `/approve-release production`."


def test_a_condition_that_can_not_be_decided_blocks() -> None:
    own = of_gates("{when: 'tests.coverage < 90.0', hold: {}}")
    assert evaluate(own, facts(), NOON).approved
    verdict = evaluate(own, facts(coverage={}), NOON)
    assert (verdict.state, verdict.reason_code) == ("rejected", "ConditionError")
    assert verdict.message == (
        "The condition 'tests.coverage < 90.0' can not be decided: No value with name \"tests.coverage\" found in "
        "Activation. Put the policy right."
    )


def test_skipped_gates_alone_never_approve() -> None:
    own = of_gates("{when: 'change.draft', hold: {}}")
    bare = own.model_copy(
        update={"environments": {"production": own.environments["production"].model_copy(
            update={"gates": own.environments["production"].gates[1:]})}}
    )  # fmt: skip
    verdict = evaluate(bare, facts(), NOON)
    assert (verdict.state, verdict.reason_code) == ("rejected", "NoGateApplied")
    assert verdict.message == (
        "No gate applies to this release, so nothing allows it: give production a gate without `when`."
    )


def test_an_unknown_environment_is_not_allowed() -> None:
    verdict = evaluate(of_gates(), facts(environment="prod"), NOON)
    assert (verdict.state, verdict.reason_code) == ("rejected", "UnknownEnvironment")
    assert verdict.message == "The policy knows no environment 'prod', only production."


def test_a_change_of_the_policy_has_its_own_gate() -> None:
    verdict = evaluate(policy(), facts(touches_policy=True, environment="staging"), NOON)
    assert gate(verdict, "changes-to-this-file").message == (
        "Needs an approval by ReleaseManager: `/approve-release staging`."
    )
    rita = (approval("rita", "ReleaseManager", environment="staging"),)
    assert evaluate(
        policy(), facts(touches_policy=True, environment="staging", approvals=rita, actors=RITA), NOON
    ).approved


def test_observing_says_the_same_and_blocks_nothing() -> None:
    own = of_gates(more="mode: observe\n")
    verdict = evaluate(own, facts(tests={}), NOON)
    assert (verdict.state, verdict.observed, verdict.blocks) == ("delayed", True, False)
    assert verdict.to_json()["observed"] is True
    assert lines(verdict)[0] == (
        "… production: delayed, 1 of 2 gates, would be blocked (mode: observe blocks nothing)"
    )


def test_a_tenant_is_judged_by_its_own_policy() -> None:
    verdict = evaluate(policy(), facts(tenant="vetclinic-001", environment="staging"), NOON)
    assert gate(verdict, "approvals").need == "ReleaseManager and SecurityReviewer"


def test_a_lifted_freeze_is_said_to_be_lifted() -> None:
    lifted = Override(environment="production", window="weekend", by="sam", role="StudioApprover", reason="outage",
                      at=FRIDAY, until=FRIDAY + timedelta(hours=62), revision=HEAD)  # fmt: skip
    verdict = gate(evaluate(policy(), facts(overrides=(lifted,)), FRIDAY + timedelta(hours=1)), "freeze")
    assert (verdict.state, verdict.reason_code, verdict.message) == (
        "approved", "FreezeOverridden", "weekend lifted for this release by sam."
    )  # fmt: skip
    hotfix = gate(evaluate(policy(), facts(labels=("hotfix",)), datetime(2026, 12, 22, tzinfo=UTC)), "freeze")
    assert (hotfix.reason_code, hotfix.message) == (
        "FreezeExempt",
        "year-end does not apply to this release.",
    )


def test_merging() -> None:
    own, ready = policy(), facts(approvals=ALL, actors=RITA)
    verdicts = change_verdicts(own, ready, NOON)
    assert {name: verdict.state for name, verdict in verdicts.items()} == {
        "staging": "approved",
        "production": "approved",
    }
    assert mergeable(own, verdicts)
    assert not mergeable(own, verdicts, draft=True)
    assert not mergeable(own, {"staging": verdicts["staging"]}), "every environment has to be asked"
    assert not mergeable(own, change_verdicts(own, facts(), NOON))
    assert not mergeable(own.of("vetclinic-001"), verdicts), "people merge there"


def test_observing_merges_nothing_that_is_not_approved() -> None:
    own = of_gates(more="mode: observe\n")
    assert not mergeable(own, change_verdicts(own, facts(tests={}), NOON))


def test_the_verdict_is_a_function_of_its_arguments() -> None:
    again = load.__wrapped__  # type: ignore[attr-defined]
    from tests.policies.builders import TEXT

    assert evaluate(again(TEXT), facts(), FRIDAY) == evaluate(again(TEXT), facts(), FRIDAY)


@pytest.mark.parametrize("name", sorted(GATES))
def test_a_gate_reads_events_that_exist(name: str) -> None:
    found: Any = GATES[name]
    assert found.reads <= CATALOG.keys()
    assert policy().reads("production") <= CATALOG.keys()
    assert found.name == name
    assert found.__doc__
