"""Checks, statuses, workflow runs and deployments, in our words."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain import payloads as p
from bot.forges.github.said import Json, Said
from bot.forges.port import RepositoryFact

ACTIONS = "github-actions"
"""The App that reports GitHub Actions' jobs as checks; `workflow_job` tells of the same ones."""
OUTCOMES = {
    "success": "success",
    "neutral": "success",
    "failure": "failed",
    "timed_out": "failed",
    "startup_failure": "failed",
    "cancelled": "canceled",
}
"""What became of a run; one that was skipped, or waits for somebody, has said nothing."""


def check_run(said: Said) -> list[RepositoryFact]:
    """Somebody else's check, or a wish about one of the bot's."""
    run = said.json["check_run"]
    suite = run.get("check_suite") or {}
    numbers = _changes(said, run) or _changes(said, suite)
    common = {"repository": said.repository, "revision": run["head_sha"], "name": run["name"]}
    hints = said.hints(changes=numbers, sha=run["head_sha"])
    if said.action == "requested_action":
        pressed = {"action": said.json["requested_action"]["identifier"], "changes": numbers}
        data = p.CheckActionRequested.model_validate(common | pressed)
        return [said.fact("CheckActionRequested", data, hints)]
    if said.action == "rerequested":
        branch = suite.get("head_branch") or ""
        asked = {"changes": numbers, "branch": branch, "again": True}
        wanted = p.CheckRequested.model_validate(common | asked)
        return [said.fact("CheckRequested", wanted, hints)]
    app = run.get("app") or {}
    if said.action not in {"created", "completed"} or _is_known(said, app):
        return []
    about = {"description": (run.get("output") or {}).get("title"), "url": run.get("html_url")}
    return _status(said, run["name"], run["head_sha"], run.get("conclusion") or "pending", about, hints)


def _is_known(said: Said, app: Json) -> bool:
    """The bot's own, or one that its job tells of."""
    return said.by_us or said.ours(app) or app.get("slug") == ACTIONS


def check_suite(said: Said) -> list[RepositoryFact]:
    """All checks of an App on a revision: wanted, wanted again, or done."""
    suite = said.json["check_suite"]
    numbers = _changes(said, suite)
    hints = said.hints(changes=numbers, sha=suite["head_sha"])
    if said.action in {"requested", "rerequested"}:
        data = p.CheckRequested(
            repository=said.repository,
            revision=suite["head_sha"],
            branch=suite.get("head_branch") or "",
            changes=tuple(numbers),
            again=said.action == "rerequested",
        )
        message = (suite.get("head_commit") or {}).get("message", "")
        return [said.fact("CheckRequested", data, hints, message=message)]
    app = suite.get("app") or {}
    if said.action != "completed" or said.by_us or said.ours(app):
        return []
    state = suite.get("conclusion") or "pending"
    return _status(said, f"suite/{app.get('slug', '')}", suite["head_sha"], state, {}, hints)


def status(said: Said) -> list[RepositoryFact]:
    """A commit status."""
    if said.by_us:
        return []
    about = {"description": said.json.get("description"), "url": said.json.get("target_url")}
    sha = said.json["sha"]
    return _status(said, said.json["context"], sha, said.json["state"], about, said.hints(sha=sha))


def workflow_run(said: Said) -> list[RepositoryFact]:
    """A run of GitHub Actions has ended. Its jobs and its coverage are not in the call."""
    run = said.json["workflow_run"]
    outcome = OUTCOMES.get(run.get("conclusion") or "")
    if said.action != "completed" or outcome is None:
        return []
    numbers, branch = _changes(said, run), branch_of_run(run)
    data = p.PipelineFinished.model_validate(
        {
            "repository": said.repository,
            "revision": run["head_sha"],
            "branch": branch,
            "pipelineId": str(run["id"]),
            "path": path_of_run(run, said.json.get("workflow")),
            "told": "outcome",
            "status": outcome,
            "reason": "" if outcome == "success" else run["conclusion"],
            "url": run["html_url"],
        }
    )
    message = (run.get("head_commit") or {}).get("message", "")
    hints = said.hints(changes=numbers, branch=branch, sha=run["head_sha"])
    return [said.fact("PipelineFinished", data, hints, new_trace=True, message=message)]


def path_of_run(run: Json, workflow: Json | None = None) -> str:
    """The workflow file; GitHub may add `@` and the revision it was taken at."""
    return str(run.get("path") or (workflow or {}).get("path") or "").partition("@")[0]


def branch_of_run(run: Json) -> str:
    """The branch of a run; one of a fork with its owner, as changes name it."""
    branch, there = run.get("head_branch") or "", run.get("head_repository") or {}
    here = run.get("repository") or {}
    if branch and there and here and there.get("id") != here.get("id"):
        return f"{(there.get('owner') or {}).get('login', 'fork')}:{branch}"
    return str(branch)


def workflow_job(said: Said) -> list[RepositoryFact]:
    """One job has ended."""
    job = said.json["workflow_job"]
    if said.action != "completed":
        return []
    name = f"{job['workflow_name']} / {job['name']}" if job.get("workflow_name") else job["name"]
    hints = said.hints(sha=job["head_sha"])
    about = {"url": job.get("html_url")}
    return _status(said, name, job["head_sha"], job.get("conclusion") or "pending", about, hints)


def deployment(said: Said) -> list[RepositoryFact]:
    """Somebody else's deployment began, or went on."""
    if said.by_us:
        return []
    made, last = said.json["deployment"], said.json.get("deployment_status") or {}
    about = {
        "description": last.get("description") or made.get("description"),
        "url": last.get("environment_url") or last.get("target_url"),
    }
    name = f"deployment/{made['environment']}"
    return _status(
        said, name, made["sha"], last.get("state") or "pending", about, said.hints(sha=made["sha"])
    )


def protection_rule(said: Said) -> list[RepositoryFact]:
    """A deployment of GitHub Actions waits until the bot has answered."""
    made = said.json.get("deployment")
    if said.action != "requested" or not made:
        return []
    data = p.DeploymentRequested(
        repository=said.repository,
        environment=said.json["environment"],
        revision=made["sha"],
        deployment_id=str(made["id"]),
        run_id=_run_of(said.json["deployment_callback_url"]),
        url=said.json["deployment_callback_url"],
    )
    numbers = [pull["number"] for pull in said.json.get("pull_requests") or []]
    return [said.fact("DeploymentRequested", data, said.hints(changes=numbers, sha=made["sha"]))]


def _run_of(callback: str) -> str:
    """`.../actions/runs/42/deployment_protection_rule` -> `42`."""
    return callback.partition("/runs/")[2].partition("/")[0]


def _changes(said: Said, about: Json) -> list[int]:
    """Changes of this repository; a fork's checks name those of other repositories as well."""
    here = (said.json.get("repository") or {}).get("id")
    pulls = about.get("pull_requests") or []
    return [
        pull["number"]
        for pull in pulls
        if ((pull.get("base") or {}).get("repo") or {}).get("id") in {None, here}
    ]


def _status(
    said: Said, name: str, revision: str, state: str, about: Json, hints: list[str]
) -> list[RepositoryFact]:
    data = p.StatusReported(
        repository=said.repository,
        revision=revision,
        name=name,
        state=state,
        description=about.get("description") or "",
        url=about.get("url") or "",
    )
    return [said.fact("StatusReported", data, hints)]


EVENTS: dict[str, Callable[[Said], list[RepositoryFact]]] = {
    "check_run": check_run,
    "check_suite": check_suite,
    "status": status,
    "workflow_run": workflow_run,
    "workflow_job": workflow_job,
    "deployment": deployment,
    "deployment_status": deployment,
    "deployment_protection_rule": protection_rule,
}
