"""The ruleset by which only changes get into the default branch, and only with the bot's check.

A ruleset and not the older branch protection: it says which App's check is meant, so that no other can report
it.
https://docs.github.com/en/rest/repos/rules#create-a-repository-ruleset
"""

from __future__ import annotations

from typing import Any

from bot.forges.github.account import Needs
from bot.forges.github.ground import Ground

Json = dict[str, Any]
NAME = "pointsman"
LOOK: Needs = {"metadata": "read"}
ADMIN: Needs = {"administration": "write", "metadata": "read"}
REVIEWS = {
    "required_approving_review_count": 0,
    "dismiss_stale_reviews_on_push": False,
    "require_code_owner_review": False,
    "require_last_push_approval": False,
    "required_review_thread_resolution": False,
}
"""Who must approve is the policy's to say."""


def protect(ground: Ground, repository: str, required_check: str) -> None:
    """Nothing gets in but by a change; with a check, not without that."""
    there = ground.client.pages(repository, "/rulesets", params={"includes_parents": "false"}, needs=LOOK)
    if any(one["name"] == NAME for one in there):
        return
    said = {
        "name": NAME,
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": _rules(required_check, ground.client.app_id),
    }
    ground.client.send("POST", repository, "/rulesets", said, needs=ADMIN)


def _rules(required_check: str, app_id: int | None) -> list[Json]:
    rules: list[Json] = [
        {"type": "deletion"},
        {"type": "non_fast_forward"},
        {"type": "pull_request", "parameters": dict(REVIEWS)},
    ]
    if required_check:
        check: Json = {"context": required_check} | ({"integration_id": app_id} if app_id else {})
        asked = {"required_status_checks": [check], "strict_required_status_checks_policy": False}
        rules.append({"type": "required_status_checks", "parameters": asked})
    return rules
