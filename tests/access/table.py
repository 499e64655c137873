"""Tables of who may do what, as people read them: `x` may, `.` may not."""

from __future__ import annotations

YES, NO = "x", "."


def read(text: str) -> dict[str, dict[str, bool]]:
    """Row -> column -> whether it may. Raises ValueError for a table that is not one."""
    head, *rows = [line for line in text.strip().splitlines() if line.strip()]
    columns = head.partition("|")[2].split()
    found: dict[str, dict[str, bool]] = {}
    for row in rows:
        name, _, marks = row.partition("|")
        given = marks.split()
        if len(given) != len(columns) or set(given) - {YES, NO} or name.strip() in found:
            raise ValueError(f"not a row of this table: {row!r}")
        found[name.strip()] = {column: mark == YES for column, mark in zip(columns, given, strict=True)}
    return found
