"""Findings on a terminal: what is so, then what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.failure import Code
from bot.cli.output import Format, answer, clean, count
from bot.forges.finding import Finding, Standing
from bot.telemetry import redact

if TYPE_CHECKING:
    from rich.console import Console

SIGNS = {Standing.OK: ("✓", "green"), Standing.WARNING: ("!", "yellow"), Standing.BROKEN: ("✗", "red")}
Found = Mapping[str, Sequence[Finding]]


def tell(found: Found, output: Format) -> None:
    """All findings by who made them. Ends with 1 when something does not work."""
    bad = sum(one.standing is Standing.BROKEN for some in found.values() for one in some)
    listed = [_json(place, one) for place, some in found.items() for one in some]
    answer(output, {"ok": not bad, "findings": listed}, text=lambda out: _print(out, found, bad))
    raise typer.Exit(Code.FAILED if bad else Code.OK)


def _json(place: str, one: Finding) -> dict[str, Any]:
    says = redact(one.says)
    return {"place": place, "about": one.about, "standing": one.standing, "says": says, "do": one.do}


def _print(out: Console, found: Found, bad: int) -> None:
    from rich.text import Text

    for place, some in found.items():
        out.print(Text(place, style="bold"))
        for one in some:
            sign, style = SIGNS[one.standing]
            out.print(Text(f"  {sign} ", style=style) + Text(clean(f"{one.about}: {redact(one.says)}")))
            if one.do:
                out.print(Text(clean(f"    → {one.do}")))
    out.print(Text("Everything works." if not bad else f"{count(bad, 'thing')} to mend."))
