"""`CreateRepository`: a repository, its first commit, what protects its branch, its service hooks.

A repository has no description here, so the mark by which the bot knows its own is a trailer of the first
commit. Every step looks first: what was begun and broke off is gone on with. One without any commit has
nothing that could be lost, and is taken for one that was begun.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.forges.azure import standing
from bot.forges.azure.checks import context_of
from bot.forges.azure.names import HEADS
from bot.forges.azure.place import Place
from bot.forges.azure.pushing import changed, is_ours, pushed
from bot.forges.azure.speech import Refusal
from bot.forges.trailers import message_with, trailers

MAIN, MARK = "main", "Repository-Mark"
MERGE_STRATEGY = "fa4e907d-c16b-4a4c-9dfa-4916e5d171ab"
ANY_STRATEGY = ("allowNoFastForward", "allowSquash", "allowRebase", "allowRebaseMerge")
"""A policy that blocks nothing but pushes."""
EXISTS = ("GitRepositoryNameAlreadyExistsException", "TF400948")


def create_repository(place: Place, effect: e.CreateRepository) -> e.Done:
    """Make it, or go on making it.

    Raises Permanent: `RepositoryTaken`, `NoCreateAccess`, `NoWebhookSecret`, `NotSupported`.
    """
    if effect.webhook_url and not place.client.hook_secret:
        raise Permanent("NoWebhookSecret", "the hooks need a secret: set POINTSMAN_AZURE_WEBHOOK_SECRET")
    _ensure(place, effect)
    here = Place(place.client, place.repository)
    if here.refs("heads/"):
        _is_ours(here, effect.mark)
    else:
        _begin(here, effect)
        here = Place(place.client, place.repository)
    if here.default_branch != MAIN:
        wanted = here.model("GitRepository", default_branch=HEADS + MAIN)
        here.git("update_repository", new_repository_info=wanted)
    _protect(here, effect.required_check)
    if effect.webhook_url:
        list(standing.hook(here, effect.webhook_url, place.client.hook_secret))
    return e.Done(id=here.about.id, url=here.about.web_url)


def _ensure(place: Place, effect: e.CreateRepository) -> None:
    project, name = place.repository.project, place.repository.name
    visible = str(place.client.service("core").get_project(project_id=project).visibility)
    if effect.private and visible == "public":
        raise Permanent(
            "NotSupported", f"every repository of {project} is public, as the project is: take a private one"
        )
    try:
        place.git("get_repository")
    except Refusal as refusal:
        if refusal.status != 404:  # noqa: PLR2004 - HTTP
            raise
        _make(place, project, name)


def _make(place: Place, project: str, name: str) -> None:
    wanted = place.model("GitRepositoryCreateOptions", name=name)
    try:
        place.client.git.create_repository(git_repository_to_create=wanted, project=project)
    except Refusal as refusal:
        if refusal.status == 403:  # noqa: PLR2004 - HTTP
            raise Permanent(
                "NoCreateAccess",
                f"the bot may not create repositories in {project}: give its account Create repository there",
            ) from refusal
        if not refusal.is_about(*EXISTS):
            raise


def _is_ours(place: Place, mark: str) -> None:
    """Raises Permanent('RepositoryTaken') unless the oldest commit is the bot's and bears the mark."""
    version = place.model("GitVersionDescriptor", version=MAIN, version_type="branch")
    oldest = place.model("GitQueryCommitsCriteria", item_version=version, show_oldest_commits_first=True)
    listed = place.git("get_commits", search_criteria=oldest, top=1) if place.head(MAIN) else ()
    first = place.commit(listed[0].commit_id) if listed else None
    if not (first and trailers(first.message).get(MARK.lower()) == mark and is_ours(place, first)):
        raise Permanent("RepositoryTaken", f"{place.repository} is there already, made by somebody else")


def _begin(place: Place, effect: e.CreateRepository) -> None:
    text = "\n\n".join(filter(None, (f"# {place.repository.name}", effect.description.strip()))) + "\n"
    pushed(
        place,
        MAIN,
        parent=None,
        changes=[changed(place, "README.md", text.encode(), None)],
        message=message_with("docs: begin", {MARK: effect.mark}),
        at=datetime.now(UTC).replace(microsecond=0),
    )


def _protect(place: Place, check: str) -> None:
    """A policy that blocks keeps pushes away; with `check` it asks for that status, from the bot alone."""
    there = place.policies(ref_name=HEADS + MAIN)
    if check and not any(standing.status_of(one) == context_of(check) for one in there):
        genre, name = context_of(check)
        by = place.client.service("location").get_connection_data().authenticated_user.id
        asked = {"statusGenre": genre, "statusName": name, "authorId": by, "invalidateOnSourceUpdate": True}
        _policy(place, standing.STATUS_POLICY, asked)
    elif not there:
        _policy(place, MERGE_STRATEGY, dict.fromkeys(ANY_STRATEGY, True))


def _policy(place: Place, kind: str, settings: dict[str, Any]) -> None:
    scope = [{"repositoryId": place.about.id, "refName": HEADS + MAIN, "matchKind": "exact"}]
    wanted = place.client.model(
        "policy",
        "PolicyConfiguration",
        type=place.client.model("policy", "PolicyTypeRef", id=kind),
        is_enabled=True,
        is_blocking=True,
        settings={**settings, "scope": scope},
    )
    place.client.policy.create_policy_configuration(configuration=wanted, project=place.repository.project)
