"""Whether repositories of the embedded forge are set up: there, writable, and not merged past the bot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.forges.finding import Finding, broken, doubtful, fine
from bot.forges.local import people
from bot.forges.local.ground import Ground
from bot.forges.local.protection import Rule, rules_for
from bot.forges.local.records import OWN_CHECKS
from bot.forges.local.tables import ForgeRepository


def examine(ground: Ground, repositories: Sequence[str]) -> Iterator[Finding]:
    """One finding for each thing of each repository."""
    for name in repositories:
        with ground.read() as session:
            kept = session.get(ForgeRepository, name)
            if kept is None:
                yield broken(name, "is not there", f"Make it with `pointsman forge repository {name}`.")
                continue
            mine = people.permission(session, name, ground.settings.bot_login)
            rules = [Rule.model_validate(rule) for rule in kept.protection]
        if mine in {"none", "read"}:
            todo = f"Say `pointsman forge member {name} {ground.settings.bot_login} write`."
            yield broken(name, "the bot may not write", todo)
        required = [check for rule in rules_for(rules, kept.default_branch) for check in rule.checks]
        if any(check.startswith(OWN_CHECKS) for check in required):
            yield fine(name, f"{kept.default_branch} cannot be merged into past the bot")
        else:
            yield doubtful(
                name,
                f"{kept.default_branch} does not require the bot's check: people may merge past the policy",
                "Make the repository with --policy, or require the check in its protection.",
            )
