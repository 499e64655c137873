"""Branch protection: who may push to a branch, and what a merge into it needs.

The push side is checked inside Git by a hook of plain shell. It runs while the pushed objects are still in
quarantine, sees the refs as they are, and needs neither a Python environment nor a call back into a server
that is busy with that very push: which patterns this pusher may not touch is known before git starts, and
comes in two variables.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from bot.domain.model import Model
from bot.messages import MERGE_CHECK

HOOK = """#!/bin/sh
# Refuses what branch protection forbids. GUARDED and PROTECTED hold one branch pattern per line.
set -f
IFS='
'
zero=0000000000000000000000000000000000000000
refused=0
say() { echo "Pointsman: $1" >&2; refused=1; }
matches() { for pattern in $2; do case "$1" in $pattern) return 0 ;; esac; done; return 1; }
judge() {
  case "$3" in
    refs/tags/*) return ;;
    refs/heads/*) branch=${3#refs/heads/} ;;
    *) say "only branches and tags can be pushed, not $3"; return ;;
  esac
  [ "$1" = "$zero" ] && return
  matches "$branch" "$POINTSMAN_PROTECTED" || return
  if [ "$2" = "$zero" ]; then say "$branch is protected: it cannot be deleted"; return; fi
  if ! git merge-base --is-ancestor "$1" "$2"; then
    say "$branch is protected: its history cannot be rewritten"
    return
  fi
  if matches "$branch" "$POINTSMAN_GUARDED"; then
    say "$branch is protected: push a branch of your own and open a change"
  fi
}
while IFS=' ' read -r old new ref; do judge "$old" "$new" "$ref"; done
exit $refused
"""


class Rule(Model):
    """A protected branch, or several by a pattern (`release/*`): never rewritten, never deleted."""

    branch: str
    push: tuple[str, ...] = ()
    """Logins that may push without a change."""
    checks: tuple[str, ...] = ()
    """Exact names of checks that must have passed on the head before anybody, also the bot, may merge."""
    approvals: int = 0
    """People other than the author whose latest review approves the head."""


def gated(branch: str) -> Rule:
    """Protection that no merge by hand gets around: the bot's check over all environments is required."""
    return Rule(branch=branch, checks=(MERGE_CHECK,))


def rules_for(rules: list[Rule], branch: str) -> list[Rule]:
    """The rules that apply to a branch."""
    return [rule for rule in rules if fnmatchcase(branch, rule.branch)]


def may_push(rules: list[Rule], branch: str, login: str) -> bool:
    """Whether `login` may put commits on an existing branch without a change."""
    return all(login in rule.push for rule in rules_for(rules, branch))


def hook_variables(rules: list[Rule], login: str) -> dict[str, str]:
    """What the hook is told about one pusher."""
    return {
        "POINTSMAN_PROTECTED": "\n".join(rule.branch for rule in rules),
        "POINTSMAN_GUARDED": "\n".join(rule.branch for rule in rules if login not in rule.push),
    }


def install_hooks(home: Path) -> Path:
    """The folder of hooks all repositories use (`core.hooksPath`), written anew at every start."""
    folder = home / "hooks"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / "pre-receive.new"
    draft.write_text(HOOK)
    draft.chmod(0o755)
    draft.replace(folder / "pre-receive")
    return folder
