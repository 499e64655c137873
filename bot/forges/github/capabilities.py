"""What GitHub can, and what of it stands on its documentation alone (docs/forges.md)."""

from __future__ import annotations

from bot.forges.capabilities import YES, Capabilities, Feature, so

CAPABILITIES: Capabilities = dict.fromkeys(Feature, YES) | {
    Feature.CHECKS: so("check runs of an App; with a personal token commit statuses, without a summary"),
    Feature.BUTTONS: so("on the checks of an App"),
    Feature.RUN_PIPELINE: so("a revision's run again; with variables a new one of the branch's head"),
    Feature.RUN_DETAILS: so("the coverage is what a job printed as `coverage: NN%`"),
    Feature.TEAMS: so("the App needs `members: read`; without it nobody is in a team"),
    Feature.PROTECTION: so("of the default branch"),
    Feature.RELEASES: so(
        "GitHub decides by the versions which is the latest; notes above 125,000 bytes are cut"
    ),
    Feature.ISSUES: so(
        "linked by words in the change's text, which close on merge into the default branch alone; "
        "`AB#12` is for Azure Boards"
    ),
    Feature.ENVIRONMENTS: so(
        "one that is there keeps its reviewers; making one needs `administration: write`"
    ),
    Feature.CREATE_REPOSITORY: so(
        "an App only in organisations, with `administration: write`; the default branch gets a ruleset"
    ),
    Feature.REPORTS: so("artefacts of up to 64 MiB, unpacked; what cannot be read is named"),
    Feature.MISSED_CALLS: so("asked of GitHub by an App; with a personal token heads of changes are read"),
    Feature.SIGNED_COMMITS: so("GitHub signs what an App commits; with a personal token they are unsigned"),
}

UNPROVEN: tuple[str, ...] = (
    "the words in which a protected branch or a ruleset refuses a commit or a merge",
    "`collaborators` of GraphQL for an App with `administration: read` (else each person is asked for)",
    "`activity` of a repository for an App, by which it is known who pushed",
    "`refUpdateRule` and `rules` of a branch, for those who may only read",
    "that a check that was done is best opened again as a new one of the same name",
    "`deployment_protection_rule`: its call and the answer to it; `deployment_callback_url`",
    "GitHub Enterprise Server: where its GraphQL is, and that it may lack `activity` and rulesets",
    "secondary rate limits, which nobody provokes on purpose",
    "that an App may work at once in a repository that it made, also where it is installed in chosen ones",
    "that a ruleset may name an App's check before that App has reported one in the repository",
    "the words in which GitHub says that issues are turned off, or that a name is taken",
)
