"""A pipeline that says everything that the model can say, and random ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bot.pipelines.model import STAGES, Pipeline
from bot.pipelines.model.words import RESERVED

WIDE: dict[str, Any] = {
    "name": "booking-service",
    "module": "booking-service",
    "path": "services/booking",
    "also": ["libraries/shared"],
    "template": "python-service",
    "templateVersion": "1.2.3",
    "on": {
        "branches": ["main", "release/**"],
        "changes": True,
        "tags": ["v**"],
        "schedules": [{"cron": "0 3 * * 1"}],
        "manual": {
            "inputs": {
                "DEPTH": {
                    "kind": "choice",
                    "options": ["low", "high"],
                    "default": "low",
                    "description": "How much to test.",
                },
                "LOUD": {"kind": "boolean", "default": "true"},
            }
        },
    },
    "edition": "enterprise",
    "vault": {"name": "acme-production", "connection": "acme production"},
    "variables": {"VERSION": "1.10"},
    "jobs": [
        {
            "name": "unit",
            "stage": "test",
            "matrix": {"IMAGE": ["python:3.12", "python:3.13"], "FLAVOUR": ["a", "b"]},
            "container": {"axis": "IMAGE"},
            "services": [
                {"name": "db", "image": "postgres:17", "variables": {"POSTGRES_HOST_AUTH_METHOD": "trust"}}
            ],
            "caches": [{"name": "wheels", "paths": [".wheels", ".more"], "keys": ["requirements.txt"]}],
            "steps": ["make test"],
            "after": ["make clean"],
            "artefacts": {"paths": ["out/"]},
            "reports": {"junit": "out/junit.xml"},
            "retries": 2,
        },
        {
            "name": "soak",
            "stage": "test",
            "steps": ["make soak"],
            "on": {"scheduled": True, "manual": True},
            "allowFailure": True,
        },
        {"name": "premium", "stage": "test", "editions": ["premium"], "steps": ["make premium"]},
        {
            "name": "push",
            "stage": "package",
            "needs": ["unit", "premium"],
            "container": {"image": f"quay.io/podman/stable:v5.6@sha256:{'0' * 64}"},
            "secrets": {"REGISTRY_PASSWORD": "@forge-token", "SIGNING_KEY": "@vault:signing-key"},
            "permissions": {"packages": "write"},
            "steps": ["make push"],
            "on": {"branches": ["main"], "tags": ["v**"]},
        },
        {
            "name": "deploy-production",
            "stage": "deploy",
            "needs": ["push"],
            "environment": {
                "name": "acme-production",
                "url": "https://booking.example.org/",
                "approval": True,
            },
            "identity": {"connection": "acme production"},
            "steps": ["make deploy"],
            "on": {"tags": ["v**"]},
        },
        {
            "name": "tell",
            "stage": "deploy",
            "needs": ["push"],
            "when": "failure",
            "secrets": {"HOOK": "@vault:hook"},
            "steps": ["make tell"],
        },
        {"name": "tidy", "stage": "deploy", "needs": ["unit"], "when": "always", "steps": ["make tidy"]},
    ],
}


def wide(**changes: Any) -> Pipeline:
    return Pipeline.model_validate({**WIDE, **changes})


NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,6}", fullmatch=True).filter(lambda name: name not in RESERVED)
REFS = st.lists(st.sampled_from(["main", "next", "release/**", "**"]), max_size=2, unique=True)
WORDS = st.sampled_from(["1.10", "yes", "python:3.13", "a/b", "0", "x86-64"])
IMAGES = st.sampled_from(["python:3.13", f"node@sha256:{'1' * 64}", "registry.example.org:5000/a/b:1"])
REFERENCES = st.sampled_from(["@vault:a-key", "@vault:b", "@forge-token"])
SCHEDULES = st.just([{"cron": "0 3 * * 1", "branch": "main"}])
MANUAL = st.just({"inputs": {"CHOSEN": {"kind": "choice", "options": ["x", "y"], "default": "y"}}})


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {"branches": draw(REFS), "changes": draw(st.booleans()), "tags": draw(REFS)}
    made |= {"schedules": draw(SCHEDULES)} if draw(st.booleans()) else {}
    made |= {"manual": draw(MANUAL)} if draw(st.booleans()) else {}
    return made if any(made.values()) else {**made, "changes": True}


@st.composite
def occasions(draw: st.DrawFn, on: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"branches": draw(REFS), "changes": draw(st.booleans()), "tags": draw(REFS)}
    made |= {"scheduled": draw(st.booleans())} if on.get("schedules") else {}
    made |= {"manual": draw(st.booleans())} if on.get("manual") else {}
    return made if any(made.values()) else {**made, "changes": True}


@st.composite
def jobs(draw: st.DrawFn, name: str, stage: str, before: list[str], on: dict[str, Any]) -> dict[str, Any]:
    when = draw(st.sampled_from(["success"] * 4 + ["failure", "always"])) if before else "success"
    deploys = stage == "deploy" and draw(st.booleans())
    matrix = {} if deploys else draw(st.dictionaries(st.sampled_from(["M1", "M2"]), st.lists(WORDS, min_size=1, max_size=3, unique=True), max_size=2))  # fmt: skip
    container = draw(st.none() | st.builds(lambda image: {"image": image}, IMAGES))
    environment = {"name": f"acme-{name}".rstrip("-"), "approval": when == "success" and draw(st.booleans())}
    return {
        "name": name,
        "stage": stage,
        "steps": ["make"],
        "after": draw(st.sampled_from([[], ["make clean"]])),
        "needs": draw(st.none() | st.lists(st.sampled_from(before), unique=True)) if before and when == "success" else (before[-1:] or None),
        "when": when,
        "timeout": draw(st.integers(1, 86400)),
        "retries": draw(st.integers(0, 2)),
        "allowFailure": draw(st.booleans()),
        "artefacts": draw(st.none() | st.just({"paths": ["out/"]})),
        "variables": {"LEVEL": draw(st.text("ab $\"'{}\\", max_size=5))},
        "secrets": draw(st.dictionaries(st.sampled_from(["S1", "S2"]), REFERENCES, max_size=2)),
        "matrix": matrix,
        "container": container,
        "services": draw(st.sampled_from([[], [{"name": "db", "image": "postgres:17"}]])) if container else [],
        "caches": draw(st.sampled_from([[], [{"name": "c", "paths": [".c", ".d"], "keys": ["lock"]}]])),
        "environment": environment if deploys else None,
        "identity": draw(st.none() | st.just({"connection": "acme"})),
        "permissions": draw(st.dictionaries(st.sampled_from(["packages", "security"]), st.sampled_from(["read", "write"]), max_size=2)),
        "on": draw(st.none() | occasions(on)),
    }  # fmt: skip


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    stages = draw(st.lists(st.sampled_from(STAGES), min_size=len(names), max_size=len(names)))
    on = draw(events())
    made: list[dict[str, Any]] = []
    for name, stage in zip(names, sorted(stages, key=STAGES.index), strict=True):
        before = [job["name"] for job in made if job["when"] == "success"]
        made.append(draw(jobs(name, stage, before, on)))
    return wide(
        jobs=made, on=on, path=draw(st.sampled_from([".", "services/x"])), vault=draw(st.none() | st.just(WIDE["vault"]))
    )  # fmt: skip
