"""Pipelines: definitions, runs, their jobs, logs and coverage, and checks that wait."""

from __future__ import annotations

import json

from tests.forges.azure.fake import told
from tests.forges.azure.fake.calls import Reply, Request, answers
from tests.forges.azure.fake.state import Failure, Json, Organisation, Person, Repo, now


@answers("GET", "Definitions")
def definitions(call: Request) -> Json:
    if "definitionId" in call.route:
        found = call.org.definitions.get(int(call.route["definitionId"]))
        if found is None:
            raise Failure(404, "DefinitionNotFoundException", "The definition was not found.")
        return found
    query = call.query
    assert query["processType"] == "2"
    listed = [
        {
            name: one[name]
            for name in ("id", "name", "path", "type", "queueStatus", "revision", "url", "uri", "project")
        }
        for one in call.org.definitions.values()
        if one["repository"]["id"] == query["repositoryId"]
        and one["process"]["yamlFilename"] == query["yamlFilename"]
    ]
    return told.listed(listed)


@answers("POST", "Definitions")
def define(call: Request) -> Json:
    call.write()
    said = call.body
    repo = call.org.repo(said["repository"]["id"])
    number = call.org.number("definition")
    about = {
        "id": number,
        "path": "\\",
        "type": "build",
        "queueStatus": "enabled",
        "revision": 1,
        "url": f"{call.org.url}/_apis/build/Definitions/{number}",
        "uri": f"vstfs:///Build/Definition/{number}",
        "project": told.project(repo, call.org),
        "quality": "definition",
    }
    call.org.definitions[number] = said | about
    return call.org.definitions[number]


@answers("GET", "Builds")
def builds(call: Request) -> Json | Reply:
    if "buildId" in call.route:
        return _build(call)
    query = call.query
    wanted = [int(one) for one in query.get("definitions", "").split(",") if one]
    assert wanted or (query["repositoryId"], query["repositoryType"]) == (
        next(iter(call.org.repositories.values())).id,
        "TfsGit",
    )
    found = [
        one
        for one in call.org.builds.values()
        if (not wanted or one["definition"]["id"] in wanted)
        and query.get("branchName") in {None, one["sourceBranch"]}
        and query.get("statusFilter") in {None, one["status"]}
    ]
    assert query["queryOrder"] in {"queueTimeDescending", "finishTimeDescending"}
    found.reverse()
    return call.paged([_plain(one) for one in found])


def _build(call: Request) -> Json:
    found = call.org.builds.get(int(call.route["buildId"]))
    if found is None:
        raise Failure(
            404, "BuildNotFoundException", f"The requested build {call.route['buildId']} could not be found."
        )
    return _plain(found)


def _plain(one: Json) -> Json:
    return {name: value for name, value in one.items() if not name.startswith("fake")}


@answers("POST", "Builds")
def queue(call: Request) -> Json:
    said, org = call.body, call.org
    definition = org.definitions[said["definition"]["id"]]
    variables = json.loads(said.get("parameters") or "{}")
    settable = {name for name, one in (definition.get("variables") or {}).items() if one.get("allowOverride")}
    if unknown := sorted(variables.keys() - settable):
        raise Failure(
            400,
            "BuildRequestValidationFailedException",
            f"Could not queue the build because the variables {', '.join(unknown)} cannot be set at queue time.",
        )
    repo = org.repo(definition["repository"]["id"])
    about = (said["sourceBranch"], said["sourceVersion"])
    return _plain(
        run(org, repo, definition, call.by, *about, parameters=said.get("parameters"), reason="manual")
    )


def run(
    org: Organisation,
    repo: Repo,
    definition: Json,
    by: Person,
    branch: str,
    revision: str,
    *,
    parameters: str | None = None,
    reason: str = "individualCI",
) -> Json:
    """A run that has been queued."""
    number = org.number("build")
    one: Json = {
        "_links": {"web": {"href": f"{org.url}/{repo.project}/_build/results?buildId={number}"}},
        "properties": {},
        "tags": [],
        "validationResults": [],
        "triggerInfo": {},
        "id": number,
        "buildNumber": f"20261120.{number}",
        "status": "notStarted",
        "queueTime": now(),
        "url": f"{org.url}/_apis/build/Builds/{number}",
        "definition": {
            "drafts": [],
            "id": definition["id"],
            "name": definition["name"],
            "path": "\\",
            "type": "build",
        },
        "buildNumberRevision": 1,
        "project": told.project(repo, org),
        "uri": f"vstfs:///Build/Build/{number}",
        "sourceBranch": branch,
        "sourceVersion": revision,
        "priority": "normal",
        "reason": reason,
        "requestedFor": told.person(by, org),
        "requestedBy": told.person(by, org),
        "lastChangedDate": now(),
        "repository": {
            "id": repo.id,
            "type": "TfsGit",
            "name": repo.name,
            "clean": None,
            "checkoutSubmodules": False,
        },
        "retainedByRelease": False,
        **({"parameters": parameters} if parameters else {}),
        "fakeJobs": [],
        "fakeCoverage": None,
    }
    one["definition"].pop("drafts")
    org.builds[number] = one
    return one


def end(
    org: Organisation, one: Json, result: str, coverage: float | None, jobs: list[tuple[str, str]]
) -> None:
    """A run ends. `jobs`: name and result."""
    one |= {"status": "completed", "result": result, "startTime": now(), "finishTime": now()}
    one |= {"fakeJobs": jobs, "fakeCoverage": coverage}
    org.tell("build.complete", _plain(one), f"Build {one['buildNumber']} {result}")


@answers("GET", "queues")
def queues(call: Request) -> Json:
    pool, wanted = {"id": 9, "name": "p", "isHosted": True}, call.query.get("queueName")
    found = [{"id": 40 + at, "name": name, "pool": pool} for at, name in enumerate(call.org.queues)]
    return told.listed([one for one in found if wanted in {None, one["name"]}])


@answers("POST", "events")
def plan_event(call: Request) -> Reply:
    """An answer to a check that waits."""
    plan = call.route["planId"]
    if plan not in call.org.waiting:
        raise Failure(404, "TaskOrchestrationPlanNotFoundException", f"No plan found for identifier {plan}.")
    call.org.waiting.remove(plan)
    call.org.answered.append({**call.route, **call.body})
    return Reply(b"", 204)


@answers("GET", "logs")
def logs(call: Request) -> Json:
    lines = call.org.log
    if "logId" not in call.route:
        return told.listed([{"id": 7, "type": "Container", "url": "", "lineCount": len(lines)}])
    return told.listed(lines[call.number("startLine", 1) - 1 :])


@answers("GET", "Timeline")
def timeline(call: Request) -> Json:
    build = call.org.builds[int(call.route["buildId"])]
    stage = {"id": "stage-1", "parentId": None, "type": "Stage", "name": "__default", "order": 1}
    records = [stage | {"state": "completed", "result": build["result"]}]
    for at, (name, result) in enumerate(build["fakeJobs"]):
        issues = [{"type": "error", "category": "General", "message": "Bash exited with code '1'."}]
        records.append(
            {
                "id": f"job-{at}",
                "parentId": "stage-1",
                "type": "Job",
                "name": name,
                "order": at + 1,
                "state": "completed",
                "result": result,
                "startTime": "2026-11-20T04:00:00Z",
                "finishTime": "2026-11-20T04:00:12.5Z",
                "issues": issues if result == "failed" else [],
                "log": {"id": 7, "type": "Container", "url": ""},
                "attempt": 1,
            }
        )
    return {"records": records, "id": "timeline-1", "changeId": 1, "url": ""}


@answers("GET", "CodeCoverage")
def coverage(call: Request) -> Json:
    said = call.org.builds[int(call.query["buildId"])]["fakeCoverage"]
    stats = (
        [] if said is None else [{"label": "Lines", "position": 4, "total": 1000, "covered": int(said * 10)}]
    )
    data = [{"coverageStats": stats, "buildPlatform": "", "buildFlavor": ""}] if stats else []
    return {"coverageData": data, "build": {"id": call.query["buildId"], "url": ""}, "deltaBuild": None}
