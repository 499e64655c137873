"""A change's branch follows its target before people approve, and once more before the merge."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain import effect as fx
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.errors import Permanent
from bot.domain.event import Draft
from tests.handlers.test_journey import by_hand
from tests.handlers.world import FROZEN, POLICY, World

HOLD = POLICY.replace("gates: [tests-passed]", "gates: [tests-passed, hold]")
BEHIND_ALLOWED = POLICY + "merge: {update-branch: false}\n"


def main_moves(world: World, path: str = "other.py") -> World:
    """Somebody else's change is merged; the forge tells."""
    before = world.forge.heads["main"]
    after = world.forge.main_moves(path)
    pushed = p.Pushed(
        repository="demo/booking", branch="main", before=before, after=after, pusher="rita", paths=(path,)
    )
    mine = world.trace
    world.say(draft("Pushed", pushed), trace="trace-of-the-push")
    world.trace = mine
    return world


def updates(world: World) -> list[fx.UpdateBranch]:
    return [effect for effect in world.forge.performed if isinstance(effect, fx.UpdateBranch)]


def merges(world: World) -> list[fx.MergeChange]:
    return [effect for effect in world.forge.performed if isinstance(effect, fx.MergeChange)]


def head(world: World) -> str:
    assert world.state.change
    return str(world.state.change["head"])


def sticky(world: World) -> str:
    return world.forge.comments["verdict"]


def comments(world: World) -> list[str]:
    return [text for name, text in world.forge.comments.items() if name.startswith("comment-")]


def change(world: World, type_: str, **said: Any) -> World:
    """The change is edited on the forge."""
    assert world.forge.change
    world.forge.change |= said
    data = {name: value for name, value in world.forge.change.items() if name not in {"state", "tree"}}
    return world.say(Draft(type=type_, data=data, actor="mallory"))


def frozen() -> World:
    world = World(policy=FROZEN)
    world.now = world.now.replace(month=12, day=20)
    return world.submit().tests()


def test_the_branch_is_brought_up_to_date_before_anybody_approves() -> None:
    world = World().submit().tests()
    before = head(world)

    main_moves(world)

    (update,) = updates(world)
    assert (update.expected_head, update.change, update.trailers["Trace-Id"]) == (before, 1, "trace-1234")
    assert head(world) == world.forge.heads["feature/booking-service/trace-1234"] != before
    assert world.state.releases["production"].revision == head(world)
    assert comments(world) == []
    world.tests().comment("jane.doe", "/approve-release production")
    assert world.types("ChangeMerged", "ReleasePublished") == ["ChangeMerged", "ReleasePublished"]
    assert world.types("pointsman.ApprovalsCarried") == ["pointsman.ApprovalsCarried"]


def test_an_approval_that_the_update_ends_is_asked_for_again_and_says_why() -> None:
    world = World(policy=TWO_NEEDED).submit().tests().comment("jane.doe", "/approve-release production")
    before = head(world)

    main_moves(world)

    after = head(world)
    ended = read(world.last("ApprovalInvalidated"), p.ApprovalInvalidated)
    assert world.types("ApprovalInvalidated") == ["ApprovalInvalidated"]
    assert (ended.approver, ended.revision, ended.new_revision, ended.reason) == (
        "jane.doe", before, after, "main went on and was merged into the branch",
    )  # fmt: skip
    assert comments(world) == [
        (
            f"🔄 `main` went on and was merged into this branch: `{after[:10]}` is what would be merged now. No longer counted: "
            "`jane.doe` (**production**). Please look again, then `/approve-release production`."
        )
    ]
    line = (
        f"- ↩️ The approval of `{before[:10]}` for **production** by `jane.doe` has ended: main went on and was merged into "
        "the branch."
    )
    assert line in sticky(world)
    world.tests().comment("jane.doe", "/approve-release production")
    assert line not in sticky(world)


TWO_NEEDED = POLICY.replace("{users: [jane.doe]}", "{users: [jane.doe, joe]}").replace(
    "- approvals: {role: ProductOwner}", "- approvals: {role: ProductOwner, count: 2}"
)


def test_a_review_that_counted_is_asked_for_again() -> None:
    policy = POLICY.replace("{role: ProductOwner}", "{role: ProductOwner, accept: [commands, reviews]}")
    world = World(policy=policy.replace("[tests-passed]", "[tests-passed, hold]")).submit().tests()
    change(world, "ChangeLabelled", labels=["hold"])
    review = p.Review(
        repository="demo/booking", change=1, review_id="r1", author="jane.doe", state="approved",
        revision=head(world), submitted_at=world.now,
    )  # fmt: skip
    world.say(draft("ReviewSubmitted", review, actor="jane.doe"))
    main_moves(world)

    change(world, "ChangeLabelled", labels=[])

    assert comments(world) == [
        (
            f"🔄 `main` went on and was merged into this branch: `{head(world)[:10]}` is what would be merged now. No longer "
            "counted: the review of `jane.doe`. Please look again, then review it again."
        )
    ]
    assert merges(world) == []


def test_the_reason_is_the_same_whichever_comes_first_the_new_head_or_the_outcome() -> None:
    world = World(policy=TWO_NEEDED).submit().tests().comment("jane.doe", "/approve-release production")
    later: list[Draft] = []
    perform = world.forge.do_update_branch

    def told_late(effect: fx.UpdateBranch, inside: Any) -> Any:
        result = perform(effect, inside)
        later.extend(world.forge.outbox)
        world.forge.outbox.clear()
        return result

    def told_early(effect: fx.UpdateBranch, inside: Any) -> Any:
        result = perform(effect, inside)
        world.inbox.extend((world.trace, said) for said in world.forge.outbox)
        world.forge.outbox.clear()
        return result

    world.forge.do_update_branch = told_late  # type: ignore[method-assign]
    main_moves(world)
    for said in later:
        world.say(said)
    first = [event.data["reason"] for event in world.events if event.type == "ApprovalInvalidated"]
    world.tests().comment("jane.doe", "/approve-release production")
    world.forge.do_update_branch = told_early  # type: ignore[method-assign]
    main_moves(world, "second.py")

    reasons = [event.data["reason"] for event in world.events if event.type == "ApprovalInvalidated"]
    assert first == ["main went on and was merged into the branch"]
    assert reasons == first * 2


def test_a_branch_of_which_nothing_is_known_is_looked_at_before_the_merge() -> None:
    world = World().submit().tests()
    world.forge.main_moves()  # and the webhook is lost

    world.comment("jane.doe", "/approve-release production")

    assert len(updates(world)) == 1
    assert merges(world) == []
    world.tests().comment("jane.doe", "/approve-release production")
    assert len(updates(world)) == 1
    assert [merge.up_to_date for merge in merges(world)] == [True]
    assert world.types("ReleasePublished") == ["ReleasePublished"]


def test_a_target_that_moves_while_the_bot_merges_is_brought_in_first() -> None:
    world = World().submit().tests()
    perform = world.forge.do_merge_change

    def overtaken(effect: fx.MergeChange, inside: Any) -> Any:
        world.forge.do_merge_change = perform  # type: ignore[method-assign]
        world.forge.main_moves()
        return perform(effect, inside)

    world.forge.do_merge_change = overtaken  # type: ignore[method-assign]
    world.comment("jane.doe", "/approve-release production")

    assert world.types("ChangeMerged", "ManualInterventionRequired") == []
    assert [update.expected_head for update in updates(world)][-1] != head(world)
    world.tests().comment("jane.doe", "/approve-release production")
    assert world.types("ChangeMerged") == ["ChangeMerged"]


def test_a_forge_that_contradicts_itself_is_not_asked_for_ever() -> None:
    world = World().submit().tests()

    def behind(_effect: fx.MergeChange, _inside: Any) -> Any:
        raise Permanent("BranchBehind", "fix is behind main")

    perform, world.forge.do_merge_change = world.forge.do_merge_change, behind  # type: ignore[method-assign]
    world.comment("jane.doe", "/approve-release production")

    assert (len(merges(world)), len(updates(world))) == (2, 2)
    told = [event.data["message"] for event in world.events if event.type == "ManualInterventionRequired"]
    assert told == ["Not merged: fix is behind main. Put that right, then `/retry`."]
    world.forge.do_merge_change = perform  # type: ignore[method-assign]
    world.comment("dana", "/retry")
    assert world.types("ChangeMerged") == ["ChangeMerged"]


def test_without_update_branch_everything_is_as_it_was() -> None:
    world = World(policy=BEHIND_ALLOWED).submit().tests()

    main_moves(world).comment("jane.doe", "/approve-release production")

    assert updates(world) == []
    assert world.types("ChangeMerged", "pointsman.ApprovalsCarried") == ["ChangeMerged"]


def test_observing_makes_no_commits() -> None:
    world = World(policy=POLICY + "mode: observe\n").submit().tests()
    main_moves(world)
    assert updates(world) == []


def test_one_head_of_the_target_is_brought_in_once_however_often_it_is_told() -> None:
    world = World().submit().tests()
    main_moves(world)
    said = p.TriggerRequested(
        reason="base-moved", timer="t", branch="main", revision=world.forge.heads["main"]
    )

    for _ in range(3):
        world.say(draft("TriggerRequested", said))
        world.say(draft("TriggerRequested", p.TriggerRequested(reason="reconciliation")))

    assert len(updates(world)) == 1


def test_what_moves_while_the_forge_is_at_work_is_brought_in_after_it() -> None:
    world = World().submit().tests()
    perform = world.forge.do_update_branch
    held: list[tuple[str, Draft]] = []

    def slow(effect: fx.UpdateBranch, inside: Any) -> Any:
        world.forge.do_update_branch = perform  # type: ignore[method-assign]
        result = perform(effect, inside)
        for path in ("second.py", "third.py"):  # two more moves before the outcome is known
            said = p.TriggerRequested(
                reason="base-moved", timer=path, branch="main", revision=world.forge.main_moves(path)
            )
            held.append((world.trace, draft("TriggerRequested", said)))
        world.inbox.extend(held)
        return result

    world.forge.do_update_branch = slow  # type: ignore[method-assign]
    main_moves(world)

    assert len(updates(world)) == 2
    assert world.forge.contained["feature/booking-service/trace-1234"] == world.forge.heads["main"]
    assert world.state.base_moved_to == ""


def test_a_move_of_another_branch_than_the_target_is_nothing_to_this_change() -> None:
    world = World().submit().tests()
    said = p.TriggerRequested(reason="base-moved", timer="t", branch="release/1", revision="e" * 40)
    world.say(draft("TriggerRequested", said))
    assert updates(world) == []


def test_a_frozen_change_waits_and_is_updated_when_the_freeze_ends() -> None:
    world = frozen()

    main_moves(world)
    assert updates(world) == []
    world.comment("jane.doe", "/approve-release production")
    reply = next(text for name, text in world.forge.comments.items() if name.startswith("reply-"))
    assert reply.endswith(
        "But `main` has gone on: once it is merged into the branch, this approval is asked for again."
    )
    assert (
        "ℹ️ `main` has gone on. It is merged into this branch once nothing holds the change; approvals given before then "
        "end with that." in sticky(world)
    )

    world.at("2027-01-04T00:30:00+01:00")
    assert len(updates(world)) == 1
    assert world.types("ApprovalInvalidated") == ["ApprovalInvalidated"]
    assert world.types("ChangeMerged") == []


def test_a_held_change_waits_and_is_updated_when_it_is_let_go() -> None:
    world = World(policy=HOLD).submit().tests()
    change(world, "ChangeLabelled", labels=["hold"])

    main_moves(world)
    assert updates(world) == []
    change(world, "ChangeLabelled", labels=[])
    assert len(updates(world)) == 1


def test_a_draft_waits_and_is_updated_when_it_is_ready() -> None:
    world = World().submit().tests()
    change(world, "ChangeUpdated", draft=True)

    main_moves(world)
    assert updates(world) == []
    change(world, "ChangeUpdated", draft=False)
    assert len(updates(world)) == 1


def test_a_closed_change_is_not_even_told() -> None:
    world = World().submit().tests()
    change(world, "ChangeClosed", state="closed")
    told = len(world.types("TriggerRequested"))

    main_moves(world)

    assert len(world.types("TriggerRequested")) == told
    assert updates(world) == []


def test_a_fork_is_left_alone() -> None:
    world = by_hand(World())
    assert world.forge.change
    change(world, "ChangeUpdated", fork=True)
    main_moves(world)
    assert updates(world) == []


def test_a_rejection_is_not_shaken_off_by_the_bot() -> None:
    policy = POLICY.replace("  Deployer:", "  ReleaseManager: {users: [sam]}\n  Deployer:")
    world = World(policy=policy).submit().tests().comment("sam", "/reject-release production no")
    assert world.state.rejections

    main_moves(world)

    assert updates(world) == []
    assert world.state.releases["production"].reason_code == "RejectedByPerson"


def test_a_conflict_is_put_to_a_person_once_in_one_sentence() -> None:
    world = World().submit().tests()
    world.forge.refusal = Permanent("MergeConflict", "change 1 conflicts with main in app.py")

    main_moves(world)
    main_moves(world, "more.py")

    sentence = (
        "Not mergeable: change 1 conflicts with main in app.py. Merge main into feature/booking-service/trace-1234, solve "
        "the conflict, push."
    )
    told = [event.data["message"] for event in world.events if event.type == "ManualInterventionRequired"]
    assert told == [sentence]
    assert comments(world) == [f"⚠️ {sentence}"]
    assert f"⚠️ {sentence}" in sticky(world)
    world.comment("jane.doe", "/approve-release production")
    assert merges(world) == []

    world.forge.refusal = None
    world.forge.contained["feature/booking-service/trace-1234"] = world.forge.heads["main"]
    world.push("agent").tests().comment("jane.doe", "/approve-release production")
    assert "Not mergeable" not in sticky(world)
    assert world.types("ChangeMerged") == ["ChangeMerged"]


def test_a_head_that_moved_meanwhile_needs_nobody_and_is_brought_up_to_date_itself() -> None:
    world = World(policy=TWO_NEEDED).submit().tests().comment("jane.doe", "/approve-release production")
    perform = world.forge.do_update_branch

    def overtaken(effect: fx.UpdateBranch, inside: Any) -> Any:
        world.forge.do_update_branch = perform  # type: ignore[method-assign]
        world.forge.push("agent", "late.py", "x = 1\n")
        return perform(effect, inside)

    world.forge.do_update_branch = overtaken  # type: ignore[method-assign]
    main_moves(world)

    assert world.types("ManualInterventionRequired") == []
    assert len(updates(world)) == 2
    assert world.types("ApprovalInvalidated") == ["ApprovalInvalidated"]
    assert world.last("ApprovalInvalidated").data["reason"].startswith("a push made ")
    assert world.forge.contained["feature/booking-service/trace-1234"] == world.forge.heads["main"]


def test_a_forge_that_can_not_do_it_merges_the_branch_as_it_is_and_says_so() -> None:
    world = World().submit().tests()
    world.forge.refusal = Permanent("UnknownEffect", "this forge does not know UpdateBranch")
    main_moves(world)
    told = world.last("ManualInterventionRequired").data["message"]
    assert told == (
        "feature/booking-service/trace-1234 can not be brought up to date with main: this forge does not know UpdateBranch. "
        "It is merged as it is."
    )

    world.forge.refusal = None
    world.comment("jane.doe", "/approve-release production")
    assert [merge.up_to_date for merge in merges(world)] == [False]
    assert world.types("ChangeMerged") == ["ChangeMerged"]


def test_the_bot_s_commit_does_not_make_the_last_pusher_anybody_s_second_party() -> None:
    policy = POLICY.replace(
        "approvals: {role: ProductOwner}", "approvals: {role: ProductOwner, exclude: [last-pusher]}"
    )
    world = World(policy=policy).submit()
    world.push("jane.doe").tests()

    main_moves(world).tests().comment("jane.doe", "/approve-release production")

    refused = read(world.last("CommandRefused"), p.CommandRefused)
    assert refused.reason_code == "AuthorCannotApprove"
    assert merges(world) == []


def test_a_change_that_is_about_to_be_merged_is_not_updated_by_its_own_merge() -> None:
    world = World(policy=POLICY.replace("      - approvals: {role: ProductOwner}\n", ""))
    world.deployer.hold = True
    world.submit().tests()
    assert world.types("ChangeMerged") == ["ChangeMerged"]
    made = len(updates(world))

    pushed = p.Pushed(
        repository="demo/booking",
        branch="main",
        before="0" * 40,
        after=world.forge.heads["main"],
        pusher="bot",
    )
    world.say(draft("Pushed", pushed))

    assert len(updates(world)) == made


def test_a_module_whose_pipeline_is_still_to_be_committed_is_not_interfered_with() -> None:
    world = World()
    perform = world.forge.do_gather_facts

    def overtaken(effect: fx.GatherFacts, inside: Any) -> Any:
        result = perform(effect, inside)
        if effect.purpose != "pipeline":
            return result
        said = p.TriggerRequested(
            reason="base-moved", timer="t", branch="main", revision=world.forge.main_moves()
        )
        world.inbox.append((world.trace, draft("TriggerRequested", said)))
        return result

    world.forge.do_gather_facts = overtaken  # type: ignore[method-assign]
    world.submit()

    kinds = [e.kind for e in world.forge.performed if e.kind in {"CommitFiles", "UpdateBranch"}]
    assert kinds[:3] == ["CommitFiles", "CommitFiles", "UpdateBranch"]
    assert world.types("ManualInterventionRequired") == []
    assert world.forge.contained["feature/booking-service/trace-1234"] == world.forge.heads["main"]


@pytest.mark.parametrize(
    ("code", "why", "said"),
    [
        ("Retryable", "main is protected: ci has not succeeded yet",
         ("Not merged: main is protected: ci has not succeeded yet. It is tried again when a check succeeds, or with "
         "`/retry`.")),
        ("RequiredCheckFailed", "main is protected: ci did not succeed",
         "Not merged: main is protected: ci did not succeed. Push a repair, or have the check run again."),
        ("ApprovalsMissing", "main is protected: 0 of 1 approving reviews of the head",
         ("Not merged: main is protected: 0 of 1 approving reviews of the head. The forge wants reviews of its own: give "
         "them, then `/retry`.")),
        ("BranchDeleted", "the branch feature/x of change 1 was deleted",
         "Not merged: the branch feature/x of change 1 was deleted. Bring the branch back, then `/retry`."),
        ("Teapot", "the forge is a teapot", "Not merged: the forge is a teapot. Put that right, then `/retry`."),
    ],
)  # fmt: skip
def test_a_merge_that_the_forge_refuses_is_told_on_the_change(code: str, why: str, said: str) -> None:
    world = World(policy=BEHIND_ALLOWED).submit().tests()
    world.forge.refusal = Permanent(code, why)

    world.comment("jane.doe", "/approve-release production")

    assert world.last("ManualInterventionRequired").data["message"] == said
    assert comments(world) == [f"⚠️ {said}"]
    assert f"⚠️ {said}" in sticky(world)
    world.say(draft("TriggerRequested", p.TriggerRequested(reason="reconciliation")))
    assert len(merges(world)) == 1

    world.comment("dana", "/retry")
    assert len(merges(world)) == 2
    assert comments(world) == [f"⚠️ {said}"] * 2, "whoever tried again is answered"

    world.forge.refusal = None
    world.comment("dana", "/retry")
    assert world.types("ChangeMerged", "ReleasePublished") == ["ChangeMerged", "ReleasePublished"]
    assert "Not merged" not in sticky(world)


@pytest.mark.parametrize(("state", "tries"), [("success", 2), ("pending", 1), ("failure", 1)])
def test_a_check_that_succeeds_after_all_lets_the_merge_be_tried_again(state: str, tries: int) -> None:
    world = World(policy=BEHIND_ALLOWED).submit().tests()
    world.forge.refusal = Permanent("RequiredCheckFailed", "main is protected: ci did not succeed")
    world.comment("jane.doe", "/approve-release production")
    world.forge.refusal = None

    said = p.StatusReported(repository="demo/booking", revision=head(world), name="ci", state=state)
    world.say(draft("StatusReported", said))

    world.say(draft("TriggerRequested", p.TriggerRequested(reason="reconciliation")))
    assert len(merges(world)) == tries


POLICY_GUARDED = (
    POLICY.replace("      - approvals: {role: ProductOwner}\n", "").replace(
        "ProductOwner: {", "ReleaseManager: {users: [rita]}\n  ProductOwner: {"
    )
    + "changes-to-this-file: {approvals: {role: ReleaseManager}}\nmerge: {update-branch: false}\n"
)


@pytest.mark.parametrize("tests_first", [False, True])
def test_what_a_new_head_touches_is_looked_at_before_it_is_merged(*, tests_first: bool) -> None:
    """A first push that is innocent must not open the door for a second one that edits the policy."""
    world = by_hand(World(policy=POLICY_GUARDED))
    assert world.forge.change
    world.forge.push("mallory", ".pointsman/policy.yaml", "version: 1\n")
    world.forge.change["touchesPolicy"] = True  # what only the forge's answer tells, not its webhook
    world.inbox.extend((world.trace, said) for said in world.forge.outbox)
    world.forge.outbox.clear()

    if tests_first:  # they are through before the forge has answered what the new head touches
        run = p.PipelineFinished(
            repository="demo/booking", revision=world.forge.change["head"], pipeline_id="1", status="success"
        )
        world.inbox.append((world.trace, draft("PipelineFinished", run)))
    world.run().tests()

    assert merges(world) == []
    assert "changes-to-this-file" in sticky(world)


def test_a_push_may_have_lost_what_was_brought_in() -> None:
    world = main_moves(World().submit().tests())
    assert world.state.base_contained == world.forge.heads["main"]
    world.push("agent").tests()

    world.comment("jane.doe", "/approve-release production")

    assert len(updates(world)) == 2
    assert world.types("ChangeMerged") == ["ChangeMerged"]


def test_a_move_that_was_never_told_is_found_before_the_merge() -> None:
    world = main_moves(World().submit().tests()).tests()
    world.forge.main_moves("untold.py")

    world.comment("jane.doe", "/approve-release production")

    assert (len(updates(world)), merges(world)) == (2, [])


def test_a_wish_that_came_twice_is_judged_by_the_first_answer() -> None:
    world = main_moves(World().submit().tests())
    update = updates(world)[0]
    late = p.SkillFailed(
        effect_id="e", effect="UpdateBranch", attempt=1, reason_code="HeadMoved", message="m", exhausted=True,
        request=update.to_json(),
    )  # fmt: skip

    world.say(draft("AgentSkillFailed", late))

    assert world.state.branch_update
    assert world.state.branch_update.status == "updated"
