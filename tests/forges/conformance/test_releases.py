"""The forge's own page of a release: one per tag, with the title and notes that were last wanted."""

from __future__ import annotations

import pytest

from bot.domain import effect as e
from bot.forges.capabilities import Feature
from tests.forges.conformance.ability import cannot, refused
from tests.forges.conformance.conftest import Do
from tests.forges.conformance.stage import Stage

NOTES = "## What is new\n\n- bookings can be moved\n\nApproved by jane: <https://bot.test/traces/trace-1>"


@pytest.fixture
def release(stage: Stage) -> e.PublishRelease:
    """The first release of what is on main."""
    head = str(stage.head("main"))
    return e.PublishRelease(tag="v1.0.0", revision=head, title="Booking 1.0.0", notes=NOTES)


def test_a_release_has_its_tag_its_title_and_its_notes(
    stage: Stage, do: Do, release: e.PublishRelease
) -> None:
    if cannot(stage, do, Feature.RELEASES, release):
        return
    result = do(release)
    assert isinstance(result, e.Done)
    assert result.url
    assert stage.tags() == {"v1.0.0": release.revision}
    assert stage.releases() == {"v1.0.0": ("Booking 1.0.0", NOTES)}


def test_a_tag_that_is_there_already_gets_its_page(stage: Stage, do: Do, release: e.PublishRelease) -> None:
    if cannot(stage, do, Feature.RELEASES, release):
        return
    do(e.CreateTag(name="v1.0.0", revision=release.revision, message="One"), "trace-1.000006.0")
    do(release)
    assert stage.tags() == {"v1.0.0": release.revision}
    assert stage.releases() == {"v1.0.0": ("Booking 1.0.0", NOTES)}


@pytest.mark.parametrize("effect_id", ["trace-1.000007.0", "trace-1.000008.0"])
def test_publishing_twice_is_once(stage: Stage, do: Do, release: e.PublishRelease, effect_id: str) -> None:
    if cannot(stage, do, Feature.RELEASES, release):
        return
    first = do(release)
    assert do(release, effect_id) == first
    assert stage.releases() == {"v1.0.0": ("Booking 1.0.0", NOTES)}


def test_a_page_that_is_there_gets_the_new_words(stage: Stage, do: Do, release: e.PublishRelease) -> None:
    if cannot(stage, do, Feature.RELEASES, release):
        return
    do(release)
    do(release.model_copy(update={"title": "Booking 1", "notes": "Rewritten."}), "trace-1.000009.0")
    assert stage.releases() == {"v1.0.0": ("Booking 1", "Rewritten.")}


def test_releases_of_other_tags_stay(stage: Stage, do: Do, release: e.PublishRelease) -> None:
    if cannot(stage, do, Feature.RELEASES, release):
        return
    do(release)
    do(release.model_copy(update={"tag": "v1.1.0", "title": "Booking 1.1.0"}), "trace-1.000009.0")
    assert stage.releases() == {"v1.0.0": ("Booking 1.0.0", NOTES), "v1.1.0": ("Booking 1.1.0", NOTES)}


@pytest.mark.parametrize("published", [False, True])
def test_a_tag_never_moves_to_another_revision(
    stage: Stage, do: Do, release: e.PublishRelease, published: bool
) -> None:
    if cannot(stage, do, Feature.RELEASES, release):
        return
    if published:
        do(release, "trace-1.000005.0")
    else:
        do(e.CreateTag(name="v1.0.0", revision=release.revision), "trace-1.000005.0")
    stage.person("jane", "write")
    other = stage.push("jane", "feature/other", {"b.py": "b\n"}, "feat: other")
    before = stage.releases()

    moved = release.model_copy(update={"revision": other, "title": "Another"})

    assert refused(do, moved) == "TagTaken"
    assert stage.tags() == {"v1.0.0": release.revision}
    assert stage.releases() == before
