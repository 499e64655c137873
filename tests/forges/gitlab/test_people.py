"""Who somebody is on GitLab, and who had a part in a change."""

from __future__ import annotations

import pytest

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.forges.gitlab.people import named_teams
from bot.messages import BOT
from tests.forges.gitlab.conftest import Desk
from tests.forges.gitlab.fake.world import BOT_LOGIN, REPOSITORY

POLICY = """\
version: 1
roles:
  ReleaseManager: {teams: [acme/release]}
environments:
  production:
    gates:
      - approvals: {any: [{team: elsewhere/sre, count: 2}, {role: ReleaseManager}]}
"""


def gather(desk: Desk, *logins: str, **more: object) -> p.FactsGathered:
    facts = desk.do(e.GatherFacts.model_validate({"correlation": "c", "actors": logins, **more}))
    assert isinstance(facts, p.FactsGathered)
    return facts


def actor(desk: Desk, login: str) -> p.Actor:
    return gather(desk, login).actors[login]


@pytest.mark.parametrize(
    ("level", "permission"),
    [
        (0, "none"),
        (5, "none"),
        (10, "read"),
        (15, "read"),
        (20, "read"),
        (30, "write"),
        (40, "maintain"),
        (50, "admin"),
    ],
)
def test_roles_in_our_words(desk: Desk, level: int, permission: str) -> None:
    jane = desk.world.person("jane", "none")
    desk.world.project.members[jane.id] = level
    assert actor(desk, "jane").permission == permission


def test_membership_is_inherited_from_the_groups_above(desk: Desk) -> None:
    jane = desk.world.person("jane", "read")
    desk.world.state.make_group("acme").members[jane.id] = 40
    told = actor(desk, "jane")
    assert (told.permission, told.teams) == ("maintain", ("acme",))


def test_anybody_may_read_what_is_public(desk: Desk) -> None:
    desk.world.person("jane", "none")
    assert actor(desk, "jane").permission == "none"
    desk.world.project.visibility = "public"
    assert actor(desk, "jane").permission == "read"
    assert actor(desk, "nobody") == p.Actor(login="nobody")


def test_a_name_is_looked_up_and_not_searched_for(desk: Desk) -> None:
    desk.world.person("jane.doe", "admin")
    assert actor(desk, "jane") == p.Actor(login="jane")


def test_the_bot_is_asked_about_under_its_own_name(desk: Desk) -> None:
    told = gather(desk, BOT, BOT_LOGIN).actors
    assert told[BOT].bot
    assert told[BOT].permission == "maintain"


def test_machines_are_told(desk: Desk) -> None:
    desk.world.person("project_7_bot_2ad1f0", "write")
    assert actor(desk, "project_7_bot_2ad1f0").bot


def test_teams_are_those_that_the_policy_names_and_those_around_the_project(desk: Desk) -> None:
    desk.stage.put({".pointsman/policy.yaml": POLICY})
    desk.world.person("jane", "write", ("acme/release", "elsewhere/sre", "elsewhere/other", "acme/platform"))
    desk.world.person("sam", "write", ("elsewhere/other",))
    told = gather(desk, "jane", "sam").actors
    assert told["jane"].teams == ("acme/platform", "acme/release", "elsewhere/sre")
    assert told["sam"].teams == ()


def test_who_owns_the_group_above_is_in_no_team_below(desk: Desk) -> None:
    olive = desk.world.person("olive", "write")
    desk.world.state.make_group("acme/release")
    desk.world.state.make_group("acme").members[olive.id] = 50
    assert actor(desk, "olive").teams == ("acme",)


def test_of_very_many_groups_only_those_that_matter_are_asked(desk: Desk) -> None:
    desk.stage.put({".pointsman/policy.yaml": POLICY})
    desk.world.person("jane", "write", ("acme/release", *(f"acme/team-{number}" for number in range(40))))
    asked = len(desk.server.asked)
    assert actor(desk, "jane").teams == ("acme/release",)
    members = [
        path
        for _, path in desk.server.asked[asked:]
        if path.startswith("/api/v4/groups/") and path.endswith("/members")
    ]
    assert len(members) <= 4


def test_groups_that_the_bot_may_not_see_have_nobody(desk: Desk) -> None:
    desk.world.person("jane", "write", ("acme/release",))
    desk.fault("GET", "/descendant_groups$", status=403)
    assert actor(desk, "jane").teams == ()


def test_without_a_question_about_people_no_group_is_asked(desk: Desk) -> None:
    gather(desk)
    assert not [path for _, path in desk.server.asked if "groups" in path]


@pytest.mark.parametrize(
    ("policy", "teams"),
    [
        (POLICY, {"acme/release", "elsewhere/sre"}), (None, set()), ("", set()), ("{", set()), ("- team: [a, 5, b]", {"a", "b"}),
        ("team: &a [*a]", set()), ("? {team: x}\n: y", set()),
    ],
)  # fmt: skip
def test_teams_are_found_wherever_a_policy_names_them(policy: str | None, teams: set[str]) -> None:
    assert named_teams(policy) == teams


# A change


def change(desk: Desk) -> dict[str, object]:
    facts = gather(desk, change=1).change
    assert facts is not None
    return facts


def test_an_address_that_somebody_only_claims_stays_an_address(desk: Desk) -> None:
    """A display name or a user name may look like an address."""
    desk.world.person("jane", "write")
    impostor = desk.world.person("ann", "write")
    impostor.username = "boss@acme.test"
    desk.commit()
    desk.change()
    desk.stage.push("jane", "feature/x", {"b.py": "b\n"}, "fix: b\n\nCo-authored-by: Boss <boss@acme.test>")
    told = change(desk)
    assert told["coAuthors"] == ["boss@acme.test"]
    assert told["committers"] == sorted(["boss@acme.test", "jane", BOT])


def test_a_private_address_of_gitlab_names_its_user(desk: Desk) -> None:
    jane = desk.world.person("jane", "write")
    desk.commit()
    desk.change()
    desk.stage.push(
        "olive",
        "feature/x",
        {"b.py": "b\n"},
        f"fix: b\n\nCo-authored-by: J <{jane.id}-old-name@users.noreply.gitlab.test>",
    )
    assert change(desk)["coAuthors"] == ["jane"]


def test_who_pushed_is_known_whatever_the_commits_say(desk: Desk) -> None:
    desk.commit()
    desk.change()
    jane, eve = desk.world.person("jane", "write"), desk.world.person("eve", "write")
    eve.email = "jane@example.org"
    with desk.world.state.lock:
        sha = desk.world.commit(eve, "feature/x", {"b.py": "b\n"}, "fix: b")
    told = change(desk)
    assert (told["head"], told["lastPusher"]) == (sha, "eve")
    assert set(told["committers"]) >= {"eve", jane.username, BOT}  # type: ignore[call-overload]


def test_a_merged_change_is_told_with_both_trees(desk: Desk) -> None:
    head = desk.commit()
    desk.change()
    assert "mergeTree" not in change(desk)
    done = desk.do(e.MergeChange(change=1, expected_head=head, message="feat: x"))
    told = change(desk)
    assert (told["state"], told["mergeSha"], told["mergeTree"], told["tree"]) == (
        "merged",
        done.sha,
        done.tree,
        done.head_tree,
    )


def test_facts_of_an_empty_project(desk: Desk) -> None:
    from tests.forges.gitlab.fake.git import Repo
    from tests.forges.gitlab.fake.state import Project

    empty = Project(
        2, "acme/empty", Repo.made(desk.world.state.folder / "empty.git"), members={desk.world.bot.id: 30}
    )
    desk.world.state.projects[empty.path] = empty
    desk.stage.repository = empty.path
    facts = gather(desk, paths=["README.md"], branch="feature/x")
    assert (facts.default_head, facts.branch_head, facts.policy_text, facts.files) == (
        None,
        None,
        None,
        {"README.md": None},
    )
    assert (facts.can_write, facts.protected_branches) == (True, ())
    done = desk.do(
        e.CommitFiles(
            branch="main",
            base="main",
            files=(e.File(path="README.md", content="# New\n"),),
            message="feat: begin",
        )
    )
    assert (done.parent, empty.repo.head("main")) == (None, done.sha)
    assert empty.path != REPOSITORY


# How much a change is


def test_the_extent_of_a_change(desk: Desk) -> None:
    desk.commit("app.py", "one\ntwo\n")
    desk.change()
    desk.world.person("jane", "write")
    sha = desk.stage.push(
        "jane", "feature/x", {"app.py": "one\nthree\nfour\n", "docs/größe.md": "x\n"}, "fix: b"
    )
    desk.stage.put({"other.txt": "other\n"})
    told = change(desk)
    assert (told["paths"], told["additions"], told["deletions"], told["behind"]) == (
        ["app.py", "docs/größe.md"],
        4,
        0,
        1,
    )
    assert told["commits"][0] == {"sha": sha, "message": "fix: b"}  # type: ignore[index]


@pytest.mark.parametrize("mark", ["collapsed", "too_large"])
def test_lines_that_gitlab_does_not_show_are_not_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    desk.commit()
    desk.change()
    real = type(desk.world.project.repo).diff
    monkeypatch.setattr(
        type(desk.world.project.repo), "diff", lambda *said: [one | {mark: True} for one in real(*said)]
    )
    told = change(desk)
    assert (told["paths"], "additions" in told) == (["app.py"], False)


def test_of_a_change_too_large_to_be_told_the_policy_file_is_looked_at_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.forges.gitlab import files

    desk.commit(".pointsman/policy.yaml", "version: 1\n")
    desk.change()
    monkeypatch.setattr(files, "MOST_DIFFS", 1)
    told = change(desk)
    assert ("paths" in told, told["touchesPolicy"]) == (False, True)


def test_the_last_merged_changes_with_their_tests_and_approvals(desk: Desk) -> None:
    desk.stage.put({".gitlab-ci.yml": "test: {script: [make]}\n"})
    sam = desk.world.person("sam", "write")
    for number, status in enumerate(("success", "failed"), 1):
        head = desk.commit(f"{number}.py", branch=f"feature/{number}", effect_id=f"t.{number}.0")
        desk.change(branch=f"feature/{number}")
        desk.stage.finish_run(head, status)
        desk.world.deeds.approve(desk.world.project, sam, desk.world.change(number))
        desk.do(e.MergeChange(change=number, expected_head=head, message=f"feat: {number}"), f"t.{number}.1")
    told = gather(desk, past=5).past
    assert [(one.number, one.tests, one.approvers, one.committers) for one in told] == [
        (2, "failed", ("sam",), (BOT,)), (1, "passed", ("sam",), (BOT,)),
    ]  # fmt: skip
    assert [one.number for one in gather(desk, past=1).past] == [2]
