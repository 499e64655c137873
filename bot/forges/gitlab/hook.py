"""The bot's webhook in a project (https://docs.gitlab.com/api/project_webhooks/)."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.forges.gitlab.client import Api, Json, project
from bot.forges.gitlab.verify import SIGNING

EVENTS = (
    "push_events",
    "tag_push_events",
    "merge_requests_events",
    "note_events",
    "confidential_note_events",
    "job_events",
    "pipeline_events",
    "deployment_events",
    "releases_events",
)


@dataclass(frozen=True)
class Door:
    """Where GitLab is to call, and the secret it is to use."""

    url: str
    secrets: tuple[bytes, ...] = field(repr=False)

    def hook(self) -> Json:
        """What a hook of the bot's is made with."""
        secret = self.secrets[0].decode()
        proof = {"signing_token": secret} if self.secrets[0].startswith(SIGNING) else {"token": secret}
        return {"url": self.url, "enable_ssl_verification": True, **dict.fromkeys(EVENTS, True), **proof}


def place_hook(api: Api, door: Door, repository: str, *, anew: bool = True) -> None:
    """Make the hook; with `anew`, set the one that is there right: GitLab does not tell what its secret is.

    Raises Answered, Permanent, Retryable.
    """
    where = f"{project(repository)}/hooks"
    there = next((hook for hook in api.list(where) if hook["url"] == door.url), None)
    if there is None:
        api.post(where, **door.hook())
    elif anew:
        api.put(f"{where}/{there['id']}", **door.hook())
