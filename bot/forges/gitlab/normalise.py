"""GitLab's webhooks in our words. Pure: a delivery kept today can be read again tomorrow."""

from __future__ import annotations

import json
from collections.abc import Callable

from pydantic import ValidationError

from bot.domain.errors import Invalid
from bot.forges.gitlab import told_change, told_code, told_comment, told_people, told_runs
from bot.forges.gitlab.said import Said
from bot.forges.port import RepositoryFact


def normalise(body: bytes, login: str) -> list[RepositoryFact]:
    """The facts in a delivery; none for an event unknown to us. Raises Invalid for what cannot be read."""
    try:
        said = json.loads(body)
        # Confidential ones differ in `event_type` alone; system hooks have an `event_name` and often no kind.
        function = EVENTS.get(said.get("object_kind") or said.get("event_name") or "")
        return function(Said(said, login)) if function else []
    except ValidationError as error:
        raise Invalid(
            "UnreadableDelivery", f"not a delivery of GitLab: {error.errors()[0]['msg']}"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Invalid("UnreadableDelivery", f"not a delivery of GitLab: {error!r}") from error


EVENTS: dict[str, Callable[[Said], list[RepositoryFact]]] = {
    "push": told_code.push,
    "tag_push": told_code.tag_push,
    "release": told_code.release,
    "merge_request": told_change.merge_request,
    "note": told_comment.note,
    "pipeline": told_runs.pipeline,
    "build": told_runs.job,
    "deployment": told_runs.deployment,
    "user_add_to_group": told_people.member,
    "user_remove_from_group": told_people.member,
    "user_update_for_group": told_people.member,
    "user_add_to_team": told_people.member,
    "user_remove_from_team": told_people.member,
    "user_update_for_team": told_people.member,
    "project_rename": told_people.renamed,
    "project_transfer": told_people.renamed,
    "project_create": told_people.project,
    "project_destroy": told_people.project,
}
