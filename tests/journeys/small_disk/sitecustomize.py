"""Python starts with this when its folder is on PYTHONPATH: a database on a disk that a test makes full and empty.

The file named by SMALL_DISK holds the most pages that the SQLite file may have now; below its size means: full.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from bot.log import gate

LIMIT = Path(os.environ["SMALL_DISK"])
_execute = gate.GatedCursor.execute


def _limited(self: gate.GatedCursor, sql: str, parameters: Any = (), /) -> Any:
    if not self.connection.in_transaction:
        sqlite3.Cursor.execute(self, f"PRAGMA max_page_count={int(LIMIT.read_text())}")
    return _execute(self, sql, parameters)


gate.GatedCursor.execute = _limited  # type: ignore[method-assign]
