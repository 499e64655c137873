"""Small generated modules: a service, its test, and ways for a test to hold either of them up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COMMAND = ("python3", "app.py")
APP = """\
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERSION = {version!r}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({{"version": VERSION, "pid": os.getpid()}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    print(sorted(os.environ.items()), flush=True)
    {before}
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()


if __name__ == "__main__":
    main()
"""
TEST = """\
import os
import sys
import time
import unittest
from pathlib import Path

import app


class AppTest(unittest.TestCase):
    def test_version(self):
        print(sorted(os.environ.items()))
        {before}
        self.assertEqual(app.VERSION, {expected!r})
"""


def held_by(gate: Path, *, noting: Path | None = None) -> str:
    """A statement that waits until the file `gate` is there, for minutes; `noting`: a line per waiter."""
    note = f"Path({str(noting)!r}).open('a').write(str(os.getpid()) + chr(10)); " if noting else ""
    wait = f"any(Path({str(gate)!r}).exists() or time.sleep(0.05) for _ in range(4800))"
    return f"{note}{wait} or sys.exit('the gate never opened')"


def files(
    version: str = "1.0.0", *, before: str = "pass", test_before: str = "pass", expected: str = ""
) -> list[dict[str, Any]]:
    """What is submitted. `before` runs before the service listens, `test_before` in its test; `expected`
    is the version that the test wants to see.
    """
    app = APP.format(version=version, before=before)
    test = TEST.format(before=test_before, expected=expected or version)
    return [{"path": "app.py", "content": app}, {"path": "test_app.py", "content": test}]


def write(folder: Path, found: list[dict[str, Any]]) -> Path:
    """The same files on disk."""
    for file in found:
        path = folder / file["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file["content"])
    return folder
