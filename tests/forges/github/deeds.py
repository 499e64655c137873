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


def published(stage: GitHubStage) -> str:
    """A release of it has a page."""
    sha = committed(stage)
    doing(stage)(e.PublishRelease(tag="v1", revision=sha, title="One", notes="New."), "t.000003.0")
    return sha


def asked_for(stage: GitHubStage) -> str:
    """Two issues wish for it."""
    sha = proposed(stage)
    stage.open_issue("jane", "Wanted")
    stage.open_issue("jane", "Wanted, too")
    return sha


def prepared(stage: GitHubStage) -> str:
    """An environment is there, with a variable and a reviewer of somebody else's."""
    variables = {"A": "1", "C": "3"}
    stage.repo.environments["staging"] = {"id": 1, "variables": variables, "reviewers": ["jane"]}
    return str(stage.head("main"))


def elsewhere(stage: GitHubStage) -> str:
    """The organisation has its own name for the first branch."""
    stage.hub.first_branch = "trunk"
    return str(stage.head("main"))


NEW, CALLED = "acme/fresh", "https://bot.test/webhooks/github"


def _made(stage: GitHubStage) -> Any:
    """Commits on main, who is called, how often, which checks are required, by how many rulesets."""
    repo = stage.hub.repositories[NEW]
    commits = [repo.git.about(sha)["message"] for sha in repo.git.log(str(repo.head("main")))]
    rules = len(repo.rulesets)
    return commits, stage.hooks(NEW), len(repo.hooks), stage.required_checks(NEW), rules


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
    "PublishRelease": Deed(
        committed,
        lambda _stage, sha: e.PublishRelease(tag="v1", revision=sha, title="One", notes="New."),
        lambda stage: (stage.tags(), stage.releases(), len(stage.repo.releases)),
        lambda stage: ({"v1": stage.head(BRANCH)}, {"v1": ("One", "New.")}, 1),
    ),
    "PublishRelease again": Deed(
        published,
        lambda _stage, sha: e.PublishRelease(tag="v1", revision=sha, title="One", notes="Newer."),
        lambda stage: (stage.releases(), len(stage.repo.releases)),
        lambda _stage: ({"v1": ("One", "Newer.")}, 1),
    ),
    "OpenIssue": Deed(
        proposed,
        lambda _stage, _sha: e.OpenIssue(title="Broken", body="It broke.", labels=("rollback",)),
        lambda stage: stage.issues(),
        lambda _stage: [("Broken", "It broke.", ["rollback"])],
    ),
    "LinkIssues": Deed(
        asked_for,
        lambda _stage, _sha: e.LinkIssues(change=1, references=("#2", "#3"), closes=True),
        lambda stage: (stage.linked(1), str(stage.change(1)["body"]).count("Closes")),
        lambda _stage: (["#2", "#3"], 2),
    ),
    "PrepareEnvironment": Deed(
        lambda stage: str(stage.head("main")),
        lambda _stage, _sha: e.PrepareEnvironment(environment="staging", variables={"A": "1", "B": "2"}),
        lambda stage: stage.variables("staging"),
        lambda _stage: {"A": "1", "B": "2"},
    ),
    "PrepareEnvironment again": Deed(
        prepared,
        lambda _stage, _sha: e.PrepareEnvironment(environment="staging", variables={"A": "2", "B": "2"}),
        lambda stage: (stage.variables("staging"), stage.repo.environments["staging"]["reviewers"]),
        lambda _stage: ({"A": "2", "B": "2", "C": "3"}, ["jane"]),
    ),
    "RevertCommit": Deed(
        committed,
        lambda _stage, sha: e.RevertCommit(revision=sha, branch=BRANCH, base="main", message="revert: add"),
        lambda stage: (_marked(stage, BRANCH), sorted(stage.files(BRANCH))),
        lambda _stage: (1, ["README.md"]),
    ),
    "CreateRepository": Deed(
        lambda stage: str(stage.head("main")),
        lambda _stage, _sha: e.CreateRepository(
            repository=NEW, mark="m", required_check="pointsman/merge", webhook_url=CALLED
        ),
        _made,
        lambda _stage: (["Initial commit"], {CALLED}, 1, {"pointsman/merge"}, 1),
    ),
    "CreateRepository where branches begin elsewhere": Deed(
        elsewhere,
        lambda _stage, _sha: e.CreateRepository(repository=NEW, mark="m", webhook_url=CALLED),
        _made,
        lambda _stage: (["Initial commit"], {CALLED}, 1, set(), 1),
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
