"""A push to `agent/<module>/<version>` is a submission: who pushed, what, and the next push as well."""

from __future__ import annotations

import pytest

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.effect import File
from bot.domain.model import Model
from tests.handlers.fake_forge import FakeForge, sha_of
from tests.handlers.world import World


class AgentsForge(FakeForge):
    """Answers with the tree of the revision that is asked for, as forges do: they do not repeat the branch."""

    def do_gather_facts(self, effect: object, world: object) -> Model:
        found = super().do_gather_facts(effect, world)  # type: ignore[arg-type]
        assert isinstance(found, p.FactsGathered)
        revision = getattr(effect, "tree_of", None)
        tree = (File(path="app.py", content=f"# {revision}\n"),) if revision else ()
        return found.model_copy(update={"tree": tree})


def pushed(
    world: World, after: str, *, branch: str = "agent/booking-service/1.2.0", by: str = "agent"
) -> World:
    said = p.Pushed(
        repository="demo/booking", branch=branch, before=sha_of("before"), after=sha_of(after), pusher=by
    )
    return world.say(draft("Pushed", said, actor=by))


def world() -> World:
    return World(forge=AgentsForge())


def test_the_pushed_files_are_submitted_as_their_pusher() -> None:
    there = pushed(world(), "one")

    generated = there.last("ModuleGenerated")
    module = read(generated, p.ModuleGenerated)
    assert (generated.actor, module.module_id, module.version) == ("agent", "booking-service", "1.2.0")
    assert (module.branch, module.revision) == ("agent/booking-service/1.2.0", sha_of("one"))
    assert [f.content for f in module.files] == [f"# {sha_of('one')}\n"]
    assert there.types("CommitReady", "PullRequestCreated", "PipelineReady") == [
        "CommitReady", "PullRequestCreated", "PipelineReady",
    ]  # fmt: skip


def test_the_next_push_is_new_code_for_the_same_trace() -> None:
    there = pushed(pushed(world(), "one"), "two")

    assert [e.data["revision"] for e in there.events if e.type == "ModuleGenerated"] == [
        sha_of("one"),
        sha_of("two"),
    ]
    assert [c.branch for c in there.forge.committed if c.purpose == "module"] == [
        "feature/booking-service/trace-1234"
    ] * 2


@pytest.mark.parametrize(
    ("branch", "by"),
    [("agent/booking-service/1.2.0", messages.BOT), ("feature/x", "agent"), ("agents/x", "agent")],
)
def test_other_pushes_are_no_submissions(branch: str, by: str) -> None:
    assert pushed(world(), "one", branch=branch, by=by).types() == ["Pushed"]


def test_a_branch_that_names_no_version_of_a_module_calls_a_person() -> None:
    there = pushed(world(), "one", branch="agent/booking-service/next")

    told = read(there.last("ManualInterventionRequired"), p.Intervention)
    assert told.reason_code == "InvalidPayload"
    assert told.message == (
        "The branch agent/booking-service/next does not name a module: push to agent/<module>/<version>, "
        "for example agent/booking-service/1.0.0."
    )
    assert "ModuleGenerated" not in there.types()
