"""Whether a project's default branch can be changed past the bot."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from bot.domain.errors import Permanent
from bot.forges.finding import Finding, doubtful, fine
from bot.forges.gitlab.access import get_branch
from bot.forges.gitlab.client import Api, Json, project

NOBODY = 0


def protection(api: Api, known: Json, name: str) -> Iterator[Finding]:
    """What is open; one finding when nothing is. Raises Answered, Permanent, Retryable."""
    default = str(known.get("default_branch") or "main")
    found = [*_merging(known, default), *_pushing(api, name, default)]
    yield from found or [fine(name, f"{default} cannot be merged into past the bot")]


def _merging(known: Json, default: str) -> Iterator[Finding]:
    """`Pipelines must succeed` is what makes a commit status count."""
    name = known["path_with_namespace"]
    if not known.get("only_allow_merge_if_pipeline_succeeds"):
        said = f"{default} does not require the bot's check: people may merge past the policy"
        yield doubtful(name, said, "Tick Settings > Merge requests > Pipelines must succeed.")
    elif known.get("allow_merge_on_skipped_pipeline"):
        said = "a skipped pipeline counts as one that succeeded: `[skip ci]` merges past the policy"
        yield doubtful(name, said, "Untick Settings > Merge requests > Skipped pipelines are successful.")


def _pushing(api: Api, name: str, default: str) -> Iterator[Finding]:
    branch = get_branch(api, name, default) or {}
    if not branch.get("protected"):
        yield doubtful(name, f"{default} is not protected: people may push past the policy", "Protect it.")
        return
    rules = _rules(api, name, default)
    if rules is None:
        said = f"the bot may not see who may push to {default}"
        yield doubtful(name, said, "Give its account the role Maintainer, or look under Protected branches.")
    elif who := sorted({who for rule in rules for who in _pushers(api, rule)}):
        todo = "Set Settings > Repository > Protected branches > Allowed to push to No one."
        yield doubtful(name, f"{', '.join(who)} may push to {default} past the policy", todo)


def _rules(api: Api, name: str, default: str) -> list[Json] | None:
    """The rules that fit; of several, who may push by one of them may push."""
    try:
        listed = list(api.list(f"{project(name)}/protected_branches"))
    except Permanent as refused:
        if refused.reason_code != "Forbidden":
            raise
        return None
    return [rule for rule in listed if fnmatchcase(default, rule["name"])]


def _pushers(api: Api, rule: Json) -> Iterator[str]:
    """Everybody but the bot itself, as GitLab names them."""
    for one in rule["push_access_levels"]:
        if one.get("access_level") != NOBODY and one.get("user_id") != api.myself["id"]:
            yield str(one.get("access_level_description") or f"access level {one.get('access_level')}")
