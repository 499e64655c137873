"""Reports of real runs: which files are kept, under which names, how much, how long."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain import effect as e
from bot.forges.local import kept
from bot.forges.port import REPORT_CAP
from tests.forges.local.test_pipelines import commit_files, ended
from tests.forges.world import REPOSITORY, World

PIPELINE = """
unit:
  script:
    - mkdir -p out/deep
    - echo '<testsuite/>' > out/unit.xml
    - echo '{"runs"}' > out/deep/scan.sarif
    - echo '{}' > app.cdx.json
    - echo secret > notes.txt
    - ln -s /etc/passwd out/junit-evil.xml
    - exit 3
  artifacts:
    when: always
    paths: [out/, app.cdx.json, notes.txt]
    reports: {junit: out/unit.xml}
again:
  script: [mkdir -p out, "echo '<testsuite/>' > out/unit.xml"]
  artifacts: {reports: {junit: out/unit.xml}}
"""


def read(world: World, run: str) -> dict[str, bytes | None]:
    return {report.path: report.content for report in world.forge.reports(REPOSITORY, run)}


def test_reports_of_a_run_are_kept_also_when_it_failed(world: World) -> None:
    world.repository()
    commit_files(world, (e.File(path=".gitlab-ci.yml", content=PIPELINE),))
    run = ended(world)[0].draft.data
    assert (run["status"], run["reason"]) == ("failed", "failed: unit")

    told = read(world, run["pipelineId"])

    assert told == {
        "out/unit.xml": b"<testsuite/>\n",
        "02-again/out/unit.xml": b"<testsuite/>\n",
        "out/deep/scan.sarif": b'{"runs"}\n',
        "app.cdx.json": b"{}\n",
    }
    left = {path.name for path in (world.home / "pipelines" / run["pipelineId"]).iterdir()}
    assert left == {"kept", "logs"}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("junit.xml", True), ("reports/TEST-app.xml", True), ("coverage.xml", True), ("cobertura-1.xml", True),
        ("bom.json", True), ("sbom.xml", True), ("a.cdx.json", True), ("a.sarif", True), ("a.sarif.json", True),
        ("a.spdx.json", True), ("a.dsse.json", True), ("a.intoto.jsonl", True), ("a.sigstore.json", True),
        ("app.py", False), ("data.json", False), ("index.xml", False), ("bomb.json", False), ("sarif", False),
    ],
)  # fmt: skip
def test_files_are_known_by_the_names_that_tools_give_them(name: str, found: bool) -> None:
    assert bool(kept.BY_NAME.search(name)) is found


def folders(tmp_path: Path, declared: dict[str, bytes]) -> tuple[Path, Path]:
    for path, content in declared.items():
        place = tmp_path / "declared" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return tmp_path / "declared", tmp_path / "artefacts"


def sizes(target: Path) -> dict[str, int]:
    return {
        path.relative_to(target).as_posix(): path.stat().st_size
        for path in target.rglob("*")
        if path.is_file()
    }


def test_names_that_are_taken_get_their_jobs_folder(tmp_path: Path) -> None:
    said = {"01-a/x": b"1", "02-b/x": b"22", "03-c/x/y": b"333", "04-d/02-b/x": b"4444", "05-e/02-b": b"5"}
    kept.keep(tmp_path / "kept", *folders(tmp_path, said))
    assert sizes(tmp_path / "kept") == {"x": 1, "02-b/x": 2, "03-c/x/y": 3, "04-d/02-b/x": 4, "05-e/02-b": 1}


def test_what_is_beyond_the_limits_is_told_as_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 10)
    monkeypatch.setattr(kept, "MOST", 3)
    said = {"01-a/a": b"12345", "01-a/b": b"1234567", "01-a/c": b"12345", "01-a/d": b""}
    kept.keep(tmp_path / "kept", *folders(tmp_path, said))
    assert sizes(tmp_path / "kept") == {"a": 5, "b": REPORT_CAP + 1, "c": 5, "d": REPORT_CAP + 1}
    assert (tmp_path / "kept" / "b").stat().st_blocks == 0


def test_reports_go_when_the_forge_is_tidied_and_not_before(world: World) -> None:
    world.repository()
    commit_files(world, (e.File(path=".gitlab-ci.yml", content=PIPELINE),))
    run = ended(world)[0].draft.data["pipelineId"]

    world.forge.tidy("2000-01-01T00:00:00.000Z")
    assert read(world, run)
    world.forge.tidy("2100-01-01T00:00:00.000Z")
    assert read(world, run) == {}
    assert not (world.home / "pipelines" / run / "kept").exists()
    assert (world.home / "pipelines" / run / "logs").exists()
