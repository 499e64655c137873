"""Runs for real: processes, files, limits, ends."""

import sys
import threading
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.forges.local.runner import CaseResult, JobResult, Limits, RunContext, RunResult
from tests.runner.project import make

MAIN = RunContext(branch="main")


def log(result: RunResult, name: str) -> str:
    (job,) = (job for job in result.jobs if job.name == name)
    assert job.log_path is not None
    return job.log_path.read_text()


def statuses(result: RunResult) -> dict[str, str]:
    return {job.name: job.status for job in result.jobs}


def gone(pid: int) -> bool:
    """Whether the process has ended within a second; what waits to be collected has ended."""
    for _ in range(20):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_run_reports_every_job_with_its_times_and_log(tmp_path: Path) -> None:
    text = """
stages: [build, test]
build: {stage: build, script: [echo one]}
unit: {script: [exit 3]}
late: {stage: .post, script: x}
"""
    heard: list[JobResult] = []
    result = make(tmp_path / "p", text).run(on_job=heard.append)
    assert (result.status, result.reason) == ("failed", "failed: unit")
    assert heard == list(result.jobs)
    build, unit, late = result.jobs
    assert (build.status, build.stage, build.exit_code, build.duration_s) == ("success", "build", 0, 1.0)
    assert (unit.status, unit.exit_code, unit.failure_reason) == ("failed", 3, "exit code 3")
    assert (late.status, late.exit_code, late.failure_reason, late.started_at) == (
        "skipped",
        None,
        "unit failed",
        None,
    )
    assert log(result, "build") == "$ echo one\none\n"
    assert log(result, "unit") == "$ exit 3\njob failed: exit code 3\n"
    assert unit.started_at is not None
    assert build.finished_at is not None
    assert unit.started_at > build.finished_at


def test_nothing_of_the_run_is_left_but_logs_artefacts_and_reports(tmp_path: Path) -> None:
    result = make(tmp_path / "p", "a: {script: [echo x > x], artifacts: {paths: [x]}}").run()
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["artefacts", "logs", "reports"]
    assert (result.artefacts / "01-a" / "x").read_text() == "x\n"
    assert result.jobs[0].artefacts == result.artefacts / "01-a"


def test_the_environment_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_CANARY", "sings")
    monkeypatch.setenv("GITHUB_TOKEN", "canary-token")
    result = make(tmp_path / "p", "a: {variables: {MINE: x}, script: ['env | sort']}").run()
    lines = log(result, "a").splitlines()[1:]
    names = {line.partition("=")[0] for line in lines}
    assert {name for name in names if not name.startswith("CI_")} == {
        *("CI", "GITLAB_CI", "MINE", "PATH", "HOME", "TMPDIR", "LANG"),
        *("PWD", "SHLVL", "_"),  # the shell's own
    }
    home = next(line for line in lines if line.startswith("HOME="))
    assert str(tmp_path / "run") in home


def test_python_of_a_job_is_ours(tmp_path: Path) -> None:
    result = make(tmp_path / "p", "a: {script: [\"python3 -c 'import sys; print(sys.executable)'\"]}").run()
    assert Path(log(result, "a").splitlines()[1]).parent == Path(sys.executable).parent


def test_a_timeout_kills_the_job_and_its_grandchildren(tmp_path: Path) -> None:
    text = """
slow:
  timeout: 3s
  script:
    - (sleep 300 & echo $! > $MARKS/child; bash -c 'sleep 300 & echo $! > $MARKS/grandchild; wait') & wait
after: {stage: deploy, script: [echo never]}
"""
    context = RunContext(branch="main", variables={"MARKS": str(tmp_path)})
    began = time.monotonic()
    result = make(tmp_path / "p", text).run(context)
    assert time.monotonic() - began < 60
    assert statuses(result) == {"slow": "failed", "after": "skipped"}
    assert (result.jobs[0].failure_reason, result.jobs[0].exit_code) == ("longer than 3 s", None)
    assert "job failed: longer than 3 s" in log(result, "slow")
    assert gone(int((tmp_path / "child").read_text()))
    assert gone(int((tmp_path / "grandchild").read_text()))


def test_a_job_that_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    text = (
        "deaf: {timeout: 3s, script: [\"trap '' TERM; echo $$ > $MARKS/pid; while true; do sleep 1; done\"]}"
    )
    result = make(tmp_path / "p", text).run(RunContext(branch="main", variables={"MARKS": str(tmp_path)}))
    assert result.jobs[0].failure_reason == "longer than 3 s"
    assert gone(int((tmp_path / "pid").read_text()))


def test_what_a_job_leaves_running_is_killed_and_not_waited_for(tmp_path: Path) -> None:
    text = "leaves: {script: ['sleep 300 & echo $! > $MARKS/pid']}"
    began = time.monotonic()
    result = make(tmp_path / "p", text).run(RunContext(branch="main", variables={"MARKS": str(tmp_path)}))
    assert time.monotonic() - began < 60
    assert result.status == "success"
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_process_that_left_the_group_does_not_hold_up_the_run(tmp_path: Path) -> None:
    text = "escapes: {script: ['setsid sleep 40 & sleep 0.2; echo done']}"
    began = time.monotonic()
    result = make(tmp_path / "p", text).run()
    assert time.monotonic() - began < 30
    assert log(result, "escapes").endswith("done\n")


def test_cancelling_kills_running_jobs_and_starts_no_other(tmp_path: Path) -> None:
    text = """
stages: [a, b]
long: {stage: a, script: [echo $$ > $MARKS/pid, sleep 300]}
next: {stage: b, when: always, script: [echo x]}
"""
    cancelled = threading.Event()

    def cancel_when_started() -> None:
        while not (tmp_path / "pid").exists():
            time.sleep(0.02)
        cancelled.set()

    threading.Thread(target=cancel_when_started, daemon=True).start()
    result = make(tmp_path / "p", text).run(
        RunContext(branch="main", variables={"MARKS": str(tmp_path)}), cancelled=cancelled
    )
    assert (result.status, result.reason) == ("canceled", "canceled")
    assert statuses(result) == {"long": "canceled", "next": "canceled"}
    assert gone(int((tmp_path / "pid").read_text()))


def test_the_whole_run_has_a_limit(tmp_path: Path) -> None:
    text = "stages: [a, b]\nlong: {stage: a, script: [sleep 300]}\nnext: {stage: b, script: [echo x]}"
    result = make(tmp_path / "p", text).run(limits=Limits(run_s=3))
    assert (result.status, result.reason) == ("failed", "the run took longer than 3 s")
    assert statuses(result) == {"long": "failed", "next": "skipped"}


def test_a_listener_that_raises_ends_the_run_at_once(tmp_path: Path) -> None:
    text = "stages: [a]\nshort: {stage: a, script: ['true']}\nlong: {stage: a, script: [sleep 300]}"

    def broken(_result: JobResult) -> None:
        raise RuntimeError("nobody listens")

    began = time.monotonic()
    with pytest.raises(RuntimeError, match="nobody listens"):
        make(tmp_path / "p", text).run(on_job=broken)
    assert time.monotonic() - began < 60


def test_files_larger_than_the_limit_can_not_be_written(tmp_path: Path) -> None:
    text = "big: {script: ['head -c 3000000 /dev/zero > big; echo not reached']}"
    result = make(tmp_path / "p", text).run(limits=Limits(file_bytes=1_000_000))
    assert result.status == "failed"
    assert "not reached" not in log(result, "big").splitlines()


def test_open_files_and_processor_time_are_limited(tmp_path: Path) -> None:
    text = """
files: {script: ['ulimit -n']}
spin: {script: ['while true; do :; done']}
"""
    result = make(tmp_path / "p", text).run(limits=Limits(open_files=77, cpu_s=1))
    assert log(result, "files").splitlines()[1] == "77"
    assert statuses(result) == {"files": "success", "spin": "failed"}


def test_artefacts_larger_than_the_limit_fail_the_job(tmp_path: Path) -> None:
    text = "big: {script: [head -c 3000 /dev/zero > big], artifacts: {paths: [big]}}"
    result = make(tmp_path / "p", text).run(limits=Limits(artefact_bytes=1000))
    assert result.jobs[0].failure_reason == "the runner failed: artefacts are larger than 1000 bytes"


def test_a_long_log_is_cut_and_the_job_goes_on(tmp_path: Path) -> None:
    text = "talks: {script: ['seq 100000', echo done > out], artifacts: {paths: [out]}}"
    result = make(tmp_path / "p", text).run(limits=Limits(log_bytes=1000))
    assert result.status == "success"
    assert log(result, "talks").endswith("[the log ends here: it is longer than 1000 bytes]\n")
    assert len(log(result, "talks")) < 1100
    assert (result.artefacts / "01-talks" / "out").exists()


def test_secrets_never_reach_the_log(tmp_path: Path) -> None:
    text = """
leaks:
  script:
    - echo $TOKEN
    - printf s3cr; sleep 0.2; printf '3t-value\\n'
    - echo $TOKEN >&2; exit 1
"""
    context = RunContext(
        branch="main", variables={"TOKEN": "s3cr3t-value"}, masked=(SecretStr("s3cr3t-value"),)
    )
    result = make(tmp_path / "p", text).run(context)
    assert "s3cr3t-value" not in log(result, "leaks")
    assert log(result, "leaks").count("[MASKED]") == 3
    assert "s3cr3t-value" not in repr(context.masked)


def test_allow_failure_lets_the_run_succeed(tmp_path: Path) -> None:
    text = """
stages: [a, b]
may: {stage: a, allow_failure: true, script: [exit 9]}
next: {stage: b, script: ['true']}
"""
    result = make(tmp_path / "p", text).run()
    assert (result.status, result.reason) == ("success", "")
    assert [(job.status, job.allow_failure, job.exit_code) for job in result.jobs] == [
        ("failed", True, 9),
        ("success", False, 0),
    ]


def test_always_runs_in_any_later_stage(tmp_path: Path) -> None:
    text = """
stages: [a, b, c]
breaks: {stage: a, script: [exit 1]}
skipped: {stage: b, script: ['true']}
report: {stage: c, when: always, script: [echo told]}
repair: {stage: c, when: on_failure, script: [echo mended]}
"""
    result = make(tmp_path / "p", text).run()
    assert statuses(result) == {
        "breaks": "failed",
        "skipped": "skipped",
        "report": "success",
        "repair": "success",
    }


def test_a_job_that_needs_one_that_did_not_run_is_skipped(tmp_path: Path) -> None:
    text = """
hand: {when: manual, script: x}
needs-it: {needs: [hand], script: ['true']}
by-stage: {stage: deploy, script: ['true']}
"""
    result = make(tmp_path / "p", text).run()
    assert statuses(result) == {"hand": "manual", "needs-it": "skipped", "by-stage": "success"}
    assert result.status == "success"


def test_a_failed_job_is_tried_again_in_a_fresh_checkout(tmp_path: Path) -> None:
    text = """
flaky:
  retry: 2
  script: ['test ! -e here', touch here, 'echo x >> $MARKS/tries', 'test $(wc -l < $MARKS/tries) = 2']
"""
    result = make(tmp_path / "p", text).run(RunContext(branch="main", variables={"MARKS": str(tmp_path)}))
    assert result.status == "success"
    assert "attempt 2 of 3\n" in log(result, "flaky")
    assert "attempt 3" not in log(result, "flaky")


def test_coverage_is_the_last_number_that_matches_and_the_mean_of_jobs(tmp_path: Path) -> None:
    text = r"""
a: {script: [echo TOTAL 10%, echo TOTAL 80.5% of 7], coverage: '/TOTAL ([\d.]+)%/'}
b: {script: [echo Covered 60], coverage: '/Covered \d+/'}
c: {script: [echo nothing], coverage: '/TOTAL (\d+)%/'}
"""
    result = make(tmp_path / "p", text).run()
    assert {job.name: job.coverage for job in result.jobs} == {"a": 80.5, "b": 60.0, "c": None}
    assert result.coverage == 70.25


def test_a_coverage_pattern_that_takes_for_ever_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.forges.local.runner.reports.SCAN_S", 1)
    text = "a: {script: ['printf a%.0s $(seq 60); echo b'], coverage: '/^(a+)+$/'}"
    assert make(tmp_path / "p", text).run().coverage is None


def test_junit_reports_are_read_also_of_failed_jobs(tmp_path: Path) -> None:
    report = (
        "<testsuites><testsuite><testcase name='one' classname='t.A'/>"
        "<testcase name='two' classname='t.A'><failure message='no'/></testcase>"
        "<testcase name='three' classname='t.B'><error/></testcase>"
        "<testcase name='four'><skipped/></testcase>"
        "</testsuite></testsuites>"
    )
    text = "unit: {script: [exit 1], artifacts: {reports: {junit: ['report.xml', 'bad.xml', 'bomb.xml']}}}"
    bomb = "<!DOCTYPE x [<!ENTITY a 'a'>]><testsuites>&a;</testsuites>"
    result = make(tmp_path / "p", text, {"report.xml": report, "bad.xml": "<html", "bomb.xml": bomb}).run()
    assert result.junit == (
        CaseResult(name="one", classname="t.A", status="passed"),
        CaseResult(name="two", classname="t.A", status="failed"),
        CaseResult(name="three", classname="t.B", status="error"),
        CaseResult(name="four", classname="", status="skipped"),
    )
    assert "WARNING: bad.xml: no JUnit report\nWARNING: bomb.xml: no JUnit report\n" in log(result, "unit")
    assert result.jobs[0].artefacts is None


def test_artefacts_that_lead_outside_are_left_out(tmp_path: Path) -> None:
    text = """
a:
  script: [ln -s /etc/passwd link, ln -s inside.txt good, echo x > inside.txt, mkfifo pipe]
  artifacts: {paths: ['*', .git/config, missing]}
b: {stage: deploy, script: ['ls link && exit 1; cat good']}
"""
    result = make(tmp_path / "p", text).run()
    assert result.status == "success", log(result, "b")
    kept = {path.name for path in (result.artefacts / "01-a").iterdir()}
    assert {"good", "inside.txt", ".gitlab-ci.yml"} <= kept
    assert not kept & {"link", "pipe", ".git"}
    assert "WARNING: missing: no matching files\n" in log(result, "a")
    assert "WARNING: link: left out, it leads out of the project\n" in log(result, "a")


def test_a_job_gets_the_commit_and_not_the_work_tree(tmp_path: Path) -> None:
    project = make(
        tmp_path / "p",
        "a: {script: [cat file, git rev-parse HEAD, 'echo $CI_COMMIT_SHA']}",
        {"file": "committed\n"},
    )
    (project.folder / "file").write_text("changed\n")
    lines = log(project.run(), "a").splitlines()
    assert lines[1] == "committed"
    assert lines[3] == lines[5] == project.sha


def test_a_repository_that_can_not_be_read_is_a_failed_run(tmp_path: Path) -> None:
    project = make(tmp_path / "p", "a: {script: x}")
    (project.folder / ".git" / "HEAD").unlink()
    result = project.run()
    assert (result.status, result.jobs) == ("failed", ())
    assert result.reason.startswith("git could not read the repository: ")


def test_a_plan_without_jobs_is_never_a_success(tmp_path: Path) -> None:
    result = make(tmp_path / "p", "a: {script: x, rules: [{if: $CI_COMMIT_TAG}]}").run()
    assert (result.status, result.reason, result.jobs) == ("canceled", "no job is for this event", ())


def test_variables_that_become_a_circle_only_in_the_job_fail_it(tmp_path: Path) -> None:
    result = make(tmp_path / "p", "a: {variables: {A: $B, B: $A}, script: x}").run()
    assert (
        result.jobs[0].failure_reason
        == "the runner failed: variables refer to each other: A -> B -> A (remove one of the references)"
    )


def test_jobs_of_a_stage_run_two_at_a_time(tmp_path: Path) -> None:
    wait = "for i in $(seq 100); do test -e $MARKS/{other} && exit 0; sleep 0.05; done; exit 1"
    text = "\n".join(
        f"{me}: {{script: ['touch $MARKS/{me}', '{wait.format(other=other)}']}}"
        for me, other in (("a", "b"), ("b", "a"))
    )
    result = make(tmp_path / "p", text).run(RunContext(branch="main", variables={"MARKS": str(tmp_path)}))
    assert statuses(result) == {"a": "success", "b": "success"}


def test_after_script_runs_after_failure_and_does_not_change_it(tmp_path: Path) -> None:
    text = "a: {script: ['X=1; exit 4'], after_script: ['echo $CI_JOB_STATUS,$X', exit 9]}"
    result = make(tmp_path / "p", text).run()
    assert result.jobs[0].exit_code == 4
    assert "failed,\n" in log(result, "a")


def test_an_image_is_named_in_the_log(tmp_path: Path) -> None:
    result = make(tmp_path / "p", "a: {image: 'python:3.13', script: ['true']}").run()
    assert log(result, "a").startswith(
        "image python:3.13 is not used: jobs run in this machine's own shell\n"
    )


def test_names_that_look_alike_have_folders_of_their_own(tmp_path: Path) -> None:
    text = """
'a b': {script: [echo 1 > x], artifacts: {paths: [x]}}
'a/b': {script: [echo 2 > x], artifacts: {paths: [x]}}
"""
    result = make(tmp_path / "p", text).run()
    assert len({job.artefacts for job in result.jobs}) == 2
    assert sorted(path.read_text() for path in result.artefacts.rglob("x")) == ["1\n", "2\n"]
