"""Artefacts on disk and in an archive."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.domain.effect import Done, Provision, WriteMemory
from bot.domain.errors import Permanent, Retryable
from bot.domain.event import Event
from bot.domain.performer import EffectContext
from bot.memory.archive import archive, export
from bot.memory.writer import MemoryWriter
from tests.memory import build
from tests.memory.build import Trace


@dataclass
class Log:
    traces: dict[tuple[str, str], Trace] = field(default_factory=dict)

    def add(self, trace: Trace) -> EffectContext:
        self.traces[trace.state.tenant_id, trace.state.trace_id] = trace
        return EffectContext(trace.state.tenant_id, trace.state.trace_id, lambda _id: None)

    def events(self, tenant: str, trace: str) -> Sequence[Event]:
        return self.traces[tenant, trace].events


def on_disk(home: Path) -> dict[str, str]:
    files = (
        path for path in (home / "memory").rglob("*") if path.is_file() and not path.name.startswith(".")
    )
    return {str(path.relative_to(home)): path.read_text() for path in files}


def test_all_files_of_a_trace_are_written(tmp_path: Path) -> None:
    log, trace = Log(), build.story()
    done = MemoryWriter(tmp_path, log.events).perform("e1", WriteMemory(), log.add(trace))
    assert done == Done(id="e1", url=str(tmp_path / "memory/trace-2025-05-23-0012"))
    assert on_disk(tmp_path) == trace.files()
    assert {path.stat().st_mode & 0o077 for path in tmp_path.rglob("*") if path.is_file()} == {0}


def test_only_changed_files_are_touched(tmp_path: Path) -> None:
    log, trace = Log(), build.story()
    writer, context = MemoryWriter(tmp_path, log.events), log.add(trace)
    writer.perform("e1", WriteMemory(), context)
    before = {path: path.stat().st_ino for path in tmp_path.rglob("*.*") if path.is_file()}
    writer.perform("e2", WriteMemory(), context)
    assert {path: path.stat().st_ino for path in before} == before
    build.approve(trace, "production", "zoe")
    writer.perform("e3", WriteMemory(), context)
    changed = {path.name for path, inode in before.items() if path.stat().st_ino != inode}
    assert changed == {
        "ApprovalRecords.yaml",
        "PipelineSnapshot.yaml",
        "ReleaseSummary.json",
        "fsm-state.json",
        "timeline.yaml",
    }
    assert on_disk(tmp_path) == trace.files()


def test_two_tenants_with_one_trace_id_share_no_file(tmp_path: Path) -> None:
    log, ours, theirs = Log(), build.story(), Trace(tenant_id="petcare-labs")
    build.module(theirs)
    build.approve(theirs, "production", "mallory")
    writer = MemoryWriter(tmp_path, log.events)
    writer.perform("e1", WriteMemory(), log.add(ours))
    writer.perform("e2", WriteMemory(), log.add(theirs))
    writer.perform("e3", WriteMemory(), log.add(ours))
    ours_now = {path: text for path, text in on_disk(tmp_path).items() if path.startswith("memory/trace-")}
    assert ours_now == ours.files()
    assert "mallory" not in str(ours_now)
    beside = tmp_path / "memory/tenant-petcare-labs/trace-2025-05-23-0012/approvals/ApprovalRecords.yaml"
    assert "approvedBy: mallory" in beside.read_text()


def test_files_written_before_the_module_was_known_do_not_stay(tmp_path: Path) -> None:
    log, trace = Log(), Trace()
    writer, context = MemoryWriter(tmp_path, log.events), log.add(trace)
    build.infrastructure(trace, "staging")
    writer.perform("e1", WriteMemory(), context)
    assert any("/unassigned/" in path for path in on_disk(tmp_path))
    build.module(trace)
    writer.perform("e2", WriteMemory(), context)
    assert on_disk(tmp_path) == trace.files()


def test_a_disk_that_refuses_is_tried_again(tmp_path: Path) -> None:
    log = Log()
    (tmp_path / "memory").write_text("not a folder")
    with pytest.raises(Retryable, match="The artefacts could not be written"):
        MemoryWriter(tmp_path, log.events).perform("e1", WriteMemory(), log.add(build.story()))


def test_another_effect_is_refused(tmp_path: Path) -> None:
    effect = Provision(environment="staging", namespace="a-staging", module_id="m")
    with pytest.raises(Permanent, match="Provision is no effect on memory"):
        MemoryWriter(tmp_path, Log().events).perform("e1", effect, Log().add(Trace()))


def members(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        return {m.name: found.read() for m in tar.getmembers() if (found := tar.extractfile(m)) is not None}


def test_an_archive_holds_artefacts_events_and_sums(tmp_path: Path) -> None:
    trace = build.story()
    data = export(trace.state.tenant_id, trace.state.trace_id, trace.events)
    found = members(data)
    assert {
        name: text.decode() for name, text in found.items() if name.startswith("memory/")
    } == trace.files()
    lines = found["events.jsonl"].splitlines()
    assert [json.loads(line)["id"] for line in lines] == [event.id for event in trace.events]
    assert lines[0] == trace.events[0].canonical()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.extractall(tmp_path, filter="data")
    checked = subprocess.run(
        ["sha256sum", "-c", "MANIFEST"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert checked.stdout.count(": OK\n") == len(found) - 1


def test_the_manifest_finds_a_changed_byte(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(archive({"a": "text"}))
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    (tmp_path / "a").write_text("texT")
    checked = subprocess.run(
        ["sha256sum", "-c", "MANIFEST"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, "a: FAILED" in checked.stdout) == (1, True)


def test_the_same_trace_is_the_same_archive() -> None:
    first, second = build.story(), build.story()
    assert export("vetclinic-001", first.state.trace_id, first.events) == export(
        "vetclinic-001", second.state.trace_id, second.events
    )
    files = first.files()
    assert archive(files) == archive(dict(reversed(files.items())))
