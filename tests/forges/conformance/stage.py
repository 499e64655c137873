"""What the conformance suite needs of a forge beside the port: people who act on it, and a look at it.

Every forge of the registry has a module in `stages/` with its name, and in it a context manager
`stage(request, folder)` that gives one. The forge on it is real, or a stand-in that answers as the real
one was recorded to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.forges.port import Forge


@dataclass(frozen=True)
class Call:
    """A webhook call the forge made."""

    headers: dict[str, str]
    raw: list[tuple[bytes, bytes]]
    body: bytes


class Stage(Protocol):
    """One forge and repository: `README.md` on its default branch `main`, which only changes may touch."""

    forge: Forge
    repository: str
    bot: str
    """The bot's login."""
    signs_calls: bool
    """Whether a webhook call carries a signature over its bytes, or only a secret beside them."""

    def person(self, login: str, permission: str, teams: tuple[str, ...] = ()) -> None:
        """Somebody with a permission in the repository, and in some teams."""

    def push(self, login: str, branch: str, files: dict[str, str], message: str) -> str:
        """A person's commit on a branch (begun at main if it is not there); its sha."""

    def delete_branch(self, login: str, branch: str) -> None:
        """A person deletes a branch."""

    def comment(self, login: str, change: int, body: str) -> str:
        """A person's comment; its id."""

    def require_check(self, name: str) -> None:
        """From now on, merging into main needs this check."""

    def take_write_access(self) -> None:
        """From now on, the bot may only read the repository."""

    def head(self, branch: str) -> str | None:
        """The head of a branch."""

    def files(self, revision: str) -> dict[str, bytes]:
        """All files of a revision."""

    def executables(self, revision: str) -> set[str]:
        """Those that may be executed."""

    def message(self, revision: str) -> str:
        """A commit's message."""

    def parents(self, revision: str) -> list[str]:
        """A commit's parents."""

    def change(self, number: int) -> dict[str, object]:
        """title, body, state, labels, head of a change."""

    def changes(self) -> int:
        """How many changes there are."""

    def comments(self, number: int) -> list[tuple[str, str]]:
        """Author and visible text of the comments on a change."""

    def reactions(self, comment_id: str) -> list[str]:
        """Reactions to a comment."""

    def checks(self, revision: str) -> dict[str, str | None]:
        """Conclusion of each check."""

    def tags(self) -> dict[str, str]:
        """Tag -> the commit it is on."""

    def deployments(self) -> list[tuple[str, str, str]]:
        """Environment, revision and state, the newest last."""

    def runs(self, revision: str) -> int:
        """How often a pipeline was run on a revision."""

    def releases(self) -> dict[str, tuple[str, str]]:
        """Tag -> title and notes of its release page."""

    def issues(self) -> list[tuple[str, str, list[str]]]:
        """Title, visible text and labels of every issue."""

    def open_issue(self, login: str, title: str) -> str:
        """A person opens an issue; how it is named in a text (`#12`, `AB#12`)."""

    def linked(self, number: int) -> list[str]:
        """The issues that the forge links to a change, as they are named in a text."""

    def variables(self, environment: str) -> dict[str, str]:
        """The variables of an environment."""

    def repositories(self) -> set[str]:
        """All repositories there are."""

    def required_checks(self, repository: str) -> set[str]:
        """What merging into the default branch of a repository needs."""

    def hooks(self, repository: str) -> set[str]:
        """Addresses that are called about a repository."""

    def keep_reports(self, revision: str, files: dict[str, bytes]) -> str:
        """A pipeline of this revision ran and kept these files; the run's id, as `PipelineFinished` names it."""

    def calls(self, count: int) -> list[Call]:
        """The webhook calls made so far, once there are at least `count`."""


class Hosted(Stage, Protocol):
    """A stage of a forge that lives elsewhere: a server of its own, which a bot in other processes can reach."""

    hidden: tuple[str, ...]
    """Tokens and secrets that must be nowhere in the bot's house."""

    def settings(self) -> dict[str, str]:
        """What the bot is told of this forge: `POINTSMAN_*` variables."""

    def put(self, files: dict[str, str]) -> str:
        """The owner commits straight to main, whatever protects it; the sha."""

    def deliver_to(self, url: str) -> None:
        """From now on webhook calls are made to this address, signed, in order, until they are answered."""

    def finish_run(self, revision: str, status: str, coverage: float | None = None) -> None:
        """The pipeline of the generated file, on this revision, ends: `success` or `failed`."""
