"""What a forge tells: gathered facts, exported files, webhooks in our words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.catalog import CATALOG
from bot.domain.errors import Permanent
from bot.forges.capabilities import Feature
from bot.forges.port import Unauthenticated
from bot.messages import BOT
from tests.forges.conformance.conftest import Do
from tests.forges.conformance.stage import Stage

POLICY = "version: 1\n"
PROOF = re.compile(rb"signature|token|authorization|secret")
"""The headers by which a call is known to be genuine."""


def commit(do: Do, path: str, content: str, effect_id: str = "trace-1.000002.0") -> str:
    result = do(
        e.CommitFiles(
            branch="feature/booking",
            base="main",
            files=(e.File(path=path, content=content),),
            message="feat: add",
            trailers={"Trace-Id": "trace-1"},
        ),
        effect_id,
    )
    assert isinstance(result, e.CommitResult)
    return result.sha


def open_change(do: Do) -> int:
    opened = do(
        e.OpenChange(
            source="feature/booking", target_branch="main", title="feat: add", body="", labels=("x",)
        ),
        "trace-1.000003.0",
    )
    assert isinstance(opened, e.ChangeResult)
    return opened.number


def gather(do: Do, **wanted: object) -> p.FactsGathered:
    facts = do(e.GatherFacts.model_validate({"correlation": "c1", "purpose": "why", **wanted}))
    assert isinstance(facts, p.FactsGathered)
    return facts


def test_the_last_merged_changes_are_told_the_newest_first(stage: Stage, do: Do) -> None:
    sha = commit(do, "a.txt", "a\n")
    number = open_change(do)
    assert gather(do, past=5).past == ()
    do(e.MergeChange(change=number, expected_head=sha, message="feat: add"), "trace-1.000005.0")
    told = gather(do, past=5).past
    if not stage.forge.capabilities[Feature.PAST].yes:
        assert told == ()
        return
    (change,) = told
    assert (change.number, change.title, change.head) == (number, "feat: add", sha)
    assert (change.author, change.merged_by) == (BOT, BOT)
    assert (change.labels, change.approvers) == (("x",), ())
    assert gather(do).past == ()


def test_the_policy_is_read_from_the_default_branch_and_never_from_the_change(stage: Stage, do: Do) -> None:
    sha = commit(do, ".pointsman/policy.yaml", POLICY)
    number = open_change(do)
    assert gather(do, change=number).policy_text is None
    merged = do(e.MergeChange(change=number, expected_head=sha, message="feat: policy"), "trace-1.000005.0")
    assert isinstance(merged, e.MergeResult)
    facts = gather(do)
    assert (facts.policy_text, facts.policy_revision, facts.default_head) == (POLICY, merged.sha, merged.sha)
    assert (facts.correlation, facts.purpose, facts.repository) == ("c1", "why", stage.repository)


def test_people_are_told_with_their_permission_and_teams(stage: Stage, do: Do) -> None:
    stage.person("jane", "write", ("acme/release",))
    stage.person("sam", "read")
    facts = gather(do, actors=["jane", "sam", "nobody", stage.bot])
    assert facts.actors["jane"] == p.Actor(login="jane", permission="write", teams=("acme/release",))
    assert facts.actors["sam"] == p.Actor(login="sam", permission="read")
    assert facts.actors["nobody"] == p.Actor(login="nobody")
    assert (facts.actors[stage.bot].bot, facts.can_write) == (True, True)
    assert facts.protected_branches == ("main",)


def test_a_change_is_told_with_everyone_who_has_a_part_in_it(stage: Stage, do: Do) -> None:
    commit(do, "app.py", "one\n")
    number = open_change(do)
    stage.person("jane", "write")
    stage.person("sam", "write")
    message = "fix: hers\n\nCo-authored-by: Sam <sam@example.org>\nCo-authored-by: X <x@elsewhere.org>"
    head = stage.push("jane", "feature/booking", {"b.py": "b\n"}, message)
    facts = gather(do, change=number, branch="feature/booking")
    assert facts.branch_head == head
    change = facts.change
    assert change is not None
    assert (change["author"], change["head"], change["state"], change["labels"]) == (
        stage.bot,
        head,
        "open",
        ["x"],
    )
    assert change["committers"] == sorted(["jane", "sam", "x@elsewhere.org", stage.bot])
    assert change["coAuthors"] == ["sam", "x@elsewhere.org"]
    assert change["lastPusher"] == "jane"
    assert len(change["tree"]) == 40


def test_files_come_from_the_branch_when_it_is_there_else_from_the_default_branch(
    stage: Stage, do: Do
) -> None:
    commit(do, "README.md", "# Changed\n")
    paths = ["README.md", "missing.txt"]
    assert gather(do, branch="feature/booking", paths=paths).files == {
        "README.md": "# Changed\n",
        "missing.txt": None,
    }
    assert gather(do, branch="gone", paths=paths).files == {"README.md": "# Booking\n", "missing.txt": None}
    assert gather(do, branch="gone").branch_head is None


def test_a_tree_is_read_whole(stage: Stage, do: Do) -> None:
    sha = commit(do, "a/b.py", "b\n")
    assert gather(do, tree_of=sha).tree == (
        e.File(path="README.md", content="# Booking\n"),
        e.File(path="a/b.py", content="b\n"),
    )


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        ("settings.py", "KEY = '" + "AKIA" + "Q4ZJ7WXNRT2VBL6M'\n", "SecretFound"),
        ("large.txt", "a" * (1024 * 1024 + 1), "FileTooLarge"),
        ("com1.txt", "words\n", "PathReserved"),
    ],
)
def test_a_tree_that_could_not_be_submitted_does_not_get_into_the_log(
    do: Do, path: str, content: str, code: str
) -> None:
    sha = commit(do, path, content)
    with pytest.raises(Permanent) as refused:
        gather(do, tree_of=sha)
    assert refused.value.reason_code == code
    assert path in refused.value.message
    assert content not in refused.value.message


def test_files_of_a_revision_are_exported(stage: Stage, do: Do, tmp_path: Path) -> None:
    first = commit(do, "services/booking/app.py", "one\n")
    commit(do, "services/booking/app.py", "two\n", "trace-1.000009.0")
    stage.forge.export(stage.repository, first, "services/booking", tmp_path / "out")
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == {"app.py": "one\n"}
    stage.forge.export(stage.repository, first, "", tmp_path / "whole")
    assert (tmp_path / "whole" / "README.md").read_text() == "# Booking\n"


@pytest.mark.parametrize(
    ("revision", "path", "code"), [("0" * 39 + "1", "", "RevisionMissing"), ("", "gone", "PathMissing")]
)
def test_what_cannot_be_exported(stage: Stage, tmp_path: Path, revision: str, path: str, code: str) -> None:
    with pytest.raises(Permanent) as refused:
        stage.forge.export(stage.repository, revision or str(stage.head("main")), path, tmp_path / "out")
    assert refused.value.reason_code == code


def test_the_life_of_a_change_in_our_words(stage: Stage, do: Do) -> None:
    stage.person("jane", "write")
    commit(do, "app.py", "one\n")
    number = open_change(do)
    comment = stage.comment("jane", number, "/approve-release production")
    head = stage.push("jane", "feature/booking", {"b.py": "b\n"}, "fix: hers")
    do(
        e.MergeChange(
            change=number, expected_head=head, message="feat: add", trailers={"Trace-Id": "trace-1"}
        ),
        "m",
    )
    calls = stage.calls(8)
    facts = [fact for call in calls for fact in stage.forge.normalise(call.headers, call.body)]
    told = [(fact.draft.type, fact.draft.actor) for fact in facts]
    assert told[1:] == [
        ("Pushed", stage.bot),
        ("ChangeOpened", stage.bot),
        ("CommentCreated", "jane"),
        ("Pushed", "jane"),
        ("ChangeUpdated", "jane"),
        ("Pushed", stage.bot),
        ("ChangeMerged", stage.bot),
    ]
    for fact in facts:
        CATALOG[fact.draft.type].payload.model_validate(fact.draft.data)
        assert fact.repository == stage.repository
    # What a trailer names is told where a call has the message, as those of pushes do; whether it counts is
    # bot.projections.trace_keys' to say.
    opened, commented, hers, updated, merged = (facts[at].trace_id for at in (2, 3, 4, 5, 7))
    assert (facts[1].trace_id, hers, updated, facts[6].trace_id) == ("trace-1", None, None, "trace-1")
    assert {opened, commented, merged} <= {"trace-1", None}
    name = f"{stage.forge.name}:{stage.repository}"
    assert facts[5].hints == (f"{name}#{number}", f"{name}@feature/booking", f"{name}={head}")
    assert facts[3].draft.data["commentId"] == comment
    assert facts[3].draft.data["body"] == "/approve-release production"
    assert facts[7].draft.data["mergeSha"] == stage.head("main")
    assert facts[7].draft.data["tree"] == facts[7].draft.data["headTree"]


def test_only_a_genuine_delivery_is_let_in(stage: Stage, do: Do) -> None:
    commit(do, "app.py", "one\n")
    call = stage.calls(2)[1]
    delivery = stage.forge.authenticate(call.headers, call.raw, call.body)
    assert delivery.shard_key == stage.repository
    assert delivery.delivery_id
    if stage.signs_calls:
        with pytest.raises(Unauthenticated):
            stage.forge.authenticate(call.headers, call.raw, call.body + b" ")
    proofs = [at for at, (name, _) in enumerate(call.raw) if PROOF.search(name.lower())]
    assert proofs
    for at in range(len(call.raw)):
        without = call.raw[:at] + call.raw[at + 1 :]
        if at in proofs:
            with pytest.raises(Unauthenticated):
                stage.forge.authenticate(call.headers, without, call.body)
            with pytest.raises(Unauthenticated):
                stage.forge.authenticate(call.headers, [*call.raw, call.raw[at]], call.body)


def test_the_same_delivery_says_the_same(stage: Stage, do: Do) -> None:
    commit(do, "app.py", "one\n")
    call = stage.calls(2)[1]
    assert stage.forge.normalise(call.headers, call.body) == stage.forge.normalise(call.headers, call.body)


def test_a_truncated_delivery_raises(stage: Stage, do: Do) -> None:
    commit(do, "app.py", "one\n")
    call = stage.calls(2)[1]
    with pytest.raises(Exception, match=r".+"):
        stage.forge.normalise(call.headers, call.body[:-20])


def test_a_change_of_the_policy_file_is_told(stage: Stage, do: Do) -> None:
    commit(do, "app.py", "one\n")
    number = open_change(do)
    stage.person("jane", "write")
    before = gather(do, change=number).change

    stage.push(
        "jane", "feature/booking", {".pointsman/policy.yaml": "version: 1\n"}, "chore: loosen the rules"
    )
    after = gather(do, change=number).change

    assert before is not None
    assert after is not None
    assert (before["touchesPolicy"], after["touchesPolicy"]) == (False, True)
