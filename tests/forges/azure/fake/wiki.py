"""The wiki of a project: pages with versions, each below pages that are there."""

from __future__ import annotations

import hashlib

from tests.forges.azure.fake import told
from tests.forges.azure.fake.calls import Reply, Request, answers
from tests.forges.azure.fake.state import CONTRIBUTE, Failure, Json, guid


@answers("GET", "wikis")
def wikis(call: Request) -> Json:
    return told.listed([one for one in call.org.wikis if call.route["project"] in one["url"]])


@answers("POST", "wikis")
def create(call: Request) -> Reply:
    said, project = call.body, call.route["project"]
    _allowed(call)
    if any(one["projectId"] == said["projectId"] and one["type"] == said["type"] for one in call.org.wikis):
        raise Failure(409, "WikiAlreadyExistsException", f"Wiki already exists in project {project}.")
    id_ = guid(f"wiki:{said['name']}")
    made = {
        "id": id_,
        "versions": [{"version": "wikiMaster"}],
        "url": f"{call.org.url}/{project}/_apis/wiki/wikis/{id_}",
        "remoteUrl": f"{call.org.url}/{project}/_wiki/wikis/{id_}",
        "type": said["type"],
        "name": said["name"],
        "projectId": said["projectId"],
        "repositoryId": id_,
        "mappedPath": "/",
    }
    call.org.wikis.append(made)
    return Reply(made, 201)


def _allowed(call: Request) -> None:
    if not call.allowed(CONTRIBUTE):
        raise Failure(403, "WikiPermissionException", "You do not have permission to edit this wiki.")


@answers("GET", "pages")
def read(call: Request) -> Reply:
    wiki, path = call.route["wikiIdentifier"], call.query["path"]
    page = call.org.pages.get((wiki, path))
    if page is None:
        raise Failure(404, "WikiPageNotFoundException", f"Wiki page ‘{path}’ could not be found.")
    shown = page if call.query.get("includeContent", "").lower() == "true" else page | {"content": None}
    return _told(shown)


@answers("PUT", "pages")
def write(call: Request) -> Reply:
    wiki, path, text = call.route["wikiIdentifier"], call.query["path"], call.body["content"]
    _allowed(call)
    if not path.startswith("/") or "#" in path:
        raise Failure(400, "WikiPagePathInvalidException", f"The path {path} is invalid.")
    above, there = path.rpartition("/")[0], call.org.pages.get((wiki, path))
    if above and (wiki, above) not in call.org.pages:
        raise Failure(
            404, "WikiAncestorPageNotFoundException", f"The ancestor page of ‘{path}’ was not found."
        )
    if there is None and call.match:
        raise Failure(404, "WikiPageNotFoundException", f"Wiki page ‘{path}’ could not be found.")
    if there is not None and not call.match:
        raise Failure(
            409, "WikiPageAlreadyExistsException", f"The page ‘{path}’ specified in the add operation exists."
        )
    if there is not None and call.match != _version(there):
        raise Failure(
            412, "WikiPageHasConflictsException", f"The page ‘{path}’ was changed by somebody else."
        )
    web = f"{call.org.url}/{call.route['project']}/_wiki/wikis/{wiki}?pagePath={path}"
    page = {
        "path": path,
        "order": 0,
        "gitItemPath": f"{path}.md",
        "subPages": [],
        "url": f"{call.org.url}/_apis/wiki/wikis/{wiki}/pages{path}",
        "remoteUrl": web,
        "id": call.org.number("page") if there is None else there["id"],
        "content": text,
    }
    call.org.pages[wiki, path] = page
    return _told(page, 201 if there is None else 200)


def _version(page: Json) -> str:
    return hashlib.sha1(f"{page['id']}{page['content']}".encode(), usedforsecurity=False).hexdigest()


def _told(page: Json, status: int = 200) -> Reply:
    return Reply(page, status, {"ETag": f'"{_version(page)}"'})
