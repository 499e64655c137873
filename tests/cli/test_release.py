"""`pointsman release`: the comment commands from a terminal; 3 when policy is against it, 4 when not yours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.cli import release
from bot.cli.release_verbs import VERBS, line_of
from bot.domain import payloads as p
from bot.domain.command import bind, parse
from bot.domain.effect import RESULTS, Effect, GatherFacts
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.log import events
from handlers.decide import decide, registry
from tests.cli.conftest import Pointsman, listening
from tests.support.house import House, house
from tests.support.story import SHA, TREE, change, tell

POLICY = """\
version: 1
roles:
  ProductOwner: {users: [jane.doe]}
  StudioApprover: {users: [sam], permissions: [override.freeze]}
environments:
  staging: {gates: [tests-passed]}
  production:
    after: [staging]
    gates: [approvals: {role: ProductOwner}]
commands: {aliases: {why: explain}}
"""


class Forge:
    """Knows the policy, and that everybody may write."""

    def perform(self, _effect_id: str, effect: Effect, _context: EffectContext) -> Model:
        if not isinstance(effect, GatherFacts):
            return RESULTS[effect.kind].model_construct()
        people = {login: p.Actor(login=login, permission="write") for login in effect.actors}
        return p.FactsGathered(
            correlation=effect.correlation, repository=effect.repository, purpose=effect.purpose,
            default_head="d4" * 20, branch_head=SHA, change=change() | {"state": "open", "tree": TREE},
            policy_text=POLICY, policy_revision="d4" * 20, actors=people,
        )  # fmt: skip


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    """A bot that does its work and answers over HTTP."""
    url = f"sqlite:///{tmp_path_factory.mktemp('working')}/pointsman.db"
    with house(url, decide, performers={"local": Forge()}, work=True) as home:
        tell(home.store)
        with listening(home) as address:
            yield home, address


@pytest.fixture
def as_(working: tuple[House, str], pointsman: Pointsman, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`as_("jane.doe", "release", ...)`: the command line with somebody's token."""

    def call(login: str, *arguments: str) -> Any:
        home, address = working
        monkeypatch.setenv("POINTSMAN_URL", address)
        monkeypatch.setenv("POINTSMAN_TOKEN", home.token(login, scopes=("read", "command", "admin")))
        return pointsman(*arguments)

    return call


def test_the_right_one_approves(as_: Any, working: tuple[House, str]) -> None:
    said = as_(
        "jane.doe", "release", "approve", "trace-1", "production", "looks", "right", "--output", "json"
    )
    assert said.code == 0, said.err
    answer = json.loads(said.out)
    assert (answer["state"], answer["line"]) == ("done", "/approve-release production -- 'looks right'")
    with working[0].store.read() as session:
        granted = [one for one in events(session, "acme", "trace-1") if one.type == "ApprovalGranted"]
    assert [(one.actor, one.data["comment"], one.data["method"]) for one in granted] == [
        ("jane.doe", "looks right", "CLI")
    ]
    back = as_("jane.doe", "release", "approve", "trace-1", "production", "cancel")
    assert (back.code, back.out.strip()) == (0, "Your approval for production is taken back.")


def test_somebody_else_is_four(as_: Any) -> None:
    said = as_("mallory", "release", "approve", "trace-1", "production", "--output", "json")
    assert said.code == 4
    error = json.loads(said.out)["error"]
    assert error["reasonCode"] == "UnauthorizedApprover"
    assert said.err == f"Error: {error['message']}\n"


@pytest.mark.parametrize(
    ("login", "arguments", "code", "reason_code"),
    [
        ("mallory", ["override-freeze", "trace-1", "production", "now"], 4, "NotAuthorised"),
        ("sam", ["override-freeze", "trace-1", "production", "now"], 3, "NoActiveFreeze"),
        ("mallory", ["rollback", "trace-1", "production", "broken"], 4, "NotAuthorised"),
        ("mallory", ["reject", "trace-1", "production", "no"], 4, "NotAuthorised"),
        ("jane.doe", ["approve", "trace-1", "moon", "why not"], 2, "UnknownEnvironment"),
        ("jane.doe", ["approve", "trace-1", "production", "@" + "e" * 40], 3, "HeadMoved"),
        ("jane.doe", ["approve", "trace-9", "production"], 1, "NotFound"),
    ],
)
def test_refusals_have_their_codes(
    as_: Any, login: str, arguments: list[str], code: int, reason_code: str
) -> None:
    said = as_(login, "release", *arguments, "--output", "json")
    assert (json.loads(said.out)["error"]["reasonCode"], said.code) == (reason_code, code), said.err


def test_the_list_says_who_can_help(as_: Any) -> None:
    found = json.loads(
        as_("jane.doe", "release", "list", "--environment", "production", "--output", "json").out
    )
    assert [one["environment"] for one in found["releases"]] == ["production"]
    text = as_("jane.doe", "release", "list", "--environment", "production").out.splitlines()
    assert text[0] == "booking 1.0.0 -> production: delayed  [trace-1]"
    assert "  Can help: jane.doe." in text
    assert as_("jane.doe", "release", "list", "--environment", "moon").out == "Nothing waits.\n"


def test_a_command_that_is_not_answered_in_time_says_where_to_look(
    pointsman: Pointsman, served: House
) -> None:
    """Nobody works here."""
    said = pointsman("release", "approve", "trace-1", "production", "--timeout", "1")
    assert said.code == 1
    assert said.err == (
        "Error: No answer within 1 s: /approve-release production was taken, its answer will be in trace trace-1.\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ["it's", "late"],
        ['say "yes"'],
        ["--force", "x"],
        ["a=b"],
        ["`code`"],
        ["$(rm -rf /)"],
        ["two\nlines"],
        ["“so”"],
    ],
)
def test_a_reason_arrives_as_it_was_written(words: list[str]) -> None:
    """Through a shell's quoting and the comment grammar."""
    line = release._line("override-freeze", "production", words)
    (invocation,) = parse(line)
    given = bind(registry().commands["override-freeze"].signature, invocation)
    expected = " ".join(" ".join(words).split()).replace("“", '"').replace("”", '"')
    assert given == {"environment": "production", "reason": expected}


def test_without_a_reason_there_is_none(pointsman: Pointsman) -> None:
    assert release._line("approve-release", "production", None) == "/approve-release production"
    assert pointsman("release", "reject", "trace-1", "production").code == 2


def test_a_rollback_may_name_its_version() -> None:
    assert release._line("request-rollback", "production", ["to", "1.0.0", "slow"]).endswith(
        "-- 'to 1.0.0 slow'"
    )


SAID: dict[str, tuple[list[str], str]] = {
    "delay": (["production", "2h"], "/delay-release production 2h"),
    "deploy": (["staging"], "/deploy staging"),
    "hotfix": (["production", "it", "is", "down"], "/hotfix production it is down"),
    "retry": (["pipeline", "in", "10m"], "/retry pipeline in 10m"),
    "provision": (["staging"], "/provision staging"),
    "plan": (["production"], "/plan-release production"),
    "explain": (["production", "at=2027-01-01"], "/explain production at=2027-01-01"),
    "hold": (["--force it's late"], "/hold -- '--force it'\"'\"'s late'"),
    "unhold": ([], "/unhold"),
    "pause": (["two\nlines"], "/pause 'two lines'"),
    "resume": ([], "/resume"),
    "lock": (["production", "migration"], "/lock production migration"),
    "unlock": (["production"], "/unlock production"),
    "generate-pipeline": (["python-service"], "/generate-pipeline python-service"),
    "update-pipeline": ([], "/update-pipeline"),
    "resolve-task": (["manual-1", "Approve"], "/resolve-task manual-1 Approve"),
    "status": ([], "/status"),
    "refresh": ([], "/refresh"),
    "commands": ([], "/help"),
}
BY_OTHER_VERBS = {"approve-release", "reject-release", "override-freeze", "request-rollback"}


def test_every_command_has_a_verb() -> None:
    assert set(VERBS) == set(SAID)
    assert {verb.command for verb in VERBS.values()} | BY_OTHER_VERBS == set(registry().commands)


@pytest.mark.parametrize("name", SAID)
def test_a_verb_says_its_command(name: str) -> None:
    words, line = SAID[name]
    verb = VERBS[name]
    assert line_of(verb.command, words) == line
    (invocation,) = parse(line)
    entry = registry().commands[invocation.name]
    given = bind(entry.signature, invocation)
    said = " ".join(words).replace("in ", "").replace("at=", "").split()
    assert sorted(" ".join(given.values()).split()) == sorted(said)


@pytest.mark.parametrize(
    ("login", "arguments", "code", "reason_code"),
    [
        ("jane.doe", ["lock", "trace-1", "production", "mine"], 4, "NotAuthorised"),
        ("jane.doe", ["delay", "trace-1", "production", "2h"], 4, "NotAuthorised"),
        ("jane.doe", ["explain", "trace-1", "at=never"], 2, "InvalidMoment"),
        ("jane.doe", ["unhold", "trace-1"], 3, "NotHeld"),
        ("jane.doe", ["lock", "trace-1", "production"], 2, "InvalidArguments"),
        ("jane.doe", ["resolve-task", "trace-1", "x", "y"], 2, "UnknownTask"),
    ],
)
def test_refusals_of_the_other_verbs(
    as_: Any, login: str, arguments: list[str], code: int, reason_code: str
) -> None:
    said = as_(login, "release", *arguments, "--output", "json")
    assert (json.loads(said.out)["error"]["reasonCode"], said.code) == (reason_code, code), said.err


def test_a_change_is_held_and_freed(as_: Any) -> None:
    assert as_("jane.doe", "release", "hold", "trace-1", "not", "yet").code == 0
    said = as_("jane.doe", "release", "plan", "trace-1", "production")
    assert (said.code, "holds the change: not yet" in said.out) == (0, True)
    said = as_("jane.doe", "release", "unhold", "trace-1")
    assert (said.code, said.out.strip()) == (0, "Nobody holds the change any more.")


def test_an_alias_of_the_policy_is_a_command_here_too(as_: Any, working: tuple[House, str]) -> None:
    home, _ = working
    answer = home.http("jane.doe").post("/v1/traces/trace-1/commands", json={"line": "/why production"})
    assert answer.status_code == 202, answer.text
    answer = home.http("jane.doe").post("/v1/traces/trace-1/commands", json={"line": "/whyy production"})
    assert answer.json()["detail"] == "There is no `/whyy`. Did you mean `/why`?"
