"""A table that only grows is counted without reading all of it again, and without losing a row that comes late."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bot.metrics.growing import Growing


class Table:
    """Numbers of rows that can be seen, and how many were looked at."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = set(numbers)
        self.read = 0

    def between(self, _session: Any, after: int, until: int) -> Counter[tuple[Any, ...]]:
        found = [number for number in self.numbers if after < number <= until]
        self.read += len(found)
        return Counter({("rows",): len(found)})


def counted(table: Table, growing: Growing) -> int:
    return growing.total(None, max(table.numbers, default=0))[("rows",)]  # type: ignore[arg-type]


def test_every_row_is_counted_once_however_often_it_is_asked() -> None:
    table = Table()
    growing = Growing(table.between, margin=10)
    for number in range(1, 100):
        table.numbers.add(number)
        if number % 7 == 0:
            assert counted(table, growing) == number
    assert counted(table, growing) == counted(table, growing) == 99


def test_what_is_settled_is_not_read_again() -> None:
    table = Table(*range(1, 1001))
    growing = Growing(table.between, margin=10)
    counted(table, growing)
    table.read = 0
    assert counted(table, growing) == 1000
    assert table.read == 10


def test_a_row_that_shows_late_with_a_smaller_number_is_counted() -> None:
    """Another transaction had taken 995 and had not ended."""
    table = Table(*(number for number in range(1, 1001) if number != 995))
    growing = Growing(table.between, margin=10)
    assert counted(table, growing) == 999
    table.numbers.add(995)
    assert counted(table, growing) == 1000


def test_without_a_margin_that_row_would_be_lost() -> None:
    """So the test above can fail."""
    table = Table(*(number for number in range(1, 1001) if number != 995))
    growing = Growing(table.between, margin=0)
    counted(table, growing)
    table.numbers.add(995)
    assert counted(table, growing) == 999
