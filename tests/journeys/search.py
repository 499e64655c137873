"""Looks for values everywhere they must not be: files, rows, Git objects (which are compressed), answers."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from bot.log import Store


def leaks(home: Path, database: str, heard: Iterable[bytes], values: Iterable[str]) -> list[str]:
    """Where any of `values` was found. Values are never part of the answer."""
    needles = [value.encode() for value in values]
    assert all(len(needle) >= 16 for needle in needles), "a short value would be found by chance"
    return [
        place for place, content in _everything(home, database, heard) if any(n in content for n in needles)
    ]


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
