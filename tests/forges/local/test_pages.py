"""The pages: exact text, nothing of other people's HTML, no way in from another site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

import httpx
import pytest

from bot.domain import effect as e
from tests.forges.world import REPOSITORY, World

CHANGE = f"/forge/{REPOSITORY}/changes/1"
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](http://evil.test/x.png)",
    '"><svg onload=alert(1)>',
    "<!-- pointsman:sticky:status --><b>x</b>",
    "[x](data:text/html,<script>1</script>)",
    "`</code><script>1</script>`",
    "<a href=x>",
    "[x]: javascript:alert(1)\n\n[x]",
]


@pytest.fixture
def shown(world: World) -> World:
    world.repository()
    world.person("jane", "write")
    world.person("sam", "read")
    made = world.perform(
        e.CommitFiles(
            repository=REPOSITORY,
            branch="feature/x",
            base="main",
            message="feat: <b>x</b>",
            files=(e.File(path="a<b>.txt", content="<script>one</script>\n"),),
        )
    )
    assert isinstance(made, e.CommitResult)
    world.perform(
        e.OpenChange(
            repository=REPOSITORY,
            source="feature/x",
            target_branch="main",
            title="feat: <i>x</i>",
            body="It *books*.\n<!-- pointsman:gates -->\n",
            labels=("<u>",),
        )
    )
    world.perform(
        e.SetCheck(
            repository=REPOSITORY,
            revision=made.sha,
            name="pointsman/release: production",
            title="2 of 3",
            summary="| gate | state |\n|---|---|\n| freeze | **closed** |\n\n<script>1</script>",
            url="javascript:alert(1)",
        )
    )
    return world


@contextmanager
def client(world: World, login: str = "") -> Iterator[httpx.Client]:
    """A browser, signed in when `login` is given."""
    with httpx.Client(base_url=world.url, trust_env=False, timeout=30) as browser:
        if login:
            answer = browser.post("/forge/sign-in", data={"token": world.tokens[login], "to": CHANGE})
            assert (answer.status_code, answer.headers["location"]) == (303, CHANGE)
        yield browser


@pytest.fixture
def jane(shown: World) -> Iterator[httpx.Client]:
    with client(shown, "jane") as browser:
        yield browser


def csrf(page: str) -> str:
    return re.search(r'name="csrf" value="([^"]+)"', page)[1]  # type: ignore[index]


def words(page: str) -> str:
    """What a reader sees, on one line."""
    import html

    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page.partition("<main")[2])))


def test_who_is_not_signed_in_is_asked_for_a_token(shown: World) -> None:
    with client(shown) as browser:
        answer = browser.get(CHANGE)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/forge/sign-in?to={CHANGE}")
        door = browser.get(answer.headers["location"])
        assert "Your token" in words(door.text)
        refused = browser.post("/forge/sign-in", data={"token": "wrong"})
        assert (refused.status_code, "This token is not known here." in refused.text) == (401, True)
        assert "set-cookie" not in refused.headers


def test_the_cookie_is_for_our_pages_only_and_no_script_reads_it(shown: World) -> None:
    with client(shown) as browser:
        cookie = browser.post("/forge/sign-in", data={"token": shown.tokens["jane"]}).headers["set-cookie"]
    assert re.fullmatch(
        r"pointsman_forge=[\w-]+; HttpOnly; Max-Age=43200; Path=/forge; SameSite=strict", cookie
    )
    assert shown.tokens["jane"] not in cookie


@pytest.mark.parametrize(
    "to", ["https://evil.test", "//evil.test", "/\\evil.test", "/forge\\..", "/other", "/forgery//x"]
)
def test_signing_in_leads_nowhere_else(shown: World, to: str) -> None:
    with client(shown) as browser:
        answer = browser.post("/forge/sign-in", data={"token": shown.tokens["jane"], "to": to})
        assert answer.headers["location"] == "/forge"


def test_a_change_is_shown_whole(shown: World, jane: httpx.Client) -> None:
    page = jane.get(CHANGE)
    text = words(page.text)
    assert "feat: <i>x</i> #1 open pointsman[bot] wants to merge feature/x into main , head" in text
    assert "It books ." in text
    assert "pending pointsman/release: production 2 of 3 gate state freeze closed <script>1</script>" in text
    assert "None on this revision." in text  # pipelines
    assert "Nobody has said anything yet." in text
    assert "+<script>one</script>" in text
    assert "feat: <b>x</b> pointsman[bot]" in text
    assert "pointsman:gates" not in page.text
    assert "<td><strong>closed</strong></td>" in page.text
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_people_write_stays_text(jane: httpx.Client, attack: str) -> None:
    written = jane.post(f"{CHANGE}/comments", data={"csrf": csrf(jane.get(CHANGE).text), "body": attack})
    assert (written.status_code, written.headers["location"]) == (303, f"{CHANGE}#comment-1")
    tags = Tags(jane.get(CHANGE).text)
    assert not tags.names & {"script", "img", "svg", "iframe", "i", "u", "b", "object", "embed", "base"}
    for name, value in tags.attributes:
        assert not name.startswith("on")
        # A link to elsewhere is a link; nothing of elsewhere is loaded.
        inside = ("/forge", "#", "http://evil.test/") if name == "href" else ("/forge", "#")
        assert name not in {"href", "src", "action"} or value.startswith(inside), (name, value)


class Tags(HTMLParser):
    """The elements of a page and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def test_a_comment_and_its_reactions_are_shown(shown: World, jane: httpx.Client) -> None:
    jane.post(
        f"{CHANGE}/comments", data={"csrf": csrf(jane.get(CHANGE).text), "body": "/approve-release\r\nnow"}
    )
    shown.perform(e.React(repository=REPOSITORY, change=1, comment_id="1", reaction="rocket"))
    shown.perform(e.PostComment(repository=REPOSITORY, change=1, body="**Done.**", sticky="status"))
    page = jane.get(CHANGE).text
    assert 'aria-label="done by pointsman[bot]">🚀</span>' in page
    assert "<strong>Done.</strong>" in page
    assert "sticky" not in page
    fact = shown.until(lambda: [f for f in shown.facts() if f.draft.type == "CommentCreated"])[0]
    assert (fact.draft.data["body"], fact.draft.actor) == ("/approve-release\nnow", "jane")


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        ({"csrf": "wrong"}, {}),
        ({"csrf": "caf\u00e9"}, {}),
        ({}, {}),
        ({"csrf": ""}, {"Origin": "https://evil.test"}),
    ],
)
def test_a_form_from_elsewhere_does_nothing(
    shown: World, jane: httpx.Client, form: dict[str, str], headers: dict[str, str]
) -> None:
    if form.get("csrf") == "":
        form = {"csrf": csrf(jane.get(CHANGE).text)}
    for path, more in {
        "comments": {"body": "x"},
        "state": {"state": "closed"},
        "merge": {"revision": "x"},
    }.items():
        assert jane.post(f"{CHANGE}/{path}", data=form | more, headers=headers).status_code in {403, 422}
    with shown.api("jane") as api:
        assert api.get(f"/repositories/{REPOSITORY}/changes/1/comments").json() == []
        assert api.get(f"/repositories/{REPOSITORY}/changes/1").json()["state"] == "open"


def test_a_reader_sees_no_buttons_and_cannot_press_them(shown: World) -> None:
    with client(shown, "sam") as browser:
        page = browser.get(CHANGE).text
        assert "Squash and merge" not in page
        answer = browser.post(f"{CHANGE}/state", data={"csrf": csrf(page), "state": "closed"})
        assert answer.status_code == 403
        assert "this needs write permission in demo/booking; you have read" in words(answer.text)


def test_the_buttons_work(shown: World, jane: httpx.Client) -> None:
    page = jane.get(CHANGE).text
    head = re.search(r'name="revision" value="([0-9a-f]{40})"', page)[1]  # type: ignore[index]
    form = {"csrf": csrf(page), "revision": head}
    assert jane.post(f"{CHANGE}/state", data=form | {"state": "closed"}).status_code == 303
    assert "Reopen" in jane.get(CHANGE).text
    jane.post(f"{CHANGE}/state", data=form | {"state": "open"})
    jane.post(f"{CHANGE}/reviews", data=form | {"state": "approved"})
    jane.post(f"{CHANGE}/merge", data=form)
    text = words(jane.get(CHANGE).text)
    assert f"approved jane on {head[:10]}" in text
    assert "merged by jane as" in text
    assert "Squash and merge" not in text


def test_signing_out_ends_the_session(shown: World, jane: httpx.Client) -> None:
    cookie = jane.cookies["pointsman_forge"]
    jane.post("/forge/sign-out", data={"csrf": csrf(jane.get("/forge").text)})
    answer = httpx.get(f"{shown.url}/forge", cookies={"pointsman_forge": cookie}, trust_env=False)
    assert answer.status_code == 303


def test_lists_show_only_what_one_may_read(shown: World, jane: httpx.Client) -> None:
    shown.repository("demo/secret")
    assert "demo/booking 1 open change" in words(jane.get("/forge").text)
    assert "secret" not in jane.get("/forge").text
    missing = jane.get("/forge/demo/secret")
    assert missing.status_code == 404
    assert "there is no repository 'demo/secret' that you may read" in words(missing.text)
    page = words(jane.get(f"/forge/{REPOSITORY}").text)
    assert f"Clone with git clone {shown.url}/git/{REPOSITORY}.git" in page
    assert "open feat: <i>x</i> #1 by pointsman[bot], feature/x into main" in page


def test_every_page_is_accessible_in_the_small_things(jane: httpx.Client) -> None:
    for path in ("/forge", f"/forge/{REPOSITORY}", CHANGE):
        page = jane.get(path).text
        assert '<html lang="en">' in page
        assert '<meta name="viewport"' in page
        assert page.count("<h1") == 1
        for label in re.findall(r'<label for="([^"]+)"', page):
            assert f'id="{label}"' in page
        assert "http://" not in page.replace(str(jane.base_url).rstrip("/"), "")
    assert jane.get("/forge/style.css").headers["content-type"].startswith("text/css")


def test_a_pipeline_and_its_log(shown: World, jane: httpx.Client) -> None:
    shown.perform(
        e.CommitFiles(
            repository=REPOSITORY,
            branch="feature/x",
            base="main",
            message="ci: run",
            files=(
                e.File(path=".gitlab-ci.yml", content="unit: {script: ['echo \"<b>loud</b>\"; exit 4']}\n"),
            ),
        ),
        "trace-1.000005.0",
    )
    shown.until(lambda: "PipelineFinished" in dict(shown.heard()), 60)
    text = words(jane.get(f"/forge/{REPOSITORY}/pipelines/1").text)
    assert "Pipeline 1 failed on feature/x at" in text
    assert "failed: unit" in text
    assert "<b>loud</b>" in text
    assert "failed Pipeline 1 on feature/x" in words(jane.get(CHANGE).text)
    assert jane.get(f"/forge/{REPOSITORY}/pipelines/9").status_code == 404


@pytest.mark.parametrize("address", ["192.168.1.5", "10.0.0.1", "::ffff:8.8.8.8"])
def test_another_machine_gets_nothing(shown: World, address: str) -> None:
    import asyncio

    from fastapi import FastAPI

    app = FastAPI()
    app.include_router(shown.forge.router())

    async def ask(path: str) -> int:
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as browser:
            return (await browser.get(path, auth=("jane", shown.tokens["jane"]))).status_code

    for path in (
        "/forge",
        "/forge/sign-in",
        "/forge/api/user",
        f"/git/{REPOSITORY}.git/info/refs?service=git-upload-pack",
    ):
        assert asyncio.run(ask(path)) == 403, path
