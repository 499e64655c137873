"""Whether a change can be merged, and what of its pipelines counts for that."""

from __future__ import annotations

from tests.forges.gitlab.fake.state import Change, Pipeline, Project


def status(project: Project, change: Change) -> str:
    """`detailed_merge_status`; the order is GitLab's."""
    head, onto = project.repo.head(change.source), project.repo.head(change.target)
    lacking = {
        "not_open": change.state != "opened",
        "commits_status": head is None or onto is None,
        "draft_status": change.draft,
        "not_approved": len(change.approved_by) < project.approvals_required,
    }
    found = next((name for name, so in lacking.items() if so), None)
    return found or _by_git(project, change, str(onto))


def _by_git(project: Project, change: Change, onto: str) -> str:
    if project.repo.merged_tree(onto, change.head) is None:
        return "conflict"
    if project.merge_method != "merge" and not project.repo.ancestor(onto, change.head):
        return "need_rebase"
    run = head_pipeline(project, change)
    if project.pipelines_must_succeed and (run is None or run.status != "success"):
        return "ci_must_pass"
    return "mergeable"


def head_pipeline(project: Project, change: Change) -> Pipeline | None:
    """The newest of its head, of its branch or its own."""
    refs = {change.source, f"refs/merge-requests/{change.iid}/head"}
    runs = [run for run in project.pipelines if run.sha == change.head and run.ref in refs]
    return runs[-1] if runs else None


def behind(project: Project, change: Change) -> int:
    """Commits of the target that the branch lacks."""
    onto = project.repo.head(change.target)
    return len(project.repo.commits(onto, f"^{change.head}")) if onto else 0
