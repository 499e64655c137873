"""Every kind of effect, with what has to be there before it and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.domain import effect as e
from tests.forges.conformance.stages.github import GitHubStage
from tests.forges.github.conftest import doing
from tests.forges.github.fake.routes_reports import end_run

BRANCH = "feature/booking"


def committed(stage: GitHubStage) -> str:
    """A branch with one commit of the bot."""
    files = (e.File(path="app.py", content="one\n"),)
    made = doing(stage)(
        e.CommitFiles(branch=BRANCH, base="main", files=files, message="feat: add"), "t.000001.0"
    )
    assert isinstance(made, e.CommitResult)
    return made.sha


def proposed(stage: GitHubStage) -> str:
    """An open change of it, and a comment on it."""
    sha = committed(stage)
    doing(stage)(e.OpenChange(source=BRANCH, target_branch="main", title="feat: add", body=""), "t.000002.0")
    stage.person("jane", "write")
    stage.comment("jane", 1, "/help")
    return sha


def outdated(stage: GitHubStage) -> str:
    """Its target went on."""
    sha = proposed(stage)
    stage.put({"b.py": "b\n"})
    return sha


def ran(stage: GitHubStage) -> str:
    """A run of it has ended."""
    sha = proposed(stage)
    end_run(stage.repo, stage.start_run(sha), "failure", None)
    return sha


def waiting(stage: GitHubStage) -> str:
    """A deployment of it waits for the bot."""
    sha = proposed(stage)
    stage.start_run(sha)["waiting"].append("production")
    return sha


@dataclass(frozen=True)
class Deed:
    """`effect` is made for the revision that `before` gives; `left` is the same however often it was tried."""

    before: Callable[[GitHubStage], str]
    effect: Callable[[GitHubStage, str], e.Effect]
    left: Callable[[GitHubStage], Any]
    expected: Callable[[GitHubStage], Any]


def _comment(stage: GitHubStage) -> str:
    return str(max(stage.repo.comments))


def _marked(stage: GitHubStage, branch: str) -> int:
    shas = stage.repo.git.log(str(stage.head(branch)))
    return sum("Effect-Id: t.000009.0" in stage.message(sha) for sha in shas)


DEEDS: dict[str, Deed] = {
    "CommitFiles to a new branch": Deed(
        lambda stage: str(stage.head("main")),
        lambda _stage, _sha: e.CommitFiles(
            branch=BRANCH,
            base="main",
            files=(
                e.File(path="a.py", content="a\n"),
                e.File(path="b.bin", content="AP8=", encoding="base64"),
            ),
            message="feat: a",
        ),
        lambda stage: (_marked(stage, BRANCH), sorted(stage.files(BRANCH))),
        lambda _stage: (1, ["README.md", "a.py", "b.bin"]),
    ),
    "CommitFiles to a branch": Deed(
        committed,
        lambda _stage, sha: e.CommitFiles(
            branch=BRANCH,
            base="main",
            files=(e.File(path="app.py", content="two\n"),),
            message="fix: a",
            expected_head=sha,
        ),
        lambda stage: (_marked(stage, BRANCH), stage.files(BRANCH)["app.py"]),
        lambda _stage: (1, b"two\n"),
    ),
    "OpenChange": Deed(
        committed,
        lambda _stage, _sha: e.OpenChange(
            source=BRANCH, target_branch="main", title="t", body="b", labels=("x",)
        ),
        lambda stage: (stage.changes(), stage.change(1)["labels"]),
        lambda _stage: (1, ["x"]),
    ),
    "UpdateChange": Deed(
        proposed,
        lambda _stage, _sha: e.UpdateChange(change=1, title="new", add_labels=("y",), state="closed"),
        lambda stage: tuple(stage.change(1)[name] for name in ("title", "labels", "state")),
        lambda _stage: ("new", ["y"], "closed"),
    ),
    "PostComment": Deed(
        proposed,
        lambda _stage, _sha: e.PostComment(change=1, body="Approved."),
        lambda stage: stage.comments(1),
        lambda stage: [("jane", "/help"), (stage.bot, "Approved.")],
    ),
    "PostComment, sticky": Deed(
        proposed,
        lambda _stage, _sha: e.PostComment(change=1, body="waiting", sticky="status"),
        lambda stage: stage.comments(1),
        lambda stage: [("jane", "/help"), (stage.bot, "waiting")],
    ),
    "React": Deed(
        proposed,
        lambda stage, _sha: e.React(change=1, comment_id=_comment(stage), reaction="eyes"),
        lambda stage: stage.reactions(_comment(stage)),
        lambda _stage: ["eyes"],
    ),
    "SetCheck": Deed(
        committed,
        lambda _stage, sha: e.SetCheck(
            revision=sha, name="pointsman/pipeline", title="passed", conclusion="success"
        ),
        lambda stage: [(run["name"], run["conclusion"]) for run in stage.repo.checks],
        lambda _stage: [("pointsman/pipeline", "success")],
    ),
    "MergeChange": Deed(
        proposed,
        lambda _stage, sha: e.MergeChange(
            change=1, expected_head=sha, message="feat: add (#1)", up_to_date=True
        ),
        lambda stage: (_marked(stage, "main"), stage.change(1)["state"]),
        lambda _stage: (1, "merged"),
    ),
    "UpdateBranch": Deed(
        outdated,
        lambda _stage, sha: e.UpdateBranch(change=1, expected_head=sha),
        lambda stage: (_marked(stage, BRANCH), sorted(stage.files(BRANCH))),
        lambda _stage: (1, ["README.md", "app.py", "b.py"]),
    ),
    "CreateTag": Deed(
        committed,
        lambda _stage, sha: e.CreateTag(name="v1", revision=sha, message="One"),
        lambda stage: stage.tags(),
        lambda stage: {"v1": stage.head(BRANCH)},
    ),
    "RunPipeline": Deed(
        ran,
        lambda _stage, sha: e.RunPipeline(branch=BRANCH, revision=sha),
        lambda stage: stage.runs(str(stage.head(BRANCH))),
        lambda _stage: 2,
    ),
    "RecordDeployment": Deed(
        committed,
        lambda _stage, sha: e.RecordDeployment(
            environment="staging", revision=sha, state="success", url="https://s"
        ),
        lambda stage: stage.deployments(),
        lambda stage: [("staging", stage.head(BRANCH), "success")],
    ),
    "AnswerDeployment": Deed(
        waiting,
        lambda stage, _sha: e.AnswerDeployment(
            environment="production",
            deployment_id="9",
            run_id=str(stage.repo.runs[0]["id"]),
            state="approved",
            comment="ok",
        ),
        lambda stage: stage.repo.runs[0]["answers"],
        lambda _stage: [("production", "approved", "ok")],
    ),
    "GatherFacts": Deed(
        ran,
        lambda stage, sha: e.GatherFacts(
            correlation="c",
            change=1,
            branch=BRANCH,
            actors=("jane",),
            paths=("app.py",),
            tree_of=sha,
            run=str(stage.repo.runs[0]["id"]),
        ),
        lambda _stage: None,
        lambda _stage: None,
    ),
}
