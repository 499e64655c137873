"""The change that proposes a policy: the file with its comments, and what it would have said so far."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.domain import payloads as p
from bot.messages.text import code, plain, prose

ONBOARDING_TITLE = "chore: propose a release policy"
POLICY = """\
# What has to be true before a change is merged and released. Pointsman reads this file on the base branch.
# Every key is explained in docs/policy.md; `pointsman policy check .pointsman/policy.yaml` finds mistakes.
version: 1

# observe: say what would happen, block nothing. Change it to `enforce` when the verdicts are what you mean.
mode: observe

{roles}
environments:
  production:
    gates:
      - tests-passed
      # Somebody {who}, and never the author: by a review here, or by `/approve-release production`.
      - approvals: {{{rule}, exclude: [author], accept: [commands, reviews]}}
      # - coverage: {{minimum: 80}}
      # - minimum-delay: 10m

# Windows in which nothing is released. An override needs a role that may, and a reason.
# freezes:
#   - {{name: weekend, environments: [production], cron: "0 18 * * FRI", duration: 62h, timezone: Europe/Paris}}

# Who may change this very file.
changes-to-this-file: {{approvals: {{{rule}}}}}
"""
ROLES = """\
roles:
  # Who signs off a release: these people have merged or approved the last changes. Teams work, too:
  # {{teams: [acme/release]}}.
  ReleaseManager: {{users: [{users}]}}
"""
NO_ROLES = """\
# Who signs off a release: name them, then ask for `role: ReleaseManager` below.
# roles:
#   ReleaseManager: {users: [jane.doe], teams: [acme/release]}
"""
ICONS = {"approved": "✅", "delayed": "⏳", "rejected": "❌"}


def proposed_policy(owners: Sequence[str]) -> str:
    """The file. `owners` are the people who sign off today, as far as the last changes tell; without any,
    whoever may maintain the repository signs off.
    """
    if not owners:
        return POLICY.format(
            roles=NO_ROLES, who="who may maintain this repository", rule="permission: maintain"
        )
    roles = ROLES.format(users=", ".join(json.dumps(who) for who in owners))
    return POLICY.format(roles=roles, who="of that role", rule="role: ReleaseManager")


def onboarding_body(report: Sequence[tuple[p.PastChange, str, str]]) -> str:
    """What the proposed policy would have said: change, state and sentence, the newest first."""
    intro = (
        "This adds `.pointsman/policy.yaml`. It **only observes**: nothing is blocked until the file says "
        "`mode: enforce`. Edit it here as you like, then merge; close this change to stay without a policy."
    )
    if not report:
        return f"{intro}\n\nNothing has been merged here yet, so there is nothing to compare it with."
    rows = [
        f"| #{change.number} {plain(change.title)} | {code(change.author)} | {ICONS.get(state, '➖')} {prose(said)} |"
        for change, state, said in report
    ]
    held = sum(state != "approved" for _, state, _ in report)
    summary = (
        f"It would have held up {held} of the last {len(report)} merged changes; approving reviews count:"
    )
    return "\n".join([intro, "", summary, "", "| change | author | verdict |", "|---|---|---|", *rows])


def policy_exists(repository: str) -> str:
    return f"{code(repository)} has a policy already: nothing was proposed."
