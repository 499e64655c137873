"""What the demo begins with: a home, a database, people, a repository with a policy whose freeze covers
today.
"""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import SecretStr

from bot.domain.effect import File
from bot.domain.release import POLICY_FILE
from bot.forges.local.forge import LocalForge
from bot.forges.local.people import Permission
from bot.forges.local.protection import gated
from bot.intake import tokens
from bot.log.migrate import upgrade
from bot.log.store import Store
from bot.settings import Settings, keep_private

REPOSITORY = "demo/platform"
MODULE = "booking-service"
PATH = "services/booking-service"
PEOPLE: dict[str, Permission] = {
    "ada": "write",
    "jane.doe": "write",
    "mallory": "write",
    "sam": "write",
    "dana": "write",
}
"""ada's agent writes code; jane.doe owns the product; sam may lift freezes; dana deploys; mallory has no
role."""

POLICY = """\
# Who may do what, and when. Every key is explained by `pointsman policy check --help` and docs/policy.md.
version: 1
extends: default
roles:
  ProductOwner:   {{users: [jane.doe]}}
  StudioApprover: {{users: [sam], permissions: [override.freeze]}}
  Deployer:       {{users: [dana]}}
environments:
  staging:
    gates: [tests-passed]
    deploy: {{strategy: process, retries: 1, rollback: automatic}}
  production:
    after: [staging]
    gates:
      - tests-passed
      - approvals: {{role: ProductOwner}}
    deploy: {{strategy: process, retries: 1, rollback: automatic}}
merge: {{when: approved, method: squash}}
freezes:
  - name: demo-week
    environments: [production]
    from: {begin}
    to: {end}
    timezone: Europe/Paris
"""
README = """\
# Platform

One folder for each service under `services/`. Releases are governed by `.pointsman/policy.yaml`.
"""


class Occupied(Exception):
    """Somebody lives there."""


@dataclass(frozen=True)
class Place:
    """Where the demo happens. `people` are forge tokens by login; `token` is the bot's API token of ada's
    agent.
    """

    home: Path
    base_url: str
    port: int
    database: str
    people: dict[str, str]
    token: str
    environment: dict[str, str]

    @property
    def repository(self) -> Path:
        """The bare repository."""
        return self.home / "forge" / "repositories" / f"{REPOSITORY}.git"


def policy(today: datetime) -> str:
    """The demo's policy: frozen from yesterday to the day after tomorrow."""
    return POLICY.format(begin=(today - timedelta(days=1)).date(), end=(today + timedelta(days=2)).date())


def prepare(home: Path) -> Place:
    """Make the home. Nothing runs yet. Raises Occupied."""
    keep_private(home)
    if (home / "pointsman.db").exists():
        raise Occupied(f"{home} already holds a bot's home, and a demo begins anew: choose another folder.")
    port = _free_port()
    base_url, database = f"http://127.0.0.1:{port}", f"sqlite:///{home / 'pointsman.db'}"
    environment = {
        "POINTSMAN_HOME": str(home),
        "POINTSMAN_DATABASE_URL": database,
        "POINTSMAN_BASE_URL": base_url,
        "POINTSMAN_PORT": str(port),
        "POINTSMAN_LOCAL_WEBHOOK_SECRET": secrets.token_urlsafe(32),
    }
    settings = Settings(
        home=home,
        database_url=database,
        base_url=base_url,
        port=port,
        local_webhook_secret=SecretStr(environment["POINTSMAN_LOCAL_WEBHOOK_SECRET"]),
    )
    upgrade(database)
    store = Store(database)
    try:
        people = _populate(LocalForge(settings, store))
        with store.begin() as session:
            token = tokens.create(
                session,
                tenant="default",
                actor="ada",
                name="demo",
                scopes=("events:write", "read", "command"),
            )
    finally:
        store.close()
    return Place(home, base_url, port, database, people, token, environment)


def _populate(forge: LocalForge) -> dict[str, str]:
    people = {login: forge.create_user(login, f"{login}@example.org") for login in PEOPLE}
    rules = policy(datetime.now(UTC))
    files = (File(path="README.md", content=README), File(path=POLICY_FILE, content=rules))
    forge.create_repository(REPOSITORY, files=files, protection=(gated("main"),))
    for login, permission in PEOPLE.items():
        forge.set_member(REPOSITORY, login, permission)
    return people


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def service_files(version: str) -> list[dict[str, object]]:
    """The generated code of a version, as a submission's `files`: version 1 and what has changed since."""
    services = resources.files("bot.demo") / "services"
    files = dict(_walk(services / "v1", "")) | dict(_walk(services / version, ""))
    return [
        {"path": path, "content": file.read_text(encoding="utf-8")} for path, file in sorted(files.items())
    ]


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir() and entry.name != "__pycache__":
            found += _walk(entry, f"{name}/")
        elif entry.name.endswith(".py"):
            found.append((name, entry))
    return found
