"""Azure DevOps, by a stand-in with a server of its own (tests/forges/azure/fake)."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from ruamel.yaml import YAML

from bot.forges.azure import AzureForge
from bot.forges.local import history
from bot.forges.local.git import ZERO
from bot.forges.local.git import git as raw
from bot.log import Store
from bot.messages import BOT
from bot.settings import Settings
from tests.forges.azure import seen
from tests.forges.azure.fake import others, policies, runs, talk
from tests.forges.azure.fake.hooks import Sender
from tests.forges.azure.fake.objects import modes
from tests.forges.azure.fake.repositories import record
from tests.forges.azure.fake.server import serving as serving_fake
from tests.forges.azure.fake.state import CREATE, PERMISSIONS, Organisation, Person, Repo, Update
from tests.forges.conformance.stage import Call
from tests.forges.world import commit_all, git, serving, until

PROJECT, NAME, UNIQUE, SECRET = "demo", "booking", "pointsman@acme.example", "hook-secret-6e1f"
EVENTS = (
    "git.push",
    "git.pullrequest.created",
    "git.pullrequest.updated",
    "git.pullrequest.merged",
    "ms.vss-code.git-pullrequest-comment-event",
    "build.complete",
)
STATES = {"active": "open", "completed": "merged", "abandoned": "closed"}
CONCLUSIONS = {"pending": None, "succeeded": "success", "failed": "failure"}
DEPLOYED = {
    "pending": "in_progress",
    "succeeded": "success",
    "failed": "failure",
    "notApplicable": "inactive",
}


class Town:
    """The organisation, its server, its hooks, and a door that keeps what the hooks bring."""

    def __init__(self, folder: Path) -> None:
        self.org = Organisation(folder)
        self.received: list[Call] = []
        self.sender = Sender(self.org)

    async def take(self, request: Request) -> Response:
        self.received.append(Call(dict(request.headers), list(request.headers.raw), await request.body()))
        return Response(status_code=202)


class AzureStage:
    """A project with one repository, and service hooks for everything that the bot reads."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.town, self.org = town, town.org
        self.repository = f"{PROJECT}/{NAME}"
        self.bot = BOT
        self.signs_calls = False
        self._folder = folder
        self.since = datetime.now(UTC) - timedelta(seconds=2)
        self.account = self.org.person(UNIQUE, "write")
        self.account.display = "Pointsman"
        self.account.bits |= CREATE
        self.owner = self.org.person("owner", "admin")
        self.repo = Repo(PROJECT, NAME, folder / "repository.git")
        self.org.repositories[self.repository] = self.repo
        self.repo.folder.mkdir()
        git("init", "--quiet", "--bare", "--initial-branch=main", str(self.repo.folder))
        self.hidden = (self.account.token, SECRET)
        self.forge = self._forge()

    def _forge(self) -> AzureForge:
        names = {name.removeprefix("POINTSMAN_").lower(): value for name, value in self.settings().items()}
        settings = Settings(home=self._folder / "home", **names)  # type: ignore[arg-type]
        forge = AzureForge.configured(settings, Store(f"sqlite:///{self._folder}/none.db"))
        assert forge is not None
        return forge

    def begin(self) -> None:
        """The first commit, and the policy that protects main."""
        self._pushed(self.owner, "main", {"README.md": "# Booking\n"}, "docs: begin")
        policies.policy(self.repo, policies.STRATEGY, self.org, allowSquash=True)

    def settings(self) -> dict[str, str]:
        return {
            "POINTSMAN_AZURE_URL": self.org.url,
            "POINTSMAN_AZURE_TOKEN": self.account.token,
            "POINTSMAN_AZURE_LOGIN": UNIQUE,
            "POINTSMAN_AZURE_WEBHOOK_SECRET": f"an-older-one,{SECRET}",
        }

    def hook(self, url: str) -> None:
        """Service hooks for every event, as `connect` makes them."""
        for event in EVENTS:
            said = {
                "publisherId": "tfs",
                "eventType": event,
                "consumerId": "webHooks",
                "consumerActionId": "httpRequest",
                "publisherInputs": {"projectId": self.repo.project_id, "repository": self.repo.id},
                "consumerInputs": {"url": url, "basicAuthUsername": "azure", "basicAuthPassword": SECRET},
            }
            others.subscription(self.org, self.owner, said)

    def person(self, login: str, permission: str, teams: tuple[str, ...] = ()) -> None:
        assert permission in PERMISSIONS
        self.org.person(login, permission, teams)

    def push(self, login: str, branch: str, files: dict[str, str], message: str) -> str:
        return self._pushed(self.org.people[login], branch, files, message)

    def put(self, files: dict[str, str]) -> str:
        return self._pushed(self.owner, "main", files, "chore: put")

    def _pushed(self, by: Person, branch: str, files: dict[str, str], message: str) -> str:
        with self.org.lock:
            clone = self._folder / "clone"
            shutil.rmtree(clone, ignore_errors=True)
            git("clone", "--quiet", str(self.repo.folder), str(clone), cwd=self._folder)
            if branch != "main" or self.head("main"):
                git("switch", "--quiet", *([] if self.head(branch) else ["-c"]), branch, cwd=clone)
            before = self.head(branch) or ZERO
            sha = commit_all(clone, dict(files), message)
            git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", cwd=clone)
            record(self.org, self.repo, by, [Update(f"refs/heads/{branch}", before, sha)])
            return sha

    def delete_branch(self, login: str, branch: str) -> None:
        with self.org.lock:
            ref, at = f"refs/heads/{branch}", str(self.head(branch))
            raw(self.repo.folder, "update-ref", "-d", ref)
            record(self.org, self.repo, self.org.people[login], [Update(ref, at, ZERO)])

    def comment(self, login: str, change: int, body: str) -> str:
        with self.org.lock:
            thread = talk.say(self.org, self.repo, self.repo.pulls[change], self.org.people[login], body)
        return f"{thread.id}.1"

    def require_check(self, name: str) -> None:
        genre, _, rest = name.partition("/")
        policies.policy(self.repo, policies.STATUS, self.org, statusGenre=genre, statusName=rest)

    def take_write_access(self) -> None:
        self.org.person(UNIQUE, "read")

    def head(self, branch: str) -> str | None:
        return history.branch_head(self.repo.folder, branch)

    def files(self, revision: str) -> dict[str, bytes]:
        names = modes(self.repo, revision)
        return {path: raw(self.repo.folder, "cat-file", "blob", f"{revision}:{path}") for path in names}

    def executables(self, revision: str) -> set[str]:
        return {path for path, mode in modes(self.repo, revision).items() if mode == "100755"}

    def message(self, revision: str) -> str:
        return raw(self.repo.folder, "show", "-s", "--format=%B", revision).decode().strip()

    def parents(self, revision: str) -> list[str]:
        return raw(self.repo.folder, "show", "-s", "--format=%P", revision).decode().split()

    def change(self, number: int) -> dict[str, object]:
        one = self.repo.pulls[number]
        return {
            "title": one.title,
            "body": one.body,
            "state": STATES[one.status],
            "labels": sorted(one.labels),
            "head": one.head,
        }

    def changes(self) -> int:
        return len(self.repo.pulls)

    def comments(self, number: int) -> list[tuple[str, str]]:
        said = [
            one for thread in self.repo.pulls[number].threads for one in thread.comments if not one.deleted
        ]
        return [(self._login(one.author), one.content.partition("<!--")[0].strip()) for one in said]

    def _login(self, one: Person) -> str:
        return BOT if one is self.account else one.unique

    def reactions(self, comment_id: str) -> list[str]:
        """A like, and the status that the thread was given."""
        number, _, comment = comment_id.partition(".")
        threads = [one for pull in self.repo.pulls.values() for one in pull.threads if one.id == int(number)]
        liked = ["eyes"] * threads[0].comments[int(comment) - 1].likes.count(self.account)
        status = {"fixed": ["rocket"], "wontFix": ["-1"]}.get(threads[0].status or "", [])
        return sorted(liked + status)

    def checks(self, revision: str) -> dict[str, str | None]:
        found = self.repo.statuses.get(revision, [])
        return {
            f"{one['context']['genre']}/{one['context']['name']}": CONCLUSIONS[one["state"]]
            for one in found
            if one["context"]["genre"] != "deployment"
        }

    def tags(self) -> dict[str, str]:
        refs = history.refs(self.repo.folder)
        return {name.removeprefix("refs/tags/"): sha for name, sha in refs.items() if "/tags/" in name}

    def deployments(self) -> list[tuple[str, str, str]]:
        with self.org.lock:
            found = [
                (one["id"], one["context"]["name"], sha, DEPLOYED[one["state"]])
                for sha, said in self.repo.statuses.items()
                for one in said
                if one["context"]["genre"] == "deployment"
            ]
        return [(name, sha, state) for _, name, sha, state in sorted(found)]

    def runs(self, revision: str) -> int:
        return sum(one["sourceVersion"] == revision for one in self.org.builds.values())

    def releases(self) -> dict[str, tuple[str, str]]:
        return seen.releases(self.org, self.repo)

    def issues(self) -> list[tuple[str, str, list[str]]]:
        return seen.issues(self.org)

    def open_issue(self, login: str, title: str) -> str:
        return seen.open_issue(self.org, self.org.people[login], PROJECT, title)

    def linked(self, number: int) -> list[str]:
        return seen.linked(self.org, self.repo, number)

    def variables(self, environment: str) -> dict[str, str]:
        return seen.variables(self.org, self.repo, environment)

    def repositories(self) -> set[str]:
        return set(self.org.repositories)

    def required_checks(self, repository: str) -> set[str]:
        return seen.required_checks(self.org.repositories[repository])

    def hooks(self, repository: str) -> set[str]:
        return seen.hooks(self.org, self.org.repositories[repository])

    def keep_reports(self, revision: str, files: dict[str, bytes]) -> str:
        with self.org.lock:
            return seen.keep_reports(self.org, self.repo, self.owner, revision, files)

    def calls(self, count: int) -> list[Call]:
        """Among the calls are some that tell nothing, like attempts to merge."""
        deadline = time.monotonic() + 20
        while not (self.town.sender.quiet() and self._telling() >= count):
            assert time.monotonic() < deadline, f"{self._telling()} of {count} calls came"
            time.sleep(0.01)
        return [one for one in self.town.received if self.forge.normalise(one.headers, one.body)]

    def _telling(self) -> int:
        return sum(bool(self.forge.normalise(one.headers, one.body)) for one in list(self.town.received))

    def deliver_to(self, url: str) -> None:
        """An address without the bot's door is one that the calls get lost on the way to."""
        until(self.town.sender.quiet)  # what happened before goes where it would have gone
        self.town.sender.target = url
        for one in self.org.subscriptions:
            if url.endswith("/webhooks/azure"):
                one["consumerInputs"]["url"] = url

    def finish_run(self, revision: str, status: str, coverage: float | None = None) -> None:
        """Each job of the file takes part, and ends as the run does."""
        with self.org.lock:
            result, run = ("succeeded" if status == "success" else "failed"), self._run(revision)
            file = self.org.definitions[run["definition"]["id"]]["process"]["yamlFilename"]
            jobs = [(name, result) for name in self._jobs(revision, file) or ["test"]]
            runs.end(self.org, run, result, coverage, jobs)

    def _jobs(self, revision: str, file: str) -> list[str]:
        """The jobs of a pipeline file and of those that it includes."""
        said = YAML(typ="safe").load(self.files(revision).get(file, b"{}").decode()) or {}
        staged = [
            job for stage_ in said.get("stages") or () if isinstance(stage_, dict) for job in stage_["jobs"]
        ]
        named = [str(one.get("displayName") or one["job"]) for one in said.get("jobs") or staged]
        scripts = [name for name, one in said.items() if isinstance(one, dict) and "script" in one]
        listed = said.get("include") or []
        local = [one["local"] for one in ([listed] if isinstance(listed, dict) else listed) if "local" in one]
        inner = [job for path in local for job in self._jobs(revision, str(path).lstrip("/"))]
        return [*named, *scripts, *inner]

    def _run(self, revision: str) -> dict[str, Any]:
        """The run that the push began, by the definition of the file that is there."""
        there = [one for one in self.org.builds.values() if one["sourceVersion"] == revision]
        if open_ := [one for one in there if one["status"] != "completed"]:
            return open_[-1]
        there_ = modes(self.repo, revision)
        made = [one for one in self.org.definitions.values() if one["process"]["yamlFilename"] in there_]
        by_hand = [name for name in ("azure-pipelines.yml", ".gitlab-ci.yml") if name in there_]
        definition = made[-1] if made else self._definition(by_hand[0])
        branches = [ref for ref, sha in self.repo.refs().items() if sha == revision]
        return runs.run(self.org, self.repo, definition, self.account, branches[0], revision)

    def _definition(self, file: str) -> dict[str, Any]:
        number = self.org.number("definition")
        about = {"repository": {"id": self.repo.id}, "process": {"yamlFilename": file, "type": 2}}
        self.org.definitions[number] = {"id": number, "name": "by hand", **about}
        return self.org.definitions[number]


@contextmanager
def stage(_request: pytest.FixtureRequest, folder: Path) -> Iterator[AzureStage]:
    """One organisation. A question that the fake cannot answer fails the test."""
    town = Town(folder)
    app = FastAPI()
    app.add_api_route("/webhooks/azure", town.take, methods=["POST"])
    with socket.create_server(("127.0.0.1", 0)) as listener, serving(app, listener), serving_fake(town.org):
        made = AzureStage(town, folder)
        door = f"http://127.0.0.1:{listener.getsockname()[1]}/webhooks/azure"
        town.sender.target = door
        made.hook(door)
        made.begin()
        try:
            yield made
        finally:
            town.sender.close()
    assert town.org.unknown == [], "the fake was asked what it does not know"
