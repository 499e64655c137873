"""The JSON API: what people may do, and what they are told when they may not."""

from __future__ import annotations

import httpx
import pytest

from bot.domain import effect as e
from tests.forges.world import README, REPOSITORY, World

CHANGES = f"/repositories/{REPOSITORY}/changes"


@pytest.fixture
def people(any_world: World) -> World:
    """An admin, a writer, a reader and a stranger; a branch and its change."""
    world = any_world
    world.repository()
    world.person("root", admin=True)
    world.person("jane", "write")
    world.person("sam", "read")
    world.person("eve")
    world.perform(
        e.CommitFiles(
            repository=REPOSITORY,
            branch="feature/x",
            base="main",
            message="feat: x\n\nbody",
            files=(e.File(path="a.txt", content="a\n"),),
            trailers={"Trace-Id": "trace-1"},
        )
    )
    with world.api("jane") as api:
        assert api.post(CHANGES, json={"source": "feature/x", "title": "feat: x"}).status_code == 201
    return world


def problem(answer: httpx.Response) -> tuple[int, str, str]:
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == answer.status_code
    return answer.status_code, body["title"], body["detail"]


def test_a_repository_from_nothing(any_world: World) -> None:
    world = any_world
    world.person("root", admin=True)
    with world.api("root") as api:
        made = api.post("/users", json={"login": "jane", "email": "jane@example.org"}).json()
        assert set(made) == {"login", "token"}
        body = {"name": "demo/new", "files": [{"path": "a.txt", "content": "a\n"}], "protection": []}
        created = api.post("/repositories", json=body)
        assert (created.status_code, created.json()["cloneUrl"]) == (201, f"{world.url}/git/demo/new.git")
        assert api.put("/repositories/demo/new/members/jane", json={"permission": "write"}).json() == {
            "login": "jane",
            "permission": "write",
        }
        assert api.put("/teams/acme/release", json={"members": ["jane"]}).json()["members"] == ["jane"]
        rule = [{"branch": "main", "checks": ["ci"]}]
        assert api.put("/repositories/demo/new/protection", json=rule).json() == [
            {"branch": "main", "push": [], "checks": ["ci"], "approvals": 0}
        ]
        assert problem(api.put("/repositories/demo/new/protection", json=[{"brunch": "main"}]))[:2] == (
            409,
            "InvalidRule",
        )
        assert problem(api.post("/repositories", json=body)) == (
            409,
            "Taken",
            "there is a repository 'demo/new' already",
        )
        assert problem(api.post("/users", json={"login": "jane"})) == (
            409,
            "Taken",
            "there is a user 'jane' already",
        )
        for name in ("new", "api/x", "a/b/c", "../x", "demo/x.git", "demo/..", "demo/a b"):
            assert problem(api.post("/repositories", json={"name": name}))[:2] == (404, "NotFound"), name
    world.tokens["jane"] = made["token"]
    with world.api("jane") as api:
        assert api.get("/user").json() == {"login": "jane", "isAdmin": False, "teams": ["acme/release"]}
        assert [row["name"] for row in api.get("/repositories").json()] == ["demo/new"]


def test_a_change_through_its_life(people: World) -> None:
    with people.api("jane") as jane, people.api("sam") as sam:
        seen = jane.get(f"{CHANGES}/1").json()
        assert (seen["author"], seen["state"], seen["target"]) == ("jane", "open", "main")
        edited = jane.patch(f"{CHANGES}/1", json={"title": "feat: y", "addLabels": ["hotfix"]}).json()
        assert (edited["title"], edited["labels"]) == ("feat: y", ["hotfix"])
        assert "+a" in jane.get(f"{CHANGES}/1/diff").json()["diff"]
        comment = sam.post(f"{CHANGES}/1/comments", json={"body": "/help"}).json()
        assert (comment["author"], comment["body"], comment["editedAt"]) == ("sam", "/help", None)
        changed = sam.patch(
            f"/repositories/{REPOSITORY}/comments/{comment['id']}", json={"body": "/status"}
        ).json()
        assert changed["body"] == "/status"
        assert changed["editedAt"]
        assert [one["body"] for one in jane.get(f"{CHANGES}/1/comments").json()] == ["/status"]
        review = sam.post(f"{CHANGES}/1/reviews", json={"state": "approved", "revision": seen["head"]}).json()
        assert (review["state"], review["revision"]) == ("approved", seen["head"])
        assert [one["author"] for one in jane.get(f"{CHANGES}/1/reviews").json()] == ["sam"]
        check = jane.post(
            f"/repositories/{REPOSITORY}/checks",
            json={"revision": seen["head"], "name": "ci", "title": "ok", "conclusion": "success"},
        ).json()
        assert (check["name"], check["reporter"]) == ("ci", "jane")
        merged = jane.post(f"{CHANGES}/1/merge", json={"head": seen["head"]}).json()
        assert (merged["state"], merged["mergedBy"], merged["tree"]) == ("merged", "jane", merged["headTree"])
        assert sam.delete(f"/repositories/{REPOSITORY}/comments/{comment['id']}").status_code == 204
        assert jane.get(f"{CHANGES}/1/comments").json() == []
        assert [one["number"] for one in jane.get(CHANGES, params={"state": "merged"}).json()] == [1]
        assert jane.get(CHANGES, params={"state": "open"}).json() == []
    people.until(lambda: len(people.heard()) >= 12)
    assert [type_ for type_, actor in people.heard() if actor != "pointsman[bot]"] == [
        "ChangeOpened",
        "ChangeUpdated",
        "ChangeLabelled",
        "CommentCreated",
        "CommentEdited",
        "ReviewSubmitted",
        "StatusReported",
        "Pushed",
        "ChangeMerged",
        "CommentDeleted",
    ]


def test_a_change_is_closed_and_opened_again(people: World) -> None:
    with people.api("jane") as api:
        assert api.patch(f"{CHANGES}/1", json={"state": "closed"}).json()["state"] == "closed"
        assert api.patch(f"{CHANGES}/1", json={"state": "open"}).json()["state"] == "open"
    people.until(lambda: ("ChangeReopened", "jane") in people.heard())
    assert ("ChangeClosed", "jane") in people.heard()


@pytest.mark.parametrize(
    ("who", "verb", "path", "body", "expected"),
    [
        (
            "sam",
            "POST",
            CHANGES,
            {"source": "feature/x", "title": "t"},
            (403, "NotAllowed", "this needs write permission in demo/booking; you have read"),
        ),
        (
            "eve",
            "GET",
            f"{CHANGES}/1",
            None,
            (404, "NotFound", "there is no repository 'demo/booking' that you may read"),
        ),
        (
            "eve",
            "GET",
            "/repositories/demo/none/changes/1",
            None,
            (404, "NotFound", "there is no repository 'demo/none' that you may read"),
        ),
        ("jane", "GET", f"{CHANGES}/9", None, (404, "NotFound", "there is no change 9 in demo/booking")),
        (
            "jane",
            "POST",
            "/users",
            {"login": "x"},
            (403, "NotAllowed", "only an administrator of the forge may do this"),
        ),
        (
            "jane",
            "POST",
            CHANGES,
            {"source": "gone", "title": "t"},
            (409, "BranchDeleted", "there is no branch gone in demo/booking"),
        ),
        (
            "jane",
            "POST",
            CHANGES,
            {"source": "main", "title": "t"},
            (409, "NothingToMerge", "main has nothing that main has not"),
        ),
        ("jane", "POST", CHANGES, {"source": "x"}, (422, "Invalid", "body.title: Field required")),
        (
            "jane",
            "POST",
            f"{CHANGES}/1/comments",
            {"body": ""},
            (422, "Invalid", "body.body: String should have at least 1 character"),
        ),
        (
            "jane",
            "POST",
            f"{CHANGES}/1/reviews",
            {"state": "approved"},
            (409, "OwnChange", "you cannot approve your own change"),
        ),
        (
            "sam",
            "POST",
            f"{CHANGES}/1/merge",
            {"head": "x"},
            (403, "NotAllowed", "this needs write permission in demo/booking; you have read"),
        ),
        (
            "jane",
            "PATCH",
            f"/repositories/{REPOSITORY}/comments/77",
            {"body": "x"},
            (404, "NotFound", "there is no comment 77 in demo/booking"),
        ),
        (
            "jane",
            "POST",
            f"/repositories/{REPOSITORY}/pipelines",
            {"branch": "main"},
            (409, "NoPipeline", "main has no .gitlab-ci.yml"),
        ),
    ],
)
def test_refusals_say_why(
    people: World, who: str, verb: str, path: str, body: dict[str, str] | None, expected: tuple[int, str, str]
) -> None:
    with people.api(who) as api:
        assert problem(api.request(verb, path, json=body)) == expected


def test_only_its_author_changes_a_comment(people: World) -> None:
    with people.api("sam") as sam, people.api("jane") as jane:
        comment = sam.post(f"{CHANGES}/1/comments", json={"body": "mine"}).json()["id"]
        for answer in (
            jane.patch(f"/repositories/{REPOSITORY}/comments/{comment}", json={"body": "hers"}),
            jane.delete(f"/repositories/{REPOSITORY}/comments/{comment}"),
        ):
            assert problem(answer) == (403, "NotAllowed", "only its author may change a comment")
        assert [one["body"] for one in jane.get(f"{CHANGES}/1/comments").json()] == ["mine"]


def test_a_review_of_a_head_that_moved_does_not_count(people: World) -> None:
    with people.api("sam") as api:
        head = api.get(f"{CHANGES}/1").json()["head"]
        answer = api.post(f"{CHANGES}/1/reviews", json={"state": "approved", "revision": "0" * 40})
    assert problem(answer) == (409, "HeadMoved", f"the head of change 1 is {head[:12]} by now")


def test_required_approvals_are_of_other_people_and_of_this_head(people: World) -> None:
    people.person("lee", "write")
    with people.api("root") as root:
        root.put(f"/repositories/{REPOSITORY}/protection", json=[{"branch": "main", "approvals": 1}])
    with people.api("jane") as jane, people.api("lee") as lee, people.api("sam") as sam:
        head = jane.get(f"{CHANGES}/1").json()["head"]
        sam.post(f"{CHANGES}/1/reviews", json={"state": "approved"})  # a reader's does not count
        assert problem(jane.post(f"{CHANGES}/1/merge", json={"head": head})) == (
            409,
            "ApprovalsMissing",
            "main is protected: 0 of 1 approving reviews of the head",
        )
        lee.post(f"{CHANGES}/1/reviews", json={"state": "approved"})
        assert jane.post(f"{CHANGES}/1/merge", json={"head": head}).json()["state"] == "merged"


@pytest.mark.parametrize(
    "header", ["", "Bearer wrong", "Bearer", "Basic !!!", "Basic amFuZQ==", "Digest x", "Bearer caf\xe9"]
)
def test_without_a_token_there_is_nothing(people: World, header: str) -> None:
    answer = httpx.get(
        f"{people.url}/forge/api/repositories",
        headers={"Authorization": header.encode("latin-1")},
        trust_env=False,
    )
    assert problem(answer) == (401, "SignInNeeded", "Sign in with your token.")


def test_basic_authentication_works_as_well(people: World) -> None:
    auth = ("jane", people.tokens["jane"])
    assert httpx.get(f"{people.url}/forge/api/user", auth=auth, trust_env=False).json()["login"] == "jane"
    wrong = ("sam", people.tokens["jane"])
    assert httpx.get(f"{people.url}/forge/api/user", auth=wrong, trust_env=False).status_code == 401


def test_a_body_over_the_limit_is_not_read(people: World) -> None:
    with people.api("jane") as api:
        answer = api.post(CHANGES, content=b"x" * (16 * 1024 * 1024 + 1))
        assert problem(answer) == (413, "BodyRefused", "the request may have 16 MiB at most")
        streamed = api.post(CHANGES, content=iter([b"{}"]))
        assert problem(streamed)[:2] == (411, "BodyRefused")


def test_the_database_has_no_token(people: World) -> None:
    from sqlmodel import select

    from bot.forges.local.tables import ForgeUser

    with people.store.read() as session:
        kept = {user.token_hash for user in session.scalars(select(ForgeUser))}
    assert not kept & set(people.tokens.values())
    assert README.path == "README.md"
