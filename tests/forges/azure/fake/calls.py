"""A request to the fake, and which function answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.forges.azure.fake.state import CONTRIBUTE, READ, Failure, Json, Organisation, Person, Repo

Function = Callable[["Request"], "Json | Reply"]
ANSWERS: dict[tuple[str, str], Function] = {}


@dataclass
class Reply:
    """An answer that is more than JSON with 200."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json; charset=utf-8; api-version=7.1"


@dataclass
class Request:
    org: Organisation
    by: Person
    route: dict[str, str]
    query: dict[str, str]
    body: Any
    accept: str
    match: str = ""
    """The version that the caller read (`If-Match`)."""

    @property
    def repo(self) -> Repo:
        """The repository of the route, when the caller may read it."""
        name = self.route.get("repositoryId") or self.route["repositoryNameOrId"]
        repo = self.org.repo(name, self.route.get("project"))
        if not self.allowed(READ):
            raise Failure(
                404, "GitRepositoryNotFoundException", f"TF401019: The Git repository {name} does not exist"
            )
        return repo

    def allowed(self, bit: int) -> bool:
        name = self.route.get("repositoryId") or ""
        if any(
            name in {one.id, one.name} and one.owner == self.by.unique
            for one in self.org.repositories.values()
        ):
            return True
        groups = [self.org.groups[name].bits for name in self.by.groups]
        return any(bits & bit for bits in (self.by.bits, *groups))

    def need(self, bit: int, name: str = "GenericContribute") -> None:
        if not self.allowed(bit):
            raise Failure(
                403,
                "GitNeedsPermissionException",
                f"TF401027: You need the Git '{name}' permission to perform this action. "
                f"Details: identity '{self.by.display}', scope 'repository'.",
            )

    def write(self) -> None:
        self.need(CONTRIBUTE)

    def number(self, name: str, otherwise: int) -> int:
        return int(self.query.get(name) or otherwise)

    def skipped(self, values: list[Any]) -> list[Any]:
        """What `$skip` and `$top` leave."""
        skip, top = self.number("$skip", 0), self.number("$top", 100)
        return values[skip : skip + top]

    def paged(self, values: list[Any]) -> Reply:
        """A page that a continuation token begins."""
        first = int(self.query.get("continuationToken") or 0)
        size = min(self.number("$top", 100), self.org.page)
        page, more = values[first : first + size], first + size < len(values)
        headers = {"X-MS-ContinuationToken": str(first + size)} if more else {}
        return Reply({"count": len(page), "value": page}, headers=headers)


def answers(method: str, resource: str) -> Callable[[Function], Function]:
    """This function answers a method of a resource (named as `OPTIONS _apis` does)."""

    def keep(function: Function) -> Function:
        ANSWERS[method, resource] = function
        return function

    return keep
