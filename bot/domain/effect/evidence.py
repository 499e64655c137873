"""Effects on evidence: reading reports, recalling what the log knows, signing what was decided."""

from __future__ import annotations

from typing import Any, ClassVar

from bot.domain.effect.common import Effect


class GatherEvidence(Effect):
    """Read the reports that a pipeline run kept on `forge`: those of `kinds`. Result: `EvidenceResult`."""

    kind: ClassVar[str] = "GatherEvidence"
    target: str = "evidence"
    forge: str
    run: str
    revision: str
    kinds: tuple[str, ...]


class RecallCoverage(Effect):
    """How much of `module_id` was covered when the last change was merged into `branch`, by the log. Result:
    `CoverageResult`.
    """

    kind: ClassVar[str] = "RecallCoverage"
    target: str = "evidence"
    forge: str
    branch: str
    head: str = ""
    """Where the branch is now, as far as anybody knows."""
    module_id: str


class SignStatement(Effect):
    """Sign an in-toto statement with the bot's own key. Result: `SignedResult`.

    Signing again gives another envelope of the same words, which does no harm.
    """

    kind: ClassVar[str] = "SignStatement"
    target: str = "signer"
    environment: str
    release_id: str
    revision: str
    statement: dict[str, Any]
