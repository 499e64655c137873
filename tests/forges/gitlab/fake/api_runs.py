"""Commit statuses, pipelines, jobs, deployments, environments."""

from __future__ import annotations

from tests.forges.gitlab.fake import ci, shapes
from tests.forges.gitlab.fake.api_changes import change_of
from tests.forges.gitlab.fake.api_repository import commit_of
from tests.forges.gitlab.fake.server import Answer, Call, Refuse, bad, missing, route
from tests.forges.gitlab.fake.state import DEVELOPER, Deployment, Json, Pipeline, Status, now

STATES = {"pending", "running", "success", "failed", "canceled", "skipped"}


@route("GET", "/projects/:id/repository/commits/:sha/statuses")
def statuses(call: Call) -> Answer:
    sha = commit_of(call, call.path[4])
    found = [(run, status) for run in call.project.pipelines if run.sha == sha for status in run.latest()]
    if name := call.one("name"):
        found = [(run, status) for run, status in found if status.name == name]
    return call.page([shapes.status(call.state, run, status) for run, status in found])


@route("POST", "/projects/:id/statuses/:sha")
def set_status(call: Call) -> Json:
    call.require(DEVELOPER)
    call.need("state")
    sha = commit_of(call, call.path[3])
    state, name = call.body["state"], call.body.get("name") or "default"
    if state not in STATES:
        raise bad("state does not have a valid value")
    if len(call.body.get("description") or "") > 255:
        raise bad("description is too long (maximum is 255 characters)")
    run = _pipeline(call, sha)
    there = [one for one in run.external if one.name == name]
    status = next((one for one in there if one.status in {"created", "pending", "running"}), None)
    if status and status.status == state and call.state.rejects_same_status:
        event = {"pending": "enqueue", "running": "run"}.get(state, state)
        raise bad(
            f'Cannot transition status via :{event} from :{state} (Reason(s): Status cannot transition via "{event}")'
        )
    if status is None:
        status = Status(call.state.next_id("status"), name, state, call.user, now())
        run.external.append(status)
    status.status = state
    status.description, status.target_url = call.body.get("description"), call.body.get("target_url")
    call.deeds.look_at(call.project, run)
    return shapes.status(call.state, run, status)


def _pipeline(call: Call, sha: str) -> Pipeline:
    """The newest one of the revision; else one of statuses alone, on the first branch that has it."""
    runs = [run for run in call.project.pipelines if run.sha == sha]
    if wanted := call.body.get("pipeline_id"):
        runs = [run for run in runs if run.id == wanted]
        if not runs:
            raise missing("Pipeline")
    if runs:
        return runs[-1]
    branches = call.project.repo.containing(sha)
    if not branches:
        raise missing("References for commit")
    ref = next((name for name in branches if call.project.repo.head(name) == sha), branches[0])
    return call.deeds.pipeline(call.project, call.user, ref, sha, "external")


# Pipelines


def pipeline_of(call: Call) -> Pipeline:
    found = next((run for run in call.project.pipelines if str(run.id) == call.path[3]), None)
    if found is None:
        raise missing("Not found")
    return found


@route("GET", "/projects/:id/pipelines")
def pipelines(call: Call) -> Answer:
    found = call.project.pipelines
    for name in ("sha", "ref", "source"):
        if wanted := call.one(name):
            found = [run for run in found if getattr(run, name) == wanted]
    return call.page([shapes.pipeline(call.state, call.project, run) for run in reversed(found)])


@route("GET", "/projects/:id/pipelines/:pipeline")
def pipeline(call: Call) -> Json:
    return shapes.pipeline(call.state, call.project, pipeline_of(call), whole=True)


@route("GET", "/projects/:id/pipelines/:pipeline/variables")
def variables(call: Call) -> Answer:
    return call.page(pipeline_of(call).variables)


@route("GET", "/projects/:id/pipelines/:pipeline/jobs")
def jobs(call: Call) -> Answer:
    run = pipeline_of(call)
    return call.page([shapes.job(call.state, call.project, run, job) for job in run.jobs])


@route("GET", "/projects/:id/pipelines/:pipeline/bridges")
def bridges(call: Call) -> Answer:
    pipeline_of(call)
    return call.page([])


@route("POST", "/projects/:id/pipeline")
def run_pipeline(call: Call) -> Json:
    call.require(DEVELOPER)
    call.need("ref")
    sha = call.project.repo.head(call.body["ref"])
    if sha is None:
        raise bad("Reference not found")
    if call.project.repo.file(sha, call.project.ci_config_path or ".gitlab-ci.yml") is None:
        raise Refuse(400, {"base": ["Missing CI config file"]})
    shape = ci.shape(call.project.repo, sha, call.project.ci_config_path or ".gitlab-ci.yml")
    mine = [one for one in call.project.changes if one.state == "opened" and one.source == call.body["ref"]]
    if shape and shape.for_changes and mine:
        raise Refuse(400, {"base": ["Pipeline filtered out by workflow rules."]})
    given = [one | {"variable_type": "env_var"} for one in call.body.get("variables") or []]
    run = call.deeds.pipeline(call.project, call.user, call.body["ref"], sha, "api", given)
    return shapes.pipeline(call.state, call.project, run, whole=True)


@route("GET", "/projects/:id/merge_requests/:iid/pipelines")
def change_pipelines(call: Call) -> Answer:
    it = change_of(call)
    refs = {it.source, f"refs/merge-requests/{it.iid}/head"}
    found = [run for run in call.project.pipelines if run.ref in refs]
    return call.page([shapes.pipeline(call.state, call.project, run) for run in reversed(found)])


@route("POST", "/projects/:id/merge_requests/:iid/pipelines")
def run_change(call: Call) -> Json:
    call.require(DEVELOPER)
    run = call.deeds.run_change(call.project, call.user, change_of(call))
    return shapes.pipeline(call.state, call.project, run, whole=True)


@route("GET", "/projects/:id/jobs/:job/trace")
def trace(call: Call) -> Answer:
    found = next(
        (job for run in call.project.pipelines for job in run.jobs if str(job.id) == call.path[3]), None
    )
    if found is None:
        raise missing("Not found")
    return Answer(raw=found.trace.encode(), headers={"Content-Type": "text/plain"})


@route("GET", "/projects/:id/jobs/:job/artifacts")
def artifacts(call: Call) -> Answer:
    found = next(
        (job for run in call.project.pipelines for job in run.jobs if str(job.id) == call.path[3]), None
    )
    if found is None or found.archive is None or found.expired:
        raise missing("Not found")
    return Answer(raw=found.archive, headers={"Content-Type": "application/zip"})


# Deployments


@route("GET", "/projects/:id/deployments")
def deployments(call: Call) -> Answer:
    wanted = call.one("environment")
    found = [done for done in call.project.deployments if not wanted or done.environment == wanted]
    return call.page([shapes.deployment(call.state, call.project, done) for done in reversed(found)])


@route("POST", "/projects/:id/deployments")
def deploy(call: Call) -> Json:
    call.require(DEVELOPER)
    call.need("environment", "sha", "ref", "status")
    sha = commit_of(call, call.body["sha"])
    name = call.body["environment"]
    where = {"id": len(call.project.environments) + 1, "name": name, "slug": name, "external_url": None}
    call.project.environments.setdefault(name, where)
    if call.body["status"] not in {"running", "success", "failed", "canceled"}:
        raise bad("status does not have a valid value")
    done = Deployment(
        call.state.next_id("deployment"), len(call.project.deployments) + 1, name, sha, call.body["ref"], call.user, now(),
        call.body["status"],
    )  # fmt: skip
    call.project.deployments.append(done)
    call.deeds.deployed(call.project, done)
    return shapes.deployment(call.state, call.project, done)


def _deployment(call: Call) -> Deployment:
    done = next((one for one in call.project.deployments if str(one.id) == call.path[3]), None)
    if done is None:
        raise missing("Deployment")
    return done


@route("GET", "/projects/:id/deployments/:deployment")
def deployment(call: Call) -> Json:
    done = _deployment(call)
    given = [one | {"user": {"username": one["user"]}} for one in done.approvals]
    return shapes.deployment(call.state, call.project, done) | {"approvals": given}


@route("POST", "/projects/:id/deployments/:deployment/approval")
def answer_deployment(call: Call) -> Json:
    call.require(DEVELOPER)
    done = _deployment(call)
    if done.status != "blocked":
        raise bad("This deployment is not waiting for approvals.")
    if any(one["user"] == call.user.username for one in done.approvals):
        raise bad("You have already approved or rejected this deployment.")
    said = {
        "user": call.user.username,
        "status": call.body["status"],
        "comment": call.body.get("comment", ""),
    }
    done.approvals.append(said)
    return said


@route("PUT", "/projects/:id/deployments/:deployment")
def end_deployment(call: Call) -> Json:
    call.require(DEVELOPER)
    done = _deployment(call)
    if done.status != "running":
        raise bad("The status can not be changed: the deployment has ended")
    done.status = call.body["status"]
    call.deeds.deployed(call.project, done)
    return shapes.deployment(call.state, call.project, done)


@route("PUT", "/projects/:id/environments/:environment")
def environment(call: Call) -> Json:
    call.require(DEVELOPER)
    found = next((one for one in call.project.environments.values() if str(one["id"]) == call.path[3]), None)
    if found is None:
        raise missing("Environment")
    found["external_url"] = call.body["external_url"]
    return found
