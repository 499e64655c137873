"""What a CI system can not say in a file, in the words of the person who has to set it up or live without."""

from __future__ import annotations

from collections.abc import Sequence

# -- notes: what is rendered means the same, but looks different, runs elsewhere or needs a hand -----------------


def rounded_up(jobs: Sequence[str]) -> str:
    return f"time limits of {', '.join(jobs)} are rounded up to whole minutes"


def reports_kept(jobs: Sequence[str], system: str) -> str:
    return f"reports of {', '.join(jobs)} are kept as artefacts: {system} does not show them"


def coverage_by_bot(system: str) -> str:
    return f"{system} reads no coverage from a log; the bot does, from a line `coverage: NN%`"


def coverage_by_report(system: str) -> str:
    return f"{system} reads no coverage from a log; publish a Cobertura report"


def changes_by_policy(system: str) -> str:
    return f"{system} runs for changes of Azure Repos by a branch policy (build validation), not by `pr`"


def star_is_slash(names: Sequence[str], system: str) -> str:
    return f"in {system} `*` of {', '.join(names)} is also `/`"


def no_stages(system: str) -> str:
    return f"{system} shows no stages: jobs name what they need, and that may be in another stage"


def schedule_by_hand(cron: str, branch: str, system: str) -> str:
    return f"{system} has no schedules in files: make one of `{cron}` (UTC) for `{branch}` in its settings"


def schedule_on_default(branches: Sequence[str], system: str) -> str:
    return f"{system} runs schedules on the default branch only: that has to be {', '.join(branches)}"


def inputs_by_hand(names: Sequence[str], system: str) -> str:
    return f"{system} asks nothing for a module in a folder: whoever starts a run gives the variables {', '.join(names)}"


def no_retries(jobs: Sequence[str], system: str) -> str:
    return f"{system} does not run a failed job again: {', '.join(jobs)} run once; say /retry"


def rights_elsewhere(jobs: Sequence[str], system: str) -> str:
    return (
        f"{system} takes rights from its settings, not from the file: look after those of {', '.join(jobs)}"
    )


def secrets_to_make(names: Sequence[str], where: str) -> str:
    return f"make the secrets {', '.join(names)} in {where}"


def approval_to_make(environments: Sequence[str], system: str) -> str:
    return f"{system} keeps approvals in its settings: add one to the environment {', '.join(environments)}"


def approver_to_make(environments: Sequence[str], system: str) -> str:
    return f"in {system} whoever may run jobs may agree: protect the environment {', '.join(environments)}"


def lock_to_make(environments: Sequence[str], system: str) -> str:
    return (
        f"{system} takes turns by a check: add an exclusive lock to the environment {', '.join(environments)}"
    )


def newest_waits(environments: Sequence[str], system: str) -> str:
    return f"of deployments that wait for {', '.join(environments)}, {system} keeps the newest only"


def cache_of_protected(system: str) -> str:
    return f"{system} keeps caches of protected branches apart from others"


def no_cache_for_releases(system: str) -> str:
    return (
        f"{system} keeps no caches here: a run for a tag or a release may not take what a branch left behind"
    )


# -- refusals: the meaning would be another -----------------------------------------------------------------


def cannot_limit(pattern: str, system: str) -> str:
    return (
        f"{system} can not limit one job to `{pattern}`: its conditions know names and beginnings. "
        "Use a name, or a beginning and `**`."
    )


def file_in_the_way(path: str) -> str:
    return f"`{path}` is there and is not ours: move it, or give the module another name."


def read_as_variable(job: str, text: str, system: str) -> str:
    return f"job {job}: {system} would read `{text}` as a variable of its own"


def text_is_read(name: str, system: str) -> str:
    return f"input {name}: {system} reads variables in what a person types. Make it a choice or a boolean."


def audience_is_fixed(job: str, audience: str, system: str) -> str:
    return (
        f"job {job}: {system} makes identity tokens for api://AzureADTokenExchange only, not for {audience}"
    )


def file_edited(path: str) -> str:
    return f"`{path}` was edited since it was generated: move it away or take your edit back, then generate again."


def file_not_ours(path: str) -> str:
    return f"`{path}` is there and was not generated: move it away, then generate again."


def lock_unreadable(path: str) -> str:
    return f"`{path}` can not be read: take it back from Git, or delete it and the files that were generated."
