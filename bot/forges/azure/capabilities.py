"""What Azure DevOps can be asked for, and what happens where it cannot."""

from __future__ import annotations

from bot.forges.capabilities import YES, Capabilities, Feature, no, so

CAPABILITIES: Capabilities = dict.fromkeys(Feature, YES) | {
    Feature.EXECUTABLE_BIT: no(
        "its API has no file modes: new files are committed without the bit, files that have it keep it"
    ),
    Feature.OPEN_CHANGE: so("a description has 4,000 characters at most and is cut"),
    Feature.MERGE_CHANGE: so("the forge merges some time after it was asked; the bot waits, then asks again"),
    Feature.UPDATE_BRANCH: so("by a merge commit of the bot"),
    Feature.LABELS: so("a change of labels raises no event: labels are read with the next one"),
    Feature.REACTIONS: so("eyes is a like; rocket and -1 set the thread to fixed and won't fix"),
    Feature.CHECKS: so(
        "statuses of the commit and of the change's iteration: one line of text and a link; "
        "what an observing policy says is `succeeded`"
    ),
    Feature.BUTTONS: no("commands by comment do the same"),
    Feature.RUN_PIPELINE: so(
        "a pipeline definition for azure-pipelines.yml is made when there is none; "
        "variables of a definition made by others must be settable at queue time"
    ),
    Feature.DEPLOYMENTS: so(
        "deployment records are made by its own pipelines alone: a commit status `deployment/<environment>`"
    ),
    Feature.ANSWER_DEPLOYMENT: so('an environment check "Invoke REST API" that calls the bot'),
    Feature.TEAMS: so("`project/team`, and groups as `scope/group`"),
    Feature.REVIEWS: so(
        "votes: 10 and 5 approve, -5 and -10 ask for changes, 0 takes a vote back; "
        "an approving one only by a service hook for votes alone, as `connect` makes it"
    ),
    Feature.RELEASES: so(
        "a page of the project's wiki, `/Releases/<repository>/<tag>`: a repository has no release pages"
    ),
    Feature.ISSUES: so(
        "work items of the kind that the project's process has for requirements, labels as tags; "
        "completing a change closes all that is linked to it, or nothing"
    ),
    Feature.ENVIRONMENTS: so(
        "of the project; their variables are the group `<repository>.<environment>`, "
        "which a pipeline needs to be allowed once"
    ),
    Feature.REVERT: so("a file that comes back comes without the executable bit"),
    Feature.CREATE_REPOSITORY: so(
        "in a project that is there, and as visible as that; "
        "known by a trailer of its first commit, as it has no description"
    ),
    Feature.REPORTS: so("published artefacts of 64 MiB at most each; not what is published as test results"),
    Feature.MISSED_CALLS: so(
        "failed notifications of its service hooks; "
        "the repository itself while a subscription is switched off"
    ),
    Feature.SIGNED_COMMITS: no("commits made through its API cannot be signed"),
}
UNPROVEN: tuple[str, ...] = (
    "pushes: an author and a committer of one's own with their dates; a new branch from `oldObjectId`",
    "`GitReferenceStaleException`, `GitRefUpdateRejectedByPolicyException`, `GitNeedsPermissionException`",
    "`merges`, and what it says of conflicts",
    "diffs, trees as an archive, blobs, items by commit, annotated tags",
    "`commentTruncated` in lists of commits; `push.pushedBy` of a commit",
    "threads, comments, likes, statuses of commits and of iterations, labels",
    "policy evaluations, and completion that a policy refuses",
    "service hook subscriptions, notifications and their query; the state of a subscription that fails",
    "events of votes and of reviewers; stages and jobs of runs; renamed repositories",
    "`triggerInfo` of validation runs",
    "effective permissions of somebody else, read from the access control lists of them and their groups",
    "code coverage, timelines, refused queue-time variables",
    "`X-RateLimit-*` and `Retry-After` on answers that are fine",
    "environment checks: their call, and the event that answers it",
    "Entra: workload identity",
    "the oldest commit of a branch; a repository's first push through the API makes its default branch",
    "wiki pages: those above one that is missing, and a version that is not the newest",
    "work items: links that are there already, queries by who opened them, `transitionWorkItems`",
    "a status policy for one author; an environment's and a variable group's refusals",
    "artefacts and where they are downloaded from",
)
"""What no recorded answer shows (docs/forges.md); the shapes are those of the SDK's models all the same."""
