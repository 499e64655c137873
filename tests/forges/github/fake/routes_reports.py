"""Checks, statuses, deployments, runs of GitHub Actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.forges.github.fake import answers
from tests.forges.github.fake.hub import Json, Refused, Repository, now
from tests.forges.github.fake.server import Call, Reply, elsewhere, paged, route


def _commit(call: Call, name: str = "sha") -> str:
    sha = call.arguments[name]
    if call.repo.git.kind(sha) != "commit":
        raise Refused(422, f"No commit found for SHA: {sha}")
    return sha


def _only_apps(call: Call) -> None:
    if call.hub.accounts[call.login].kind != "Bot":
        raise Refused(403, "You must authenticate via a GitHub App.")


@route("GET", "/repos/{owner}/{repo}/commits/{sha}/check-runs", checks="read")
def checks(call: Call) -> Reply:
    repo, sha, name = call.repo, _commit(call), call.query.get("check_name")
    found = [run for run in repo.checks if run["head_sha"] == sha and name in {None, run["name"]}]
    if call.query.get("filter", "latest") == "latest":
        newest: dict[tuple[str, str], Json] = {(run["slug"], run["name"]): run for run in found}
        found = list(newest.values())
    return paged(call, [answers.check_run(repo, run) for run in found], "check_runs")


def _said(call: Call) -> Json:
    said = {name: value for name, value in call.json.items() if name != "output"}
    output = call.json.get("output") or {}
    if len(output.get("summary", "")) > 65_535:
        raise Refused(422, "Invalid request.\n\nOnly 65535 characters are allowed; 65536 were supplied.")
    if said.get("conclusion"):
        said |= {"status": "completed", "completed_at": now()}
    return said | {"output": output}


@route("POST", "/repos/{owner}/{repo}/check-runs", checks="write")
def create_check(call: Call) -> Reply:
    repo, said = call.repo, _said(call)
    _only_apps(call)
    if repo.git.kind(said["head_sha"]) != "commit":
        raise Refused(422, f"No commit found for SHA: {said['head_sha']}")
    number = call.hub.number()
    made = {
        "id": number,
        "node_id": "CR",
        "slug": call.hub.app_slug,
        "url": "x",
        "html_url": f"https://github.com/{repo.full_name}/runs/{number}",
        "details_url": None,
        "external_id": None,
        "status": "queued",
        "conclusion": None,
        "started_at": now(),
        "completed_at": None,
    } | said
    repo.checks.append(made)
    _tell_check(repo, made, "created", call.login)
    return Reply(201, answers.check_run(repo, made))


@route("PATCH", "/repos/{owner}/{repo}/check-runs/{check}", checks="write")
def update_check(call: Call) -> Reply:
    repo = call.repo
    made = next((run for run in repo.checks if str(run["id"]) == call.arguments["check"]), None)
    if made is None:
        raise Refused(404, "Not Found")
    made.update(_said(call))
    _tell_check(repo, made, "completed" if made["status"] == "completed" else "created", call.login)
    return Reply(200, answers.check_run(repo, made))


def _tell_check(repo: Repository, run: Json, action: str, by: str) -> None:
    repo.hub.tell(
        "check_run", {"action": action, "check_run": answers.check_run(repo, run)} | answers.about(repo, by)
    )


@route("GET", "/repos/{owner}/{repo}/commits/{sha}/status", statuses="read", contents="read")
def combined(call: Call) -> Reply:
    repo, sha = call.repo, _commit(call)
    newest: dict[str, Json] = {one["context"]: one for one in repo.statuses if one["sha"] == sha}
    listed = [answers.status(repo, one) for one in newest.values()]
    return Reply(200, {"state": "pending", "statuses": listed, "sha": sha, "total_count": len(listed)})


@route("POST", "/repos/{owner}/{repo}/statuses/{sha}", statuses="write")
def create_status(call: Call) -> Reply:
    repo, sha, said = call.repo, _commit(call), call.json
    if len(said.get("description") or "") > 140:
        raise Refused(422, "Validation Failed", [{"field": "description", "code": "too_long"}])
    made = {
        "id": call.hub.number(),
        "node_id": "S",
        "url": "x",
        "description": None,
        "target_url": None,
        "created_at": now(),
        "updated_at": now(),
    }
    made |= said | {"sha": sha, "creator": call.login}
    repo.statuses.append(made)
    payload = {name: made[name] for name in ("sha", "context", "state", "description", "target_url")}
    call.hub.tell("status", payload | answers.about(repo, call.login))
    return Reply(201, answers.status(repo, made))


@route("GET", "/repos/{owner}/{repo}/deployments", deployments="read")
def deployments(call: Call) -> Reply:
    wanted = {name: call.query[name] for name in ("sha", "environment") if name in call.query}
    found = [
        one
        for one in call.repo.deployments[::-1]
        if all(one[name] == value for name, value in wanted.items())
    ]
    return paged(call, [answers.deployment(call.repo, one) for one in found])


@route("POST", "/repos/{owner}/{repo}/deployments", deployments="write")
def create_deployment(call: Call) -> Reply:
    repo, said = call.repo, call.json
    sha = repo.git.resolve(said["ref"])
    if sha is None:
        raise Refused(422, f"No ref found for: {said['ref']}")
    if said.get("required_contexts") != []:
        raise Refused(409, "Conflict: Commit status checks failed for master.")
    made = {
        "id": call.hub.number(), "node_id": "D", "url": "x", "sha": sha, "ref": said["ref"], "task": "deploy",
        "environment": said.get("environment", "production"), "description": said.get("description"),
        "creator": call.login, "created_at": now(), "updated_at": now(), "statuses": [],
    }  # fmt: skip
    repo.deployments.append(made)
    payload = {"action": "created", "deployment": answers.deployment(repo, made)}
    call.hub.tell("deployment", payload | answers.about(repo, call.login))
    return Reply(201, answers.deployment(repo, made))


def _deployment(call: Call) -> Json:
    found = [one for one in call.repo.deployments if str(one["id"]) == call.arguments["number"]]
    if not found:
        raise Refused(404, "Not Found")
    return found[0]


@route("GET", "/repos/{owner}/{repo}/deployments/{number}/statuses", deployments="read")
def deployment_statuses(call: Call) -> Reply:
    return paged(
        call, [answers.deployment_status(call.repo, one) for one in _deployment(call)["statuses"][::-1]]
    )


@route("POST", "/repos/{owner}/{repo}/deployments/{number}/statuses", deployments="write")
def create_deployment_status(call: Call) -> Reply:
    repo, about, said = call.repo, _deployment(call), call.json
    made = {
        "id": call.hub.number(),
        "node_id": "DS",
        "url": "x",
        "description": "",
        "environment_url": "",
        "log_url": "",
        "target_url": "",
    }
    named = ("state", "description", "environment_url", "log_url")
    made |= {name: said[name] for name in named if name in said} | {
        "creator": call.login,
        "created_at": now(),
        "updated_at": now(),
    }
    about["statuses"].append(made)
    payload = {"action": "created", "deployment": answers.deployment(repo, about), "deployment_status": made}
    call.hub.tell("deployment_status", payload | answers.about(repo, call.login))
    return Reply(201, answers.deployment_status(repo, made))


def run_of(call: Call) -> Json:
    found = [run for run in call.repo.runs if str(run["id"]) == call.arguments["run"]]
    if not found:
        raise Refused(404, "Not Found")
    return found[0]


@route("GET", "/repos/{owner}/{repo}/actions/runs", actions="read")
def runs(call: Call) -> Reply:
    sha = call.query.get("head_sha")
    found = [run for run in call.repo.runs[::-1] if sha in {None, run["head_sha"]}]
    return paged(call, [answers.run(call.repo, run) for run in found], "workflow_runs")


@route("GET", "/repos/{owner}/{repo}/actions/runs/{run}", actions="read")
def get_run(call: Call) -> Reply:
    return Reply(200, answers.run(call.repo, run_of(call)))


@route("GET", "/repos/{owner}/{repo}/actions/runs/{run}/jobs", actions="read")
def jobs(call: Call) -> Reply:
    return paged(call, run_of(call)["jobs"], "jobs")


@route("GET", "/repos/{owner}/{repo}/actions/jobs/{job}/logs", actions="read")
def job_log(call: Call) -> Reply:
    return elsewhere(call, f"/logs/{call.repo.full_name}/{call.arguments['job']}")


@route("GET", "/logs/{owner}/{repo}/{job}")
def log(call: Call) -> Reply:
    for run in call.repo.runs:
        if any(str(job["id"]) == call.arguments["job"] for job in run["jobs"]):
            coverage: Any = run["coverage"]
            told = "" if coverage is None else f"2026-11-20T04:05:06.0000000Z TOTAL coverage: {coverage:g}%\n"
            return Reply(200, f"2026-11-20T04:05:06.0000000Z ok\n{told}".encode())
    raise Refused(404, "Not Found")


@route("POST", "/repos/{owner}/{repo}/actions/runs/{run}/rerun", actions="write")
def rerun(call: Call) -> Reply:
    run = run_of(call)
    if run["status"] != "completed":
        raise Refused(403, "This workflow is already running")
    run |= {"status": "queued", "conclusion": None, "run_attempt": run["run_attempt"] + 1}
    return Reply(201, {})


@route("POST", "/repos/{owner}/{repo}/actions/runs/{run}/deployment_protection_rule", deployments="write")
def answer_rule(call: Call) -> Reply:
    run, said = run_of(call), call.json
    if said["environment_name"] not in run["waiting"]:
        raise Refused(422, "No pending deployment requests to approve or reject")
    run["waiting"].remove(said["environment_name"])
    run["answers"].append((said["environment_name"], said["state"], said["comment"]))
    return Reply(204)


@route("POST", "/repos/{owner}/{repo}/actions/workflows/{workflow}/dispatches", actions="write")
def dispatch(call: Call) -> Reply:
    repo, said = call.repo, call.json
    before = [run for run in repo.runs if str(run["workflow_id"]) == call.arguments["workflow"]]
    head = repo.head(said["ref"])
    if not before or head is None:
        raise Refused(422, f"No ref found for: {said['ref']}")
    made = start_run(repo, head, said["ref"], before[0]["path"], inputs=said.get("inputs"))
    details = {"workflow_run_id": made["id"], "run_url": "x", "html_url": made["html_url"]}
    return Reply(200, details) if said.get("return_run_details") else Reply(204)


def start_run(repo: Repository, sha: str, branch: str, path: str, **more: Any) -> Json:
    """A run of a workflow file begins."""
    number = repo.hub.number()
    made = {
        "id": number, "node_id": "WR", "name": "pointsman", "head_branch": branch, "head_sha": sha, "path": path,
        "run_number": 1, "run_attempt": 1, "event": "push", "status": "queued", "conclusion": None, "workflow_id": 7,
        "check_suite_id": 1, "url": "x", "html_url": f"https://github.com/{repo.full_name}/actions/runs/{number}",
        "pull_requests": [], "created_at": now(), "updated_at": now(), "run_started_at": now(), "jobs": [], "coverage": None, "waiting": [], "answers": [],
    } | more  # fmt: skip
    repo.runs.append(made)
    return made


def end_run(
    repo: Repository, run: Json, conclusion: str, coverage: float | None, jobs: Sequence[str] = ("test",)
) -> None:
    """It ends with its jobs, of which the ones that test fail if any does, and is told."""
    made = []
    for name in jobs:
        how = conclusion if "test" in name.lower() or len(jobs) == 1 else "success"
        steps = [{"name": "Run the tests", "status": "completed", "conclusion": how, "number": 1}]
        made.append(
            {
                "id": repo.hub.number(),
                "run_id": run["id"],
                "run_url": "x",
                "node_id": "J",
                "url": "x",
                "html_url": "x",
                "head_sha": run["head_sha"],
                "status": "completed",
                "conclusion": how,
                "name": name,
                "steps": steps,
                "started_at": "2026-11-20T04:05:06Z",
                "completed_at": "2026-11-20T04:05:36Z",
                "created_at": now(),
                "workflow_name": "pointsman",
                "head_branch": run["head_branch"],
            }
        )
    run |= {"status": "completed", "conclusion": conclusion, "coverage": coverage, "jobs": made}
    pulls = [
        {
            "id": 1,
            "number": p.number,
            "url": "x",
            "base": {"repo": {"id": repo.id}},
            "head": {"repo": {"id": repo.id}},
        }
        for p in repo.pulls.values()
        if p.head_sha == run["head_sha"] and p.state == "open"
    ]
    said = {
        "action": "completed",
        "workflow_run": answers.run(repo, run) | {"pull_requests": pulls},
        "workflow": {"path": run["path"]},
    }
    repo.hub.tell("workflow_run", said | answers.about(repo, repo.owner))
