"""The policy engine: `python -m benchmarks.policy [--rounds 5]`.

A verdict with its whole tree for a release under twelve gates, beside the same twelve conditions evaluated
one by one by cel-python (which says true or false, and nothing of who, what or when) and by cel-expr-python;
and how long a policy file of 2,000 lines takes to load. Seconds of this process's processor time: it all is
computation in one thread, and a busy machine would only measure its neighbours.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import celpy
from celpy import celtypes

import policies
from bot.cel import Language
from bot.domain.deployment import Slot
from bot.domain.payloads import Actor
from bot.domain.release import Approval, Start
from policies.facts import Artifact, ReleaseFacts, Signature

HEAD = "a" * 40
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
TEXT = """\
version: 1
roles:
  ProductOwner: {users: [jane.doe], teams: [acme/product]}
  ReleaseManager: {teams: [acme/release]}
  Deployer: {users: [dan]}
environments:
  staging: {}
  production:
    gates:
      - promoted-from: staging
      - tests-passed
      - coverage: {minimum: 80}
      - approvals:
          all:
            - {role: ProductOwner}
            - any: [{role: ReleaseManager}, {team: acme/sre, count: 2}]
          exclude: [author, committers]
      - minimum-delay: 10m
      - hold
      - required-labels: [reviewed]
      - signed-artifacts
      - manual
      - {when: 'change.labels.exists(l, l == "schema")', approvals: {team: acme/dba}}
      - {when: 'change.base != "main"', required-labels: [backport]}
freezes:
  - {name: weekend, environments: production, cron: "0 18 * * FRI", duration: 62h, timezone: Europe/Paris}
"""
"""Eleven gates are written; the freeze is always the twelfth."""

CONDITIONS = (
    "!frozen",
    "staging == revision && healthy",
    'tests == "passed"',
    "coverage >= 80.0",
    "approvers.exists(a, a in owners && a != author)",
    "managers.exists(m, m in approvers && m != author) || sre.filter(s, s in approvers).size() >= 2",
    "waited >= 600",
    '!labels.exists(l, l == "hold")',
    'labels.exists(l, l == "reviewed")',
    "signed && started",
    'base == "main" || "backport" in labels',
    'labels.all(l, l != "schema") || approvers.exists(a, a in dba)',
)
VALUES: dict[str, Any] = {
    "frozen": False, "staging": HEAD, "revision": HEAD, "healthy": True, "tests": "passed", "coverage": 91.0,
    "approvers": ["jane.doe", "rob"], "owners": ["jane.doe"], "managers": ["rob"], "sre": ["ann", "bea"],
    "dba": ["cem"], "author": "bob", "waited": 900, "labels": ["reviewed"], "signed": True, "started": True,
    "base": "main",
}  # fmt: skip
KINDS = {bool: "bool", str: "string", float: "double", int: "int", list: "list<string>"}


def release() -> ReleaseFacts:
    """A release that every gate has something to look at for."""
    given = [("jane.doe", "ProductOwner"), ("rob", "ReleaseManager")]
    at = NOW - timedelta(minutes=15)
    approvals = tuple(
        Approval(
            id=who,
            environment="production",
            revision=HEAD,
            approver=who,
            role=role,
            method="comment",
            approved_at=at,
        )
        for who, role in given
    )
    teams = {"rob": ("acme/release",), "ann": ("acme/sre",), "bob": ()}
    actors = {who: Actor(login=who, permission="write", teams=named) for who, named in teams.items()}
    staging = Slot(environment="staging", running_revision=HEAD, running_version="1.2.0", healthy=True)
    return ReleaseFacts(
        module="booking", version="1.2.0", environment="production", revision=HEAD, phase="deployment",
        tests={HEAD: "passed"}, coverage={HEAD: 91.0}, approvals=approvals, author="bob", committers=("bob",),
        labels=("reviewed",), actors=actors, slots={"staging": staging},
        artifacts={HEAD: (Artifact(name="booking", signatures=(Signature(identity="k", verified=True),)),)},
        starts=(Start(environment="production", revision=HEAD, by="dan", at=at),),
    )  # fmt: skip


def verdict() -> Callable[[], object]:
    """Ours: one tree."""
    policy, known = policies.load(TEXT), release()
    found = policies.evaluate(policy, known, NOW)
    assert found.approved, found
    assert len(found.children) == 12
    return lambda: policies.evaluate(policy, known, NOW)


def cel_python() -> Callable[[], object]:
    """The same conditions by cel-python: compiled beforehand, evaluated one by one."""
    environment = celpy.Environment()
    programs = [environment.program(environment.compile(text)) for text in CONDITIONS]
    context = {name: celpy.json_to_cel(value) for name, value in VALUES.items()}
    assert all(bool(program.evaluate(context)) for program in programs)
    assert isinstance(context["author"], celtypes.StringType)
    return lambda: [program.evaluate(context) for program in programs]


def cel_expr_python() -> Callable[[], object]:
    """The same conditions by the library that `when:` uses."""
    language = Language({name: KINDS[type(value)] for name, value in VALUES.items()})  # type: ignore[misc]
    programs = [language.compile(text) for text in CONDITIONS]
    assert all(program.holds(VALUES) for program in programs)
    return lambda: [program.holds(VALUES) for program in programs]


def large() -> str:
    """A policy file of 2,000 lines: environments, rules and windows."""
    lines = [
        "version: 1",
        "roles:",
        *(f"  Role{n}: {{users: [user-{n}], teams: [acme/team-{n}]}}" for n in range(200)),
    ]
    lines += ["environments:"]
    for number in range(80):
        lines += [
            f"  environment-{number}:", "    gates:", "      - tests-passed",
            "      - coverage: {minimum: 80}", "      - approvals:", "          all:",
            f"            - {{role: Role{number}}}",
            f"            - {{team: acme/team-{number}}}", "      - minimum-delay: 10m",
            "    deploy: {retries: 2}",
        ]  # fmt: skip
    lines += ["freezes:"]
    while len(lines) < 2_000:
        lines += [f"  - name: window-{len(lines)}", '    cron: "0 18 * * FRI"', "    duration: 62h"]
    return "\n".join(lines[:2_000]) + "\n"


def load() -> Callable[[], object]:
    """A policy file as large as that, read anew."""
    text = large()
    assert text.count("\n") == 2_000

    def read() -> object:
        policies.load.cache_clear()
        return policies.load(text)

    read()
    return read


def timed(run: Callable[[], object], times: int) -> list[float]:
    """Seconds of each call."""
    found = []
    gc.collect()
    for _ in range(times):
        began = time.process_time()
        run()
        found.append(time.process_time() - began)
    return found


def measured(rounds: int, calls: int = 400) -> dict[str, list[float]]:
    """Median seconds per round, the sides in turn: a busy machine is busy for all of them."""
    sides: dict[str, tuple[Callable[[], object], int]] = {
        "verdict": (verdict(), calls),
        "cel-python": (cel_python(), max(5, calls // 20)),
        "cel-expr-python": (cel_expr_python(), calls),
        "load": (load(), 2),
    }
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, (run, times) in sides.items():
            found[name].append(statistics.median(timed(run, times)))
    return found


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, write."""
    from benchmarks.__main__ import fresh_databases, line, write

    parser = argparse.ArgumentParser(prog="python -m benchmarks.policy", description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--releases", type=int, default=10_000, help="that wait for a freeze to end")
    parser.add_argument("--past", type=int, default=100_000, help="releases that a backtest asks about")
    parser.add_argument("--small", action="store_true", help="only what one process computes")
    said = parser.parse_args(arguments)
    write("policy", [line(one, runs) for one, runs in lines(measured(said.rounds))])
    write("policy-refused", [line(*refused(said.rounds))])
    for name in () if said.small else ("sqlite", "postgres") if said.database == "both" else (said.database,):
        with fresh_databases(name) as fresh:
            write(f"policy-log-{name}", [line(*one) for one in of_the_log(name, fresh, said)])


def of_the_log(
    database: str, fresh: Callable[[], Any], said: argparse.Namespace
) -> Iterator[tuple[dict[str, Any], list[dict[str, float]]]]:
    """What needs a log: a freeze that ends, and a policy asked of the past. Goals are for this many at once;
    fewer are held against as much of the time.
    """
    from benchmarks.__main__ import program

    for module, name, count, goal in (
        ("benchmarks.boundary", "open releases evaluated again at a boundary", said.releases, 20 / 10_000),
        ("benchmarks.past", "past releases asked again", said.past, 30 / 100_000),
    ):
        with fresh() as url:
            run = program(module, url, str(count))
        most = goal * run["releases"]
        told = {"name": f"{count} {name} ({database})", "value": run["seconds"], "unit": "s"}
        yield told | {"ratio": run["seconds"] / most, "against": f"{most:g} s", "goal": "<= 1"}, [run]


def refused(rounds: int) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """The slowest of the texts that mean harm, each in a process of its own."""
    from benchmarks.__main__ import program
    from benchmarks.bombs import BOMBS, NAMED

    runs = [{kind: program("benchmarks.bombs", kind) for kind in BOMBS} for _ in range(rounds)]
    found = {kind: statistics.median(run[kind]["ms"] for run in runs) for kind in BOMBS}
    memory = max(run[kind]["mb"] for run in runs for kind in BOMBS)
    worst = max(found[kind] for kind in NAMED)
    said = {"name": "the slowest of harmful policies refused", "value": worst, "unit": "ms"}
    told = [{f"{kind} ms": took for kind, took in found.items()} | {"most MB": memory}]
    return said | {"ratio": worst / 100, "against": "100 ms, and 64 MB", "goal": "<= 1"}, told


def lines(found: dict[str, list[float]]) -> Iterator[tuple[dict[str, Any], list[dict[str, float]]]]:
    """The results, as results/README.md says."""
    verdict, python, native, load = (statistics.median(found[name]) for name in found)
    runs = [
        {f"{name} µs": times[index] * 1e6 for name, times in found.items()}
        for index in range(len(found["verdict"]))
    ]
    said = {"name": "verdict of 12 gates", "value": verdict * 1e6, "unit": "µs"}
    same = "the same 12 conditions by"
    yield said | {"ratio": verdict / 200e-6, "against": "200 µs", "goal": "<= 1"}, runs
    yield (
        said | {"ratio": python / verdict, "against": f"{same} cel-python, times slower", "goal": ">= 10"},
        [],
    )
    yield said | {"ratio": native / verdict, "against": f"{same} cel-expr-python (C++)", "goal": "none"}, []
    said = {"name": "policy of 2,000 lines loaded", "value": load * 1e3, "unit": "ms"}
    yield said | {"ratio": load / 0.4, "against": "400 ms", "goal": "<= 1"}, []


if __name__ == "__main__":
    main()
