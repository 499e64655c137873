"""`pointsman token`: shown once, alone on standard output, never again."""

from __future__ import annotations

import json
import re

import pytest

from bot.intake import tokens
from tests.cli.conftest import Pointsman
from tests.support.house import House

TOKEN = r"pm_[0-9a-f]{12}_[A-Za-z0-9_-]{43}"


def test_a_token_stands_alone_on_standard_output(pointsman: Pointsman, told: House) -> None:
    said = pointsman("token", "create", "--login", "ada", "--tenant", "acme")
    assert said.code == 0
    assert re.fullmatch(TOKEN + "\n", said.out)
    assert said.err == "A token for ada of acme, scopes command, events:write, read. It is shown this once.\n"
    with told.store.read() as session:
        caller = tokens.identify(session, said.out.strip())
    assert caller is not None
    assert (caller.actor, caller.tenant) == ("ada", "acme")


def test_as_json_it_says_what_it_is(pointsman: Pointsman, told: House) -> None:
    said = pointsman(
        "token", "create", "--login", "bot", "--scope", "events:write", "--scope", "read", "--output", "json"
    )
    document = json.loads(said.out)
    assert re.fullmatch(TOKEN, document["token"])
    assert document == {
        "token": document["token"], "id": document["token"][3:15], "login": "bot", "tenant": "default",
        "scopes": ["events:write", "read"],
    }  # fmt: skip


def test_the_list_never_shows_a_token(pointsman: Pointsman, told: House) -> None:
    made = pointsman("token", "create", "--login", "ada", "--name", "laptop", "--days", "30").out.strip()
    listed = pointsman("token", "list", "--output", "json").out
    (one,) = json.loads(listed)["tokens"]
    assert (one["id"], one["login"], one["name"], one["revokedAt"]) == (made[3:15], "ada", "laptop", None)
    assert one["expiresAt"]
    text = pointsman("token", "list").out
    for said in (listed, text):
        assert made[16:] not in said
        assert "hash" not in said


def test_a_revoked_token_is_over(pointsman: Pointsman, told: House) -> None:
    made = pointsman("token", "create", "--login", "ada").out.strip()
    said = pointsman("token", "revoke", made[3:15])
    assert (said.code, said.out) == (0, f"Token {made[3:15]} is revoked.\n")
    again = pointsman("token", "revoke", made[3:15])
    assert (again.code, again.err) == (1, f"Error: There is no living token '{made[3:15]}'.\n")
    assert json.loads(pointsman("token", "list", "--output", "json").out)["tokens"][0]["revokedAt"]


def test_the_token_itself_is_no_id(pointsman: Pointsman, told: House) -> None:
    made = pointsman("token", "create", "--login", "ada").out.strip()
    said = pointsman("token", "revoke", made)
    assert (said.code, said.err) == (
        2,
        "Error: Give the id from `pointsman token list`, not the token itself.\n",
    )
    assert made not in said.out + said.err


@pytest.mark.parametrize("verb", ["create", "link"])
def test_an_unknown_scope_is_named(pointsman: Pointsman, told: House, verb: str) -> None:
    said = pointsman("token", verb, "--login", "ada", "--scope", "all")
    assert said.code == 2
    assert (
        said.err
        == "Error: There is no scope 'all'; there are events:write, evidence:write, events:any, read, command, admin.\n"
    )


def test_a_link_signs_in_once(pointsman: Pointsman, told: House) -> None:
    said = pointsman("token", "link", "--login", "jane.doe", "--tenant", "acme", "--to", "/traces/trace-1")
    page, _, token = said.out.strip().partition("#")
    assert page == "http://127.0.0.1:8080/sign-in?to=/traces/trace-1"
    browser = told.anybody()
    answer = browser.post("/sign-in", data={"token": token, "to": "/traces/trace-1"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/traces/trace-1")
    assert "booking 1.0.0" in browser.get("/traces/trace-1").text
    assert told.anybody().post("/sign-in", data={"token": token}).status_code == 401


def test_the_first_token_needs_no_server(pointsman: Pointsman, tmp_path: object) -> None:
    assert pointsman("db", "upgrade").code == 0
    assert pointsman("token", "create", "--login", "ada").code == 0


def test_a_token_of_one_agent_has_one_scope(pointsman: Pointsman, told: House) -> None:
    said = pointsman("token", "create", "--agent", "qa-agent", "--output", "json")
    document = json.loads(said.out)
    assert (document["login"], document["scopes"]) == ("qa-agent", ["agent:qa-agent"])
    reads = pointsman(
        "token", "create", "--agent", "qa-agent", "--login", "quinn", "--scope", "read", "--output", "json"
    )
    document = json.loads(reads.out)
    assert (document["login"], document["scopes"]) == ("quinn", ["agent:qa-agent", "read"])


@pytest.mark.parametrize(
    ("arguments", "reason", "message"),
    [
        (("--agent", "release-manager"), "BuiltInAgent",
         "release-manager is built in: nobody outside speaks for it."),
        (("--agent", "qa-agent", "--scope", "events:any"), "ScopesDoNotMix",
         "A token of one agent may have the scope read beside it, and no other."),
        (("--agent", "QA Agent"), "InvalidAgent",
         "'QA Agent' can not be the id of an agent: write it like qa-agent."),
        (("--login", "ada", "--scope", "agent:qa-agent"), "UnknownScope",
         "There is no scope 'agent:qa-agent'; there are events:write, evidence:write, events:any, read, command, admin."),
        ((), "NobodyMeant", "Say for whom with --login, or for which agent with --agent."),
    ],
)  # fmt: skip
def test_what_a_token_of_one_agent_can_not_be(
    pointsman: Pointsman, told: House, arguments: tuple[str, ...], reason: str, message: str
) -> None:
    said = pointsman("token", "create", *arguments, "--output", "json")
    assert said.code == 2
    error = json.loads(said.out)["error"]
    assert (error["reasonCode"], error["message"]) == (reason, message)
