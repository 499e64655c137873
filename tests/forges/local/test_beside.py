"""Releases, issues and environments of the embedded forge, where it goes beyond what all forges do."""

from __future__ import annotations

import pytest
from sqlmodel import select

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.forges.local import links
from bot.forges.local.beside import ForgeIssue
from bot.forges.local.tables import ForgeRepository
from tests.forges.local.test_pipelines import commit_files, ended
from tests.forges.world import REPOSITORY, World


def change(world: World, body: str) -> int:
    sha = commit_files(world, (e.File(path="app.py", content="one\n"),))
    opened = world.perform(
        e.OpenChange(
            repository=REPOSITORY, source="feature/x", target_branch="main", title="feat: x", body=body
        ),
        "trace-1.000002.0",
    )
    assert isinstance(opened, e.ChangeResult)
    assert opened.head == sha
    return opened.number


def issue(world: World, title: str = "Move a booking") -> int:
    with world.api("jane") as api:
        answer = api.post(f"/repositories/{REPOSITORY}/issues", json={"title": title, "body": "why"})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["number"])


def states(world: World) -> dict[int, tuple[str, int | None]]:
    with world.store.read() as session:
        return {one.number: (one.state, one.closed_by) for one in session.scalars(select(ForgeIssue))}


@pytest.fixture
def town(any_world: World) -> World:
    any_world.repository()
    any_world.person("jane", "write")
    return any_world


def test_issues_and_changes_have_one_row_of_numbers(town: World) -> None:
    first = issue(town)
    second = change(town, "")
    third = issue(town)
    assert (first, second, third) == (1, 2, 3)


def test_a_merge_closes_what_its_description_says(town: World) -> None:
    one, two, three = issue(town), issue(town), issue(town)
    number = change(town, f"Closes #{one}, fixes #{two}. About #{three}; not c#{one}.")
    assert {state for state, _ in states(town).values()} == {"open"}

    head = town.perform(e.GatherFacts(repository=REPOSITORY, correlation="c", change=number)).to_json()
    merge = e.MergeChange(
        repository=REPOSITORY, change=number, expected_head=head["change"]["head"], message="feat: x"
    )
    town.perform(merge, "trace-1.000003.0")

    assert states(town) == {one: ("closed", number), two: ("closed", number), three: ("open", None)}


@pytest.mark.parametrize(
    ("text", "named", "closed"),
    [
        ("Closes #12", [12], [12]),
        ("- Closes #12\n- About #13", [12, 13], [12]),
        ("resolved: #7 and #7", [7], [7]),
        ("a#1 &#35; /#2 ##3 #04 #5x", [], []),
        ("discloses #12", [12], []),
        ("closes\n#12", [12], []),
        ("#1234567890", [], []),
        ("", [], []),
    ],
)
def test_what_a_text_names_and_closes(text: str, named: list[int], closed: list[int]) -> None:
    assert (links.named_in(text), links.closed_by(text)) == (named, closed)


def test_a_link_is_added_once_and_made_stronger_when_it_shall_close(town: World) -> None:
    first = issue(town)
    number = change(town, "What it does.")
    for closes in (False, False, True, True, False):
        link = e.LinkIssues(repository=REPOSITORY, change=number, references=(f"#{first}",), closes=closes)
        town.perform(link, f"trace-1.00001{closes}.0")
    with town.api("jane") as api:
        body = api.get(f"/repositories/{REPOSITORY}/changes/{number}").json()["body"]
    assert body == f"What it does.\n\nAbout #{first}\n\nCloses #{first}"


@pytest.mark.parametrize("reference", ["#2", "2", "AB#1", "acme/other#1", "#01"])
def test_only_issues_of_this_repository_can_be_linked(town: World, reference: str) -> None:
    issue(town)
    number = change(town, "")  # number 2: a change is no issue
    with pytest.raises(Permanent) as refused:
        town.perform(e.LinkIssues(repository=REPOSITORY, change=number, references=(reference,)))
    assert refused.value.reason_code == "IssueMissing"
    assert refused.value.message == (
        f"there is no issue {reference} in {REPOSITORY}: write the number of one, as in #12"
    )


def test_people_open_close_and_reopen_issues_as_they_may(town: World) -> None:
    town.person("sam", "read")
    town.person("eve")
    number = issue(town)
    at = f"/repositories/{REPOSITORY}/issues/{number}"
    with town.api("jane") as jane, town.api("sam") as sam, town.api("eve") as eve:
        assert eve.get(at).status_code == 404
        assert sam.get(at).json()["state"] == "open"
        assert sam.patch(at, json={"state": "closed"}).status_code == 403
        assert jane.patch(at, json={"state": "closed"}).json()["state"] == "closed"
        assert jane.patch(at, json={"state": "gone"}).status_code == 422
        everything, open_ones = (
            sam.get(f"/repositories/{REPOSITORY}/issues{query}").json() for query in ("", "?state=open")
        )
    assert ([one["number"] for one in everything], open_ones) == ([number], [])


def test_releases_and_environments_are_read_over_the_api(town: World) -> None:
    head = str(town.perform(e.GatherFacts(repository=REPOSITORY, correlation="c")).to_json()["defaultHead"])
    town.perform(
        e.PublishRelease(
            repository=REPOSITORY, tag="v1.0.0-rc.1", revision=head, title="One", notes="N", prerelease=True
        )
    )
    town.perform(
        e.PrepareEnvironment(repository=REPOSITORY, environment="staging", variables={"A": "b"}), "t.2.0"
    )
    with town.api("jane") as api:
        (page,) = api.get(f"/repositories/{REPOSITORY}/releases").json()
        environments = api.get(f"/repositories/{REPOSITORY}/environments").json()
    assert (page["tag"], page["revision"], page["prerelease"]) == ("v1.0.0-rc.1", head, True)
    assert page["url"].endswith(f"/forge/{REPOSITORY}/releases#v1.0.0-rc.1")
    assert environments == {"staging": {"A": "b"}}


def test_an_environments_variables_reach_the_jobs_that_name_it(world: World) -> None:
    world.repository()
    world.person("jane", "write")
    for number, (name, value) in enumerate({"staging": "http://s/?a=$b", "production": "http://p"}.items()):
        ready = e.PrepareEnvironment(
            repository=REPOSITORY, environment=name, variables={"POINTSMAN_ENDPOINT": value}
        )
        world.perform(ready, f"t.{number}.0")
    text = """
smoke: {environment: staging, script: ['test "$POINTSMAN_ENDPOINT" = "http://s/?a=\\$b"', 'test $CI_ENVIRONMENT_NAME = staging']}
other: {script: ['test -z "$POINTSMAN_ENDPOINT"', 'test -z "$CI_ENVIRONMENT_NAME"']}
named: {variables: {WHERE: production}, environment: {name: $WHERE}, script: ['test "$POINTSMAN_ENDPOINT" = "http://p"']}
"""
    commit_files(world, (e.File(path=".gitlab-ci.yml", content=text),))
    run = ended(world)[0].draft.data
    assert {job["name"]: job["status"] for job in run["jobs"]} == dict.fromkeys(
        ("smoke", "other", "named"), "success"
    )


def test_whoever_asked_for_a_repository_owns_it_and_others_do_not_see_it(world: World) -> None:
    world.person("ada")
    world.person("eve")
    wanted = e.CreateRepository(
        repository="demo/fresh", mark="m", owner="ada", required_check="pointsman/merge"
    )
    world.perform(wanted)
    at = "/repositories/demo/fresh/changes"
    with world.api("ada") as ada, world.api("eve") as eve:
        assert (ada.get(at).status_code, eve.get(at).status_code) == (200, 404)
    push = world.perform(e.GatherFacts(repository="demo/fresh", correlation="c", actors=("ada", "eve")))
    people = push.to_json()["actors"]
    assert (people["ada"]["permission"], people["eve"]["permission"]) == ("admin", "none")


def test_a_repository_whose_maker_died_before_its_first_commit_gets_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.forges.local import repositories

    wanted = e.CreateRepository(repository="demo/fresh", description="Bookings", mark="m")
    with monkeypatch.context() as patched:
        patched.setattr(repositories, "begin", _killed)
        with pytest.raises(RuntimeError, match="killed"):
            world.perform(wanted)
    facts = world.perform(e.GatherFacts(repository="demo/fresh", correlation="c")).to_json()
    assert facts.get("defaultHead") is None

    world.perform(wanted)

    facts = world.perform(
        e.GatherFacts(repository="demo/fresh", correlation="c", paths=("README.md",))
    ).to_json()
    assert facts["files"] == {"README.md": "# fresh\n\nBookings\n"}
    with world.store.read() as session:
        assert session.get_one(ForgeRepository, "demo/fresh").mark == "m"


def _killed(*_arguments: object, **_more: object) -> None:
    raise RuntimeError("killed")


def test_pages_show_issues_releases_and_environments(world: World) -> None:
    world.repository()
    world.person("jane", "write")
    number = issue(world, "<b>Move</b> a booking")
    head = str(world.perform(e.GatherFacts(repository=REPOSITORY, correlation="c")).to_json()["defaultHead"])
    world.perform(
        e.PublishRelease(
            repository=REPOSITORY, tag="v1.0.0", revision=head, title="One", notes="**new** <script>"
        ),
        "t.1.0",
    )
    ready = e.PrepareEnvironment(repository=REPOSITORY, environment="staging", variables={"A": "<i>"})
    world.perform(ready, "t.2.0")
    import httpx

    with httpx.Client(base_url=world.url, trust_env=False, follow_redirects=True) as browser:
        browser.post("/forge/sign-in", data={"token": world.tokens["jane"]}, headers={"Origin": world.url})
        front = browser.get(f"/forge/{REPOSITORY}").text
        releases = browser.get(f"/forge/{REPOSITORY}/releases").text
        shown = browser.get(f"/forge/{REPOSITORY}/issues/{number}").text
        assert browser.get(f"/forge/{REPOSITORY}/issues/99").status_code == 404
    assert "&lt;b&gt;Move&lt;/b&gt; a booking" in front
    assert f'href="/forge/{REPOSITORY}/releases#v1.0.0"' in front
    assert "<code>A</code> <code>&lt;i&gt;</code>" in front
    assert '<article class="card" id="v1.0.0">' in releases
    assert "<strong>new</strong> &lt;script&gt;" in releases
    assert f'&lt;b&gt;Move&lt;/b&gt; a booking <span class="dim">#{number}</span>' in shown
