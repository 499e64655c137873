"""Where the API's resources are, as `OPTIONS _apis` says: the part of it that the bot may ask for.

Ids, routes and versions are those of dev.azure.com (test_shapes.py compares them with what was recorded).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

GIT = "{project}/_apis/{area}/repositories/{repositoryId}"
PULL = f"{GIT}/pullRequests/{{pullRequestId}}"


@dataclass(frozen=True)
class Location:
    """One resource of the API."""

    id: str
    area: str
    name: str
    route: str
    version: int = 1
    released: str = "7.1"

    def json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "area": self.area,
            "resourceName": self.name,
            "routeTemplate": self.route,
            "resourceVersion": self.version,
            "minVersion": "1.0",
            "maxVersion": "7.2",
            "releasedVersion": self.released,
        }

    def match(self, path: str) -> dict[str, str] | None:
        """The values of the route in a path below the organisation, or None."""
        found = self._pattern().fullmatch(path)
        return {name: unquote(value) for name, value in found.groupdict().items() if value} if found else None

    def _pattern(self) -> re.Pattern[str]:
        route = self.route.replace("{area}", self.area).replace("{resource}", self.name)
        parts = []
        for part in route.split("/"):
            name = part.strip("{}*")
            if part.startswith("${"):
                parts.append(f"/[$](?P<{part.strip('${}')}>[^/]+)")
            elif not part.startswith("{"):
                parts.append(f"/{re.escape(part)}")
            elif name == "project":
                parts.append("(?:/(?P<project>(?!_apis)[^/]+))?")
            else:
                parts.append(f"(?:/(?P<{name}>{'.+' if '*' in part else '[^/]+'}))?")
        return re.compile("".join(parts), re.IGNORECASE)


LOCATIONS = (
    Location("225f7195-f9c7-4d14-ab28-a83f7ff77e1f", "git", "repositories", "{project}/_apis/{area}/{resource}/{repositoryId}"),
    Location("2d874a60-a811-4f62-9c9f-963a6ea0a55b", "git", "refs", GIT + "/{resource}/{*filter}", 2),
    Location("ea98d07b-3c87-4971-8ede-a613694ffb55", "git", "pushes", GIT + "/{resource}/{pushId}", 3),
    Location("c2570c3b-5b3f-41b8-98bf-5407bfde8d58", "git", "commits", GIT + "/{resource}/{commitId}", 2),
    Location("5bf884f5-3e07-42e9-afb8-1b872267bf16", "git", "changes", GIT + "/commits/{commitId}/{resource}"),
    Location("615588d5-c0c7-4b88-88f8-e625306446e8", "git", "commitDiffs", GIT + "/diffs/commits"),
    Location("729f6437-6f92-44ec-8bee-273a7111063c", "git", "trees", GIT + "/{resource}/{sha1}"),
    Location("7b28e929-2c99-405d-9c5c-6167a06e6816", "git", "blobs", GIT + "/{resource}/{sha1}"),
    Location("fb93c0db-47ed-4a31-8c20-47552878fb44", "git", "items", GIT + "/{resource}/{*path}"),
    Location("5e8a8081-3851-4626-b677-9891cc04102e", "git", "annotatedTags", GIT + "/{resource}/{objectId}"),
    Location("428dd4fb-fda5-4722-af02-9313b80305da", "git", "statuses", GIT + "/commits/{commitId}/{resource}", 2),
    Location("2c420070-a0a2-49cc-9639-c9f271c5ff07", "git", "policyConfigurations", "{project}/_apis/{area}/policy/configurations"),
    Location("985f7ae9-844f-4906-9897-7ef41516c0e2", "git", "merges", "{project}/_apis/{area}/repositories/{repositoryNameOrId}/merges/{mergeOperationId}"),
    Location("9946fd70-0d40-406e-b686-b4744cbbcc37", "git", "pullRequests", GIT + "/{resource}/{pullRequestId}", 2),
    Location("f22387e3-984e-4c52-9c6d-fbb8f14c812d", "git", "pullRequestLabels", PULL + "/labels/{labelIdOrName}"),
    Location("52823034-34a8-4576-922c-8d8b77e9e4c4", "git", "pullRequestCommits", PULL + "/commits"),
    Location("d43911ee-6958-46b0-a42b-8445b8a0d004", "git", "pullRequestIterations", PULL + "/iterations/{iterationId}", 2),
    Location("ab6e2e5d-a0b7-4153-b64a-a4efe0d49449", "git", "pullRequestThreads", PULL + "/threads/{threadId}"),
    Location("965a3ec7-5ed8-455a-bdcb-835a5ea7fe7b", "git", "pullRequestThreadComments", PULL + "/threads/{threadId}/comments/{commentId}"),
    Location("5f2e2851-1389-425b-a00b-fb2adb3ef31b", "git", "pullRequestCommentLikes", PULL + "/threads/{threadId}/comments/{commentId}/likes"),
    Location("b5f6bb4f-8d1e-4d79-8d11-4c9172c99c35", "git", "pullRequestStatuses", PULL + "/statuses/{statusId}", 2),
    Location("e81700f7-3be2-46de-8624-2eb35882fcaa", "Location", "ResourceAreas", "_apis/{resource}/{areaId}", released="0.0"),
    Location("00d9565f-ed9c-4a06-9a50-00e7896ccab4", "Location", "ConnectionData", "_apis/{resource}", released="0.0"),
    Location("28010c54-d0c0-4c89-a5b0-1c9e188b9fb7", "IMS", "Identities", "_apis/{resource}/{identityId}"),
    Location("18a2ad18-7571-46ae-bec7-0c7da1495885", "Security", "AccessControlLists", "_apis/{resource}/{securityNamespaceId}"),
    Location("dd3b8bd6-c7fc-4cbd-929a-933d9c011c9d", "Security", "Permissions", "_apis/{resource}/{securityNamespaceId}/{permissions}", 2),
    Location("c23ddff5-229c-4d04-a80b-0fdce9f360c8", "policy", "evaluations", "{project}/_apis/{area}/{resource}", released="0.0"),
    Location("fc50d02a-849f-41fb-8af1-0a5216103269", "hooks", "subscriptions", "_apis/{area}/{resource}/{subscriptionId}"),
    Location("1a57562f-160a-4b5c-9185-905e95b39d36", "hooks", "notificationsQuery", "_apis/{area}/{resource}"),
    Location("dbeaf647-6167-421a-bda9-c9327b25e2e6", "Build", "Definitions", "{project}/_apis/build/{resource}/{definitionId}", 7),
    Location("0cd358e1-9217-4d94-8269-1c1ee6f93dcf", "Build", "Builds", "{project}/_apis/build/{resource}/{buildId}", 7),
    Location("8baac422-4c6e-4de5-8532-db96d92acffa", "build", "Timeline", "{project}/_apis/{area}/builds/{buildId}/{resource}/{timelineId}", 3),
    Location("35a80daf-7f30-45fc-86e8-6b813d9c90df", "build", "logs", "{project}/_apis/{area}/builds/{buildId}/{resource}/{logId}", 2),
    Location("900fa995-c559-4923-aae7-f8424fe4fbea", "distributedtask", "queues", "{project}/_apis/{area}/{resource}/{queueId}"),
    Location("557624af-b29e-4c20-8ab0-0399d2204f3f", "distributedtask", "events", "{scopeIdentifier}/_apis/{area}/hubs/{hubName}/plans/{planId}/{resource}"),
    Location("77560e8a-4e8c-4d59-894e-a5f264c24444", "Test", "CodeCoverage", "{project}/_apis/test/{resource}"),
    Location("603fe2ac-9723-48b9-88ad-09305aa6c6e1", "core", "projects", "_apis/{resource}/{*projectId}", 4),
    Location("dad91cbe-d183-45f8-9c6e-9c1164472121", "policy", "configurations", "{project}/_apis/{area}/{resource}/{configurationId}"),
    Location("0a637fcc-5370-4ce8-b0e8-98091f5f9482", "git", "pullRequestWorkItems", PULL + "/workitems"),
    Location("62d3d110-0047-428c-ad3c-4fe872c91c74", "wit", "workItems", "{project}/_apis/{area}/{resource}/${type}", 3),
    Location("72c7ddf8-2cdc-4f60-90cd-ab71c14a399b", "wit", "workItems", "{project}/_apis/{area}/{resource}/{id}", 3),
    Location("9b9f5734-36c8-415e-ba67-f83b45c31408", "wit", "workItemTypeCategories", "{project}/_apis/{area}/{resource}/{category}", 2),
    Location("1a9c53f7-f243-4447-b110-35ef023636e4", "wit", "wiql", "{project}/{team}/_apis/{area}/{resource}", 2),
    Location("288d122c-dbd4-451d-aa5f-7dbbba070728", "wiki", "wikis", "{project}/_apis/{area}/{resource}/{wikiIdentifier}", 2),
    Location("25d3fbc7-fe3d-46cb-b5a5-0b6f79caf27b", "wiki", "pages", "{project}/_apis/{area}/wikis/{wikiIdentifier}/{resource}/{*path}"),
    Location("8572b1fc-2482-47fa-8f74-7e3ed53ee54b", "distributedtask", "environments", "{project}/_apis/{area}/{resource}/{environmentId}"),
    Location("f5b09dd5-9d54-45a1-8b5a-1c8287d634cc", "distributedtask", "variablegroups", "{project}/_apis/{area}/{resource}/{groupId}", 2),
    Location("ef5b7057-ffc3-4c77-bbad-c10b4a4abcc7", "distributedtask", "variablegroups", "_apis/{area}/{resource}/{groupId}", 2),
    Location("1db06c96-014e-44e1-ac91-90b2d4b3e984", "build", "artifacts", "{project}/_apis/{area}/builds/{buildId}/{resource}/{artifactName}", 5),
)  # fmt: skip
AREAS = {
    "git": "4e080c62-fa21-4fbc-8fef-2a10a2b38049",
    "build": "965220d5-5bb9-42cf-8d67-9b146df2a5a4",
    "policy": "fb13a388-40dd-4a04-b530-013a739c72ef",
    "IMS": "8a3d49b8-91f0-46ef-b33d-dda338c25db3",
    "wit": "5264459e-e5e0-4bd8-b118-0985e68a4ec5",
    "wiki": "bf7d82a0-8aa5-4613-94ef-6172a5ea01f3",
    "core": "79134c72-4a58-4b42-976c-04e7115f32bf",
    "distributedtask": "a85b8835-c1a1-4aac-ae97-1c3d0ba72dbd",
    "Test": "c2aa639c-3ccc-4740-b3b6-ce2a1e1d984e",
}
