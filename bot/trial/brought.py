"""What a revision brings: its `.pointsman/` folder, and the files outside that its policy names."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import policies
from bot.domain import payloads as p
from bot.domain.effect import GatherFacts, TryPolicy
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.domain.release import POLICY_FILE
from bot.forges.port import Forge
from policies.source import LARGEST

FOLDER = str(PurePosixPath(POLICY_FILE).parent)
TESTS = f"{FOLDER}/tests/"
NO_FILE = "version: 1\n"
MOST_FILES = 500
LARGEST_CALENDAR = 1024 * 1024


@dataclass(frozen=True)
class Brought:
    """Path in the repository -> text. `others` are the calendars and extended files outside the folder."""

    folder: Mapping[str, str]
    others: Mapping[str, str]

    @property
    def text(self) -> str:
        """Of the policy; what holds without one when the change takes it away."""
        return self.folder.get(POLICY_FILE, NO_FILE)

    @property
    def known(self) -> dict[str, str]:
        return {**self.others, **self.folder}

    def load(self, organisation: str | None) -> policies.Policy:
        """The policy with everything it lies over. Raises PolicyErrors."""
        named = extended(self.text, self.known)
        files = tuple((path, self.known[path]) for path in named if path in self.known)
        return policies.load(self.text, name=POLICY_FILE, files=files, organisation=organisation)

    def suites(self) -> dict[str, str]:
        """Name -> text of every file of unit tests."""
        return {
            path.removeprefix(TESTS): text
            for path, text in sorted(self.folder.items())
            if path.startswith(TESTS) and path.endswith((".yaml", ".yml"))
        }


def extended(text: str, known: Mapping[str, str]) -> list[str]:
    """The files that a policy extends, one by the other, the first unknown one included."""
    found: list[str] = []
    path = policies.extended(text)
    while path and path not in found:
        found.append(path)
        path = policies.extended(known.get(path, ""))
    return found


def read(forge: Forge, effect_id: str, effect: TryPolicy, context: EffectContext) -> Brought:
    """Everything that the trial needs of the forge. Raises Retryable, Permanent."""
    brought = Brought(_exported(forge, effect), {})
    while missing := _missing(brought, effect.organisation):
        found = _looked_up(forge, effect_id, effect, context, missing)
        brought = Brought(brought.folder, {**brought.others, **found})
        if missing - found.keys():
            break  # the policy says itself what is not there
    return brought


def _missing(brought: Brought, organisation: str | None) -> set[str]:
    named = set(extended(brought.text, brought.known)) - brought.known.keys()
    if named:
        return named
    try:
        policy = brought.load(organisation)
    except policies.PolicyErrors:
        return set()
    return {str(freeze.ics) for freeze in policy.freezes if freeze.ics} - brought.known.keys()


def _exported(forge: Forge, effect: TryPolicy) -> dict[str, str]:
    with tempfile.TemporaryDirectory(prefix="pointsman-trial-") as folder:
        into = Path(folder) / "brought"
        try:
            forge.export(effect.repository, effect.revision, FOLDER, into)
        except Permanent as gone:
            if gone.reason_code != "PathMissing":
                raise
            return {}
        return _texts(into)


def _texts(into: Path) -> dict[str, str]:
    files = sorted(path for path in into.rglob("*") if path.is_file() and not path.is_symlink())
    if len(files) > MOST_FILES:
        message = f"{FOLDER}/ has {len(files)} files, {MOST_FILES} are read at most"
        raise Permanent("TreeTooLarge", message)
    return {f"{FOLDER}/{path.relative_to(into).as_posix()}": _text(path) for path in files}


def _text(path: Path) -> str:
    """One byte over what a policy may have is enough for it to be refused as too large."""
    most = LARGEST_CALENDAR if path.suffix == ".ics" else LARGEST
    with path.open("rb") as stream:
        return stream.read(most + 1).decode("utf-8", errors="surrogateescape")


def _looked_up(
    forge: Forge, effect_id: str, effect: TryPolicy, context: EffectContext, paths: Iterable[str]
) -> dict[str, str]:
    wanted = GatherFacts(
        target=effect.forge,
        repository=effect.repository,
        purpose="policy",
        correlation=effect_id,
        branch=effect.branch,
        paths=tuple(sorted(paths)),
    )
    gathered = forge.perform(effect_id, wanted, context)
    assert isinstance(gathered, p.FactsGathered)
    return {path: text for path, text in gathered.files.items() if text is not None}
