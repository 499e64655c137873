"""What a run kept on each forge becomes evidence, in one place and in one way."""

from __future__ import annotations

from typing import Any

from bot.domain import effect as e
from bot.domain.performer import EffectContext
from bot.evidence.performer import Gatherer
from bot.evidence.read import Reader
from bot.forges.capabilities import Feature
from tests.evidence import files as f
from tests.forges.conformance.stage import Stage


def test_reports_of_a_run_become_evidence(stage: Stage) -> None:
    head = str(stage.head("main"))
    run = stage.keep_reports(
        head,
        {
            "out/junit.xml": f.JUNIT_ONE_FAILED,
            "out/scan.sarif": f.sarif(f.result("CVE-1", "error")),
            "out/bom.json": f.bom(("a", f.licence("MIT"))),
        },
    )
    store: Any = None  # reading reports asks nothing of the log
    asked = e.GatherEvidence(
        repository=stage.repository, forge=stage.forge.name, run=run, revision=head, kinds=("sarif", "cyclonedx"),
    )  # fmt: skip
    gatherer = Gatherer({stage.forge.name: stage.forge}, Reader(), store)
    result = gatherer.perform("trace-1.000007.0", asked, EffectContext("acme", "trace-1", lambda _: None))
    assert isinstance(result, e.EvidenceResult)
    if not stage.forge.capabilities[Feature.REPORTS].yes:
        assert result.evidence == ()
        return
    found = {one["kind"]: one for one in result.evidence}
    assert set(found) == {"sarif", "cyclonedx"}
    assert found["sarif"]["scan"]["findings"][0]["id"] == "CVE-1"
    assert found["cyclonedx"]["parts"]["total"] == 1
    assert {one["revision"] for one in result.evidence} == {head}
