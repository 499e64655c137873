"""Tags: annotated with a message, else plain. A tag never moves."""

from __future__ import annotations

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.forges.azure.names import TAGS, ZERO
from bot.forges.azure.place import Place
from bot.forges.azure.pushing import STALE, refused
from bot.forges.azure.speech import Refusal
from bot.forges.paths import FORBIDDEN_IN_BRANCH

EXISTS = ("GitFailedToCreateTagException", "GitRefNameAlreadyExistsException", *STALE)


def create_tag(place: Place, effect: e.CreateTag) -> e.Done:
    """Tag a revision; the same tag on the same revision is done already."""
    if FORBIDDEN_IN_BRANCH.search(effect.name):
        raise Permanent("InvalidTag", f"{effect.name!r} cannot be the name of a tag")
    if place.commit(effect.revision) is None:
        raise Permanent("RevisionMissing", f"there is no revision {effect.revision} in {place.repository}")
    if not _there(place, effect):
        try:
            _make(place, effect)
        except Refusal as refusal:
            if not refusal.is_about(*EXISTS) or not _there(place, effect):
                raise
    return e.Done(id=effect.name)


def _there(place: Place, effect: e.CreateTag) -> bool:
    found = place.refs(f"tags/{effect.name}").get(TAGS + effect.name)
    if found is None:
        return False
    at = found.peeled_object_id or found.object_id
    if at != effect.revision:
        raise Permanent("TagExists", f"the tag {effect.name} is on {at} already")
    return True


def _make(place: Place, effect: e.CreateTag) -> None:
    if effect.message.strip():
        tagged = place.model("GitObject", object_id=effect.revision)
        tag = place.model("GitAnnotatedTag", name=effect.name, message=effect.message, tagged_object=tagged)
        place.git("create_annotated_tag", tag_object=tag)
        return
    update = place.model(
        "GitRefUpdate", name=TAGS + effect.name, old_object_id=ZERO, new_object_id=effect.revision
    )
    for result in place.git("update_refs", ref_updates=[update]):
        refused(result)
