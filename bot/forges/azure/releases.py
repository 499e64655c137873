"""`PublishRelease`: a page of the project's wiki, as a repository here has tags and no pages about them.

    /Releases/booking/v1.2.0        title, and the notes below it

What is above a page must be there before it. A page is edited at the version that was read
(https://learn.microsoft.com/rest/api/azure/devops/wiki/pages/create-or-update).
"""

from __future__ import annotations

from typing import Any

from bot import messages
from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.forges.azure import tags
from bot.forges.azure.place import Place
from bot.forges.azure.speech import Refusal

ROOT = "Releases"
PROJECT_WIKI = "projectWiki"
NOT_IN_PAGES = "#"
"""What Git lets a tag have, and the wiki no page."""
EXISTS = ("WikiPageAlreadyExistsException",)


def publish_release(place: Place, effect: e.PublishRelease) -> e.Done:
    """Tag and page. Raises Permanent('TagTaken'), Permanent('InvalidTag')."""
    if NOT_IN_PAGES in effect.tag:
        raise Permanent("InvalidTag", f"{effect.tag!r} cannot name a page: leave out {NOT_IN_PAGES}")
    _tag(place, effect)
    wiki = _wiki(place)
    path = page_of(place.repository.name, effect.tag)
    for above in _above(path):
        if _page(place, wiki, above) is None:
            _begin(place, wiki, above)
    url = _written(place, wiki, path, messages.release_page(effect.title, effect.notes, effect.prerelease))
    return e.Done(id=effect.tag, url=url)


def page_of(repository: str, tag: str) -> str:
    """The path of a release's page."""
    return f"/{ROOT}/{repository}/{tag}"


def _tag(place: Place, effect: e.PublishRelease) -> None:
    wanted = e.CreateTag(name=effect.tag, revision=effect.revision, message=effect.title)
    try:
        tags.create_tag(place, wanted)
    except Permanent as error:
        if error.reason_code != "TagExists":
            raise
        raise Permanent("TagTaken", error.message) from error


def _wiki(place: Place) -> str:
    """The id of the project's own wiki, which is made with the first page of anybody's."""
    project = place.repository.project
    wikis = place.client.wiki.get_all_wikis(project=project) or ()
    found = next((one for one in wikis if str(one.type) == PROJECT_WIKI), None)
    if found is None:
        wanted = place.client.model(
            "wiki",
            "WikiCreateParametersV2",
            name=f"{project}.wiki",
            project_id=place.about.project.id,
            type=PROJECT_WIKI,
        )
        found = place.client.wiki.create_wiki(wiki_create_params=wanted, project=project)
    return str(found.id)


def _above(path: str) -> list[str]:
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[:at]) for at in range(1, len(parts))]


def _page(place: Place, wiki: str, path: str) -> Any | None:
    project = place.repository.project
    try:
        return place.client.wiki.get_page(
            project=project, wiki_identifier=wiki, path=path, include_content=True
        )
    except Refusal as refusal:
        if refusal.status != 404:  # noqa: PLR2004 - HTTP
            raise
        return None


def _begin(place: Place, wiki: str, path: str) -> None:
    """An empty page, for what is below it."""
    try:
        _put(place, wiki, path, "", None)
    except Refusal as refusal:
        if not refusal.is_about(*EXISTS):
            raise


def _written(place: Place, wiki: str, path: str, text: str) -> str:
    """The address of the page, which says that."""
    there = _page(place, wiki, path)
    if there is None or (there.page.content or "") != text:
        there = _put(place, wiki, path, text, there.eTag if there else None)
    return str(there.page.remote_url or "")


def _put(place: Place, wiki: str, path: str, text: str, version: str | None) -> Any:
    content = place.client.model("wiki", "WikiPageCreateOrUpdateParameters", content=text)
    return place.client.wiki.create_or_update_page(
        parameters=content,
        project=place.repository.project,
        wiki_identifier=wiki,
        path=path,
        version=version.strip('"') if version else None,
    )
