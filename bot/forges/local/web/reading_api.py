"""`/forge/api`: checks, deployments, pipelines and their logs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from sqlmodel import col, select

from bot.forges.local import history, logs, pipelines, records, webhooks
from bot.forges.local.changes import Impossible
from bot.forges.local.ground import Missing
from bot.forges.local.tables import ForgeCheck, ForgeDeployment, ForgePipeline
from bot.forges.local.web.answers import ApiRoute
from bot.forges.local.web.bodies import NewCheck, NewRun
from bot.forges.local.web.calls import By, Repository

Json = dict[str, Any]
ROOT = "/repositories/{owner}/{name}"
NEWEST = 200
routes = APIRouter(prefix="/forge/api", route_class=ApiRoute, tags=["embedded forge"])


@routes.get(ROOT + "/checks")
def list_checks(by: By, repository: Repository, revision: str) -> list[Json]:
    """The checks of a revision, by name."""
    by.may(repository, "read")
    wanted = select(ForgeCheck).where(ForgeCheck.repository == repository, ForgeCheck.revision == revision)
    with by.ground.read() as session:
        return [webhooks.check_json(row) for row in session.scalars(wanted.order_by(col(ForgeCheck.name)))]


@routes.post(ROOT + "/checks", status_code=201)
def set_check(by: By, repository: Repository, body: NewCheck) -> Json:
    """Report a check of another tool."""
    by.may(repository, "write")
    said = records.CheckSaid(body.revision, body.name, body.conclusion, body.title, body.summary, body.url)
    return webhooks.check_json(records.set_check(by.ground, repository, said, login=by.login))


@routes.get(ROOT + "/deployments")
def list_deployments(by: By, repository: Repository, environment: str = "") -> list[Json]:
    """What was said about deployments, the newest first."""
    by.may(repository, "read")
    wanted = select(ForgeDeployment).where(ForgeDeployment.repository == repository)
    wanted = wanted.where(ForgeDeployment.environment == environment) if environment else wanted
    with by.ground.read() as session:
        rows = session.scalars(wanted.order_by(col(ForgeDeployment.id).desc()).limit(NEWEST))
        return [webhooks.deployment_json(row) for row in rows]


@routes.get(ROOT + "/pipelines")
def list_pipelines(by: By, repository: Repository, revision: str = "") -> list[Json]:
    """Pipeline runs, the newest first."""
    by.may(repository, "read")
    wanted = select(ForgePipeline).where(ForgePipeline.repository == repository)
    wanted = wanted.where(ForgePipeline.sha == revision) if revision else wanted
    with by.ground.read() as session:
        rows = session.scalars(wanted.order_by(col(ForgePipeline.id).desc()).limit(NEWEST)).all()
        return [webhooks.pipeline_json(by.ground, row, pipelines.jobs(session, row)) for row in rows]


@routes.post(ROOT + "/pipelines", status_code=201)
def run_pipeline(by: By, repository: Repository, body: NewRun) -> Json:
    """Run the pipeline of a branch's head once more."""
    by.may(repository, "write")
    head = history.branch_head(by.ground.folder(repository), body.branch)
    if head is None:
        raise Missing(f"there is no branch {body.branch}")
    if history.read(by.ground.folder(repository), head, pipelines.FILE) is None:
        raise Impossible("NoPipeline", f"{body.branch} has no {pipelines.FILE}")
    asked = pipelines.Asked(f"refs/heads/{body.branch}", head, by.login)
    with by.ground.write() as session:
        run = pipelines.queue_again(by.ground, session, repository, asked)
        return webhooks.pipeline_json(by.ground, run, [])


@routes.get(ROOT + "/pipelines/{pipeline}")
def read_pipeline(by: By, repository: Repository, pipeline: int) -> Json:
    """One run."""
    by.may(repository, "read")
    with by.ground.read() as session:
        run = pipelines.get(session, repository, pipeline)
        return webhooks.pipeline_json(by.ground, run, pipelines.jobs(session, run))


@routes.get(ROOT + "/pipelines/{pipeline}/jobs/{job}/log", response_class=PlainTextResponse)
def read_log(by: By, repository: Repository, pipeline: int, job: str) -> str:
    """What a job printed."""
    by.may(repository, "read")
    with by.ground.read() as session:
        run = pipelines.get(session, repository, pipeline)
        found = [row for row in pipelines.jobs(session, run) if row.name == job]
    if not found:
        raise Missing(f"pipeline {pipeline} has no job {job!r}")
    return logs.text(by.ground, found[0])
