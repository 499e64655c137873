"""Webhooks of a repository: an App has one of its own for all, the user of a token one for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain.errors import Permanent
from bot.forges.github.account import Needs
from bot.forges.github.ground import Ground

Json = dict[str, Any]
EVENTS = (
    "check_run",
    "issue_comment",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "push",
    "workflow_run",
)
"""Without these nothing of a change's life is heard."""
HOOKED = (
    *EVENTS,
    "deployment",
    "deployment_status",
    "member",
    "release",
    "repository",
    "status",
    "workflow_job",
)
HOOKS: Needs = {"repository_hooks": "write", "metadata": "read"}
NO_SECRET = "the bot has no webhook secret for GitHub: set POINTSMAN_GITHUB_WEBHOOK_SECRET"  # noqa: S105 - no secret


def config(webhook_url: str, secrets: Sequence[bytes]) -> Json:
    """How GitHub is to call. Raises Permanent('NoSecret')."""
    if not secrets:
        raise Permanent("NoSecret", NO_SECRET)
    return {"url": webhook_url, "content_type": "json", "secret": secrets[0].decode(), "insecure_ssl": "0"}


def wanted(ground: Ground, webhook_url: str) -> Json | None:
    """The webhook that a new repository needs; None for an App that calls there for every repository."""
    if not webhook_url:
        return None
    if ground.client.is_app:
        calls = str(ground.client.as_app("/app/hook/config", {}).json.get("url") or "")
        if calls.rstrip("/") == webhook_url.rstrip("/"):
            return None
    return config(webhook_url, ground.secrets)


def find(ground: Ground, webhook_url: str, repository: str) -> Json | None:
    """The webhook that calls there. Raises Answered, Permanent."""
    for hook in ground.client.pages(repository, "/hooks", needs=HOOKS):
        if str(hook["config"].get("url", "")).rstrip("/") == webhook_url.rstrip("/"):
            found: Json = hook
            return found
    return None


def ensure(ground: Ground, repository: str, config: Json) -> None:
    """The one that is there gets the events and the secret of now."""
    said = {"config": config, "events": list(HOOKED), "active": True}
    there = find(ground, config["url"], repository)
    if there:
        ground.client.send("PATCH", repository, f"/hooks/{there['id']}", said, needs=HOOKS)
    else:
        ground.client.send("POST", repository, "/hooks", said | {"name": "web"}, needs=HOOKS)
