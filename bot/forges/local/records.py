"""What tools say about a revision: checks and deployments."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlmodel import select

from bot.domain import effect as e
from bot.forges.local import history, webhooks
from bot.forges.local.ground import Ground, Missing
from bot.forges.local.history import Commit
from bot.forges.local.people import NotAllowed
from bot.forges.local.tables import ForgeChange, ForgeCheck, ForgeDeployment

OWN_CHECKS = "pointsman/"
"""Branch protection relies on these: who could set one could say what the bot has not said."""


@dataclass(frozen=True)
class CheckSaid:
    """A check as its reporter wants it."""

    revision: str
    name: str
    conclusion: str | None
    title: str
    summary: str
    url: str

    @classmethod
    def of(cls, effect: e.SetCheck) -> CheckSaid:
        return cls(effect.revision, effect.name, effect.conclusion, effect.title, effect.summary, effect.url)


@dataclass(frozen=True)
class DeploymentSaid:
    """A deployment as its reporter wants it."""

    environment: str
    revision: str
    state: str
    url: str
    description: str
    effect_id: str

    @classmethod
    def of(cls, effect: e.RecordDeployment, effect_id: str) -> DeploymentSaid:
        return cls(
            effect.environment, effect.revision, effect.state, effect.url, effect.description, effect_id
        )


def _commit(ground: Ground, repository: str, revision: str) -> Commit:
    folder = ground.folder(repository)
    sha = history.resolve(folder, revision) if folder.is_dir() else None
    if sha is None:
        raise Missing(f"there is no revision {revision} in {repository}")
    return history.commits(folder, sha, limit=1)[0]


def set_check(ground: Ground, repository: str, said: CheckSaid, *, login: str) -> ForgeCheck:
    """Create or update the check of that name on that revision; nothing happens when it says so already.

    Raises NotAllowed for a check of the bot's that somebody else wants to set.
    """
    if said.name.startswith(OWN_CHECKS) and login != ground.settings.bot_login:
        raise NotAllowed(f"checks named {OWN_CHECKS}* are the bot's own; report yours by another name")
    head = _commit(ground, repository, said.revision)
    with ground.write() as session:
        wanted = select(ForgeCheck).where(
            ForgeCheck.repository == repository, ForgeCheck.revision == head.sha, ForgeCheck.name == said.name
        )
        check = session.scalars(wanted).one_or_none()
        fields = asdict(said) | {"revision": head.sha, "reporter": login}
        if check is not None and all(getattr(check, name) == value for name, value in fields.items()):
            return check
        check = check or ForgeCheck(repository=repository, updated_at="", **fields)
        for name, value in fields.items():
            setattr(check, name, value)
        check.updated_at = ground.moment()
        session.add(check)
        session.flush()
        changes = session.scalars(
            select(ForgeChange).where(ForgeChange.repository == repository, ForgeChange.head == head.sha)
        )
        webhooks.enqueue(
            ground,
            session,
            repository,
            "check",
            login,
            check=webhooks.check_json(check),
            changes=sorted(change.number for change in changes),
            headCommit=webhooks.head_commit(head),
        )
        return check


def record_deployment(
    ground: Ground, repository: str, said: DeploymentSaid, *, login: str
) -> ForgeDeployment:
    """Add what became of a deployment, once per effect."""
    head = _commit(ground, repository, said.revision)
    with ground.write() as session:
        known = session.scalars(
            select(ForgeDeployment).where(ForgeDeployment.effect_id == said.effect_id)
        ).first()
        if known is not None:
            return known
        fields = asdict(said) | {"revision": head.sha}
        row = ForgeDeployment(repository=repository, reporter=login, recorded_at=ground.moment(), **fields)
        session.add(row)
        session.flush()
        webhooks.enqueue(
            ground,
            session,
            repository,
            "deployment",
            login,
            deployment=webhooks.deployment_json(row),
            headCommit=webhooks.head_commit(head),
        )
        return row
