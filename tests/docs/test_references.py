"""What the documentation points at exists: links, files, commands, options, targets, settings."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

from bot.cli.lazy import NOUNS
from bot.settings import Settings
from docs.generate.cli import commands
from tests.docs.pages import ROOT, anchors, links, name, pages, spans, steps

PAGES = pages()
FOLDERS = "bot|handlers|policies|pipelines-templates|tests|docs|benchmarks|\\.github|\\.ci"
A_FILE = re.compile(rf"(?:{FOLDERS})/[\w./*<>-]*")
AT_THE_TOP = re.compile(
    r"[A-Z]+\.md|Makefile|LICENSE|Containerfile|compose\.yaml|pyproject\.toml|[\w-]+\.lock"
)
SAID = re.compile(r"(?:^|[\s`(=$])(?:\.venv/bin/)?pointsman((?: [a-z][a-z-]*)+)?([^\n`|]*)")
TARGET = re.compile(r"\bmake ([a-z]+)\b")
SETTING = re.compile(r"\bPOINTSMAN_[A-Z_]+\b")
OPTION = re.compile(r"(?<=\s)--[a-z][a-z-]*")
OTHER_SETTINGS = {
    "POINTSMAN_TEST_POSTGRES_URL": "tests/support",
    "POINTSMAN_URL": "bot/cli",
    "POINTSMAN_TOKEN": "bot/cli",
    "POINTSMAN_DEBUG": "bot/cli",
}
"""Variables that are no setting of the bot, and where they are read."""


def each(page: Path) -> pytest.param:  # type: ignore[valid-type]
    return pytest.param(page, id=name(page))


everywhere = pytest.mark.parametrize("page", [each(page) for page in PAGES])


def code(page: Path) -> list[str]:
    """Inline code, and the lines of shell blocks."""
    shell = [step.text.splitlines() for step in steps(page) if step.language in {"sh", "console", "text"}]
    return [*spans(page), *chain.from_iterable(shell)]


@everywhere
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for link in links(page):
        target, _, fragment = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (fragment and fragment not in anchors(file)):
            lost.append(link)
    assert not lost


@everywhere
def test_files_that_are_named_exist(page: Path) -> None:
    made = {step.path for step in steps(page)}
    named = [span for span in spans(page) if A_FILE.fullmatch(span) or AT_THE_TOP.fullmatch(span)]
    patterns = {path: re.sub(r"<\w+>", "*", path).rstrip("/") for path in named if path not in made}
    # A recipe also names what it does not write itself, in a folder that is there.
    assert [path for path, pattern in patterns.items() if not list(ROOT.glob(pattern))] == []


@everywhere
def test_commands_that_are_shown_parse(page: Path) -> None:
    known = dict(commands())
    wrong = []
    for line in code(page):
        for words, rest in SAID.findall(line):
            said = words.split()
            noun = said[0] if said else ""
            if not noun:
                continue
            full = " ".join(said[:2])
            command = known.get(full) or known.get(noun)
            if command is None and (noun not in NOUNS or len(said) > 1):
                wrong.append(line)
            elif command is not None:
                takes = {opt for parameter in command.params for opt in parameter.opts} | {"--help"}
                wrong += [line for option in OPTION.findall(f" {rest}") if option not in takes]
    assert not wrong


@everywhere
def test_make_targets_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {found for line in code(page) for found in TARGET.findall(line)}
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@everywhere
def test_settings_exist(page: Path) -> None:
    known = {f"POINTSMAN_{field.upper()}" for field in Settings.model_fields} | OTHER_SETTINGS.keys()
    assert set(SETTING.findall(page.read_text(encoding="utf-8"))) - known == set()


@pytest.mark.parametrize(("variable", "folder"), OTHER_SETTINGS.items())
def test_other_variables_are_read(variable: str, folder: str) -> None:
    assert any(variable in path.read_text(encoding="utf-8") for path in (ROOT / folder).rglob("*.py"))


def test_every_page_can_be_reached() -> None:
    """From the README, by links."""
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        targets = (
            (page.parent / link.partition("#")[0]).resolve() for link in links(page) if ":" not in link
        )
        waiting += [target for target in targets if target.suffix == ".md" and target.exists()]
    assert [name(page) for page in PAGES if page not in seen] == []
