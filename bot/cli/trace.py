"""`pointsman trace list | show | export | replay | verify`.

Read directly from the database, no server needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.failure import Code, Failure
from bot.cli.output import Format, OutputOption, answer, clean, count
from bot.cli.place import reading

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(no_args_is_help=True, help="List, show, export, replay and verify traces.")
TraceArgument = Annotated[str, typer.Argument(metavar="TRACE", help="Id of the trace.")]
TenantOption = Annotated[
    str | None, typer.Option("--tenant", help="Tenant, when several have a trace of this id.")
]


@app.command("list")
def list_(
    tenant: TenantOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, newest first.")] = 50,
    output: OutputOption = Format.TEXT,
) -> None:
    """List traces, the one that moved last first."""
    from bot.api.queries import recent

    with reading() as session:
        rows = recent(session, tenant, limit=limit)
    answer(output, {"traces": [row.to_json() for row in rows]}, text=lambda out: _table(out, rows))


@app.command()
def show(trace: TraceArgument, tenant: TenantOption = None, output: OutputOption = Format.TEXT) -> None:
    """Show what happened in a trace, in order, and where it stands."""
    from bot.api.queries import document
    from bot.cli.timeline import print_trace
    from bot.log import events, load

    with reading() as session:
        owner = owner_of(session, trace, tenant)
        state, happened = load(session, owner, trace), events(session, owner, trace)
    answer(output, document(state, happened), text=lambda out: print_trace(out, state, happened))


@app.command()
def export(
    trace: TraceArgument,
    out: Annotated[
        Path, typer.Option("--out", help="The archive to write (.tar.gz); it must not exist yet.")
    ],
    tenant: TenantOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Write events, artefacts and their checksums into one archive, for `sha256sum -c MANIFEST`."""
    from bot.log import events
    from bot.memory.archive import export as packed

    with reading() as session:
        owner = owner_of(session, trace, tenant)
        happened = events(session, owner, trace)
    content = packed(owner, trace, happened)
    with out.open("xb") as file:
        file.write(content)
    said = {"ok": True, "traceId": trace, "file": str(out), "bytes": len(content), "events": len(happened)}
    answer(
        output,
        said,
        text=lambda to: to.print(f"{out}: {len(happened)} events, {len(content)} bytes", markup=False),
    )


@app.command()
def replay(
    trace: TraceArgument,
    until: Annotated[int | None, typer.Option(min=0, help="Stop after the event of this sequence.")] = None,
    tenant: TenantOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Fold the events again, up to `--until`, and compare the stored state with the whole fold."""
    from bot.api.queries import snapshot
    from bot.cli.timeline import print_state
    from bot.log import replay as fold_again

    with reading() as session:
        owner = owner_of(session, trace, tenant)
        state, stored = fold_again(session, owner, trace, until), snapshot(session, owner, trace)
    document = {
        "traceId": trace,
        "until": state.sequence,
        "state": state.to_json(),
        "snapshot": stored.to_json(),
    }

    def text(out: Console) -> None:
        print_state(out, state)
        out.print(stored.sentence)

    answer(output, document, text=text)
    if stored.equal is False:
        raise typer.Exit(Code.FAILED)


@app.command()
def verify(
    trace: Annotated[
        str | None, typer.Argument(metavar="[TRACE]", help="Id of a trace; without it all are checked.")
    ] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Only traces of this tenant.")] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Recompute every hash and compare every column. Exit code 1 when anything was changed or is missing."""
    from bot.log import verify as check

    with reading() as session:
        if trace is not None:
            tenant = owner_of(session, trace, tenant)
        report = check(session, tenant, trace)
    answer(output, report, text=lambda out: out.print(_verdict(report), markup=False))
    if not report["ok"]:
        raise typer.Exit(Code.FAILED)


def _verdict(report: dict[str, Any]) -> str:
    seen = f"{count(report['traces'], 'trace')}, {count(report['events'], 'event')}"
    if report["ok"]:
        return f"Unchanged: {seen}, every hash is right."
    bad = report["first_bad"]
    where = clean(f"trace {bad['traceId']}, event {bad['sequence']}") if bad else "the database"
    return f"Changed: {where}: {clean(report.get('reason', 'wrong'))} ({seen} read)."


def owner_of(session: Any, trace: str, tenant: str | None) -> str:
    """The tenant of a trace. Raises Failure when there is no such trace, or several."""
    from bot.api.queries import owners

    found = [name for name in owners(session, trace) if tenant in {None, name}]
    if not found:
        raise Failure(
            f"There is no trace {trace!r}" + (f" of tenant {tenant!r}." if tenant else "."),
            reason_code="TraceNotFound",
        )
    if len(found) > 1:
        raise Failure(
            f"Several tenants have a trace {trace!r}: say --tenant {'|'.join(found)}.",
            Code.USAGE,
            reason_code="TenantRequired",
        )
    return found[0]


def _table(out: Console, rows: list[Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not rows:
        out.print("No traces yet.")
        return
    table = Table("trace", "tenant", "module", "step", "last", "updated", box=None, pad_edge=False)
    for row in rows:
        module = f"{row.module_id} {row.version}".strip() or row.repository
        table.add_row(
            *(
                Text(clean(cell))
                for cell in (
                    row.trace_id,
                    row.tenant_id,
                    module,
                    row.flow_state,
                    row.sentence,
                    row.updated_at,
                )
            )
        )
    out.print(table)
