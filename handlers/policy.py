"""The policy of a trace: the text the forge gave, for the trace's tenant. A broken file never means
allowed.
"""

from __future__ import annotations

import hashlib

import policies
from bot.domain.trace import TraceState

NO_FILE = "version: 1\nextends: default\n"


def policy_text(state: TraceState) -> str | None:
    """The text in force: the file on the base branch, the default pack when there is none, None before
    anybody looked.
    """
    if "policyRevision" not in state.facts and "defaultBranch" not in state.facts:
        return None
    return state.facts.get("policyText") or NO_FILE


def policy_digest(state: TraceState) -> str:
    """SHA-256 of the policy text, first twelve digits: `policyVersion` in the artefacts."""
    return hashlib.sha256((policy_text(state) or "").encode()).hexdigest()[:12]


def policy_of(state: TraceState) -> policies.Policy | None:
    """The policy, or None when it is unknown or broken (`policy_errors` says which)."""
    text = policy_text(state)
    if text is None:
        return None
    try:
        return policies.load(text).of(state.tenant_id)
    except policies.PolicyErrors:
        return None


def policy_errors(state: TraceState) -> tuple[str, ...]:
    """Why the file is broken, one sentence each; empty when it is fine or unknown."""
    text = policy_text(state)
    if text is None:
        return ()
    try:
        policies.load(text)
    except policies.PolicyErrors as errors:
        return tuple(str(error) for error in errors.errors)
    return ()


def calendar_paths(state: TraceState) -> tuple[str, ...]:
    """The calendar files that the policy's freezes name; they are read with the other facts."""
    policy = policy_of(state)
    return tuple(sorted({str(freeze.ics) for freeze in (policy.freezes if policy else ()) if freeze.ics}))
