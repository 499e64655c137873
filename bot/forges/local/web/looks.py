"""What the pages show, as plain data for the templates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.forges.local import environments, history, issues, links, logs, people, pipelines, tags, webhooks
from bot.forges.local.ground import Ground
from bot.forges.local.history import Commit
from bot.forges.local.tables import (
    ForgeChange,
    ForgeCheck,
    ForgeComment,
    ForgeDeployment,
    ForgePipeline,
    ForgeReaction,
    ForgeRepository,
    ForgeReview,
)
from bot.forges.local.telling import get_change
from bot.forges.local.web import beside_json

Json = dict[str, Any]
SHOWN = 50
LOG_SHOWN = 64 * 1024
SIGNS = {"+": "added", "-": "removed", "@": "hunk", " ": "same", "\\": "hunk"}
REACTIONS = {"eyes": ("👀", "seen"), "rocket": ("🚀", "done"), "-1": ("👎", "refused")}


def moment(text: str | None) -> str:
    """A moment for people: UTC to the minute."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M UTC") if text else ""


def front(ground: Ground, login: str) -> list[Json]:
    """Repositories a login may read, with their open changes."""
    with ground.read() as session:
        rows = session.scalars(select(ForgeRepository).order_by(col(ForgeRepository.name))).all()
        readable = [row.name for row in rows if people.permission(session, row.name, login) != "none"]
        waiting = session.scalars(select(ForgeChange).where(ForgeChange.state == "open")).all()
    return [{"name": name, "open": sum(change.repository == name for change in waiting)} for name in readable]


@dataclass(frozen=True)
class RepositoryLook:
    """Everything on a repository's page."""

    name: str
    default_branch: str
    clone_url: str
    branches: list[tuple[str, str]]
    changes: list[Json]
    pipelines: list[Json]
    deployments: list[Json]
    issues: list[Json]
    releases: list[Json]
    environments: dict[str, dict[str, str]]


def repository(ground: Ground, name: str) -> RepositoryLook:
    """Raises Missing."""
    refs = history.refs(ground.folder(name))
    with ground.read() as session:
        row = session.get_one(ForgeRepository, name)
        changes = session.scalars(
            select(ForgeChange)
            .where(ForgeChange.repository == name)
            .order_by(col(ForgeChange.number).desc())
            .limit(SHOWN)
        ).all()
        deployments = session.scalars(
            select(ForgeDeployment)
            .where(ForgeDeployment.repository == name)
            .order_by(col(ForgeDeployment.id).desc())
            .limit(SHOWN)
        )
        return RepositoryLook(
            name,
            row.default_branch,
            f"{ground.settings.base_url}/git/{name}.git",
            [
                (ref.removeprefix("refs/heads/"), sha)
                for ref, sha in refs.items()
                if ref.startswith("refs/heads/")
            ],
            [webhooks.change_json(ground, session, change) for change in changes],
            _runs(ground, session, ForgePipeline.repository == name),
            [webhooks.deployment_json(deployment) for deployment in deployments],
            [beside_json.issue(ground, issue) for issue in links.all_of(session, name)[:SHOWN]],
            [beside_json.release(ground, page) for page in tags.all_of(session, name)[:SHOWN]],
            environments.variables(ground, name),
        )


def _runs(ground: Ground, session: Session, *where: bool) -> list[Json]:
    wanted = select(ForgePipeline).where(*where, ForgePipeline.status != "skipped")
    rows = session.scalars(wanted.order_by(col(ForgePipeline.id).desc()).limit(SHOWN)).all()
    return [webhooks.pipeline_json(ground, row, pipelines.jobs(session, row)) for row in rows]


@dataclass(frozen=True)
class ChangeLook:
    """Everything on a change's page. `may_write`: whether to show the buttons."""

    repository: str
    change: Json
    commits: list[Commit]
    checks: list[Json]
    runs: list[Json]
    reviews: list[Json]
    comments: list[Json]
    diff: list[tuple[str, list[tuple[str, str]]]]
    """File -> (class, line)."""
    cut: bool
    may_write: bool


def change(ground: Ground, name: str, number: int, login: str) -> ChangeLook:
    """Raises Missing."""
    with ground.read() as session:
        row = get_change(session, name, number)
        checks = session.scalars(
            select(ForgeCheck)
            .where(ForgeCheck.repository == name, ForgeCheck.revision == row.head)
            .order_by(col(ForgeCheck.name))
        ).all()
        reviews = session.scalars(
            select(ForgeReview).where(ForgeReview.change_id == row.id).order_by(col(ForgeReview.id))
        ).all()
        about = webhooks.change_json(ground, session, row)
        runs = _runs(ground, session, ForgePipeline.repository == name, ForgePipeline.sha == row.head)
        comments = _comments(ground, session, row)
        may_write = people.at_least(people.permission(session, name, login), "write")
    folder = ground.folder(name)
    text, cut = history.diff(folder, row.base, row.head)
    return ChangeLook(
        name,
        about,
        history.commits(folder, row.head, f"^{row.base}"),
        [webhooks.check_json(check) for check in checks],
        runs,
        [webhooks.review_json(review) for review in reviews],
        comments,
        files(text),
        cut,
        may_write,
    )


def _comments(ground: Ground, session: Session, row: ForgeChange) -> list[Json]:
    wanted = select(ForgeComment).where(
        ForgeComment.change_id == row.id, col(ForgeComment.deleted_at).is_(None)
    )
    found = []
    for comment in session.scalars(wanted.order_by(col(ForgeComment.id))).all():
        given = session.scalars(select(ForgeReaction).where(ForgeReaction.comment_id == comment.id)).all()
        reactions = [
            (*REACTIONS.get(reaction.reaction, (reaction.reaction, "")), reaction.login) for reaction in given
        ]
        found.append(webhooks.comment_json(ground, session, comment, row) | {"reactions": reactions})
    return found


def files(diff: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """A unified diff by file; each line with the class that colours it."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    inside = False
    for line in diff.splitlines():
        if line.startswith("diff --git "):
            found.append((line.rpartition(" b/")[2], []))
            inside = False
        elif found:
            inside = inside or line.startswith("@@")
            # Before the first hunk there are only `---`, `+++`, `index` and the like.
            found[-1][1].append((SIGNS.get(line[:1], "same") if inside else "about", line))
    return found


@dataclass(frozen=True)
class PipelineLook:
    """A run, its jobs, and the end of what each printed."""

    repository: str
    run: Json
    logs: dict[str, str]


def pipeline(ground: Ground, name: str, number: int) -> PipelineLook:
    """Raises Missing."""
    with ground.read() as session:
        row = pipelines.get(session, name, number)
        jobs = pipelines.jobs(session, row)
        run = webhooks.pipeline_json(ground, row, jobs)
    return PipelineLook(name, run, {job.name: logs.text(ground, job, last=LOG_SHOWN) for job in jobs})


@dataclass(frozen=True)
class IssueLook:
    """One issue."""

    repository: str
    issue: Json


def issue(ground: Ground, name: str, number: int) -> IssueLook:
    """Raises Missing."""
    with ground.read() as session:
        return IssueLook(name, beside_json.issue(ground, issues.get_issue(session, name, number)))
