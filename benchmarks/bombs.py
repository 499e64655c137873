"""Policies that mean harm: `python -m benchmarks.bombs KIND` prints `{"ms": ..., "mb": ...}`.

Each is refused in a process of its own. `ms` is processor time until it is refused, `mb` how far the peak of
the process's memory grew meanwhile.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable

import policies
from policies.source import LARGEST

WARM = "version: 1\nenvironments: {production: {}}\n"


def _aliases() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines) + "\n"


def _merges() -> str:
    return "a: &a {x: 1}\n" + "".join(f"b{n}: {{<<: *a}}\n" for n in range(3_000))


BOMBS: dict[str, Callable[[], str]] = {
    "aliases": _aliases,
    "merge keys": _merges,
    "depth, flow": lambda: "a: " + "[" * 60_000,
    "depth, block": lambda: "".join(f"{' ' * n}a:\n" for n in range(480)),
    "depth, keys": lambda: "? " * 30_000,
    "size": lambda: "x" * (50 * LARGEST),
    "values": lambda: "a: [" + "1," * 60_000 + "1]\n",
    "duplicate keys": lambda: "a: 1\n" * 20_000,
    "tags": lambda: "a: !!python/object/apply:os.system [id]\n" * 2_000,
    "long scalar": lambda: "a: '" + "x" * (LARGEST - 20) + "'\n",
    "long key": lambda: '"' + "k" * 100_000 + '": 1\n',
    "numbers": lambda: "a: [" + ",".join(["9" * 4_000] * 30) + "]\n",
    "directives": lambda: "%YAML 1.1\n---\na: 1\n",
    "documents": lambda: "---\na: 1\n" * 10_000,
}
"""What is wrong with each -> its text."""
NAMED = ("aliases", "merge keys", "depth, flow", "depth, block", "size", "duplicate keys", "tags")
"""Those that are refused within 100 ms. The others are read as far as a policy of the largest size is."""


def refused(kind: str) -> dict[str, float]:
    """Milliseconds and megabytes until the text is refused. Raises AssertionError when it is not."""
    text = BOMBS[kind]()
    policies.load(WARM)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    try:
        policies.load(text)
    except policies.PolicyErrors:
        took = time.process_time() - began
    else:
        raise AssertionError(f"{kind} was let in")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"ms": took * 1e3, "mb": grown / 1024}


if __name__ == "__main__":
    print(json.dumps(refused(sys.argv[1])))
