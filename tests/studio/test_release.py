"""The page behind a check: the verdict, who can help and when, what to say, what became of every approval."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from bot import messages
from bot.domain.command import bind, parse
from bot.domain.event import Event
from bot.domain.release import release_id
from bot.log import append
from bot.studio import pages
from handlers.decide import registry
from policies import tally
from tests.handlers.world import FROZEN, World
from tests.studio.test_pages import signed_in, text_of
from tests.support.house import House, house
from tests.support.story import SHA, tell

ID = release_id("booking", "1.0.0", "production", SHA)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('home')}/pointsman.db") as made:
        tell(made.store)
        yield made


def frozen() -> World:
    """A release that waits for a person and for the end of a freeze, on 20 December."""
    world = World(policy=FROZEN)
    world.now = world.now.replace(month=12, day=20)
    return world.submit().tests()


def kept(home: House, world: World, trace: str) -> str:
    """The trace of a world, copied into the database of a house; the id of its release to production."""
    copied: list[Event] = []
    for one in world.events:
        moved = {
            "trace_id": trace,
            "tenant_id": "acme",
            "id": f"{trace}-{one.sequence}",
            "source": "pointsman",
        }
        copied.append(one.model_copy(update=moved))
    with home.store.begin() as session:
        append(session, copied)
    return world.state.releases["production"].release_id


def seen(home: House, release: str, trace: str, login: str = "jane.doe") -> str:
    answer = signed_in(home, login).get(f"/releases/{release}?trace={trace}")
    assert answer.status_code == 200, answer.text
    return text_of(answer.text)


# -- what it shows ----------------------------------------


def test_the_tree_says_has_needs_who_can_and_when(home: House) -> None:
    page = seen(home, kept(home, frozen(), "t-tree"), "t-tree")
    gates = page[page.index(" Gates ") : page.index("What you can say")]
    until = "Frozen by year-end until Mon 2027-01-04 00:00 Europe/Paris."
    assert gates == (
        f" Gates ● delayed: freeze {until} Wait, or say /override-freeze production <reason> . "
        "Has frozen by year-end Needs open Who can sam Changes 2027-01-03 23:00 UTC , by itself "
        "● delayed: approvals Needs an approval by ProductOwner: /approve-release production . "
        "Has nothing Needs ProductOwner Who can jane.doe Changes not by itself "
        "· skipped: promoted-from After the merge: 1.0.0 healthy in staging. "
        "Has nothing in staging Needs 1.0.0 healthy in staging "
        f"✓ approved: tests-passed The tests of {REVISION} passed. Has passed Needs passed "
    ).replace(REVISION, head_of("t-tree", home)[:7])


REVISION = "0000000"


def head_of(trace: str, home: House) -> str:
    from bot.log import load

    with home.store.read() as session:
        return load(session, "acme", trace).head or ""


@pytest.mark.parametrize(
    ("login", "approve", "override"),
    [
        ("jane.doe", "You may. Who may: jane.doe.", "Who may: sam."),
        ("sam", "Who may: jane.doe.", "You may. Who may: sam."),
        ("stranger", "Who may: jane.doe.", "Who may: sam."),
    ],
)
def test_the_commands_stand_there_word_for_word(home: House, login: str, approve: str, override: str) -> None:
    trace = f"t-say-{login}"
    page = seen(home, kept(home, frozen(), trace), trace, login)
    said = page[page.index("What you can say") : page.index("Timeline")]
    assert said == (
        "What you can say In a comment on change #1, or with pointsman release . "
        "/approve-release production REASON Approve exactly the revision that was shown; cancel as the reason takes "
        f"it back. {approve} "
        "/override-freeze production REASON Lift the freeze that is active now, for this release, until its window "
        f"ends. {override} "
        "/explain production Show the whole verdict tree: what is there, what is missing, who can give it, when it "
        "changes. Who may: everybody who may read the repository. "
        "/status Say where this trace stands, in one short list. Who may: everybody who may read the repository. "
        "/help List the commands that you may use here. Who may: everybody who may read the repository. "
    )


def test_whoever_would_be_refused_reads_what_would_be_answered(home: House) -> None:
    world = frozen().comment("mallory", "/approve-release production")
    page = seen(home, kept(home, world, "t-refused"), "t-refused", "mallory")
    assert (
        "mallory is without a role here; production is approved by ProductOwner. Who may: jane.doe." in page
    )


def test_an_approval_that_a_push_ended_is_shown_as_such(home: House) -> None:
    world = frozen().comment("jane.doe", "/approve-release production looks right")
    old = world.state.releases["production"].release_id
    before = (world.state.head or "")[:10]
    world.push("agent")
    new = kept(home, world, "t-push")
    assert new != old
    now = (world.state.head or "")[:10]
    page = seen(home, new, "t-push")
    given = page[page.index(" Approvals ") : page.index("What you can say")]
    assert given.startswith(" Approvals ↩ jane.doe ProductOwner 2026-12-20 ")
    assert given.endswith(
        f" UTC It was given for {before} and has ended: a push made {now} the head. “looks right” "
    )
    past = seen(home, old, "t-push")
    assert (
        f"This was the verdict on {before}. A push replaced it: {now} is looked at now. Its verdict" in past
    )
    assert "What you can say" not in past


def test_what_is_merged_says_where_it_went_and_what_runs(home: House) -> None:
    world = World().submit().tests().comment("jane.doe", "/approve-release production")
    change = release_id("booking-service", "1.0.0", "production", (world.state.change or {})["head"])
    merged = kept(home, world, "t-merged")
    now = seen(home, merged, "t-merged")
    assert "booking-service 1.0.0 → production running" in now
    assert "1.0.0 was deployed." in now
    assert "Approvals ✓ jane.doe ProductOwner" in now
    before = seen(home, change, "t-merged")
    assert f"before the merge. It was merged as {(world.state.head or '')[:10]}. Its verdict" in before


def test_the_timeline_is_of_this_environment(home: House) -> None:
    page = signed_in(home).get(f"/releases/{ID}?trace=trace-1").text
    assert "Release to production waits" in text_of(page)
    assert "Release to staging" not in text_of(page)


# -- who may see it ----------------------------------------


def test_a_release_is_found_without_its_trace(home: House) -> None:
    release = kept(home, frozen(), "t-found")
    assert signed_in(home).get(f"/releases/{release}").status_code == 404, "written without its engine"
    from bot.projections.trace_keys import TraceKeys

    with home.store.begin() as session:
        keys = TraceKeys(session)
        for event in frozen_events(home, "t-found"):
            keys.record(event, frozen().state)
        keys.flush()
    assert signed_in(home).get(f"/releases/{release}").status_code == 200
    assert signed_in(home, "eve", "other").get(f"/releases/{release}").status_code == 404


def frozen_events(home: House, trace: str) -> list[Event]:
    from bot.log import events

    with home.store.read() as session:
        return events(session, "acme", trace)


PATHS = (f"/releases/{ID}?trace=trace-1", f"/releases/{ID}/live?trace=trace-1")


@pytest.mark.parametrize("path", PATHS)
def test_nobody_sees_another_tenants_release(home: House, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LONGEST_FEED", 0.1)
    for browser, status in ((home.anybody(), 401), (signed_in(home, "eve", "other"), 404)):
        answer = browser.get(path)
        assert "booking" not in answer.text
        assert answer.status_code == status or path.partition("?")[0].endswith("/live")


@pytest.mark.parametrize(
    "path", ["/releases/none?trace=trace-1", "/releases/none", f"/releases/{ID}?trace=x"]
)
def test_what_is_not_there_is_a_page(home: House, path: str) -> None:
    answer = signed_in(home).get(path)
    assert answer.status_code == 404
    assert "There is no release" in text_of(answer.text)


def test_signing_in_leads_back_to_the_release(home: House) -> None:
    form = home.anybody().get(PATHS[0]).text
    assert f'<input type="hidden" name="to" value="{PATHS[0]}">' in form
    browser = TestClient(home.app, follow_redirects=False)
    answer = browser.post("/sign-in", data={"token": home.token(), "to": PATHS[0]})
    assert answer.headers["location"] == PATHS[0]
    for away in (f"{PATHS[0]}&x=//evil", f"/releases/{ID}?trace=//evil", f"/releases/{ID}?to=x"):
        answer = browser.post("/sign-in", data={"token": home.token(), "to": away})
        assert answer.headers["location"] == "/"


def test_it_is_live_like_its_trace(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LONGEST_FEED", 0.2)
    browser = signed_in(home)
    assert f'data-live="/releases/{ID}/live?trace=trace-1"' in browser.get(PATHS[0]).text
    assert browser.get(PATHS[1]).text == "event: moved\ndata: 11\n\n"


# -- the links that lead to it ----------------------------------------


def test_checks_and_the_comment_lead_to_the_release() -> None:
    world = frozen()
    base = "http://127.0.0.1:8080/releases/"
    for name, release in world.state.releases.items():
        address = f"{base}{release.release_id}?trace=trace-1234"
        assert world.forge.checks[messages.check_name(name)].url == address
        assert f"[{name}]({address})" in world.forge.comments["verdict"].splitlines()[-1]


# -- what may be said is understood ----------------------------------------


def every_line() -> list[str]:
    from bot.studio.sayings import LINES

    return [line.format("production") for line, _ in LINES]


@pytest.mark.parametrize("line", every_line())
def test_every_command_that_is_shown_is_one(line: str) -> None:
    (invocation,) = parse(line)
    assert not invocation.error
    bind(registry().commands[invocation.name].signature, invocation)


STANDINGS: dict[str, str] = {
    "counts": "Counts.",
    "revoked": "Taken back by ann.",
    "invalidated": "It was given for a1a1a1a1a1 and has ended: main went on.",
    "pushed": "Ended by a push: it was given for a1a1a1a1a1, which is not the revision looked at now.",
    "expired": "Has expired: ann may approve again.",
    "barred": "Does not count: ann main went on.",
    "other-way": "Does not count here: the policy asks for a review of the change.",
    "unjustified": "Does not count: it gives no reason, and the policy asks for one.",
    "not-asked": "Does not count: the policy does not ask for ann here.",
}


@pytest.mark.parametrize(("standing", "sentence"), STANDINGS.items())
def test_every_standing_has_its_sentence(standing: str, sentence: str) -> None:
    assert messages.approval_standing(standing, "ann", SHA, "main went on", review=False) == sentence
    assert set(STANDINGS) == set(tally.Standing.__args__)  # type: ignore[attr-defined]
