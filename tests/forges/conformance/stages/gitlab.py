"""GitLab, by the stand-in of tests/forges/gitlab/fake: a server of its own on the loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from bot.forges.gitlab.forge import GitLabForge
from bot.forges.local.git import ZERO
from bot.messages import BOT
from bot.settings import Settings
from tests.forges.conformance.stage import Call
from tests.forges.gitlab.fake.links import related
from tests.forges.gitlab.fake.state import LEVELS, Issue, Status, now
from tests.forges.gitlab.fake.world import BOT_LOGIN, REPOSITORY, SIGNING, TOKEN, World, opened
from tests.forges.world import until

CONCLUSIONS = {
    "success": "success",
    "failed": "failure",
    "canceled": "failure",
    "pending": None,
    "running": None,
}
STATES = {"running": "in_progress", "success": "success", "failed": "failure", "canceled": "inactive"}
EMOJI = {"thumbsdown": "-1"}


class GitLabStage:
    """One project on one GitLab."""

    hidden = (TOKEN, SIGNING)
    signs_calls = True
    dates_commits = False

    def __init__(self, world: World) -> None:
        self.world = world
        self.repository = REPOSITORY
        self.bot = BOT
        said = {name.removeprefix("POINTSMAN_").lower(): value for name, value in self.settings().items()}
        self.forge = GitLabForge(Settings.model_validate(said | {"tenant": "acme"}))

    def settings(self) -> dict[str, str]:
        return {
            "POINTSMAN_GITLAB_URL": self.world.state.url,
            "POINTSMAN_GITLAB_TOKEN": TOKEN,
            "POINTSMAN_GITLAB_LOGIN": BOT_LOGIN,
            "POINTSMAN_GITLAB_WEBHOOK_SECRET": SIGNING,
        }

    def person(self, login: str, permission: str, teams: tuple[str, ...] = ()) -> None:
        self.world.person(login, permission, teams)

    def push(self, login: str, branch: str, files: dict[str, str], message: str) -> str:
        return self.world.commit(self.world.state.make_user(login), branch, dict(files), message)

    def put(self, files: dict[str, str]) -> str:
        return self.world.commit(self.world.owner, "main", dict(files), "chore: settings")

    def delete_branch(self, login: str, branch: str) -> None:
        with self.world.state.lock:
            self.world.deeds.move(self.world.project, self.world.state.make_user(login), branch, ZERO)

    def comment(self, login: str, change: int, body: str) -> str:
        """GitLab tells in whole seconds when it was written. A person takes longer than one to read and write."""
        world = self.world
        time.sleep(1 - time.time() % 1)
        with world.state.lock:
            by = world.state.make_user(login)
            return str(world.deeds.note(world.project, by, world.change(change), body).id)

    def require_check(self, name: str) -> None:
        """GitLab asks for the whole pipeline, in which a check is a line."""
        self.world.project.pipelines_must_succeed = True

    def take_write_access(self) -> None:
        self.world.role(LEVELS["read"])

    def head(self, branch: str) -> str | None:
        return self.world.project.repo.head(branch)

    def files(self, revision: str) -> dict[str, bytes]:
        repo = self.world.project.repo
        listed = repo.entries(revision, deep=True) or []
        return {entry["path"]: repo.blob(entry["id"]) for entry in listed if entry["type"] == "blob"}

    def executables(self, revision: str) -> set[str]:
        listed = self.world.project.repo.entries(revision, deep=True) or []
        return {entry["path"] for entry in listed if entry["mode"] == "100755"}

    def message(self, revision: str) -> str:
        return str(self.world.project.repo.commit(revision)["message"]).strip()

    def parents(self, revision: str) -> list[str]:
        return list(self.world.project.repo.commit(revision)["parents"])

    def change(self, number: int) -> dict[str, object]:
        change = self.world.change(number)
        state = {"opened": "open"}.get(change.state, change.state)
        return {
            "title": change.title, "body": change.description, "state": state, "labels": sorted(change.labels),
            "head": change.head,
        }  # fmt: skip

    def changes(self) -> int:
        return len(self.world.project.changes)

    def comments(self, number: int) -> list[tuple[str, str]]:
        notes = [note for note in self.world.change(number).notes if not note.system]
        return [(self._who(note.author.username), note.body.partition("<!--")[0].strip()) for note in notes]

    def _who(self, username: str) -> str:
        return BOT if username == BOT_LOGIN else username

    def reactions(self, comment_id: str) -> list[str]:
        notes = [note for change in self.world.project.changes for note in change.notes]
        emoji = next(note.emoji for note in notes if str(note.id) == comment_id)
        return sorted(EMOJI.get(name, name) for _, name, _ in emoji)

    def checks(self, revision: str) -> dict[str, str | None]:
        runs = [run for run in self.world.project.pipelines if run.sha == revision]
        return {one.name: CONCLUSIONS[one.status] for run in runs for one in run.external}

    def tags(self) -> dict[str, str]:
        return {name: commit for name, (_, commit) in self.world.project.repo.tags().items()}

    def deployments(self) -> list[tuple[str, str, str]]:
        return [(name, sha, STATES[status]) for name, sha, status in self.world.project.deployed]

    def runs(self, revision: str) -> int:
        return len([run for run in self.world.project.pipelines if run.sha == revision and run.jobs])

    def releases(self) -> dict[str, tuple[str, str]]:
        return {tag: (one.name, one.description) for tag, one in self.world.project.releases.items()}

    def issues(self) -> list[tuple[str, str, list[str]]]:
        """Those of the repository."""
        return [
            (one.title, one.description.partition("<!--")[0].strip(), sorted(one.labels))
            for one in self.world.project.issues
        ]

    def open_issue(self, login: str, title: str) -> str:
        world = self.world
        with world.state.lock:
            number = len(world.project.issues) + 1
            by = world.state.make_user(login)
            made = Issue(world.state.next_id("issue"), number, title, "", by, now())
            world.project.issues.append(made)
        return f"#{number}"

    def linked(self, number: int) -> list[str]:
        world = self.world
        found = related(world.state, world.project, world.change(number))
        return sorted(
            f"#{issue.iid}" if place is world.project else f"{place.path}#{issue.iid}"
            for place, issue in found
        )

    def variables(self, environment: str) -> dict[str, str]:
        known = self.world.project.variables
        return {one["key"]: one["value"] for one in known if one["environment_scope"] == environment}

    def repositories(self) -> set[str]:
        return set(self.world.state.projects)

    def required_checks(self, repository: str) -> set[str]:
        """GitLab asks for the whole pipeline, of which every check is a line: this one is when any is."""
        return {"pointsman/merge"} if self.world.state.projects[repository].pipelines_must_succeed else set()

    def hooks(self, repository: str) -> set[str]:
        return {hook.url for hook in self.world.state.projects[repository].hooks}

    def keep_reports(self, revision: str, files: dict[str, bytes]) -> str:
        """The first job kept them, beside a folder, as a runner packs it."""
        world = self.world
        packed = BytesIO()
        with ZipFile(packed, "w") as archive:
            archive.mkdir("reports")
            for name, content in files.items():
                archive.writestr(name, content)
        with world.state.lock:
            run = world.deeds.pipeline(world.project, world.owner, "main", revision, "push")
            run.jobs = run.jobs or [
                Status(world.state.next_id("status"), "test", "success", world.owner, now())
            ]
            run.jobs[0].archive = packed.getvalue()
        return str(run.id)

    def calls(self, count: int) -> list[Call]:
        until(lambda: len(self.world.received) >= count)
        return [Call(one.headers, one.raw, one.body) for one in self.world.received]

    def deliver_to(self, url: str) -> None:
        """To the bot's door by its hook; to anywhere else because the way to the door is broken."""
        hook = self.world.project.hooks[0]
        door = url.endswith("/webhooks/gitlab")
        hook.url, hook.leads_to = (url, "") if door else (hook.url, url)

    def finish_run(self, revision: str, status: str, coverage: float | None = None) -> None:
        world = self.world
        with world.state.lock:
            run = next(run for run in reversed(world.project.pipelines) if run.sha == revision and run.jobs)
            for number, job in enumerate(run.jobs):
                last = number == len(run.jobs) - 1
                job.trace = f"$ make test\nJob {status}\n"
                world.deeds.end_job(
                    world.project, run, job, status if last else "success", coverage if last else None
                )


@contextmanager
def stage(request: pytest.FixtureRequest, folder: Path) -> Iterator[GitLabStage]:
    """One GitLab. How a project merges is its own setting there, so it is the one that a test's method needs."""
    callspec = getattr(request.node, "callspec", None)
    method = callspec.params.get("method") if callspec else None
    way = "ff" if method in {"squash", "rebase"} else "merge"
    with opened(folder / "gitlab", merge_method=way) as world:
        world.role(LEVELS["maintain"])
        yield GitLabStage(world)
