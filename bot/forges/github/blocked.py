"""Why GitHub does not merge a change that could be merged: what its branch protection waits for.

Who may read a repository may read what its default branch asks for, in the branch (classic protection) and in
the rules that apply to it (rulesets).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bot.domain.errors import Permanent, Retryable
from bot.forges.github.account import Needs
from bot.forges.github.errors import Answered
from bot.forges.github.ground import GONE, Ground

Json = dict[str, Any]
PASSED = frozenset({"success", "neutral", "skipped"})


def why_not(ground: Ground, repository: str, pull: Json, error: Answered) -> Exception:
    """A failed check needs a person; a missing one only time; anything else is said in GitHub's words."""
    target = pull["base"]["ref"]
    wanted = required_checks(ground, repository, target)
    said = reported(ground, repository, pull["head"]["sha"]) if wanted else {}
    failed = sorted(name for name in wanted if said.get(name) not in {None, "pending", *PASSED})
    if failed:
        return Permanent("RequiredCheckFailed", f"{target} is protected: {', '.join(failed)} did not succeed")
    waiting = sorted(name for name in wanted if said.get(name) in {None, "pending"})
    if waiting:
        return Retryable(f"{target} is protected: {', '.join(waiting)} has not succeeded yet")
    if error.says("review"):
        return Permanent("ApprovalsMissing", f"{target} is protected: {error.message}")
    return Permanent("MergeRefused", f"GitHub does not merge change {pull['number']}: {error.message}")


def required_checks(ground: Ground, repository: str, branch: str) -> set[str]:
    """Names of the checks without which nothing gets into a branch."""
    said = ground.client.get(repository, f"/branches/{quote(branch, safe='')}")
    classic = ((said.get("protection") or {}).get("required_status_checks") or {}).get("contexts") or []
    return {*classic, *_by_rules(ground, repository, branch)}


def _by_rules(ground: Ground, repository: str, branch: str) -> set[str]:
    try:
        rules = list(ground.client.pages(repository, f"/rules/branches/{quote(branch, safe='')}"))
    except Answered as error:
        if error.status in GONE:  # a server without rulesets
            return set()
        raise
    checks = [rule for rule in rules if rule["type"] == "required_status_checks"]
    return {one["context"] for rule in checks for one in rule["parameters"]["required_status_checks"]}


def reported(ground: Ground, repository: str, revision: str) -> dict[str, str]:
    """What checks and statuses say of a revision, by name; `pending` while that is nothing."""
    needs: Needs = {"checks": "read", "metadata": "read"}
    path = f"/commits/{revision}/check-runs"
    runs = ground.client.pages(repository, path, inside="check_runs", needs=needs)
    found = {
        run["name"]: run.get("conclusion") or "pending"
        for run in sorted(runs, key=lambda run: int(run["id"]))
    }
    return _statuses(ground, repository, revision) | found


def _statuses(ground: Ground, repository: str, revision: str) -> dict[str, str]:
    """An App that may not read them is not told of them either: then they count as missing."""
    if ground.client.account.may(repository, "statuses", "read") is False:
        return {}
    needs: Needs = {"statuses": "read", "metadata": "read"}
    params = {"per_page": 100}
    said = ground.client.get(repository, f"/commits/{revision}/status", params=params, needs=needs)
    return {one["context"]: one["state"] for one in said["statuses"]}
