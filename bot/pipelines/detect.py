"""Which template suits a folder, from the files in it. Pure: names and a few texts in, proposals out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

from bot.pipelines.template_model import Mark, Template

ENOUGH = 3
"""A score below it is no more than a guess."""


@dataclass(frozen=True)
class Proposal:
    """A module: its folder, the template that suits it best, and what speaks for it."""

    path: str
    module: str
    template: str
    score: int
    because: tuple[str, ...]
    others: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """As `pipeline detect` answers."""
        return {
            "path": self.path,
            "module": self.module,
            "template": self.template,
            "score": self.score,
            "because": list(self.because),
            "others": list(self.others),
        }


def texts_wanted(names: Iterable[str], loaded: Sequence[Template]) -> tuple[str, ...]:
    """The files whose text `detect` has to see."""
    marks = [mark for template in loaded for mark in template.detect if mark.text]
    return tuple(name for name in names if any(_ends(mark.file).search(name) for mark in marks))


def detect(
    names: Sequence[str], texts: Mapping[str, str], loaded: Sequence[Template], whole: str
) -> tuple[Proposal, ...]:
    """Modules by folder; `names` are paths in the repository, `whole` is what it is called itself.

    A folder below one of the same template belongs to that one.
    """
    found: list[Proposal] = []
    for folder in _folders(names, loaded):
        proposal = _best(folder, names, texts, loaded, whole)
        if proposal and not any(_below(folder, one.path, proposal.template, one.template) for one in found):
            found.append(proposal)
    return tuple(found)


def _folders(names: Iterable[str], loaded: Sequence[Template]) -> list[str]:
    """Folders in which some template finds a file of its own, outer ones first."""
    marks = [mark for template in loaded for mark in template.detect if not mark.file.startswith("**/")]
    found = set()
    for name in names:
        for mark in marks:
            match = _ends(mark.file).search(name)
            if match:
                found.add(name[: match.start()].rstrip("/") or ".")
    return sorted(found, key=lambda folder: (folder != ".", folder.count("/"), folder))


def _best(
    folder: str, names: Sequence[str], texts: Mapping[str, str], loaded: Sequence[Template], whole: str
) -> Proposal | None:
    inside = [name for name in names if folder == "." or name.startswith(f"{folder}/")]
    scored = []
    for template in loaded:
        spoken = [(mark, name) for mark in template.detect for name in _first(mark, folder, inside, texts)]
        score = sum(mark.score for mark, _ in spoken)
        if score >= ENOUGH:
            scored.append((-score, template.name, tuple(dict.fromkeys(name for _, name in spoken))))
    if not scored:
        return None
    (score, name, because), *others = sorted(scored)
    return Proposal(
        folder, _module(folder, whole), name, -score, because, tuple(other[1] for other in others)
    )


def _first(mark: Mark, folder: str, inside: Sequence[str], texts: Mapping[str, str]) -> Iterator[str]:
    """The first file of the folder that the mark means."""
    for name in inside:
        inner = name if folder == "." else name.removeprefix(f"{folder}/")
        named = _whole(mark.file).fullmatch(inner) is not None
        if named and (mark.text is None or re.search(mark.text, texts.get(name, ""))):
            yield name
            return


def _below(folder: str, other: str, template: str, of_other: str) -> bool:
    return template == of_other and (other == "." or folder.startswith(f"{other}/"))


def _module(folder: str, whole: str) -> str:
    """A name that a module may have, as near to the folder's as that goes."""
    name = whole if folder == "." else PurePosixPath(folder).name
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:59].rstrip("-")
    return plain if plain[:1].isalpha() else f"m-{plain}".rstrip("-")


@lru_cache(maxsize=256)
def _whole(pattern: str) -> re.Pattern[str]:
    parts = {"**/": "(?:.*/)?", "*": "[^/]*"}
    return re.compile(
        "".join(parts.get(part) or re.escape(part) for part in re.split(r"(\*\*/|\*)", pattern))
    )


@lru_cache(maxsize=256)
def _ends(pattern: str) -> re.Pattern[str]:
    """Found where a path ends as the pattern says; what stands before it is the folder."""
    return re.compile(rf"(?:^|(?<=/)){_whole(pattern.removeprefix('**/')).pattern}$")
