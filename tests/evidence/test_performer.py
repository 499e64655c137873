"""What pipelines kept becomes evidence: what gates ask for, and nothing else; what cannot be read is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain import effect as fx
from bot.domain.errors import Permanent
from bot.domain.event import Event, derived_id
from bot.domain.performer import EffectContext
from bot.evidence.performer import Gatherer
from bot.evidence.read import Reader
from bot.forges.port import REPORT_CAP, Report
from bot.log import Store, append
from tests.evidence import files as f

CONTEXT = EffectContext("acme", "trace-1", lambda _: None)


class Kept:
    """A forge on which one run kept these files."""

    def __init__(self, files: dict[str, bytes | None]) -> None:
        self.files = files
        self.asked: list[tuple[str, str]] = []

    def reports(self, repository: str, run: str) -> Iterator[Report]:
        self.asked.append((repository, run))
        yield from (Report(path, content) for path, content in self.files.items())


def gather(files: dict[str, bytes | None], *kinds: str, forge: str = "local") -> fx.EvidenceResult:
    asked = fx.GatherEvidence(repository="acme/clock", forge=forge, run="7", revision=f.SHA, kinds=kinds)
    store: Any = None  # reading reports asks nothing of the log
    result = Gatherer({"local": Kept(files)}, Reader(), store).perform("e1", asked, CONTEXT)
    assert isinstance(result, fx.EvidenceResult)
    return result


def test_only_what_gates_read_becomes_evidence() -> None:
    files = {
        "out/junit.xml": f.JUNIT_ALL_PASSED,
        "scan.sarif": f.sarif(),
        "notes.txt": b"hello",
        "image.png": b"\x89PNG",
    }
    result = gather(files, "sarif", "cyclonedx")
    assert [
        (one["kind"], one["path"], one["source"], one["run"], one["revision"]) for one in result.evidence
    ] == [("sarif", "scan.sarif", "pipeline", "7", f.SHA)]
    assert result.refused == {}


def test_what_cannot_be_read_is_told_and_the_rest_counts() -> None:
    files = {
        "bom.json": b'{"bomFormat": "CycloneDX"}',
        "cut.json": b'{"bomFormat": ',
        "big.xml": None,
        "good.json": f.bom(("a", f.licence("MIT"))),
    }
    result = gather(files, "cyclonedx")
    assert [one["path"] for one in result.evidence] == ["good.json"]
    assert set(result.refused) == {"bom.json", "cut.json", "big.xml"}
    assert result.refused["bom.json"].startswith("NotCycloneDx: specVersion is None")
    assert result.refused["big.xml"] == f"ReportTooLarge: the file is larger than {REPORT_CAP} bytes"


def test_a_run_that_keeps_too_much_is_bounded_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.evidence.performer.PER_REVISION", 2)
    result = gather({f"{n}.xml": f.JUNIT_ALL_PASSED for n in range(4)}, "junit")
    assert len(result.evidence) == 2
    assert result.refused == dict.fromkeys(
        ("2.xml", "3.xml"), "TooMuchEvidence: 2 reports of one run are kept"
    )


def test_a_forge_without_an_account_and_an_effect_of_others() -> None:
    with pytest.raises(Permanent, match="The bot has no account at a forge 'gitea'"):
        gather({}, "junit", forge="gitea")
    store: Any = None
    with pytest.raises(Permanent, match="WriteMemory is no effect on evidence"):
        Gatherer({}, Reader(), store).perform("e1", fx.WriteMemory(), CONTEXT)


BEGAN = datetime(2026, 11, 20, 9, tzinfo=UTC)


def merged(
    store: Store, trace: str, hours: int, coverage: float | None, *, tenant: str = "acme", **change: Any
) -> str:
    """A change that was merged so many hours after the beginning; its merge commit."""
    head, merge = (derived_id(trace, name) + "0" * 8 for name in ("head", "merge"))
    said = {"repository": "acme/clock", "number": 1, "source": "x", "target": "main", "head": head} | change
    facts: list[tuple[str, dict[str, Any]]] = [
        ("ModuleGenerated", {"repository": "acme/clock", "moduleId": "clock", "version": "1.0.0"}),
        ("ChangeOpened", said),
        (
            "PipelineFinished",
            {
                "repository": "acme/clock",
                "revision": head,
                "pipelineId": "1",
                "status": "success",
                "coverage": coverage,
            },
        ),
        ("ChangeMerged", said | {"mergeSha": merge, "tree": "t", "headTree": "t"}),
        ("pointsman.ApprovalsCarried", {"fromRevision": head, "toRevision": merge, "tree": "t"}),
    ]
    events = [
        Event(
            id=derived_id(tenant, trace, str(n)), source="test", type=type_, data=data, tenant_id=tenant,
            trace_id=trace, time=BEGAN + timedelta(hours=hours, seconds=n),
        )
        for n, (type_, data) in enumerate(facts)
    ]  # fmt: skip
    with store.begin() as session:
        append(session, events)
    return merge


def recall(store: Store, **more: Any) -> tuple[float | None, str]:
    asked = fx.RecallCoverage(
        **({"repository": "acme/clock", "forge": "local", "branch": "main", "module_id": "clock"} | more)
    )
    result = Gatherer({}, Reader(), store).perform("e1", asked, CONTEXT)
    assert isinstance(result, fx.CoverageResult)
    return result.coverage, result.revision


def test_the_log_recalls_the_coverage_of_the_change_that_was_merged_last(database_url: str) -> None:
    from bot.log.migrate import upgrade

    upgrade(database_url)
    store = Store(database_url)
    try:
        assert recall(store) == (None, "")
        merged(store, "trace-old", 1, 70.0)
        newest = merged(store, "trace-new", 5, 82.5)
        merged(store, "trace-untold", 6, None)
        merged(store, "trace-between", 3, 99.0)
        merged(store, "trace-elsewhere", 7, 10.0, target="release/1")
        merged(store, "trace-theirs", 8, 11.0, tenant="other")
        assert recall(store) == (82.5, newest)
        assert recall(store, module_id="other") == (None, "")
        assert recall(store, forge="github") == (None, "")
        assert recall(store, branch="release/1")[0] == 10.0
    finally:
        store.close()
