"""What happens between looking and doing: moved heads, deleted branches, deliveries that come twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from bot.forges.local.telling import writing
from bot.forges.local.verify import sign
from tests.journeys import modules
from tests.journeys.house import House, git
from tests.journeys.rules import APPROVED

KEY = "AKIA" + "R5YH8UZPCW3DGK9N"


def committed(house: House, repository: str, module: str) -> tuple[str, str]:
    """A trace whose module is committed and whose change is open: trace and branch."""
    house.repository(repository, APPROVED)
    trace = house.submit(repository, module, modules.files("1.0.0"))
    house.tested(trace)
    return trace, f"feature/{module}/{trace}"


@contextmanager
def between_reading_and_writing(house: House, repository: str, trace: str) -> Iterator[Path]:
    """Holds the repository until the bot has read it for another commit to the trace's branch."""
    with writing(house.forge.ground, repository, "ada") as folder:
        last = house.log(trace)[-1].sequence
        house.submit(
            repository, house.state(trace).module_id, modules.files("1.0.1"), traceId=trace, version="1.0.1"
        )
        house.event(trace, "FactsGathered", purpose="module", after=last)
        yield folder


def hand_made(house: House, repository: str, branch: str, into: Path, name: str) -> tuple[Path, str]:
    """A clone with a person's commit that is not pushed yet."""
    clone = house.clone(repository, "ada", into)
    git(clone, "checkout", "-q", branch)
    (clone / name).parent.mkdir(parents=True, exist_ok=True)
    (clone / name).write_text("by hand\n")
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "chore: by hand")
    return clone, git(clone, "rev-parse", "HEAD")


def test_a_commit_lands_on_top_of_a_head_that_moved_elsewhere(house: House, tmp_path: Path) -> None:
    trace, branch = committed(house, "acme/race-top", "race-top")
    clone, theirs = hand_made(house, "acme/race-top", branch, tmp_path / "clone", "notes.md")

    with between_reading_and_writing(house, "acme/race-top", trace) as bare:
        git(bare, "fetch", "-q", str(clone), f"HEAD:{branch}")

    ready = house.event(trace, "CommitReady", version="1.0.1").data
    assert ready["parent"] == theirs
    assert git(bare, "show", f"{ready['sha']}:notes.md") == "by hand"
    assert "VERSION = '1.0.1'" in git(bare, "show", f"{ready['sha']}:services/race-top/app.py")
    house.event(trace, "TestsPassed", after=house.event(trace, "CommitReady", version="1.0.1").sequence)


def test_a_commit_to_a_file_that_somebody_changed_meanwhile_is_refused(house: House, tmp_path: Path) -> None:
    trace, branch = committed(house, "acme/race-same", "race-same")
    name = "services/race-same/app.py"
    clone, theirs = hand_made(house, "acme/race-same", branch, tmp_path / "clone", name)
    before = git(house.forge.ground.folder("acme/race-same"), "rev-parse", branch)

    with between_reading_and_writing(house, "acme/race-same", trace) as bare:
        git(bare, "fetch", "-q", str(clone), f"HEAD:{branch}")

    failed = house.event(trace, "AgentTaskFailed", agent="code-committer").data
    assert (failed["reasonCode"], failed["message"]) == (
        "HeadMoved",
        f"{branch} moved from {before[:12]} to {theirs[:12]}, which changes {name} as well",
    )
    assert git(bare, "rev-parse", branch) == theirs, "the person's commit is the head"
    assert git(bare, "show", f"{branch}:{name}") == "by hand"
    assert [e.data["version"] for e in house.log(trace) if e.type == "CommitReady"] == ["1.0.0"]
    house.event(trace, "TaskEscalated")


def test_a_change_whose_branch_was_deleted_is_not_merged_and_somebody_is_called(
    house: House, tmp_path: Path
) -> None:
    trace, branch = committed(house, "acme/deleted", "deleted")
    bare = house.forge.ground.folder("acme/deleted")
    main = git(bare, "rev-parse", "main")
    clone = house.clone("acme/deleted", "ada", tmp_path / "clone")
    git(clone, "push", "-q", "origin", f":{branch}")
    house.event(trace, "BranchDeleted", branch=branch)

    house.comment("acme/deleted", 1, "/approve-release production go", "jane.doe")

    failed = house.event(trace, "AgentSkillFailed", effect="MergeChange", exhausted=True).data
    assert (failed["reasonCode"], failed["message"]) == (
        "BranchDeleted",
        f"the branch {branch} of change 1 was deleted",
    )
    told = house.event(trace, "ManualInterventionRequired").data
    assert told["reasonCode"] == "BranchDeleted"
    assert git(bare, "rev-parse", "main") == main
    assert house.types(trace, "ChangeMerged", "DeploymentStarted") == []
    refs = git(bare, "for-each-ref", "--format=%(refname:short)").split()
    assert refs == ["main"], "nothing brings the branch back"


def deliveries(house: House, repository: str) -> list[Any]:
    with house.store.read() as session:
        query = "SELECT delivery_id, event, body FROM forge_deliveries WHERE repository = :r ORDER BY seq"
        return list(session.execute(sa.text(query), {"r": repository}))


def test_deliveries_that_come_again_are_taken_and_change_nothing(house: House) -> None:
    trace, _branch = committed(house, "acme/again", "again")
    comment = house.comment("acme/again", 1, "/approve-release production once", "mallory")
    house.event(trace, "CommandRefused", correlation=comment)
    before = len(house.log(trace))
    secret = house.environment["POINTSMAN_LOCAL_WEBHOOK_SECRET"].encode()

    answers: list[httpx.Response] = []

    def deliver(row: Any) -> None:
        signed = {
            "X-Pointsman-Delivery": row.delivery_id, "X-Pointsman-Event": row.event,
            "X-Pointsman-Repository": "acme/again", "X-Pointsman-Signature-256": sign(secret, row.body.encode()),
            "Content-Type": "application/json",
        }  # fmt: skip
        answers.append(house.http.post("/webhooks/local", content=row.body.encode(), headers=signed))

    sent = deliveries(house, "acme/again")
    threads = [threading.Thread(target=deliver, args=(row,)) for row in sent * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {answer.status_code for answer in answers} == {202}
    assert len(answers) == 2 * len(sent)
    later = house.comment("acme/again", 1, "/status", "ada")
    house.event(trace, "TaskCompleted", correlation=later)
    again = [
        e
        for e in house.log(trace)[before:]
        if e.type in {"Pushed", "ChangeOpened", "PipelineFinished", "CommandRefused"}
    ]
    assert again == []
    assert house.types(trace, "CommandRefused") == ["CommandRefused"]


def test_a_delivery_that_was_cut_off_is_kept_and_can_be_tried_again(house: House) -> None:
    secret = house.environment["POINTSMAN_LOCAL_WEBHOOK_SECRET"].encode()
    body = b'{"event":"push","repository":{"name":"acme/again"'
    signed = {"X-Pointsman-Delivery": "cut-off", "X-Pointsman-Signature-256": sign(secret, body)}

    answer = house.http.post("/webhooks/local", content=body, headers=signed)

    assert (answer.status_code, answer.json()) == (202, {"deliveryId": "cut-off"})
    assert house.stored("cut-off")

    def letters(status: str) -> list[dict[str, Any]]:
        found = house.say("GET", "/v1/dead-letters").json()["deadLetters"]
        return [one for one in found if (one["deliveryId"], one["status"]) == ("cut-off", status)]

    (letter,) = house.wait(lambda: letters("quarantined"), "the dead letter")
    assert (letter["source"], letter["error"]) == ("webhooks/local", "Invalid")
    refused = house.say("POST", f"/v1/dead-letters/{letter['id']}/retry")
    assert (refused.status_code, refused.json()["reasonCode"]) == (403, "ScopeMissing")
    house.token("root", scopes=("admin",))
    assert house.say("POST", f"/v1/dead-letters/{letter['id']}/retry", "root").status_code == 202
    house.wait(
        lambda: letters("retried") and letters("quarantined"), "the second quarantine: it is still cut off"
    )
    assert house.say("POST", f"/v1/dead-letters/{letter['id']}/retry", "root").status_code == 409


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Pointsman-Signature-256": "sha256=" + "0" * 64},
        {"X-Pointsman-Signature-256": "sha256=\u00e9".encode("latin-1").decode("latin-1")},
    ],
)
def test_a_delivery_that_is_not_signed_is_not_stored(house: House, headers: dict[str, str]) -> None:
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

    answer = house.http.post(
        "/webhooks/local", content=b"{}", headers=[(b"X-Pointsman-Delivery", b"forged"), *encoded]
    )

    assert (answer.status_code, answer.json()["reasonCode"]) == (401, "Unauthenticated")
    assert not house.stored("forged")


def test_a_secret_in_an_agents_push_is_told_and_not_copied_into_the_log(house: House, tmp_path: Path) -> None:
    house.repository("acme/pushed-key", APPROVED)
    clone = house.clone("acme/pushed-key", "ada", tmp_path / "clone")
    git(clone, "checkout", "-q", "-b", "agent/pushed-key/1.0.0")
    (clone / "settings.py").write_text(f'ACCESS = "{KEY}"\n')
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "chore: oops")
    git(clone, "push", "-q", "origin", "agent/pushed-key/1.0.0")

    told = house.wait(
        lambda: house.told("ManualInterventionRequired", reasonCode="SecretFound"), "the refusal"
    )
    assert told.data["message"] == (
        "GatherFacts failed after 1 attempt: settings.py:1 holds what looks like a secret (AWS Access Key). Nothing was "
        "committed. Take it out, change it where it is in use, and refer to it as @vault:NAME."
    )
    assert house.types(told.trace_id, "ModuleGenerated", "FactsGathered", "CommitReady") == []
    with house.store.read() as session:
        for table in ("events", "inbox", "effect", "head"):
            rows = session.execute(sa.text(f"SELECT * FROM {table}")).all()
            assert not any(
                KEY.encode() in bytes(v) if isinstance(v, bytes) else KEY in str(v) for r in rows for v in r
            )
