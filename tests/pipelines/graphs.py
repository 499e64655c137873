"""The meaning of a rendered file, read back from its YAML: the jobs, and on which occasion each one runs.

Conditions are evaluated, not compared: GitHub's and Azure's are turned into Python's own words, GitLab's are read
by the embedded forge's reader, which is held against gitlab-ci-local.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

from bot.forges.local.runner import rules
from bot.pipelines import azure_pipelines, expressing, github_actions, gitlab_ci
from bot.pipelines.model import FORGE_TOKEN, Job, Occasions, Pipeline, store_name, vault_name

Graph = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Occasion:
    """A run: `kind` is push, tag, change, schedule or manual; whether something before the job has failed."""

    kind: str
    name: str = "main"
    failed: bool = False


OCCASIONS = [
    Occasion(kind, name, failed)
    for failed in (False, True)
    for kind, name in (
        *(("push", name) for name in ("main", "next", "release/1/2", "feature")),
        *(("tag", name) for name in ("main", "release/1", "v1")),
        *((kind, "main") for kind in ("change", "schedule", "manual")),
    )
]


def loaded(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


# -- the model's own answer ----------------------------------------------------------------------------------


def matches(pattern: str, name: str) -> bool:
    parts = {"**": ".*", "*": "[^/]*"}
    body = "".join(parts.get(part) or re.escape(part) for part in re.split(r"(\*\*|\*)", pattern))
    return re.fullmatch(body, name) is not None


def concerns(on: Occasions, occasion: Occasion) -> bool:
    match occasion.kind:
        case "push":
            return any(matches(pattern, occasion.name) for pattern in on.branches)
        case "tag":
            return any(matches(pattern, occasion.name) for pattern in on.tags)
        case "change":
            return on.changes
        case "schedule":
            return on.scheduled
        case _:
            return on.manual


def takes_part(job: Job, occasion: Occasion) -> bool:
    outcome = {"success": not occasion.failed, "failure": occasion.failed, "always": True}[job.when]
    return outcome and (job.on is None or concerns(job.on, occasion))


def runs_of(pipeline: Pipeline) -> list[Occasion]:
    return [occasion for occasion in OCCASIONS if concerns(pipeline.on.occasions, occasion)]


def meant(pipeline: Pipeline) -> Graph:
    """The job graph of the model."""
    return {
        job.name: {
            "after": {other.name for other in pipeline.before(job)},
            "files": {other.name for other in pipeline.before(job) if other.artefacts},
            "allowed": job.allow_failure,
            "minutes": expressing.minutes(job),
            "level": job.variables["LEVEL"],
            "keeps": job.artefacts is not None,
            "matrix": sorted(tuple(sorted(values.items())) for values in job.combinations),
            "image": job.container.image if job.container else None,
            "services": {service.name: service.image for service in job.services},
            "caches": {path for cache in job.caches for path in cache.paths},
            "ends": [*job.after],
            "environment": job.environment.name if job.environment else None,
            "identity": job.identity is not None,
            "secrets": dict(job.secrets),
            "on": [occasion for occasion in runs_of(pipeline) if takes_part(job, occasion)],
        }
        for job in pipeline.jobs
    }


# -- GitHub --------------------------------------------------------------------------------------------------


def of_github(pipeline: Pipeline) -> Graph:
    jobs = loaded(github_actions.render(pipeline))["jobs"]
    return {name: _github_job(pipeline, jobs, job) for name, job in jobs.items()}


def _github_job(pipeline: Pipeline, jobs: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    steps = job["steps"]
    with_of = {
        kind: [step["with"] for step in steps if f"/{kind}@" in step.get("uses", "")]
        for kind in ("download-artifact", "upload-artifact", "cache")
    }
    env = next(step.get("env", {}) for step in steps if "run" in step)
    matrix = job.get("strategy", {}).get("matrix", {})
    container = job.get("container", {})
    return {
        "after": set(job.get("needs", ())),
        "files": {given["pattern"].removesuffix(".*") for given in with_of["download-artifact"]},
        "allowed": job.get("continue-on-error", False),
        "minutes": job["timeout-minutes"],
        "level": said(job["env"]["LEVEL"]),
        "keeps": any(not given["name"].startswith("reports.") for given in with_of["upload-artifact"]),
        "matrix": _combined(
            matrix, {name: value for name, value in job["env"].items() if "matrix." in value}
        ),
        "image": container.get("image"),
        "services": {name: service["image"] for name, service in job.get("services", {}).items()},
        "caches": {line for given in with_of["cache"] for line in given["path"].split()},
        "ends": [step["run"].strip() for step in steps if step.get("if") == "${{ always() }}"],
        "environment": job.get("environment", {}).get("name"),
        "identity": job["permissions"].get("id-token") == "write" and "IDENTITY_TOKEN" in str(steps),
        "secrets": {name: _github_secret(value) for name, value in env.items()},
        "on": [one for one in runs_of(pipeline) if _github_runs(job.get("if"), one)],
    }


def _combined(axes: Mapping[str, list[str]], shown: Mapping[str, str]) -> list[tuple[tuple[str, str], ...]]:
    """All combinations, of axes that the commands see."""
    found: list[dict[str, str]] = [{}] if axes else []
    for name, values in axes.items():
        assert shown[name] == f"${{{{ matrix.{name} }}}}"
        found = [one | {name: value} for one in found for value in values]
    return sorted(tuple(sorted(one.items())) for one in found)


def _github_secret(text: str) -> str:
    name = text.removeprefix("${{ ").removesuffix(" }}").removeprefix("secrets.")
    return FORGE_TOKEN if name == "github.token" else name


def _github_runs(condition: str | None, occasion: Occasion) -> bool:
    text = (condition or "${{ success() }}").removeprefix("${{ ").removesuffix(" }}")
    if not re.search(r"\b(success|failure|cancelled|always)\(\)", text):
        text = f"success() && ({text})"
    python = re.sub(r"!(?!=)", " not ", text.replace("&&", " and ").replace("||", " or "))
    python = re.sub(r"github\.(\w+)", r"github['\1']", python)
    event = {"push": "push", "tag": "push", "change": "pull_request", "schedule": "schedule"}
    folders = {"tag": "refs/tags/", "change": "refs/pull/1/merge"}
    ref = folders.get(occasion.kind, "refs/heads/") + ("" if occasion.kind == "change" else occasion.name)
    known = {
        "github": {"event_name": event.get(occasion.kind, "workflow_dispatch"), "ref": ref},
        "startsWith": str.startswith,
        **_status(occasion, "success", "failure", "cancelled"),
    }
    return bool(eval(python.strip(), {"__builtins__": {}}, known))


def _status(occasion: Occasion, success: str, failure: str, cancelled: str) -> dict[str, Callable[[], bool]]:
    return {success: lambda: not occasion.failed, failure: lambda: occasion.failed, cancelled: lambda: False}


# -- Azure ---------------------------------------------------------------------------------------------------


def of_azure(pipeline: Pipeline) -> Graph:
    document = loaded(azure_pipelines.render(pipeline))
    stages = {stage["stage"]: stage for stage in document.get("stages", ())}
    jobs = [(stage, job) for stage in stages.values() for job in stage["jobs"]]
    jobs = jobs or [(None, job) for job in document["jobs"]]
    shown = {_azure_id(job): job["displayName"] for _, job in jobs}
    of_stage = {name: {job["displayName"] for job in stage["jobs"]} for name, stage in stages.items()}
    beside = {one["container"]: one["image"] for one in document.get("resources", {}).get("containers", ())}
    graph: Graph = {}
    for stage, job in jobs:
        found = _azure_job(pipeline, job)
        waits = [of_stage[name] for name in stage["dependsOn"]] if stage else []
        found["after"] = set().union(*waits) if stage else {shown[name] for name in job["dependsOn"]}
        found["services"] = {name: beside[alias] for name, alias in job.get("services", {}).items()}
        if stage:
            found["on"] = [one for one in found["on"] if _azure_runs(stage.get("condition"), one)]
        graph[job["displayName"]] = found
    return graph


def _azure_id(job: Mapping[str, Any]) -> str:
    return str(job.get("job") or job["deployment"])


def _azure_job(pipeline: Pipeline, job: Mapping[str, Any]) -> dict[str, Any]:
    steps = job["strategy"]["runOnce"]["deploy"]["steps"] if "deployment" in job else job["steps"]
    tasks = {kind: [step["inputs"] for step in steps if step.get("task") == kind] for kind in _TASKS}
    (script,) = [step for step in steps if step.get("displayName") == job["displayName"]]
    env = script["env"]
    matrix = {} if "deployment" in job else job.get("strategy", {}).get("matrix", {})
    downloads = [given["artifactName"] for given in tasks["DownloadPipelineArtifact@2"]]
    root = "$(Build.SourcesDirectory)/"
    return {
        "files": {name.partition(".")[0] for name in downloads},
        "allowed": job.get("continueOnError") == "true",
        "minutes": int(job["timeoutInMinutes"]),
        "level": said(env["LEVEL"]),
        "keeps": any(
            not given["artifact"].startswith("reports.") for given in tasks["PublishPipelineArtifact@1"]
        ),
        "matrix": sorted(tuple(sorted(values.items())) for values in matrix.values()),
        "image": job.get("container"),
        "caches": {given["path"].removeprefix(root) for given in tasks["Cache@2"]},
        "ends": [s["bash"].split("\n", 1)[1].strip() for s in steps if s.get("condition") == "always()"],
        "environment": job.get("environment"),
        "identity": bool(tasks["AzureCLI@2"]) and "IDENTITY_TOKEN" in tasks["AzureCLI@2"][0]["inlineScript"],
        "secrets": {name: _azure_secret(value) for name, value in env.items() if name in ("S1", "S2")},
        "on": [one for one in runs_of(pipeline) if _azure_runs(job.get("condition"), one)],
    }


_TASKS = (
    "DownloadPipelineArtifact@2", "PublishPipelineArtifact@1", "Cache@2", "AzureCLI@2", "AzureKeyVault@2",
)  # fmt: skip


def _azure_secret(text: str) -> str:
    name = text.removeprefix("$(").removesuffix(")")
    return FORGE_TOKEN if name == "System.AccessToken" else name


def _azure_runs(condition: str | None, occasion: Occasion) -> bool:
    python = re.sub(r"\b(and|or|not|in)\(", lambda found: f"_{found[1]}(", condition or "succeeded()")
    reasons = {"push": "IndividualCI", "tag": "BatchedCI", "change": "PullRequest", "schedule": "Schedule"}
    folders = {"tag": "refs/tags/", "change": "refs/pull/1/merge"}
    ref = folders.get(occasion.kind, "refs/heads/") + ("" if occasion.kind == "change" else occasion.name)
    known = {
        "variables": {"Build.Reason": reasons.get(occasion.kind, "Manual"), "Build.SourceBranch": ref},
        "_and": lambda *given: all(given),
        "_or": lambda *given: any(given),
        "_not": lambda given: not given,
        "_in": lambda one, *others: one in others,
        "eq": lambda one, other: one == other,
        "startsWith": str.startswith,
        **_status(occasion, "succeeded", "failed", "canceled"),
    }
    return bool(eval(python, {"__builtins__": {}}, known))


# -- GitLab --------------------------------------------------------------------------------------------------


def of_gitlab(pipeline: Pipeline) -> Graph:
    module = f"{pipeline.module}:"
    jobs = loaded(gitlab_ci.render_module(pipeline))
    graph = {name.removeprefix(module): _gitlab_job(pipeline, module, job) for name, job in jobs.items()}
    keeps = {name for name, job in graph.items() if job["keeps"]}
    return {name: job | {"files": job["after"] & keeps} for name, job in graph.items()}


def _gitlab_job(pipeline: Pipeline, module: str, job: Mapping[str, Any]) -> dict[str, Any]:
    needs = {(need["job"] if isinstance(need, dict) else need) for need in job["needs"]}
    axes = job.get("parallel", {}).get("matrix", [{}])[0]
    return {
        "after": {name.removeprefix(module) for name in needs},
        "allowed": job.get("allow_failure", False),
        "minutes": -(-int(job["timeout"].split()[0]) // 60),
        "level": job["variables"]["LEVEL"].replace("$$", "$"),
        "keeps": "artifacts" in job,
        "matrix": _combined(axes, {name: f"${{{{ matrix.{name} }}}}" for name in axes}),
        "image": job.get("image"),
        "services": {service["alias"]: service["name"] for service in job.get("services", ())},
        "caches": {path for cache in job.get("cache", ()) for path in cache["paths"]},
        "ends": job.get("after_script", []),
        "environment": job.get("environment", {}).get("name"),
        "identity": "IDENTITY_TOKEN" in job.get("id_tokens", {}),
        "secrets": {
            name: FORGE_TOKEN if value == "$CI_JOB_TOKEN" else value.removeprefix("$")
            for name, value in job["variables"].items()
            if name in ("S1", "S2")
        },
        "on": [one for one in runs_of(pipeline) if _gitlab_runs(job["rules"], one)],
    }


def _gitlab_runs(listed: list[dict[str, Any]], occasion: Occasion) -> bool:
    source = {"tag": "push", "change": "merge_request_event", "manual": "web"}.get(
        occasion.kind, occasion.kind
    )
    ref = {"tag": "CI_COMMIT_TAG", "change": "CI_MERGE_REQUEST_IID"}.get(occasion.kind, "CI_COMMIT_BRANCH")
    variables = {"CI_PIPELINE_SOURCE": source, ref: occasion.name, "CI_DEFAULT_BRANCH": "main"}
    for rule in listed:
        if "if" not in rule or rules.holds(rules.read(rule["if"]), variables):
            when = rule.get("when", "on_success")
            return {"never": False, "on_failure": occasion.failed, "always": True}.get(
                when, not occasion.failed
            )
    return False


def without_caches(graph: Graph) -> Graph:
    return {name: job | {"caches": set()} for name, job in graph.items()}


def spelt(graph: Graph, how: Callable[[str], str]) -> Graph:
    """The graph with secrets as a store spells them."""
    return {
        name: job
        | {"secrets": {one: ref if ref == FORGE_TOKEN else how(ref) for one, ref in job["secrets"].items()}}
        for name, job in graph.items()
    }


def said(text: str) -> str:
    """What the system reads once it has put its expressions in."""
    return text.replace("${{ '${{' }}", "${{")


SYSTEMS: dict[str, tuple[Callable[[Pipeline], Graph], Callable[[str], str]]] = {
    "github": (of_github, store_name),
    "azure": (of_azure, vault_name),
    "gitlab": (of_gitlab, store_name),
}
