"""`pointsman policy explain | test | backtest`: ask a policy, without anything happening."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import policies
from bot.cli.failure import Code, Failure
from bot.cli.policy_reading import (
    BLOCKED,
    FAILED,
    Format,
    Organisation,
    Output,
    Root,
    calendars_of,
    facts_of,
    misused,
    moment_of,
    tell,
    text_of,
    usable_policy,
)
from bot.domain.errors import Invalid, Refused
from policies import unit
from policies.explain import lines
from policies.what_if import suppose

if TYPE_CHECKING:
    from bot.domain.effect import OtherVerdict
    from bot.domain.trace import TraceState

Maybe = Annotated[
    Path | None,
    typer.Argument(
        help="The policy file; with --trace the one that is in force there.", exists=True, dir_okay=False
    ),
]
WORDS = (
    "Suppose: approval:LOGIN[:ENV], review:LOGIN, pushed, merged, tests:passed, label:NAME, override:NAME, "
    "start."
)


def explain(
    file: Maybe = None,
    facts: Annotated[
        Path | None, typer.Option(help="Facts of the release, as JSON.", exists=True, dir_okay=False)
    ] = None,
    trace: Annotated[
        str | None, typer.Option(help="A release of the log instead: the id of its trace.")
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Tenant, when several have a trace of this id.")] = None,
    environment: Annotated[str | None, typer.Option(help="Needed when the policy has more than one.")] = None,
    at: Annotated[str | None, typer.Option(help="The moment, ISO 8601; default: now.")] = None,
    supposed: Annotated[list[str] | None, typer.Option("--with", help=WORDS)] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="Another policy file than the one in force.", exists=True, dir_okay=False),
    ] = None,
    organisation: Organisation = None,
    root: Root = None,
    output: Format = Output.TEXT,
) -> None:
    """Say what the policy answers for a release, and why. Exit 0: approved, 3: blocked.

    The release is told by --facts, or is one of the log with --trace, as it stood at --at.
    """
    chosen = policy or file
    moment = moment_of(at, "--at") if at else datetime.now(UTC)
    state = _state(trace, tenant, moment if at else None) if trace else None
    if chosen:
        read = usable_policy(chosen, output, root, organisation)
    elif state is not None:
        read = _in_force(state)
    else:
        misused("Name a policy file, or a release of the log with --trace.")
    known = _release(state, read, environment, facts)
    if chosen:
        found = calendars_of(read.of(known.tenant), chosen, root) | known.calendars
        known = known.model_copy(update={"calendars": found})
    try:
        verdict = policies.evaluate(read, suppose(read, known, supposed or (), moment), moment)
    except Invalid as invalid:
        misused(f"--with: {invalid.message}")
    if output is Output.JSON:
        tell(verdict.to_json())
    else:
        typer.echo("\n".join(lines(verdict)))
    raise typer.Exit(BLOCKED if verdict.blocks else 0)


def _state(trace: str, tenant: str | None, until: datetime | None) -> TraceState:
    from bot.cli.place import reading
    from bot.cli.trace import owner_of
    from bot.log.replay import replay

    with reading() as session:
        return replay(session, owner_of(session, trace, tenant), trace, until)


def _in_force(state: TraceState) -> policies.Policy:
    from handlers.policy import policy_errors, policy_of

    found = policy_of(state)
    if found is None:
        why = next(iter(policy_errors(state)), "nobody has looked at it yet")
        message = f"There is no usable policy for {state.trace_id}: {why}."
        raise Failure(message, Code.FAILED, reason_code="PolicyInvalid")
    return found


def _release(
    state: TraceState | None, read: policies.Policy, environment: str | None, facts: Path | None
) -> policies.ReleaseFacts:
    from bot.domain.view import View
    from handlers.evaluation import release_facts

    known = facts_of(facts)
    try:
        own = read.of(state.tenant_id if state else known.tenant)
        where = policies.environment_of(own, environment or known.environment or None)
    except Refused as refused:
        misused(refused.message)
    if state is not None:
        return release_facts(View(now=state.updated_at or datetime.now(UTC), state=state), where)
    return known.model_copy(update={"environment": where})


def try_cases(
    folder: Annotated[
        Path, typer.Argument(help="Where the cases are: *.yaml.", exists=True, file_okay=False)
    ],
    policy: Annotated[
        Path | None,
        typer.Option(
            help="The policy; default: what a file of cases names, or ../policy.yaml.", dir_okay=False
        ),
    ] = None,
    root: Root = None,
    output: Format = Output.TEXT,
) -> None:
    """Try a policy with the cases of a folder, and say which of its rules they have tried.

    Exit 0: all passed, 1: some did not.
    """
    outcomes: list[unit.Outcome] = []
    tried: dict[Path, list[unit.Tried]] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            suite = unit.read(text_of(path), path.name)
        except (policies.PolicyErrors, Invalid) as broken:
            outcomes.append(unit.Outcome(path.name, "", (str(broken),)))
            continue
        file = policy or (path.parent / (suite.policy or "../policy.yaml")).resolve()
        if not file.is_file():
            misused(f"{path.name}: there is no policy file {file}")
        read = usable_policy(file, output, root)
        seen = tried.setdefault(file, unit.rules(read))
        outcomes += unit.run(read, suite, path.name, calendars_of(read, file, root), seen)
    if not outcomes:
        misused(f"There are no cases in {folder}: write *.yaml files.")
    _report(outcomes, [rule for seen in tried.values() for rule in seen], output)
    raise typer.Exit(FAILED if any(outcome.problems for outcome in outcomes) else 0)


def _report(outcomes: list[unit.Outcome], tried: list[unit.Tried], output: Output) -> None:
    whole = sum(not rule.missing for rule in tried)
    if output is Output.JSON:
        coverage = {"rules": len(tried), "tried": whole, "open": [r.to_json() for r in tried if r.missing]}
        cases = [outcome.to_json() for outcome in outcomes]
        tell({"ok": all(case["ok"] for case in cases), "cases": cases, "coverage": coverage})
        return
    for outcome in outcomes:
        typer.echo(f"{'✗' if outcome.problems else '✓'} {outcome.file}: {outcome.name}")
        for problem in outcome.problems:
            typer.echo(f"    {problem}")
    typer.echo(f"{whole} of {len(tried)} rules were seen both to pass and to block.")
    for rule in tried:
        if rule.missing:
            typer.echo(f"  {rule.label}: never seen {' or '.join(rule.missing)}")


def backtest(
    policy: Annotated[Path, typer.Option(help="The policy to try.", exists=True, dir_okay=False)],
    tenant: Annotated[str | None, typer.Option(help="Only traces of this tenant.")] = None,
    organisation: Organisation = None,
    root: Root = None,
    output: Format = Output.TEXT,
) -> None:
    """Ask a policy of every verdict in the log, and list those that would have been others. Exit 0."""
    from bot.cli.place import reading
    from bot.log.replay import traces
    from bot.trial.past import asked_again

    read = usable_policy(policy, output, root, organisation)
    found: list[OtherVerdict] = []
    asked = count = 0
    with reading() as session:
        for owner, names in groupby(traces(session, tenant), key=itemgetter(0)):
            of_tenant = [name for _, name in names]
            answer = asked_again(session, owner, of_tenant, read)
            count += len(of_tenant)
            asked += answer.asked
            found += answer.differences
    if output is Output.JSON:
        tell({"traces": count, "verdicts": asked, "differences": [one.to_json() for one in found]})
        return
    typer.echo(f"{len(found)} of {asked} verdicts in {count} traces would have been others.")
    for one in found:
        said = f"{one.was} -> {one.would}: {one.message}"
        typer.echo(f"{one.at:%Y-%m-%d %H:%M} {one.trace_id} {one.environment} {one.revision[:7]} {said}")
