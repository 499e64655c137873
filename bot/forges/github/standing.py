"""Whether everything is set up on GitHub (`pointsman doctor`), and setting it up (`connect`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bot.domain.errors import Permanent, Retryable
from bot.forges.finding import Finding, broken, doubtful, fine
from bot.forges.github import hooks
from bot.forges.github.account import Level
from bot.forges.github.asking import Ask
from bot.forges.github.blocked import required_checks
from bot.forges.github.errors import Answered
from bot.forges.github.ground import MISSING, Ground
from bot.messages import MERGE_CHECK

Json = dict[str, Any]
SKEW_S = 30.0
"""GitHub takes no JWT from the future, and the SDK allows for a minute."""
LOW = 0.1
OWN_CHECKS = "pointsman/"
NEEDED: Mapping[str, Level] = {
    "contents": "write",
    "pull_requests": "write",
    "checks": "write",
    "deployments": "write",
    "actions": "read",
}
"""Permissions of the App without which a change does not come to production."""


def examine(ground: Ground, webhook_url: str, repositories: Sequence[str]) -> Iterator[Finding]:
    """Changes nothing; what cannot be looked at is a finding, too."""
    try:
        yield from _app(ground, webhook_url) if ground.client.is_app else _user(ground)
    except (Retryable, Permanent, Answered) as error:
        yield broken("github account", f"could not be asked: {error}", "Mend that first.")
        return
    for name in repositories:
        try:
            yield from _repository(ground, webhook_url, name)
        except (Retryable, Permanent, Answered) as error:
            yield broken(name, f"could not be looked at: {error}", "See that the bot may read it.")
    yield from _budgets(ground)


def _app(ground: Ground, webhook_url: str) -> Iterator[Finding]:
    answer = ground.client.as_app("/app", {})
    yield from _signed_in(ground, f"{answer.json['slug']}[bot]", answer.headers)
    if lacking := sorted(set(hooks.EVENTS) - set(answer.json["events"])):
        yield broken(
            "github events",
            f"the App is not told of {', '.join(lacking)}",
            "Tick them in the App's settings.",
        )
    calls = str(ground.client.as_app("/app/hook/config", {}).json.get("url") or "nobody")
    if calls.rstrip("/") != webhook_url:
        todo = "Say `pointsman connect github REPOSITORY`, or mend POINTSMAN_BASE_URL."
        yield broken("github webhook", f"the App calls {calls}, and the bot listens at {webhook_url}", todo)
    else:
        yield _deliveries(ground)


def _deliveries(ground: Ground) -> Finding:
    """The last calls are the webhook's round trip, made by GitHub itself."""
    last = ground.client.as_app("/app/hook/deliveries", {"per_page": 20}).json
    failed = [one for one in last if not 0 < int(one["status_code"]) < 400]  # noqa: PLR2004 - HTTP
    if not last:
        return doubtful("github webhook", "no call was made yet", "Push something, and look again.")
    if not failed:
        return fine("github webhook", f"the last {len(last)} calls arrived")
    newest = failed[0]
    how = newest["status_code"] or newest["status"]
    says = f"{len(failed)} of the last {len(last)} calls failed, the newest with {how}"
    if newest is last[0]:
        return broken(
            "github webhook", says, "401: the secret differs from the App's. Others: see the bot's log."
        )
    return doubtful("github webhook", says, "They will be asked for; see whether it goes on.")


def _user(ground: Ground) -> Iterator[Finding]:
    answer = ground.client.ask(Ask("GET", "/user", ""))
    yield from _signed_in(ground, answer.json["login"], answer.headers)


def _signed_in(ground: Ground, login: str, headers: Mapping[str, str]) -> Iterator[Finding]:
    if login.casefold() == ground.login.casefold():
        yield fine("github account", f"signed in as {login}")
    else:
        says = f"the bot is {login}, and POINTSMAN_GITHUB_LOGIN says {ground.login}"
        yield broken("github account", says, f"Set POINTSMAN_GITHUB_LOGIN={login}.")
    if "date" in headers:
        skew = (datetime.now(UTC) - parsedate_to_datetime(headers["date"])).total_seconds()
        if abs(skew) > SKEW_S:
            yield broken("clock", f"differs from GitHub's by {skew:+.0f} s", "Set this machine's clock.")


def _repository(ground: Ground, webhook_url: str, name: str) -> Iterator[Finding]:
    about = ground.client.get(name, "", needs={"metadata": "read"})
    yield from _permissions(ground, name, about)
    if not ground.client.is_app:
        yield _hooked(ground, webhook_url, name)
    if about["archived"]:
        yield broken(name, "is archived: nothing can be changed in it", "Take it out of the archive.")
    yield _guarded(ground, name, about["default_branch"])


def _permissions(ground: Ground, name: str, about: Json) -> Iterator[Finding]:
    if ground.client.is_app:
        may = ground.client.account.may
        lacking = [f"{one}: {level}" for one, level in NEEDED.items() if not may(name, one, level)]
        todo = "Give them in the App's settings, and accept them in the installation."
        if lacking:
            yield broken(name, f"the App lacks {', '.join(lacking)}", todo)
        return
    held = about.get("permissions") or {}
    if not held.get("push"):
        yield broken(name, "the bot may not push", f"Make {ground.login} a collaborator with the role Write.")


def _guarded(ground: Ground, name: str, branch: str) -> Finding:
    """Whether nobody can merge past the bot: by branch protection or by a ruleset."""
    required = required_checks(ground, name, branch)
    if any(check.startswith(OWN_CHECKS) for check in required):
        return fine(name, f"{branch} cannot be merged into past the bot")
    return doubtful(
        name,
        f"{branch} does not require the bot's check: people may merge past the policy",
        f"Require the status check `{MERGE_CHECK}` in a ruleset or the branch protection of {branch}.",
    )


def _hooked(ground: Ground, webhook_url: str, name: str) -> Finding:
    """A token's user has a webhook for each repository, which only its administrators see."""
    try:
        hook = hooks.find(ground, webhook_url, name)
    except (Answered, Permanent):
        return doubtful(name, "the bot may not see its webhooks", f"See that one calls {webhook_url}.")
    if hook is None or not hook["active"]:
        return broken(name, "no webhook calls the bot", f"Say `pointsman connect github {name}`.")
    if lacking := sorted(set(hooks.EVENTS) - set(hook["events"])) if hook["events"] != ["*"] else []:
        todo = f"Say `pointsman connect github {name}`."
        return broken(name, f"its webhook does not tell of {', '.join(lacking)}", todo)
    return fine(name, "its webhook calls the bot")


def _budgets(ground: Ground) -> Iterator[Finding]:
    for whose, budget in sorted(ground.client.budgets.items()):
        says = f"{whose}: {budget.remaining} of {budget.limit} requests are left this hour"
        if budget.remaining < budget.limit * LOW:
            yield doubtful("github limits", says, "Give the bot an account that it alone uses.")
        else:
            yield fine("github limits", says)


def connect(ground: Ground, repository: str, webhook_url: str) -> Iterator[Finding]:
    """Make GitHub call the bot, then look whether all is well."""
    try:
        _call(ground, repository, webhook_url)
    except (Answered, Retryable, Permanent) as error:
        missing = isinstance(error, Answered) and error.status == MISSING
        if isinstance(error, Permanent) and error.reason_code == "NoSecret":
            yield broken("github", "has no webhook secret", "Set POINTSMAN_GITHUB_WEBHOOK_SECRET.")
            return
        why = "the bot may not make webhooks" if missing else error.message
        todo = f"Make one for {webhook_url}, with the secret, by hand."
        yield broken(repository, f"got no webhook: {why}", todo)
    yield from examine(ground, webhook_url, (repository,))


def _call(ground: Ground, repository: str, webhook_url: str) -> None:
    config = hooks.config(webhook_url, ground.secrets)
    if ground.client.is_app:
        ground.client.change_as_app("/app/hook/config", config)
    else:
        hooks.ensure(ground, repository, config)
