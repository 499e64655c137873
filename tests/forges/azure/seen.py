"""What a person sees on Azure DevOps beside the code: work items, release pages, variables, hooks."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.forges.azure.fake import artefacts, runs, work
from tests.forges.azure.fake.links import linked_to
from tests.forges.azure.fake.policies import STATUS
from tests.forges.azure.fake.state import Organisation, Person, Repo

PAGE = re.compile(r"# (?P<title>[^\n]*)\n\n(?P<notes>.*)\n", re.DOTALL)


class Words(HTMLParser):
    """The words of a text as somebody would write them in Markdown: paragraphs and blocks of code."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"p", "pre", "code"}, f"no test wrote a {tag}"
        if tag == "code":
            self.parts.append(f"```{(dict(attrs).get('class') or '').removeprefix('language-')}\n")

    def handle_endtag(self, tag: str) -> None:
        self.parts.append({"p": "\n", "code": "```\n", "pre": ""}[tag])

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def words(text: str) -> str:
    """The words of a description."""
    reader = Words()
    reader.feed(text)
    return "".join(reader.parts).strip()


def issues(org: Organisation) -> list[tuple[str, str, list[str]]]:
    """Title, text and tags of every work item."""
    told = [one["fields"] for one in org.work_items.values()]
    return [
        (
            one["System.Title"],
            words(one.get("System.Description", "")),
            [tag for tag in one.get("System.Tags", "").split("; ") if tag],
        )
        for one in told
    ]


def open_issue(org: Organisation, by: Person, project: str, title: str) -> str:
    """A person opens a work item."""
    made = work.make(org, by, project, "Issue", {"System.Title": title})
    return f"#{made['id']}"


def linked(org: Organisation, repo: Repo, number: int) -> list[str]:
    """The work items of a change."""
    return [f"#{one['id']}" for one in linked_to(org, repo, number)]


def releases(org: Organisation, repo: Repo) -> dict[str, tuple[str, str]]:
    """Tag -> title and notes of the pages below the repository's own."""
    below, found = f"/Releases/{repo.name}/", {}
    for (_, path), page in org.pages.items():
        if path.startswith(below) and page["content"]:
            said = PAGE.fullmatch(page["content"])
            assert said, page["content"]
            title = re.sub(r"\\(.)", r"\1", said["title"])
            found[path.removeprefix(below)] = (title, said["notes"])
    return found


def variables(org: Organisation, repo: Repo, environment: str) -> dict[str, str]:
    """Those of the environment's group."""
    name = f"{repo.name}.{environment}"
    groups = [one for one in org.groups_of_variables.values() if one["name"] == name]
    assert not groups or environment in {one["name"] for one in org.environments}
    return {key: one["value"] for group in groups for key, one in group["variables"].items()}


def required_checks(repo: Repo) -> set[str]:
    """The statuses that its policies ask for."""
    asked = [one["settings"] for one in repo.policies if one["type"]["id"] == STATUS]
    return {f"{one['statusGenre']}/{one['statusName']}" for one in asked}


def hooks(org: Organisation, repo: Repo) -> set[str]:
    """The addresses of its service hooks."""
    return {
        one["consumerInputs"]["url"]
        for one in org.subscriptions
        if one["publisherInputs"].get("repository") == repo.id
    }


def keep_reports(org: Organisation, repo: Repo, by: Person, revision: str, files: dict[str, bytes]) -> str:
    """A run of this revision kept these files in one artefact."""
    definition = {"id": 0, "name": "by hand", "repository": {"id": repo.id}}
    run = runs.run(org, repo, definition, by, "refs/heads/main", revision)
    if files:
        artefacts.keep(run, "test-reports", files)
    runs.end(org, run, "succeeded", None, [("test", "succeeded")])
    return str(run["id"])
