"""`python -m docs.generate`: write the generated pages; `--check` only says which are stale (exit 1)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from docs.generate import cli, commands, events, forges, policy, settings

DOCS = Path(__file__).parents[1]
BEGIN, END = "<!-- reference: written by `make docs` -->", "<!-- end of reference -->"


def _within(name: str, reference: Callable[[], str]) -> str:
    """A page written by hand, with its reference made anew."""
    before, _, rest = (DOCS / name).read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{reference()}\n\n{END}{after}"


PAGES: dict[str, Callable[[], str]] = {
    "events.md": events.text,
    "commands.md": commands.text,
    "cli.md": cli.text,
    "settings.md": settings.text,
    "policy.md": lambda: _within("policy.md", policy.text),
    "forges.md": lambda: _within("forges.md", forges.text),
}


def stale() -> dict[str, str]:
    """Pages that differ from what the code says -> what they should be."""
    wanted = {name: make() for name, make in PAGES.items()}
    return {name: text for name, text in wanted.items() if _read(name) != text}


def _read(name: str) -> str | None:
    path = DOCS / name
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(arguments: list[str]) -> int:
    """Write, or with `--check` name, the stale pages."""
    found = stale()
    check = arguments == ["--check"]
    for name, text in found.items():
        if not check:
            (DOCS / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"docs/{name}: {'stale, run `make docs`' if check else 'written'}\n")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
