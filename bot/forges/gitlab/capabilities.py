"""What GitLab can, and what of it stands on documentation alone. docs/forges.md is made from this."""

from __future__ import annotations

from bot.forges.capabilities import YES, Capabilities, Feature, no, so

CAPABILITIES: Capabilities = {
    Feature.EXECUTABLE_BIT: YES,
    Feature.OPEN_CHANGE: YES,
    Feature.LABELS: YES,
    Feature.REACTIONS: YES,
    Feature.TAGS: YES,
    Feature.PROTECTION: so("names of protected branches, also those with a wildcard"),
    Feature.ANSWER_DEPLOYMENT: so("an approval of a deployment to a protected environment (Premium)"),
    Feature.COMMIT_FILES: so(
        "commits API; GitLab dates the commit itself, and takes no expected head: each file that is "
        "overwritten names the commit that last touched it"
    ),
    Feature.MERGE_CHANGE: so(
        "with `sha`; how is the project's merge method: `merge` needs merge commits, `rebase` needs "
        "fast-forward, `squash` works with all (with merge commits, a squashed commit and its merge). A "
        "fast-forward behind its target is rebased first. After a merge by hand the webhook tells no tree, "
        "and after a squashed fast-forward no merge commit: both are read"
    ),
    Feature.UPDATE_BRANCH: so("by rebase: the commits are made anew, their messages stay"),
    Feature.COMMENTS: so("no webhook when one is deleted"),
    Feature.CHECKS: so(
        "commit statuses: 255 characters and a link, the summary is in the sticky comment; `Pipelines must "
        "succeed` makes merging wait for them. Before 18.3 a pending status keeps its first text. External "
        "status checks (Ultimate) are not used"
    ),
    Feature.BUTTONS: no("commands by comment do the same"),
    Feature.PAST: so("with the approvals that GitLab counts for them now"),
    Feature.RUN_PIPELINE: so(
        "the head of a branch, marked by a variable; where the file gives changes runs of their own, one of "
        "those, without variables"
    ),
    Feature.RUN_DETAILS: so(
        "read when a run or a job ends: the webhook has no coverage, and a run waits for our checks"
    ),
    Feature.DEPLOYMENTS: so("`inactive` cancels one that runs; GitLab itself supersedes one that ended"),
    Feature.PERMISSIONS: so(
        "inherited and shared membership; guest, planner and reporter read. A machine is known by its user "
        "name"
    ),
    Feature.TEAMS: so(
        "groups by full path, direct members: those that the policy names, that the project lies in or is "
        "shared with, and up to 30 beside them"
    ),
    Feature.REVIEWS: so("approvals; `request changes` has no webhook"),
    Feature.MISSED_CALLS: so(
        "failed calls of the last 7 days from the project hook's own list (role Maintainer, GitLab 17.3); "
        "where the bot may not see it or the hook is disabled, pushes, changes and comments since then. "
        "Webhooks of groups keep no list that it may see"
    ),
    Feature.RELEASES: so("GitLab knows no pre-releases: one is a release like any other"),
    Feature.ISSUES: so(
        "issues, linked by lines of ours in the change's description; merging closes them when it leads to "
        "the default branch"
    ),
    Feature.ENVIRONMENTS: so(
        "variables of the project in the environment's scope, never expanded (from 15.7 on); the bot needs "
        "the role Maintainer"
    ),
    Feature.REVERT: so("a commit of the bot's own: GitLab's revert takes no message and no trailers"),
    Feature.CREATE_REPOSITORY: so(
        "in a group where the bot may make projects; its members work in it. `Pipelines must succeed` stands "
        "for the required check; nobody pushes to `main`, developers merge"
    ),
    Feature.REPORTS: so(
        "the files of `artifacts: paths`, from each job's archive; what is named under `artifacts: reports` "
        "alone GitLab does not give out. Jobs of child pipelines are not looked at"
    ),
    Feature.SIGNED_COMMITS: so("by GitLab, when the instance has a signing key"),
}

UNPROVEN: tuple[str, ...] = (
    "signed webhooks (`webhook-signature`): by the Standard Webhooks specification and GitLab's announcement",
    "`POST /projects/:id/repository/commits` with actions, `start_sha`, `last_commit_id`, and its refusals",
    "`PUT .../merge` and `PUT .../rebase`: answers 405, 406, 409, 422 and `detailed_merge_status`",
    "`GET .../versions` with `patch_id_sha`, by which a rebase of ours is known",
    "notes, discussions, emoji reactions, labels",
    "commit statuses, and that a pending one keeps its pipeline running",
    "pipelines, jobs, bridges, traces, deployments and their approvals, environments",
    "`GET /projects/:id/events`, `/users`, `/members/all`, `/groups`, `/protected_branches`",
    "`GET .../hooks/:id/events` and `alert_status`",
    "`RateLimit-*` and `Retry-After` headers",
    "releases, issues and `closes_issues`, variables with `filter[environment_scope]`, job artefacts",
    "`POST /projects`, `/namespaces`, and that a protected branch is freed and protected anew",
    "repository archives, the tree with keyset pagination, tags, compare, merge base",
)
"""Parts of the API that no recorded answer here shows; the stand-in of the tests has them from the
documentation.
"""
