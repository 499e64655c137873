"""Looks for values everywhere they must not be: files, rows, Git objects (which are compressed), answers.

A value is looked for as it is, as JSON and URLs write it, and in base64 wherever in a text it began.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

import sqlalchemy as sa

from bot.log import Store


def leaks(home: Path, database: str, heard: Iterable[bytes], values: Iterable[str]) -> list[str]:
    """Where any of `values` was found. Values are never part of the answer."""
    needles = sorted({form for value in values for form in forms(value)})
    return [
        place for place, content in _everything(home, database, heard) if any(n in content for n in needles)
    ]


LEAST = 16
"""A shorter text would be found by chance."""


def forms(value: str) -> set[bytes]:
    """Every way to write a value that is looked for. Of a key of many lines, each line is a value."""
    lines = [line for line in value.splitlines() if len(line) >= LEAST and not line.startswith("-----")]
    assert lines, "a short value would be found by chance"
    whole = {value} if lines == [value] else {value, *lines}
    return {form for one in whole for form in _written(one)}


def _written(value: str) -> set[bytes]:
    texts = {value, json.dumps(value)[1:-1], quote(value, safe=""), quote_plus(value)}
    found = {text.encode() for text in texts}
    for before in range(3):
        # What stands before a value decides how its letters fall on base64's groups of three; the group at
        # either end is shared with a neighbour.
        coded = base64.b64encode(b"\0" * before + value.encode()).decode()
        inner = coded[4 if before else 0 : len(coded) // 4 * 4 - 4]
        found |= {inner.encode(), inner.translate(str.maketrans("+/", "-_")).encode()}
    return {form for form in found if len(form) >= LEAST}


def _everything(home: Path, database: str, heard: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    for path in sorted(home.rglob("*")):
        yield f"the name {path.relative_to(home)}", str(path).encode()
        with suppress(FileNotFoundError):  # a living house tidies up
            if path.is_file() and not path.is_symlink():
                yield str(path.relative_to(home)), path.read_bytes()
    for repository in sorted((home / "forge" / "repositories").rglob("*.git")):
        every = ["git", "-C", str(repository), "cat-file", "--batch-all-objects", "--batch", "--buffer"]
        done = subprocess.run(every, capture_output=True, check=True)
        yield f"the objects of {repository.name}", done.stdout
    if not database.startswith("sqlite"):
        yield from _rows(database)
    for number, content in enumerate(heard):
        yield f"answer {number}: {content[:80]!r}", content


def _rows(database: str) -> Iterator[tuple[str, bytes]]:
    store = Store(database)
    try:
        inspector = sa.inspect(store.engine)
        with store.engine.connect() as connection:
            for schema in ("public", "dbos"):
                for table in inspector.get_table_names(schema):
                    rows = connection.execute(sa.text(f'SELECT * FROM "{schema}"."{table}"'))
                    for row in rows:
                        yield f"table {table}", b"\n".join(_bytes(value) for value in row)
    finally:
        store.close()


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
