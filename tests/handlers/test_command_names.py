"""Which commands there are: aliases and switches of a policy, second names, and `/help` that knows them."""

from __future__ import annotations

import pytest

from bot.domain.command import BOTS_OWN, FORGES_OWN
from bot.domain.view import View
from handlers.decide import registry
from handlers.declare import Answer, Call, command
from handlers.policy import command_names
from policies import PolicyErrors, load
from policies.roles import Permission
from tests.handlers.said import refusal, reply
from tests.handlers.world import POLICY, World

NAMED = (
    POLICY
    + "commands: {disable: [hotfix, retry], aliases: {lgtm: approve-release production, why: explain}}\n"
)


def test_an_alias_says_what_it_stands_for_and_what_is_written_behind_it() -> None:
    world = World(policy=NAMED).submit().tests().comment("jane.doe", '/LGTM "looks right" to me')
    (approval,) = world.state.approvals
    assert (approval.environment, approval.comment) == ("production", "looks right to me")
    assert world.last("CommandIssued").data["command"] == "lgtm", "the log has what was written"


def test_an_alias_gives_no_right() -> None:
    world = World(policy=NAMED).submit().tests().comment("mallory", "/lgtm")
    assert refusal(world)[0] == "UnauthorizedApprover"
    assert world.state.approvals == ()


def test_without_the_policy_it_is_nobodys_word() -> None:
    world = World().submit().tests()
    before = len(world.events)
    world.comment("jane.doe", "/lgtm")
    assert [event.type for event in world.events[before:]] == ["CommentCreated"]


def test_what_is_switched_off_is_refused_and_not_listed() -> None:
    world = World(policy=NAMED).submit().tests("failed").comment("dana", "/retry")
    assert refusal(world) == ("CommandDisabled", "The policy of this repository has switched `/retry` off.")
    world.comment("dana", "/help")
    assert "/retry" not in reply(world)
    assert "/hotfix" not in reply(world)
    assert "| `/deploy [environment]` |" in reply(world)


def test_help_lists_aliases_of_what_is_the_askers_and_second_names() -> None:
    world = World(policy=NAMED).submit().comment("dana", "/help")
    assert "| `/why` | The same as `/explain` |" in reply(world)
    assert "(also `/lock-environment`)" in reply(world)
    locked = POLICY + "commands: {aliases: {shut: lock production}}\n"
    world = World(policy=locked).submit().comment("reader", "/help")
    assert "/shut" not in reply(world)


def test_a_tenant_has_its_own_names() -> None:
    policy = load(
        POLICY + "tenants:\n  acme: {commands: {disable: [pause], aliases: {ship-it: deploy}}}\n",
        commands=command_names(),
    )
    assert (policy.of("acme").commands.disable, policy.commands.disable) == (("pause",), ())
    assert policy.of("acme").commands.aliases == {"ship-it": "deploy"}


@pytest.mark.parametrize(
    ("section", "message", "suggestion"),
    [
        ("aliases: {approve: approve-release production}",
         "/approve is a command of the forges themselves: choose another name", None),
        ("aliases: {merge: deploy}", "/merge is a command of the forges themselves: choose another name", None),
        ("aliases: {deploy: hotfix}", "/deploy is a command already: choose another name", None),
        ("aliases: {lock-environment: hotfix}", "/lock-environment is a command already: choose another name", None),
        ("aliases: {go: deplyo staging}", "there is no command 'deplyo'", "deploy"),
        ("aliases: {go: /deploy staging}", "there is no command '/deploy'", "deploy"),
        ("disable: [hotfixes]", "there is no command 'hotfixes'", "hotfix"),
    ],
)  # fmt: skip
def test_names_that_can_not_be_are_found(section: str, message: str, suggestion: str | None) -> None:
    with pytest.raises(PolicyErrors) as found:
        load(POLICY + f"commands:\n  {section}\n", commands=command_names())
    (error,) = found.value.errors
    assert (error.message, error.suggestion) == (message, suggestion)
    assert error.line == POLICY.count("\n") + 2


@pytest.mark.parametrize(
    "section", ["aliases: {Go: deploy}", "aliases: {go: ''}", "aliases: [deploy]", "enable: [deploy]"]
)
def test_what_is_no_section(section: str) -> None:
    with pytest.raises(PolicyErrors):
        load(POLICY + f"commands:\n  {section}\n", commands=command_names())


def test_a_broken_name_blocks_and_is_said() -> None:
    world = World(policy=POLICY + "commands: {disable: [hotfixes]}\n").submit().tests()
    assert world.state.releases["production"].reason_code == "PolicyInvalid"


def test_no_command_has_a_name_that_somebody_else_has_and_no_other() -> None:
    taken = FORGES_OWN | BOTS_OWN
    shared = {name for name in registry().commands if name in taken}
    assert shared == {"hold", "unhold", "lock", "unlock"}
    assert all(registry().commands[name].second not in {"", *taken} for name in shared)
    assert not taken & registry().second_names.keys()


@pytest.mark.parametrize(("name", "second"), [("/approve", ""), ("/label", "close"), ("/open-up", "merge")])
def test_a_name_that_a_forge_owns_stops_the_start(name: str, second: str) -> None:
    def nothing(_call: Call, _view: View) -> Answer:
        """Do nothing."""
        return Answer()

    with pytest.raises(TypeError, match="give it a second name that nobody has"):
        command(name, needs=Permission.READ, second=second)(nothing)
    assert name.removeprefix("/") not in registry().commands
