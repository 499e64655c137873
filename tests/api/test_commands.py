"""Commands over HTTP.

The grammar of comments, the handlers of comments, the checks of comments; only the way back differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bot.domain import payloads as p
from bot.domain.effect import RESULTS, Effect, GatherFacts
from bot.domain.errors import Permanent
from bot.domain.event import Event
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.log import events
from handlers.decide import decide
from tests.support.house import House, house, wait_for
from tests.support.story import SHA, TREE, change, tell

COMMANDS = "/v1/traces/trace-1/commands"
POLICY = """\
version: 1
roles:
  ProductOwner: {users: [jane.doe]}
environments:
  production:
    gates: [tests-passed, approvals: {role: ProductOwner}]
"""


class Forge:
    """Answers what is asked of a forge: the policy, and that everybody asked for may read."""

    def __init__(self) -> None:
        self.down = False

    def perform(self, _effect_id: str, effect: Effect, _context: EffectContext) -> Model:
        if self.down:
            raise Permanent("NotFound", "there is no repository 'acme/booking'")
        if not isinstance(effect, GatherFacts):
            return RESULTS[effect.kind].model_construct()
        people = {login: p.Actor(login=login, permission="write") for login in effect.actors}
        return p.FactsGathered(
            correlation=effect.correlation, repository=effect.repository, purpose=effect.purpose,
            default_head="d4" * 20, branch_head=SHA, change=change() | {"state": "open", "tree": TREE},
            policy_text=POLICY, policy_revision="d4" * 20,
            actors=people,
        )  # fmt: skip


@pytest.fixture(scope="module")
def forge() -> Forge:
    return Forge()


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory, forge: Forge) -> Iterator[House]:
    """A bot that also does its work."""
    url = f"sqlite:///{tmp_path_factory.mktemp('working')}/pointsman.db"
    with house(url, decide, performers={"local": forge}, work=True) as home:
        tell(home.store)
        yield home


def said(client: TestClient, line: str, **more: Any) -> dict[str, Any]:
    """Say a command and wait for what becomes of it."""
    issued = client.post(COMMANDS, json={"line": line} | more)
    assert issued.status_code == 202, issued.text
    where = f"{COMMANDS}/{issued.json()['correlation']}"
    return wait_for(lambda: found if (found := client.get(where).json())["state"] != "pending" else None)


def logged(home: House, type_: str, **data: Any) -> list[Event]:
    with home.store.read() as session:
        found = events(session, "acme", "trace-1")
    return [
        one
        for one in found
        if one.type == type_ and all(one.data.get(key) == value for key, value in data.items())
    ]


def test_an_unauthorised_approver_is_refused_and_changes_nothing(working: House) -> None:
    answer = said(working.http("mallory"), "/approve-release production let me")
    assert (answer["state"], answer["reasonCode"]) == ("refused", "UnauthorizedApprover")
    assert "mallory" in answer["message"]
    assert (answer["command"], answer["line"]) == ("approve-release", "/approve-release production let me")
    refused = logged(working, "CommandRefused", correlation=answer["correlation"])
    assert [one.actor for one in refused] == ["mallory"]
    assert logged(working, "ApprovalGranted") == []


@pytest.mark.parametrize(("via", "method"), [("api", "API"), ("cli", "CLI"), ("studio", "Studio UI")])
def test_the_right_one_approves_this_revision(working: House, via: str, method: str) -> None:
    answer = said(working.http("jane.doe"), f"/approve-release production looks right via {via}", via=via)
    assert (answer["state"], answer["reasonCode"]) == ("done", "")
    assert answer["reply"]
    issued = logged(working, "CommandIssued", correlation=answer["correlation"])
    assert [(one.actor, one.data["via"]) for one in issued] == [("jane.doe", via)]
    granted = logged(working, "ApprovalGranted", correlation=answer["correlation"])
    assert [(one.data["revision"], one.data["method"]) for one in granted] == [(SHA, method)]
    back = said(working.http("jane.doe"), "/approve-release production cancel")
    assert back["state"] == "done"


def test_a_command_whose_facts_can_not_be_had_fails(working: House, forge: Forge) -> None:
    forge.down = True
    try:
        answer = said(working.http("jane.doe"), "/explain production")
    finally:
        forge.down = False
    assert (answer["state"], answer["reasonCode"]) == ("failed", "NotFound")
    assert answer["message"] == "there is no repository 'acme/booking'"


def test_the_answer_says_what_stands_in_the_way(working: House) -> None:
    answer = said(working.http("jane.doe"), "/explain production")
    assert answer["state"] == "done"
    assert "production" in answer["reply"]


@pytest.mark.parametrize(
    ("line", "reason_code"),
    [
        ("approve it please", "NotACommand"),
        ("`/status`", "NotACommand"),
        ("> /status", "NotACommand"),
        ("/aprove-release production", "UnknownCommand"),
        ("/merge", "UnknownCommand"),
        ('/approve-release production "open', "InvalidArguments"),
        ("/override-freeze production", "InvalidArguments"),
        ("/status more than it takes", "InvalidArguments"),
    ],
)  # fmt: skip
def test_what_is_no_command_is_said_at_once_and_stores_nothing(
    home: House, line: str, reason_code: str
) -> None:
    answer = home.http().post(COMMANDS, json={"line": line})
    assert answer.status_code == 422
    assert (answer.json()["reasonCode"], answer.json()["path"]) == (reason_code, "line")


def test_a_close_name_is_suggested(home: House) -> None:
    answer = home.http().post(COMMANDS, json={"line": "/aprove-release production"})
    assert answer.json()["detail"] == "There is no `/aprove-release`. Did you mean `/approve-release`?"


@pytest.mark.parametrize("line", ["", "/status\n/help", "/status\x00", "/" + "x" * 2001])
def test_a_line_is_one_line(home: House, line: str) -> None:
    answer = home.http().post(COMMANDS, json={"line": line})
    assert (answer.status_code, answer.json()["path"]) == (422, "line")


def test_a_command_waits_until_somebody_works(home: House) -> None:
    client = home.http()
    issued = client.post(COMMANDS, json={"line": "/status"}).json()
    assert issued == {"correlation": issued["correlation"], "traceId": "trace-1"}
    answer = client.get(f"{COMMANDS}/{issued['correlation']}").json()
    assert (answer["state"], answer["correlation"]) == ("pending", issued["correlation"])
    other = home.http("eve", tenant="other").get(f"{COMMANDS}/{issued['correlation']}")
    assert other.status_code == 404


def test_a_key_makes_two_commands_one(home: House) -> None:
    client = home.http()
    say: Callable[[], Any] = lambda: client.post(  # noqa: E731
        COMMANDS, json={"line": "/status"}, headers={"Idempotency-Key": "one"}
    ).json()["correlation"]
    assert say() == say()
    assert (
        home.http("bob")
        .post(COMMANDS, json={"line": "/status"}, headers={"Idempotency-Key": "one"})
        .json()["correlation"]
        != say()
    )


def test_a_command_nobody_gave_has_no_answer(home: House) -> None:
    answer = home.http().get(f"{COMMANDS}/{'0' * 32}")
    assert (answer.status_code, answer.json()["detail"]) == (404, f"There is no command '{'0' * 32}'.")
