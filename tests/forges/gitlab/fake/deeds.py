"""What happens in a project, whoever causes it: refs move, changes follow, pipelines run, hooks are called."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from bot.forges.local.git import ZERO
from tests.forges.gitlab.fake import ci, hook_shapes, mergeability, shapes
from tests.forges.gitlab.fake.git import Person
from tests.forges.gitlab.fake.hook_shapes import Moved
from tests.forges.gitlab.fake.links import closing
from tests.forges.gitlab.fake.sender import Sender
from tests.forges.gitlab.fake.state import (
    Change,
    Deployment,
    Json,
    Note,
    Pipeline,
    Project,
    State,
    Status,
    User,
    Version,
    now,
)

OPEN = ("opened", "locked")


def person(user: User) -> Person:
    return Person(user.username.title(), user.commit_email)


@dataclass
class Deeds:
    state: State
    sender: Sender

    # Refs

    def move(self, project: Project, by: User, ref: str, after: str, *, before: str | None = None) -> None:
        """Point a ref somewhere (ZERO: nowhere), as a push does."""
        full = f"refs/heads/{ref}" if not ref.startswith("refs/") else ref
        old = before if before is not None else (project.repo.head(ref) or ZERO)
        if after == ZERO:
            commits: list[str] = []
        elif old != ZERO:
            commits = [one["id"] for one in reversed(project.repo.commits(after, f"^{old}"))]
        else:
            others = [f"^{project.repo.head(name)}" for name in project.repo.branches()]
            commits = (
                [one["id"] for one in reversed(project.repo.commits(after, *others))]
                if full.startswith("refs/heads/")
                else []
            )
        if after == ZERO:
            project.repo.move("-d", full, old)
        else:
            project.repo.move(full, after, old)
        self.received(project, by, Moved(full, old, after, commits))

    def received(self, project: Project, by: User, moved: Moved) -> None:
        full, after = moved.ref, moved.after
        self._event(project, by, moved)
        self.sender.tell(project, hook_shapes.push(self.state, project, by, moved))
        branch = full.removeprefix("refs/heads/")
        if not full.startswith("refs/heads/") or after == ZERO:
            return
        for change in project.changes:
            if change.state == "opened" and change.source == branch:
                self._new_head(project, by, change, after)
            elif (
                change.state == "opened"
                and change.target == branch
                and project.repo.ancestor(change.head, after)
            ):
                self.close_as_merged(project, by, change, None)
        self._run_for(project, by, branch, after)

    def _event(self, project: Project, by: User, moved: Moved) -> None:
        full, old, after, commits = moved.ref, moved.before, moved.after, moved.commits
        kind = "tag" if full.startswith("refs/tags/") else "branch"
        action = "created" if old == ZERO else "removed" if after == ZERO else "pushed"
        project.last_activity = now()
        project.events.append(
            {
                "id": self.state.next_id("event"), "project_id": project.id, "action_name": f"{action} new" if action == "created" else action,
                "target_type": None, "author_id": by.id, "author_username": by.username, "created_at": now().isoformat().replace("+00:00", "Z"),
                "push_data": {
                    "commit_count": len(commits), "action": action, "ref_type": kind, "ref": full.split("/", 2)[2],
                    "commit_from": None if old == ZERO else old, "commit_to": None if after == ZERO else after, "commit_title": "",
                },
            }
        )  # fmt: skip

    # Changes

    def open(self, project: Project, by: User, body: Json) -> Change:
        head = str(project.repo.head(body["source_branch"]))
        iid = max((change.iid for change in project.changes), default=0) + 1
        labels = [label for label in str(body.get("labels") or "").split(",") if label]
        change = Change(
            self.state.next_id("change"), iid, body["title"], body.get("description") or "", by, body["source_branch"],
            body["target_branch"], head, now(), now(), labels,
        )  # fmt: skip
        project.changes.append(change)
        self._version(project, change)
        self.tell(project, by, change, "open")
        shape = ci.shape(project.repo, head, project.ci_config_path or ".gitlab-ci.yml")
        if shape and shape.for_changes:
            self.run_change(project, by, change)
        return change

    def tell(
        self,
        project: Project,
        by: User,
        change: Change,
        action: str,
        changes: Json | None = None,
        **more: str,
    ) -> None:
        change.updated_at = project.last_activity = now()
        self.sender.tell(
            project, hook_shapes.merge_request(self.state, project, by, change, action, changes, **more)
        )

    def _version(self, project: Project, change: Change) -> None:
        target = str(project.repo.head(change.target))
        base = project.repo.merge_base(target, change.head)
        patch = project.repo.patch(base, change.head)
        change.versions.append(Version(self.state.next_id("version"), change.head, base, base, patch, now()))

    def _new_head(self, project: Project, by: User, change: Change, head: str) -> None:
        before, change.head = change.head, head
        self._version(project, change)
        self.note(project, by, change, "added 1 commit", system=True)
        self.tell(project, by, change, "update", {}, oldrev=before)

    def update(self, project: Project, by: User, change: Change, changes: Json) -> None:
        self.tell(project, by, change, "update", changes)

    def close_as_merged(self, project: Project, by: User, change: Change, commit: str | None) -> None:
        for _, issue in closing(self.state, project, change):
            issue.state = "closed"
        change.state, change.merged_by, change.merge_commit = "merged", by, commit
        self.tell(project, by, change, "merge")

    def merge(self, project: Project, by: User, change: Change, body: Json) -> str | None:
        """The refusal in GitLab's words, or None when it is merged."""
        onto, head = str(project.repo.head(change.target)), change.head
        squash = project.squash_option == "always" or (
            bool(body.get("squash")) and project.squash_option != "never"
        )
        if squash:
            base = project.repo.merge_base(onto, head)
            message = body.get("squash_commit_message") or change.title
            head = project.repo.write(
                project.repo.tree(head), [base], message, person(by), person(change.author)
            )
        if project.merge_method == "ff":
            after, merge_commit = head, None
        else:
            tree = project.repo.merged_tree(onto, head)
            if tree is None:
                return "Branch cannot be merged"
            message = (
                body.get("merge_commit_message") or f"Merge branch '{change.source}' into '{change.target}'"
            )
            after = merge_commit = project.repo.write(tree, [onto, head], message, person(by))
        change.state = "locked"
        change.squash_commit = head if squash else None
        self.move(project, by, change.target, after)
        self.close_as_merged(project, by, change, merge_commit)
        if body.get("should_remove_source_branch"):
            self.move(project, by, change.source, ZERO)
        return None

    def rebase(self, project: Project, by: User, change: Change) -> None:
        onto = str(project.repo.head(change.target))
        change.merge_error, change.rebase_polls = None, self.state.slow_rebase
        if project.repo.ancestor(onto, change.head):
            return
        after = project.repo.rebased(change.head, onto, person(by))
        if after is None:
            change.merge_error = "Rebase failed: Rebase locally, resolve all conflicts, then push the branch."
            return
        self.move(project, by, change.source, after)

    def merge_status(self, project: Project, change: Change) -> str:
        return mergeability.status(project, change)

    def approve(self, project: Project, by: User, change: Change) -> None:
        change.approved_by.append(by)
        self.tell(project, by, change, "approved")

    def unapprove(self, project: Project, by: User, change: Change) -> None:
        change.approved_by.remove(by)
        self.tell(project, by, change, "unapproved")

    # Notes

    def note(
        self,
        project: Project,
        by: User,
        change: Change,
        body: str,
        *,
        system: bool = False,
        discussion: str = "",
    ) -> Note:
        written = Note(
            self.state.next_id("note"),
            by,
            body,
            now(),
            now(),
            discussion or uuid4().hex,
            not discussion,
            system,
        )
        change.notes.append(written)
        if not system:
            project.last_activity = now()
            self._noted(project, by, change, written)
            self.sender.tell(project, hook_shapes.note(self.state, project, change, written, "create"))
        return written

    def _noted(self, project: Project, by: User, change: Change, written: Note) -> None:
        project.events.append(
            {
                "id": self.state.next_id("event"), "project_id": project.id, "action_name": "commented on", "target_type": "Note",
                "author_id": by.id, "author_username": by.username, "created_at": shapes.iso(now()),
                "note": shapes.note(self.state, change, written),
            }
        )  # fmt: skip

    def edit_note(self, project: Project, change: Change, written: Note, body: str) -> None:
        written.body, written.updated_at = body, now()
        self.sender.tell(project, hook_shapes.note(self.state, project, change, written, "update"))

    # Pipelines

    def _run_for(self, project: Project, by: User, branch: str, sha: str) -> None:
        shape = ci.shape(project.repo, sha, project.ci_config_path or ".gitlab-ci.yml")
        change = next(
            (one for one in project.changes if one.state == "opened" and one.source == branch), None
        )
        if shape and change and shape.for_changes:
            self.run_change(project, by, change)
        elif shape:
            self.pipeline(project, by, branch, sha, "push")

    def run_change(self, project: Project, by: User, change: Change) -> Pipeline:
        """A run of its own for a change (not of a merge of it with its target, which is Premium)."""
        return self.pipeline(
            project, by, f"refs/merge-requests/{change.iid}/head", change.head, "merge_request_event"
        )

    def pipeline(
        self, project: Project, by: User, ref: str, sha: str, source: str, variables: list[Json] | None = None
    ) -> Pipeline:
        run = Pipeline(
            self.state.next_id("pipeline"),
            len(project.pipelines) + 1,
            ref,
            sha,
            source,
            by,
            now(),
            variables=variables or [],
        )
        shape = ci.shape(project.repo, sha, project.ci_config_path or ".gitlab-ci.yml")
        for name, stage in shape.jobs.items() if shape and source != "external" else ():
            run.jobs.append(Status(self.state.next_id("status"), name, "pending", by, now(), stage=stage))
        project.pipelines.append(run)
        self.look_at(project, run)
        return run

    def look_at(self, project: Project, run: Pipeline) -> None:
        """A pipeline's own status follows from all its lines; a call is made when it changes."""
        status = run.composite()
        if status != run.status:
            run.status = status
            change = self._change_of(project, run)
            self.sender.tell(project, hook_shapes.pipeline(self.state, project, run, change))

    def _change_of(self, project: Project, run: Pipeline) -> Change | None:
        refs = {run.ref, run.ref.removeprefix("refs/merge-requests/").removesuffix("/head")}
        return next((c for c in project.changes if c.state in OPEN and {c.source, str(c.iid)} & refs), None)

    def end_job(
        self, project: Project, run: Pipeline, job: Status, status: str, coverage: float | None
    ) -> None:
        job.status, job.coverage = status, coverage
        self.sender.tell(project, hook_shapes.job(self.state, project, run, job))
        self.look_at(project, run)

    def deployed(self, project: Project, done: Deployment) -> None:
        project.deployed.append((done.environment, done.sha, done.status))
        self.sender.tell(project, hook_shapes.deployment(self.state, project, done))
