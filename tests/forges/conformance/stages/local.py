"""The embedded forge, for real: served over HTTP, pushed to with git."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlmodel import col, select

from bot.forges.local import environments, history, kept, links, people, pipelines, tags, webhooks
from bot.forges.local.protection import Rule
from bot.forges.local.tables import (
    ForgeChange,
    ForgeCheck,
    ForgeComment,
    ForgeDeployment,
    ForgePipeline,
    ForgeReaction,
    ForgeRepository,
)
from bot.forges.local.telling import get_change
from tests.forges.conformance.stage import Call
from tests.forges.world import REPOSITORY, World, commit_all, git, opened


class LocalStage:
    """The embedded forge on a database of its own."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.forge = world.forge
        self.repository = REPOSITORY
        self.bot = "pointsman[bot]"
        self.signs_calls = True
        self._bare = world.repository()
        self._folder = folder

    def person(self, login: str, permission: str, teams: tuple[str, ...] = ()) -> None:
        self.world.person(login, permission)
        for team in teams:
            self.forge.set_team(team, (login,))

    def push(self, login: str, branch: str, files: dict[str, str], message: str) -> str:
        clone = self._folder / "clone"
        shutil.rmtree(clone, ignore_errors=True)
        git("clone", "--quiet", self.world.clone_url(login), str(clone), cwd=self._folder)
        git("switch", "--quiet", *([] if self.head(branch) else ["-c"]), branch, cwd=clone)
        sha = commit_all(clone, dict(files), message)
        git("push", "--quiet", "origin", branch, cwd=clone)
        return sha

    def delete_branch(self, login: str, branch: str) -> None:
        git("push", "--quiet", self.world.clone_url(login), f":{branch}", cwd=self._bare)

    def comment(self, login: str, change: int, body: str) -> str:
        with self.world.api(login) as api:
            answer = api.post(f"/repositories/{REPOSITORY}/changes/{change}/comments", json={"body": body})
        return str(answer.json()["id"])

    def require_check(self, name: str) -> None:
        with self.world.store.begin() as session:
            rule = Rule(branch="main", checks=(name,))
            session.get_one(ForgeRepository, REPOSITORY).protection = [rule.to_json()]

    def take_write_access(self) -> None:
        with self.world.store.begin() as session:
            people.set_member(session, REPOSITORY, self.bot, "read")

    def head(self, branch: str) -> str | None:
        return history.branch_head(self._bare, branch)

    def files(self, revision: str) -> dict[str, bytes]:
        listed = git("ls-tree", "-rz", "--name-only", revision, cwd=self._bare).stdout.split("\0")
        return {path: self._blob(revision, path) for path in listed if path}

    def _blob(self, revision: str, path: str) -> bytes:
        from bot.forges.local.git import git as raw

        return raw(self._bare, "cat-file", "blob", f"{revision}:{path}")

    def executables(self, revision: str) -> set[str]:
        listed = git("ls-tree", "-rz", revision, cwd=self._bare).stdout.split("\0")
        return {line.partition("\t")[2] for line in listed if line.startswith("100755")}

    def message(self, revision: str) -> str:
        return git("show", "-s", "--format=%B", revision, cwd=self._bare).stdout.strip()

    def parents(self, revision: str) -> list[str]:
        return git("show", "-s", "--format=%P", revision, cwd=self._bare).stdout.split()

    def change(self, number: int) -> dict[str, object]:
        with self.world.store.read() as session:
            return webhooks.change_json(self.forge.ground, session, get_change(session, REPOSITORY, number))

    def changes(self) -> int:
        with self.world.store.read() as session:
            return len(session.scalars(select(ForgeChange)).all())

    def comments(self, number: int) -> list[tuple[str, str]]:
        with self.world.store.read() as session:
            change = get_change(session, REPOSITORY, number)
            wanted = (
                select(ForgeComment).where(ForgeComment.change_id == change.id).order_by(col(ForgeComment.id))
            )
            return [(c.author, c.body.partition("<!--")[0].strip()) for c in session.scalars(wanted)]

    def reactions(self, comment_id: str) -> list[str]:
        with self.world.store.read() as session:
            wanted = select(ForgeReaction).where(ForgeReaction.comment_id == int(comment_id))
            return sorted(reaction.reaction for reaction in session.scalars(wanted))

    def checks(self, revision: str) -> dict[str, str | None]:
        with self.world.store.read() as session:
            wanted = select(ForgeCheck).where(ForgeCheck.revision == revision)
            return {check.name: check.conclusion for check in session.scalars(wanted)}

    def tags(self) -> dict[str, str]:
        refs = history.refs(self._bare)
        return {
            ref.removeprefix("refs/tags/"): sha for ref, sha in refs.items() if ref.startswith("refs/tags/")
        }

    def deployments(self) -> list[tuple[str, str, str]]:
        with self.world.store.read() as session:
            rows = session.scalars(select(ForgeDeployment).order_by(col(ForgeDeployment.id)))
            return [(row.environment, row.revision, row.state) for row in rows]

    def runs(self, revision: str) -> int:
        with self.world.store.read() as session:
            return len(session.scalars(select(ForgePipeline).where(ForgePipeline.sha == revision)).all())

    def releases(self) -> dict[str, tuple[str, str]]:
        with self.world.store.read() as session:
            return {page.tag: (page.title, page.notes) for page in tags.all_of(session, REPOSITORY)}

    def issues(self) -> list[tuple[str, str, list[str]]]:
        with self.world.store.read() as session:
            return [(one.title, one.body, one.labels) for one in links.all_of(session, REPOSITORY)]

    def open_issue(self, login: str, title: str) -> str:
        with self.world.api(login) as api:
            answer = api.post(f"/repositories/{REPOSITORY}/issues", json={"title": title})
        return f"#{answer.json()['number']}"

    def linked(self, number: int) -> list[str]:
        with self.world.store.read() as session:
            change = get_change(session, REPOSITORY, number)
            return [f"#{issue.number}" for issue in links.linked(session, change)]

    def variables(self, environment: str) -> dict[str, str]:
        return environments.variables(self.forge.ground, REPOSITORY).get(environment, {})

    def repositories(self) -> set[str]:
        with self.world.store.read() as session:
            return set(session.scalars(select(ForgeRepository.name)))

    def required_checks(self, repository: str) -> set[str]:
        with self.world.store.read() as session:
            rules = session.get_one(ForgeRepository, repository).protection
        return {check for rule in rules for check in Rule.model_validate(rule).checks}

    def hooks(self, repository: str) -> set[str]:
        return {f"{self.world.url}/webhooks/local"} if repository in self.repositories() else set()

    def keep_reports(self, revision: str, files: dict[str, bytes]) -> str:
        ground = self.forge.ground
        with self.world.store.begin() as session:
            wanted = pipelines.Asked("refs/heads/main", revision, self.bot)
            run = pipelines.queue_again(ground, session, REPOSITORY, wanted)
            run.status = "success"
        declared = self._folder / "declared"
        for path, content in files.items():
            place = declared / "01-test" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        kept.keep(kept.folder(ground, run.id), declared, self._folder / "none")
        shutil.rmtree(declared, ignore_errors=True)
        return str(run.id)

    def calls(self, count: int) -> list[Call]:
        received = self.world.receiver.received
        self.world.until(lambda: len(received) >= count)
        return [Call(one.headers, one.raw, one.body) for one in received]


@contextmanager
def stage(request: pytest.FixtureRequest, folder: Path) -> Iterator[LocalStage]:
    """One embedded forge."""
    with opened(folder / "home", request.getfixturevalue("migrated_sqlite")) as world:
        yield LocalStage(world, folder)
