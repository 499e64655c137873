"""Every command, asked for by every role, in two tenants: the table says who is heard.

The table is written by hand. A command that is not in it, or that hears somebody else, turns this red.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain import payloads as p
from bot.domain.command import parse
from bot.domain.trace import TraceState
from bot.domain.view import View
from handlers import answer as answering
from handlers.decide import registry
from handlers.declare import REGISTRY
from policies import Policy, authorise
from policies.roles import SEEDED, Permission
from tests.access.table import read
from tests.handlers.world import World

POLICY = """\
version: 1
environments:
  staging: {gates: [tests-passed]}
  production: {gates: [{approvals: {any: [{role: ProductOwner}, {role: ReleaseManager}]}}]}
roles:
  StudioApprover: {permissions: [override.freeze]}
tenants:
  acme:
    roles:
      ProductOwner: {users: [owner]}
      ReleaseManager: {users: [manager]}
      StudioAdmin: {users: [admin]}
      StudioApprover: {users: [lifter], permissions: [override.freeze]}
      Deployer: {users: [deployer]}
      DevOpsEngineer: {users: [devops]}
      InfraAdmin: {users: [infra]}
      CloudArchitect: {users: [cloud]}
      SecurityReviewer: {users: [security]}
  umbrella:
    roles:
      ProductOwner: {users: [somebody-else]}
      ReleaseManager: {users: [somebody-else]}
      Deployer: {users: [elsewhere]}
      SecurityReviewer: {users: [elsewhere]}
"""
LEVELS = {"stranger": "none", "writer": "write"}
"""What the forge grants; everybody else may read."""

ACME = read("""
                  | stranger reader writer owner manager admin lifter deployer devops infra cloud security elsewhere
approve-release   |    .       .      .      x      x      .      .       .       .     .     .      .        .
reject-release    |    .       .      .      .      x      .      .       .       .     .     .      .        .
delay-release     |    .       .      .      .      x      .      .       .       .     .     .      .        .
override-freeze   |    .       .      .      .      .      .      x       .       .     .     .      .        .
request-rollback  |    .       .      .      .      .      x      .       x       x     .     .      .        .
deploy            |    .       .      .      .      .      .      .       x       .     .     .      .        .
hotfix            |    .       .      .      .      .      .      .       x       .     .     .      .        .
retry             |    .       .      .      .      .      .      .       x       x     .     .      .        .
provision         |    .       .      .      .      .      .      .       .       .     x     x      .        .
plan-release      |    .       x      x      x      x      x      x       x       x     x     x      x        x
explain           |    .       x      x      x      x      x      x       x       x     x     x      x        x
hold              |    .       .      x      .      .      .      .       .       .     .     .      .        .
unhold            |    .       .      x      .      .      .      .       .       .     .     .      .        .
pause             |    .       .      x      .      .      .      .       .       .     .     .      .        .
resume            |    .       .      x      .      .      .      .       .       .     .     .      .        .
lock              |    .       .      .      .      .      .      .       x       .     .     .      .        .
unlock            |    .       .      .      .      .      .      .       x       .     .     .      .        .
generate-pipeline |    .       .      x      .      .      .      .       .       .     .     .      .        .
update-pipeline   |    .       .      x      .      .      .      .       .       .     .     .      .        .
resolve-task      |    .       .      .      .      .      .      .       .       .     .     .      x        .
status            |    .       x      x      x      x      x      x       x       x     x     x      x        x
refresh           |    .       x      x      x      x      x      x       x       x     x     x      x        x
help              |    .       x      x      x      x      x      x       x       x     x     x      x        x
""")
UMBRELLA = read("""
                  | stranger reader writer owner manager admin lifter deployer devops infra cloud security elsewhere
approve-release   |    .       .      .      .      .      .      .       .       .     .     .      .        .
reject-release    |    .       .      .      .      .      .      .       .       .     .     .      .        .
delay-release     |    .       .      .      .      .      .      .       .       .     .     .      .        .
override-freeze   |    .       .      .      .      .      .      .       .       .     .     .      .        .
request-rollback  |    .       .      .      .      .      .      .       .       .     .     .      .        x
deploy            |    .       .      .      .      .      .      .       .       .     .     .      .        x
hotfix            |    .       .      .      .      .      .      .       .       .     .     .      .        x
retry             |    .       .      .      .      .      .      .       .       .     .     .      .        x
provision         |    .       .      .      .      .      .      .       .       .     .     .      .        .
plan-release      |    .       x      x      x      x      x      x       x       x     x     x      x        x
explain           |    .       x      x      x      x      x      x       x       x     x     x      x        x
hold              |    .       .      x      .      .      .      .       .       .     .     .      .        .
unhold            |    .       .      x      .      .      .      .       .       .     .     .      .        .
pause             |    .       .      x      .      .      .      .       .       .     .     .      .        .
resume            |    .       .      x      .      .      .      .       .       .     .     .      .        .
lock              |    .       .      .      .      .      .      .       .       .     .     .      .        x
unlock            |    .       .      .      .      .      .      .       .       .     .     .      .        x
generate-pipeline |    .       .      x      .      .      .      .       .       .     .     .      .        .
update-pipeline   |    .       .      x      .      .      .      .       .       .     .     .      .        .
resolve-task      |    .       .      .      .      .      .      .       .       .     .     .      .        x
status            |    .       x      x      x      x      x      x       x       x     x     x      x        x
refresh           |    .       x      x      x      x      x      x       x       x     x     x      x        x
help              |    .       x      x      x      x      x      x       x       x     x     x      x        x
""")
TABLES = {"acme": ACME, "umbrella": UMBRELLA}
LINES = {
    "approve-release": "/approve-release production", "reject-release": "/reject-release production no",
    "delay-release": "/delay-release production 2h", "override-freeze": "/override-freeze production now",
    "request-rollback": "/request-rollback production now", "deploy": "/deploy production",
    "hotfix": "/hotfix production now", "provision": "/provision staging",
    "plan-release": "/plan-release production", "lock": "/lock production now", "unlock": "/unlock production",
    "resolve-task": "/resolve-task t1 yes",
}  # fmt: skip
NOT_YOURS = {"NotAuthorised", "UnauthorizedApprover"}


@pytest.fixture(scope="module")
def told() -> TraceState:
    """A trace of which everything is known."""
    world = World(policy=POLICY).submit().tests()
    task = p.HumanTask(task_id="t1", title="Is it safe?", required_role="SecurityReviewer")
    return world.state.model_copy(update={"human_tasks": {"t1": task}})


def heard(told: TraceState, tenant: str, command: str, who: str) -> bool:
    """Whether the command is answered by anything but `not yours`."""
    line = LINES.get(command, f"/{command}")
    (said,) = parse(line)
    now = told.updated_at
    assert now is not None
    issued = p.CommandIssued(
        command=said.name, arguments=said.arguments, options=said.options, line=line, via="api", correlation="c",
        written_at=now,
    )  # fmt: skip
    state = told.model_copy(
        update={"tenant_id": tenant, "answering": ({**issued.to_json(), "actor": who},), "shown": told.shown}
    )
    actor = p.Actor(login=who, permission=LEVELS.get(who, "read"))
    gathered = p.FactsGathered(
        correlation="c", repository=told.repository, purpose="command", default_head="d", actors={who: actor},
        policy_text=POLICY, policy_revision="d",
    )  # fmt: skip
    _, decision, _ = answering._run(state.answering[0], gathered, View(now=now, state=state))
    codes = [event.data["reasonCode"] for event in decision.events if event.type == "CommandRefused"]
    assert "PolicyInvalid" not in codes, "then nobody would be heard, and nobody refused for lack of a right"
    return not set(codes) & NOT_YOURS


def disagreements(told: TraceState, *only: str) -> list[tuple[str, str, str]]:
    """Tenant, command and person of whom the table says otherwise."""
    return [
        (tenant, command, who)
        for tenant, table in TABLES.items()
        for command, row in table.items()
        if not only or command in only
        for who, may in row.items()
        if heard(told, tenant, command, who) != may
    ]


def test_the_table_has_every_command_and_every_role() -> None:
    known = set(registry().commands)
    assert set(ACME) == set(UMBRELLA) == known
    held = {
        "ProductOwner", "ReleaseManager", "StudioAdmin", "StudioApprover", "Deployer", "DevOpsEngineer",
        "InfraAdmin", "CloudArchitect", "SecurityReviewer",
    }  # fmt: skip
    assert held == set(SEEDED)


def test_everybody_is_heard_where_the_table_says_so_and_nowhere_else(told: TraceState) -> None:
    assert disagreements(told) == []


@pytest.mark.parametrize("command", ["lock", "hold", "delay-release"])
def test_a_command_that_asks_for_less_turns_it_red(
    told: TraceState, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    open_to_all = replace(REGISTRY.commands[command], needs=Permission.READ)
    monkeypatch.setattr(REGISTRY, "commands", REGISTRY.commands | {command: open_to_all})
    assert ("acme", command, "reader") in disagreements(told, command)


@pytest.mark.parametrize("command", ["deploy", "resolve-task", "override-freeze"])
def test_an_authorise_that_always_says_yes_turns_it_red(
    told: TraceState, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(authorise, "_holds", lambda *_asked: True)
    assert ("acme", command, "writer") in disagreements(told, command)


def test_roles_of_another_tenant_turn_it_red(told: TraceState, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the policy of one tenant were the policy of all."""
    real = Policy.of
    monkeypatch.setattr(Policy, "of", lambda self, _tenant: real(self, "acme"))
    assert ("umbrella", "deploy", "deployer") in disagreements(told, "deploy")


def test_what_is_no_table_is_no_table() -> None:
    with pytest.raises(ValueError, match="not a row of this table"):
        read("| a b\nx | x")
