"""The one place where what pipelines kept becomes evidence, and where the log is asked what it knows.

Performs `GatherEvidence` and `RecallCoverage`. A report that cannot be read is told with its reason; the
others count all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from bot.domain.effect import CoverageResult, Effect, EvidenceResult, GatherEvidence, RecallCoverage
from bot.domain.errors import Invalid, Permanent
from bot.domain.model import Model
from bot.domain.payloads.evidence import PER_REVISION
from bot.domain.performer import EffectContext
from bot.evidence import recall
from bot.evidence.read import About, Given, Reader, kind_of
from bot.forges.port import REPORT_CAP, Report
from bot.log.store import Store

TOLD = 20
"""So many refused reports are told by name."""
NOT_ONES = frozenset({"UnknownKind"})
"""Pipelines keep what they like: a file that is no report at all is passed over."""


class Keeps(Protocol):
    """What is asked of a forge (bot.forges.port.Forge)."""

    def reports(self, repository: str, run: str) -> Iterator[Report]: ...


class Gatherer:
    """Performs effects on evidence. `forges` by name."""

    def __init__(self, forges: Mapping[str, Keeps], reader: Reader, store: Store) -> None:
        self.forges = forges
        self.reader = reader
        self.store = store

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:  # noqa: ARG002  reading leaves no mark
        if isinstance(effect, GatherEvidence):
            return self._gathered(effect)
        if isinstance(effect, RecallCoverage):
            with self.store.read() as session:
                coverage, revision = recall.coverage(session, context.tenant_id, effect)
            return CoverageResult(coverage=coverage, revision=revision)
        raise Permanent("UnknownEffect", f"{effect.kind} is no effect on evidence.")

    def _gathered(self, effect: GatherEvidence) -> EvidenceResult:
        forge = self.forges.get(effect.forge)
        if forge is None:
            raise Permanent("UnknownForge", f"The bot has no account at a forge {effect.forge!r}.")
        about = About(effect.repository, effect.revision, "pipeline", effect.run)
        found: list[dict[str, Any]] = []
        refused: dict[str, str] = {}
        for report in forge.reports(effect.repository, effect.run):
            try:
                said = self._read(report, about, effect.kinds)
            except Invalid as error:
                if error.reason_code not in NOT_ONES:
                    refused[report.path] = f"{error.reason_code}: {error.message}"
                continue
            if said is not None and len(found) == PER_REVISION:
                refused[report.path] = f"TooMuchEvidence: {PER_REVISION} reports of one run are kept"
            elif said is not None:
                found.append(said.to_json())
        return EvidenceResult(evidence=tuple(found), refused=dict(list(refused.items())[:TOLD]))

    def _read(self, report: Report, about: About, kinds: tuple[str, ...]) -> Model | None:
        """What a report says; None for one of a kind that nobody asked for."""
        if report.content is None:
            raise Invalid("ReportTooLarge", f"the file is larger than {REPORT_CAP} bytes")
        given = Given(report.content, report.path)
        return self.reader.read(given, about) if kind_of(given) in kinds else None
