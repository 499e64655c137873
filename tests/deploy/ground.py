"""Little services that really run, and a forge that has nothing but their files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.deploy.performer import Deployer
from bot.domain.effect import ApplyRelease, Health, Provision, Provisioned, Service, Target, UndoRelease
from bot.domain.performer import EffectContext
from bot.domain.release import release_id

SERVER = """
import http.server, json, os, sys, time
STATUS = {status!r}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({{"version": {version!r}, "env": dict(os.environ), "cwd": os.getcwd()}}).encode()
        code = STATUS.get(self.path, 200)
        if callable(code):
            code = code()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
{before}
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
print("listening", flush=True)
{after}
server.serve_forever()
"""


def server(version: str, *, status: dict[str, int] | None = None, before: str = "", after: str = "") -> str:
    """A service that answers 200, but `status` at these paths; `before`, `after`: code around binding."""
    return SERVER.format(version=version, status=status or {}, before=before, after=after)


@dataclass
class Files:
    """Exporter of revisions that are dictionaries of files."""

    revisions: dict[str, dict[str, str]] = field(default_factory=dict)
    exports: list[str] = field(default_factory=list)

    def add(self, **files: str) -> str:
        named = {name.replace("__", "/") + ".py": text for name, text in files.items()}
        revision = hashlib.sha1(repr(sorted(named.items())).encode()).hexdigest()
        self.revisions[revision] = named
        return revision

    def export(self, repository: str, revision: str, path: str, into: Path) -> None:
        self.exports.append(revision)
        for name, text in self.revisions[revision].items():
            target = into / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)


CONTEXT = EffectContext(tenant_id="acme", trace_id="trace-1", find=lambda _id: None)


@dataclass
class Ground:
    """One home, one forge, one deployer."""

    home: Path
    files: Files = field(default_factory=Files)

    def __post_init__(self) -> None:
        self.deployer = Deployer(self.home, {"local": self.files})
        self.deployer.strategies["process"].grace_s = 1.0  # type: ignore[attr-defined]

    def target(self, version: str, code: str, **service: Any) -> Target:
        revision = self.files.add(app=code)
        settings: dict[str, Any] = {"command": ("python3", "app.py"), "startup_timeout_s": 8.0, **service}
        return Target(
            environment="staging",
            namespace="acme-staging",
            module_id="booking-service",
            release_id=release_id("booking-service", version, "staging", revision),
            version=version,
            revision=revision,
            repository="acme/booking",
            service=Service(**settings),
        )

    def provision(self, context: EffectContext = CONTEXT, **change: Any) -> Provisioned:
        asked = {
            "environment": "staging",
            "namespace": "acme-staging",
            "module_id": "booking-service",
        } | change
        result = self.deployer.perform("e", Provision(**asked), context)
        assert isinstance(result, Provisioned)
        return result

    def apply(self, target: Target, context: EffectContext = CONTEXT, strategy: str = "process") -> Health:
        result = self.deployer.perform("e", ApplyRelease(release=target, strategy=strategy), context)
        assert isinstance(result, Health)
        return result

    def undo(self, release: Target | None, failed: Target) -> Health:
        result = self.deployer.perform("e", UndoRelease(release=release, failed=failed), CONTEXT)
        assert isinstance(result, Health)
        return result
