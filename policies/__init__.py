"""Policy x facts x time -> a verdict that explains itself. Pure: no clock, no I/O, no forge.

policy = policies.load(text)                       # raises PolicyErrors: block, never allow
verdict = policies.evaluate(policy, facts, now)    # a tree
"""

from policies.approving import approve, environment_of, lift, seats
from policies.errors import PolicyError, PolicyErrors
from policies.evaluate import change_verdicts, evaluate, mergeable, paused
from policies.facts import ReleaseFacts
from policies.load import extended, load
from policies.model import Policy
from policies.roles import Permission, allowed, holders, permissions_of, roles_of
from policies.verdict import Verdict

__all__ = [
    "Permission",
    "Policy",
    "PolicyError",
    "PolicyErrors",
    "ReleaseFacts",
    "Verdict",
    "allowed",
    "approve",
    "change_verdicts",
    "environment_of",
    "evaluate",
    "extended",
    "holders",
    "lift",
    "load",
    "mergeable",
    "paused",
    "permissions_of",
    "roles_of",
    "seats",
]
