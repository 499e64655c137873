"""GitHub: a stand-in with GitHub's rules on loopback, and the bot as an App on it."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from ruamel.yaml import YAML

from bot.forges.github import GitHubForge
from bot.log.migrate import upgrade
from bot.log.store import Store
from bot.settings import Settings
from tests.forges.conformance.stage import Call
from tests.forges.github.contract import contract
from tests.forges.github.fake.git import Signature
from tests.forges.github.fake.hooks import Hooks
from tests.forges.github.fake.hub import Bearer, Hub, Installation, Issue, Json, Protection
from tests.forges.github.fake.routes_beside import keep
from tests.forges.github.fake.routes_pulls import write_comment
from tests.forges.github.fake.routes_reports import end_run, start_run
from tests.forges.github.fake.server import Server
from tests.forges.world import serving

PERMISSIONS = {
    "actions": "write",
    "administration": "write",
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "environments": "write",
    "issues": "write",
    "members": "read",
    "metadata": "read",
    "pull_requests": "write",
    "repository_hooks": "write",
    "statuses": "write",
    "workflows": "write",
}
WORKFLOW = ".github/workflows/pointsman.yml"
GENERATED = re.compile(r"^\.github/workflows/.*\.ya?ml$|^\.gitlab-ci\.yml$")


@lru_cache(maxsize=1)
def app_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@lru_cache(maxsize=1)
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        upgrade(f"sqlite:///{folder}/empty.db")
        return (Path(folder) / "empty.db").read_bytes()


def empty_store(folder: Path) -> Store:
    """A database of the bot's own with nothing in it; migrated once, copied for each."""
    (folder / "empty.db").write_bytes(_migrated())
    return Store(f"sqlite:///{folder}/empty.db")


def visible(text: str) -> str:
    """A text as people see it."""
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL).strip()


class GitHubStage:
    """One repository of an organisation, in which the App is installed, or the user of a token works."""

    repository = "acme/booking"
    signs_calls = True
    dates_commits = False

    def __init__(self, folder: Path, url: str, *, token: str = "") -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.hub = Hub(folder / "hub", url)
        self.server = Server(self.hub)
        self.telling = Hooks(self.hub)
        self.hub.account("acme", "Organization")
        self.hub.account(self.hub.bot, "Bot")
        self.hub.installation = Installation(99, "acme", dict(PERMISSIONS))
        self.bot = "pointsman[bot]"
        self._key_file = folder / "app.pem"
        self._token = token
        self._make_key()
        self.repo = self.hub.repository(self.repository)
        self._first_commit()
        self.repo.protection["main"] = Protection()
        if token:
            self.person("acme-bot", "write")
            self.hub.bearers[token] = Bearer("acme-bot")
        self.store = empty_store(folder)
        self.forget()

    def forget(self) -> None:
        """Another process takes over: nothing is remembered."""
        made = GitHubForge.configured(self._settings(), self.store)
        assert made
        self.forge = made

    def _make_key(self) -> None:
        pem = serialization.Encoding.PEM
        kind, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self._key_file.write_bytes(app_key().private_bytes(pem, kind, none))
        public = serialization.PublicFormat.SubjectPublicKeyInfo
        self.hub.public_key = app_key().public_key().public_bytes(pem, public)

    def _first_commit(self) -> None:
        tree = self.repo.git.write_tree(None, [("100644", self.repo.git.blob(b"# Booking\n"), "README.md")])
        owner = Signature("acme", "acme@example.org")
        self.repo.move("main", self.repo.git.commit(tree, [], "feat: begin", owner, owner), "acme")

    def settings(self) -> dict[str, str]:
        account = (
            {"POINTSMAN_GITHUB_TOKEN": self._token, "POINTSMAN_GITHUB_LOGIN": "acme-bot"}
            if self._token
            else {
                "POINTSMAN_GITHUB_APP_ID": str(self.hub.app_id),
                "POINTSMAN_GITHUB_APP_KEY_FILE": str(self._key_file),
                "POINTSMAN_GITHUB_LOGIN": self.hub.bot,
            }
        )
        return account | {
            "POINTSMAN_GITHUB_API_URL": self.hub.url,
            "POINTSMAN_GITHUB_WEBHOOK_SECRET": self.hub.secret.decode(),
            "POINTSMAN_GITHUB_PAUSE": "0",
        }

    def _settings(self, **more: Any) -> Settings:
        said = {name.removeprefix("POINTSMAN_").lower(): value for name, value in self.settings().items()}
        return Settings(tenant="acme", home=self.folder / "home", **said, **more)

    @property
    def hidden(self) -> tuple[str, ...]:
        return (self._key_file.read_text(), self.hub.secret.decode(), *self.hub.bearers)

    def person(self, login: str, permission: str, teams: tuple[str, ...] = ()) -> None:
        self.hub.account(login)
        self.repo.people[login] = permission
        for team in teams:
            self.hub.teams.setdefault(team, set()).add(login)

    def push(self, login: str, branch: str, files: dict[str, str], message: str) -> str:
        with self.hub.lock:
            repo = self.repo
            parent = repo.head(branch) or repo.head("main")
            assert parent
            written = [("100644", repo.git.blob(text.encode()), path) for path, text in files.items()]
            tree = repo.git.write_tree(repo.git.tree(parent), list(written))
            who = self.hub.signature(login)
            sha = repo.git.commit(tree, [parent], message, who, who)
            repo.move(branch, sha, login)
            return sha

    def put(self, files: dict[str, str]) -> str:
        return self.push("acme", "main", files, "chore: set up")

    def delete_branch(self, login: str, branch: str) -> None:
        with self.hub.lock:
            self.repo.move(branch, None, login)

    def comment(self, login: str, change: int, body: str) -> str:
        """Written in another second than what it is about: GitHub tells times in whole ones."""
        time.sleep(1 - time.time() % 1)
        with self.hub.lock:
            return str(write_comment(self.repo, change, login, body).id)

    def require_check(self, name: str) -> None:
        self.repo.protection["main"] = Protection(checks=(name,))

    def take_write_access(self) -> None:
        assert self.hub.installation
        self.hub.installation.permissions["contents"] = "read"
        if self._token:
            self.repo.people["acme-bot"] = "read"

    def head(self, branch: str) -> str | None:
        return self.repo.head(branch)

    def files(self, revision: str) -> dict[str, bytes]:
        git = self.repo.git
        return {
            path: git.run("cat-file", "blob", sha)
            for _, kind, sha, _, path in git.listing(revision)
            if kind == "blob"
        }

    def executables(self, revision: str) -> set[str]:
        return {path for mode, _, _, _, path in self.repo.git.listing(revision) if mode == "100755"}

    def message(self, revision: str) -> str:
        return self.repo.git.about(revision)["message"]

    def parents(self, revision: str) -> list[str]:
        return self.repo.git.about(revision)["parents"].split()

    def change(self, number: int) -> dict[str, object]:
        pull = self.repo.pulls[number]
        state = "merged" if pull.merged_at else pull.state
        said = {"title": pull.title, "body": pull.body, "state": state, "head": pull.head_sha}
        return said | {"labels": sorted(pull.labels)}

    def changes(self) -> int:
        return len(self.repo.pulls)

    def comments(self, number: int) -> list[tuple[str, str]]:
        listed = [one for one in self.repo.comments.values() if one.number == number]
        return [(self._name(one.user), visible(one.body)) for one in listed]

    def _name(self, login: str) -> str:
        return self.bot if login in {self.hub.bot, "acme-bot"} else login

    def reactions(self, comment_id: str) -> list[str]:
        return sorted(content for comment, _, content in self.repo.reactions if str(comment) == comment_id)

    def checks(self, revision: str) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for one in self.repo.statuses:
            if one["sha"] == revision:
                found[one["context"]] = None if one["state"] == "pending" else one["state"]
        return found | {
            run["name"]: run["conclusion"] for run in self.repo.checks if run["head_sha"] == revision
        }

    def tags(self) -> dict[str, str]:
        listed = self.repo.git.line("for-each-ref", "--format=%(refname:short)", "refs/tags").split()
        return {name: str(self.repo.git.resolve(f"refs/tags/{name}")) for name in listed}

    def deployments(self) -> list[tuple[str, str, str]]:
        said = [(one["id"], made, one) for made in self.repo.deployments for one in made["statuses"]]
        return [
            (made["environment"], made["sha"], one["state"])
            for _, made, one in sorted(said, key=lambda s: s[0])
        ]

    def runs(self, revision: str) -> int:
        return sum(run["run_attempt"] for run in self.repo.runs if run["head_sha"] == revision)

    def releases(self) -> dict[str, tuple[str, str]]:
        return {one["tag_name"]: (one["name"], one["body"]) for one in self.repo.releases}

    def issues(self) -> list[tuple[str, str, list[str]]]:
        listed = sorted(self.repo.issues.values(), key=lambda one: one.number)
        return [(one.title, visible(one.body or ""), one.labels) for one in listed]

    def open_issue(self, login: str, title: str) -> str:
        with self.hub.lock:
            number = self.repo.next_number()
            self.repo.issues[number] = Issue(number, title, None, login)
            return f"#{number}"

    def linked(self, number: int) -> list[str]:
        """As GitHub reads a text: whatever names an issue is linked to it."""
        named = re.findall(r"(?<![\w/&])#(\d+)\b", visible(self.repo.pulls[number].body or ""))
        return [f"#{one}" for one in dict.fromkeys(named) if int(one) in self.repo.issues]

    def variables(self, environment: str) -> dict[str, str]:
        return dict(self.repo.environments.get(environment, {"variables": {}})["variables"])

    def repositories(self) -> set[str]:
        return set(self.hub.repositories)

    def required_checks(self, repository: str) -> set[str]:
        repo = self.hub.repositories[repository]
        guard = repo.guard(repo.default_branch)
        return set(guard.checks) if guard else set()

    def hooks(self, repository: str) -> set[str]:
        """The App's own, which is called about all of them, and those of the repository."""
        own = {self.hub.hook_url} - {""} if not self._token else set()
        return own | {one["config"]["url"] for one in self.hub.repositories[repository].hooks}

    def keep_reports(self, revision: str, files: dict[str, bytes]) -> str:
        run = self.start_run(revision)
        with self.hub.lock:
            end_run(self.repo, run, "success", None)
            if files:
                keep(self.repo, run, "reports", files)
        return str(run["id"])

    def calls(self, count: int) -> list[Call]:
        said = [call for call in self.telling.calls if self.forge.normalise(call.headers, call.body)]
        assert len(said) >= count
        return said

    def deliver_to(self, url: str) -> None:
        self.telling.deliver_to(url)

    def start_run(self, revision: str, path: str = "") -> Json:
        """Of the file that the bot wrote; of a workflow's name when it wrote none."""
        with self.hub.lock:
            path = path or next((name for name in self.files(revision) if GENERATED.search(name)), WORKFLOW)
            branches = [p.head_ref for p in self.repo.pulls.values() if p.head_sha == revision]
            return start_run(self.repo, revision, branches[0] if branches else "main", path)

    def finish_run(self, revision: str, status: str, coverage: float | None = None) -> None:
        """Each job of the file takes part; when it fails, the one that tests does."""
        run = self.start_run(revision)
        with self.hub.lock:
            jobs = self._jobs(revision, run["path"])
            end_run(self.repo, run, {"failed": "failure"}.get(status, status), coverage, jobs)

    def _jobs(self, revision: str, path: str) -> list[str]:
        """The names of the jobs of a workflow file, as GitHub shows them."""
        text = self.files(revision).get(path)
        said = YAML(typ="safe").load(text.decode()) if text else {}
        listed = said.get("jobs") or {name: one for name, one in said.items() if "script" in (one or ())}
        return [str(one.get("name", name)) for name, one in listed.items()] or ["test"]


@contextmanager
def opened(folder: Path, *, token: str = "") -> Iterator[GitHubStage]:
    """A served stage; with a `token` the bot is its user instead of an App."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = GitHubStage(folder, f"http://127.0.0.1:{listener.getsockname()[1]}", token=token)
        with serving(made.server, listener):
            try:
                yield made
            finally:
                made.telling.close()
            # Every request of every test on this stage is one that GitHub describes.
            wrong = contract().violations(made.server.exchanges)
            assert not wrong, wrong


@contextmanager
def stage(_request: pytest.FixtureRequest, folder: Path) -> Iterator[GitHubStage]:
    """GitHub, with the bot as an App."""
    with opened(folder) as made:
        yield made
