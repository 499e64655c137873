"""Every effect that GitLab performs, as the fault tests do it, and what one may leave behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.domain import effect as e
from tests.forges.gitlab.conftest import FOR_CHANGES, Desk
from tests.forges.gitlab.fake.state import Project


def on_a_branch(desk: Desk) -> str:
    return desk.commit()


def on_a_change(desk: Desk) -> str:
    head = desk.commit()
    desk.change(labels=("old",))
    return head


def behind(desk: Desk) -> str:
    head = on_a_change(desk)
    desk.stage.put({"other.txt": "other\n"})
    return head


def behind_a_fast_forward(desk: Desk) -> str:
    desk.world.project.merge_method = "ff"
    return behind(desk)


def with_a_pipeline(desk: Desk) -> str:
    desk.stage.put({".gitlab-ci.yml": "test: {script: [make]}\n"})
    return on_a_change(desk)


def with_runs_for_changes(desk: Desk) -> str:
    """The run that began with the change has ended."""
    desk.stage.put({".gitlab-ci.yml": FOR_CHANGES, "ci/one.yml": "unit: {script: [make]}\n"})
    head = on_a_change(desk)
    desk.stage.finish_run(head, "failed")
    return head


def commented(desk: Desk) -> str:
    """The comment's id."""
    on_a_change(desk)
    return str(desk.world.deeds.note(desk.world.project, desk.world.owner, desk.world.change(1), "/help").id)


def with_a_sticky_comment(desk: Desk) -> str:
    head = on_a_change(desk)
    desk.do(e.PostComment(change=1, body="Waiting.", sticky="status"), "trace-1.000004.0")
    return head


def asked(desk: Desk) -> str:
    """The id of a deployment that waits."""
    head = desk.commit()
    desk.do(e.RecordDeployment(environment="production", revision=head, state="in_progress"), "t.4.0")
    desk.world.project.deployments[-1].status = "blocked"
    return str(desk.world.project.deployments[-1].id)


def deployed(desk: Desk) -> str:
    head = desk.commit()
    desk.do(e.RecordDeployment(environment="staging", revision=head, state="in_progress"), "t.4.0")
    return head


def released(desk: Desk) -> str:
    head = desk.commit()
    desk.do(RELEASE.model_copy(update={"revision": head, "notes": "Soon."}), "trace-1.000004.0")
    return head


def with_an_issue(desk: Desk) -> str:
    """Its name."""
    on_a_change(desk)
    return desk.stage.open_issue("olive", "Cancel a booking")


def prepared(desk: Desk) -> str:
    desk.do(READY.model_copy(update={"variables": {"URL": "http://old.test"}}), "trace-1.000004.0")
    return ""


def nothing(_desk: Desk) -> str:
    return ""


@dataclass(frozen=True)
class Case:
    """What has to be there before, the effect, and how many requests of it change something."""

    before: Callable[[Desk], str]
    make: Callable[[str], e.Effect]
    writes: int = 1
    refused: int = 0
    """Of these, how many GitLab refuses: they change nothing, and are asked again."""

    def at(self, desk: Desk) -> e.Effect:
        return self.make(self.before(desk))


FILES = (e.File(path="app.py", content="one\n"), e.File(path="run", content="#!\n", executable=True))
AGAIN = (e.File(path="app.py", content="two\n"), e.File(path="README.md", delete=True))
RELEASE = e.PublishRelease(tag="v1.0.0", revision="", title="One", notes="All of it.")
READY = e.PrepareEnvironment(environment="staging", variables={"URL": "http://x.test", "NAME": "x"})
FRESH = e.CreateRepository(
    repository="acme/platform/fresh", description="New", mark="trace-1", required_check="pointsman/merge",
    webhook_url="https://bot.test/webhooks/gitlab",
)  # fmt: skip
EFFECTS: dict[str, Case] = {
    "CommitFiles": Case(nothing, lambda _: e.CommitFiles(branch="feature/x", base="main", files=FILES, message="feat: x")),
    "CommitFiles again": Case(
        on_a_branch,
        lambda head: e.CommitFiles(branch="feature/x", base="main", message="fix: x", expected_head=head, files=AGAIN),
    ),
    "OpenChange": Case(on_a_branch, lambda _: e.OpenChange(source="feature/x", target_branch="main", title="feat: x", body="B", labels=("a",))),
    "UpdateChange": Case(on_a_change, lambda _: e.UpdateChange(change=1, title="feat: y", add_labels=("b",), remove_labels=("old",), state="closed")),
    "UpdateBranch": Case(behind, lambda head: e.UpdateBranch(change=1, expected_head=head)),
    "PostComment": Case(on_a_change, lambda _: e.PostComment(change=1, body="Once.")),
    "PostComment reply": Case(commented, lambda note: e.PostComment(change=1, body="Once.", reply_to=note)),
    "PostComment sticky": Case(on_a_change, lambda _: e.PostComment(change=1, body="Status.", sticky="status")),
    "PostComment sticky again": Case(with_a_sticky_comment, lambda _: e.PostComment(change=1, body="Done.", sticky="status")),
    "React": Case(commented, lambda note: e.React(change=1, comment_id=note, reaction="rocket")),
    "SetCheck": Case(on_a_change, lambda head: e.SetCheck(revision=head, name="pointsman/release: x", title="Waiting", conclusion="success")),
    "MergeChange": Case(on_a_change, lambda head: e.MergeChange(change=1, expected_head=head, message="feat: x (#1)")),
    "MergeChange behind": Case(behind_a_fast_forward, lambda head: e.MergeChange(change=1, expected_head=head, message="feat: x (#1)"), 2),
    "CreateTag": Case(on_a_branch, lambda head: e.CreateTag(name="v1.0.0", revision=head, message="One")),
    "RunPipeline": Case(with_a_pipeline, lambda head: e.RunPipeline(branch="feature/x", revision=head, variables={"A": "b"})),
    # It is refused for the branch, and then asked for the change.
    "RunPipeline for a change": Case(with_runs_for_changes, lambda head: e.RunPipeline(branch="feature/x", revision=head), 2, 1),
    "RecordDeployment": Case(
        on_a_branch, lambda head: e.RecordDeployment(environment="staging", revision=head, state="in_progress", url="https://x.test"), 2
    ),
    "RecordDeployment ended": Case(deployed, lambda head: e.RecordDeployment(environment="staging", revision=head, state="success")),
    "AnswerDeployment": Case(asked, lambda number: e.AnswerDeployment(environment="production", deployment_id=number, state="approved", comment="Go.")),
    "PublishRelease": Case(on_a_branch, lambda head: RELEASE.model_copy(update={"revision": head}), 2),
    "PublishRelease again": Case(released, lambda head: RELEASE.model_copy(update={"revision": head})),
    "OpenIssue": Case(nothing, lambda _: e.OpenIssue(title="Rolled back", body="Why.", labels=("rollback",))),
    "LinkIssues": Case(with_an_issue, lambda issue: e.LinkIssues(change=1, references=(issue,), closes=True)),
    "PrepareEnvironment": Case(nothing, lambda _: READY, 3),
    "PrepareEnvironment again": Case(prepared, lambda _: READY, 2),
    "RevertCommit": Case(on_a_branch, lambda head: e.RevertCommit(revision=head, branch="feature/x", base="main", message="revert: x")),
    "CreateRepository": Case(nothing, lambda _: FRESH, 5),
}  # fmt: skip


def seen(desk: Desk) -> dict[str, Any]:
    """Everything an effect may leave behind, without what differs from run to run."""
    project, repo = desk.world.project, desk.world.project.repo
    branches = repo.branches()
    return {
        "branches": {
            # By descent: Git lists commits of one second in another order than those of two.
            name: [one["message"].partition("\n")[0] for one in repo.commits(name, "--topo-order")]
            for name in branches
        },
        "files": {name: desk.stage.files(name) for name in branches},
        "executable": {name: desk.stage.executables(name) for name in branches},
        "changes": [
            (one.title, one.description, one.state, one.labels, len(one.versions)) for one in project.changes
        ],
        "notes": [[note.body for note in one.notes if not note.system] for one in project.changes],
        "emoji": [[name for note in one.notes for _, name, _ in note.emoji] for one in project.changes],
        "statuses": [[(one.name, one.status) for one in run.external] for run in project.pipelines],
        "pipelines": [(run.source, run.ref, run.variables) for run in project.pipelines],
        "tags": sorted(desk.stage.tags()),
        "deployed": [(name, status) for name, _, status in project.deployed],
        "answered": [list(done.approvals) for done in project.deployments],
        "releases": [(one.tag, one.name, one.description) for one in project.releases.values()],
        "issues": [(one.title, one.description, one.labels, one.state) for one in project.issues],
        "environments": [(name, one["external_url"]) for name, one in project.environments.items()],
        "variables": [(one["environment_scope"], one["key"], one["value"]) for one in project.variables],
        "projects": [_settings(one) for one in desk.world.state.projects.values()],
    }


def _settings(one: Project) -> tuple[object, ...]:
    subjects = [commit["message"] for commit in one.repo.commits(one.default_branch)] if one.creator else []
    hooks = [hook.url for hook in one.hooks if "127.0.0.1" not in hook.url]
    return (
        one.path,
        one.description,
        one.visibility,
        one.pipelines_must_succeed,
        one.protected,
        hooks,
        subjects,
    )
