"""A target that goes on while a change is open: the branch follows, and people are asked about what is merged."""

from __future__ import annotations

from pathlib import Path

from bot.domain.effect import File
from bot.forges.local.protection import gated
from tests.journeys import modules
from tests.journeys.house import House, git
from tests.journeys.rules import APPROVED

TWO = APPROVED.replace("{role: ProductOwner}", "{role: ProductOwner, count: 2}")


def merged_by_hand(house: House, repository: str, into: Path, path: str, change: int) -> str:
    """ada's change, merged by dana; the new head of main."""
    clone = house.clone(repository, "ada", into)
    git(clone, "checkout", "-q", "-b", f"ada/{change}")
    (clone / path).parent.mkdir(parents=True, exist_ok=True)
    (clone / path).write_text("by hand\n")
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", f"docs: {path}")
    git(clone, "push", "-q", "origin", f"ada/{change}")
    head = git(clone, "rev-parse", "HEAD")
    house.forge_says("POST", f"{repository}/changes", json={"source": f"ada/{change}", "title": "docs"})
    house.forge_says("POST", f"{repository}/changes/{change}/merge", "dana", json={"head": head})
    return git(house.forge.ground.folder(repository), "rev-parse", "main")


def comments(house: House, repository: str) -> list[str]:
    said = house.forge_says("GET", f"{repository}/changes/1/comments")
    return [comment["body"] for comment in said if comment["author"] == "pointsman[bot]"]


def test_a_branch_follows_its_target_and_what_is_merged_is_what_was_approved(
    house: House, tmp_path: Path
) -> None:
    bare = house.repository("acme/follow", TWO)
    trace = house.submit("acme/follow", "follow", modules.files())
    before = house.tested(trace).data["revision"]
    house.event(trace, "pointsman.VerdictChanged", reasonCode="ApprovalMissing", revision=before)
    house.comment("acme/follow", 1, "/approve-release production fine", "jane.doe")
    house.event(trace, "ApprovalGranted", approver="jane.doe", revision=before)

    main = merged_by_hand(house, "acme/follow", tmp_path / "one", "NOTES.md", 2)

    ended = house.event(trace, "ApprovalInvalidated", approver="jane.doe").data
    after = ended["newRevision"]
    assert ended["reason"] == "main went on and was merged into the branch"
    assert git(bare, "show", "-s", "--format=%P", after) == f"{before} {main}"
    asked = (
        f"🔄 `main` went on and was merged into this branch: `{after[:10]}` is what would be merged now. No longer counted: "
        "`jane.doe` (**production**). Please look again, then `/approve-release production`."
    )
    house.wait(lambda: asked in comments(house, "acme/follow"), "the comment that asks again")

    house.event(trace, "TestsPassed", revision=after)
    house.comment("acme/follow", 1, "/approve-release production again", "jane.doe")
    house.comment("acme/follow", 1, "/approve-release production me too", "joe")
    merged = house.event(trace, "ChangeMerged").data
    assert (merged["head"], merged["tree"]) == (after, merged["headTree"])
    house.event(trace, "pointsman.ApprovalsCarried", fromRevision=after)
    house.event(trace, "ReleasePublished")
    assert house.types(trace, "pointsman.BranchUpdateRequested") == ["pointsman.BranchUpdateRequested"]


GUARDED = """\
version: 1
roles:
  ProductOwner: {users: [jane.doe]}
environments:
  staging: {gates: [{approvals: {role: ProductOwner}}]}
merge: {when: manual, update-branch: false}
"""
WITH_QA = GUARDED.replace("merge:", "  qa: {gates: [{approvals: {role: ProductOwner}}]}\nmerge:")


def proposed(house: House, into: Path, path: str, text: str, change: int) -> str:
    """ada's change of a file; its head."""
    clone = house.clone("acme/guarded", "ada", into)
    git(clone, "checkout", "-q", "-b", f"ada/{change}")
    (clone / path).write_text(text)
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", f"chore: {path}")
    git(clone, "push", "-q", "origin", f"ada/{change}")
    house.forge_says("POST", "acme/guarded/changes", json={"source": f"ada/{change}", "title": path})
    return git(clone, "rev-parse", "HEAD")


def check(house: House, head: str, wanted: str | None) -> None:
    """Wait until the guard of the branch says this of a head."""

    def said() -> bool:
        found = house.forge_says("GET", f"acme/guarded/checks?revision={head}")
        return [one["conclusion"] for one in found if one["name"] == "pointsman/merge"] == [wanted]

    house.wait(said, f"pointsman/merge to be {wanted}")


def test_what_guards_the_branch_follows_the_policy(house: House, tmp_path: Path) -> None:
    pipeline = 'test:\n  script: ["true"]\n'
    files = {".pointsman/policy.yaml": WITH_QA, ".gitlab-ci.yml": pipeline}
    house.forge.create_repository(
        "acme/guarded",
        files=tuple(File(path=path, content=text) for path, text in files.items()),
        protection=(gated("main"),),
    )
    for login in house.people:
        house.forge.set_member("acme/guarded", login, "write")
    notes = proposed(house, tmp_path / "notes", "NOTES.md", "by hand\n", 1)
    rules = proposed(house, tmp_path / "rules", ".pointsman/policy.yaml", GUARDED, 2)
    for head in (notes, rules):
        check(house, head, None)
    house.comment("acme/guarded", 1, "/approve-release staging fine", "jane.doe")
    house.comment("acme/guarded", 2, "/approve-release staging fine\n/approve-release qa fine", "jane.doe")
    check(house, rules, "success")
    check(house, notes, None)  # qa has not agreed
    merge = {"json": {"head": notes, "method": "merge"}}
    refused = house._call(
        "POST", "/forge/api/repositories/acme/guarded/changes/1/merge", house.people["dana"], merge
    )
    assert refused.json()["detail"] == "main is protected: pointsman/merge has not succeeded yet"

    house.forge_says("POST", "acme/guarded/changes/2/merge", "dana", json={"head": rules})

    check(house, notes, "success")  # qa is gone, and nobody touched the protection
    house.forge_says("POST", "acme/guarded/changes/1/merge", "dana", **merge)


def test_a_conflict_with_the_target_is_put_to_its_author(house: House, tmp_path: Path) -> None:
    bare = house.repository("acme/conflict", APPROVED)
    trace = house.submit("acme/conflict", "conflict", modules.files())
    head = house.tested(trace).data["revision"]

    merged_by_hand(house, "acme/conflict", tmp_path / "one", "services/conflict/app.py", 2)

    sentence = (
        "Not mergeable: change 1 conflicts with main in services/conflict/app.py. Merge main into "
        f"feature/conflict/{trace}, solve the conflict, push."
    )
    told = house.event(trace, "ManualInterventionRequired").data
    assert (told["reasonCode"], told["message"], told["role"]) == ("MergeConflict", sentence, "Author")
    house.wait(
        lambda: any(body.startswith("⚠️ Not mergeable") for body in comments(house, "acme/conflict")),
        "the comment",
    )
    house.comment("acme/conflict", 1, "/approve-release production anyway", "jane.doe")
    house.event(trace, "ApprovalGranted")
    assert git(bare, "rev-parse", f"feature/conflict/{trace}") == head
    assert house.types(trace, "AutoMergeOnApprove") == []
