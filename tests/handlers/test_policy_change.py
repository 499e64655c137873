"""A change that touches the policy: tried once per head, told on the change, and not merged unless it can be used."""

from __future__ import annotations

import pytest

from bot import messages
from bot.domain import effect as fx
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.effect import SetCheck
from bot.domain.errors import Permanent
from tests.handlers.world import POLICY, World

FILE = ".pointsman/policy.yaml"
OPEN_TO_ALL = POLICY.replace("      - approvals: {role: ProductOwner}\n", "")
"""Nobody has to approve: whatever is tested is merged."""
BLOCKED = fx.NewlyBlocked(trace_id="t", change=9, environment="production", gates=("coverage", "hold"))


def touching(*paths: str, trial: fx.PolicyTrial | None = None) -> World:
    """A change that touches these files, before its pipeline has run."""
    world = World(policy=OPEN_TO_ALL)
    world.forge.paths, world.forge.trial = paths, trial
    return world.submit()


def checks(world: World) -> list[SetCheck]:
    return [
        one for one in world.forge.performed if isinstance(one, SetCheck) and one.name == "pointsman/policy"
    ]


def trials(world: World) -> list[fx.TryPolicy]:
    return [one for one in world.forge.performed if isinstance(one, fx.TryPolicy)]


def test_each_head_is_tried_once() -> None:
    world = touching(FILE).tests()
    heads = [one.revision for one in trials(world)]
    assert len(heads) == len(set(heads)) > 0
    assert heads[-1] == (world.state.change or {})["head"]
    assert (trials(world)[-1].branch, trials(world)[-1].forge) == (
        (world.state.change or {})["source"],
        "local",
    )


@pytest.mark.parametrize(
    ("paths", "tried"),
    [
        ((FILE,), True),
        ((".pointsman/tests/frozen.yaml",), True),
        ((".pointsman/base.yaml",), True),
        (("src/app.py",), False),
        (("pointsman/policy.yaml",), False),
    ],
)
def test_only_what_the_policy_is_made_of_is_tried(paths: tuple[str, ...], *, tried: bool) -> None:
    assert bool(trials(touching(*paths).tests())) == tried


def test_a_policy_that_can_be_used_is_merged() -> None:
    world = touching(FILE).tests()
    assert checks(world)[0].conclusion is None
    assert checks(world)[0].title == "The policy of this revision is being tried"
    last = checks(world)[-1]
    assert (last.conclusion, last.title) == (
        "success",
        "The policy can be used: no past verdict would have been another",
    )
    assert world.state.merged


BAD = {
    "a mistake in it": (
        fx.PolicyTrial(errors=("3:1: roles: unknown key", "4:1: x")),
        "The policy can not be read: 3:1: roles: unknown key, and 1 more",
    ),
    "a failed test of its own": (
        fx.PolicyTrial(
            cases=(fx.TriedCase(file="a.yaml", name="x", problems=("state is approved, not delayed",)),
                   fx.TriedCase(file="a.yaml", name="y")),
        ),
        "1 of 2 unit tests of the policy failed",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("trial", "title"), BAD.values(), ids=BAD)
def test_a_policy_that_can_not_be_used_is_not_merged(trial: fx.PolicyTrial, title: str) -> None:
    world = touching(FILE, trial=trial).tests()
    assert not world.state.merged
    assert (checks(world)[-1].conclusion, checks(world)[-1].title) == ("failure", title)
    merge = world.forge.checks[messages.MERGE_CHECK]
    assert (merge.conclusion, merge.title) == ("failure", "Rejected for pointsman/policy")

    world.forge.trial = fx.PolicyTrial()
    world.push("agent")
    world.tests()
    assert world.state.merged, "the next head is tried anew"


def test_a_policy_that_could_not_be_tried_is_not_merged_until_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(policy=OPEN_TO_ALL)
    world.forge.paths = (FILE,)

    def down(*_: object) -> None:
        raise Permanent("RevisionMissing", "there is no revision x")

    with monkeypatch.context() as broken:
        broken.setattr(world.forge, "do_try_policy", down)
        world.submit().tests()
    assert not world.state.merged
    assert checks(world)[-1].title == (
        "The policy could not be tried: there is no revision x. Ask for the checks again."
    )
    wanted = p.CheckRequested(
        repository=world.forge.repository,
        revision=world.state.head or "",
        name="pointsman/policy",
        again=True,
    )
    world.say(draft("CheckRequested", wanted, actor="reader"))
    assert world.state.merged


def test_a_file_that_the_policy_extends_is_part_of_it_for_its_own_rule() -> None:
    rule = "changes-to-this-file: {approvals: {user: sam}}\n"
    world = World(policy=f"version: 1\nextends: rules/base.yaml\n{rule}environments: {{production: {{}}}}\n")
    world.forge.branches["main"]["rules/base.yaml"] = "version: 1\nenvironments: {production: {gates: []}}\n"
    world.forge.paths = ("rules/base.yaml",)
    world.submit().tests()
    names = [child["name"] for child in world.state.releases["production"].tree["children"]]  # type: ignore[index, attr-defined]
    assert "changes-to-this-file" in names
    assert not world.state.merged


def test_the_comment_says_what_differs_and_whom_it_would_stop() -> None:
    other = fx.OtherVerdict(
        trace_id="t", environment="production", revision="a" * 40, at=World().now, was="approved",
        would="rejected", reason_code="CoverageTooLow", message="Covers 70 %, needs 80 %.",
    )  # fmt: skip
    trial = fx.PolicyTrial(
        cases=(fx.TriedCase(file="a.yaml", name="x"),), rules=3, tried=2, traces=2, verdicts=7, differing=1,
        differences=(other,), open_changes=4, blocked=(BLOCKED,),
    )  # fmt: skip
    world = touching(FILE, trial=trial)
    head = (world.state.head or "")[:10]
    assert world.forge.comments["policy"] == (
        "### Policy\n\n"
        "The policy can be used: 1 past verdict would have been others, 1 open change would newly be blocked.\n\n"
        "**Unit tests**: 1 of 1 passed; 2 of 3 rules were seen both to pass and to block.\n\n"
        "**Past**: 1 of 7 verdicts of 2 traces would have been others.\n\n"
        "- Fri 2026-11-20 09:00 UTC **production** `aaaaaaaaaa`: approved → rejected, Covers 70 %, needs 80 %.\n\n"
        "**Open changes**: 1 of 4 would newly be blocked.\n\n"
        "- #9 **production**: `coverage`, `hold`\n\n"
        f"Tried with `{head}`, whose policy is not in force before the merge."
    )


def test_many_lines_are_counted() -> None:
    errors = tuple(f"{n}:1: wrong" for n in range(25))
    summary = messages.trial_summary(fx.PolicyTrial(errors=errors))
    assert summary.splitlines()[0] == "- 0:1: wrong"
    assert summary.splitlines()[-1] == "- and 5 more"
