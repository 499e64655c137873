"""The policy of a trace: the text the forge gave, for the trace's tenant. A broken file never means
allowed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import PurePosixPath

import policies
from bot.domain.release import POLICY_FILE
from bot.domain.trace import TraceState
from policies import code_owners

NO_FILE = "version: 1\n"
FOLDER = f"{PurePosixPath(POLICY_FILE).parent}/"


def policy_text(state: TraceState) -> str | None:
    """The text in force: the file on the base branch, the default pack when there is none, None before
    anybody looked.
    """
    if "policyRevision" not in state.facts and "defaultBranch" not in state.facts:
        return None
    return state.facts.get("policyText") or NO_FILE


def policy_digest(state: TraceState) -> str:
    """SHA-256 of the policy text and of what it extends, first twelve digits: `policyVersion` in the
    artefacts.
    """
    return full_policy_digest(state)[:12]


def full_policy_digest(state: TraceState) -> str:
    """SHA-256, hexadecimal. Of a policy that extends no file it is the digest of the file."""
    below = [part for file in _below(state) for part in file]
    below += [organisation_text(state) or ""] if organisation_text(state) else []
    return hashlib.sha256("\0".join((policy_text(state) or "", *below)).encode()).hexdigest()


def policy_of(state: TraceState) -> policies.Policy | None:
    """The policy, or None when it is unknown or broken (`policy_errors` says which)."""
    try:
        return _load(state)
    except policies.PolicyErrors:
        return None


def policy_errors(state: TraceState) -> tuple[str, ...]:
    """Why the file is broken, one sentence each; empty when it is fine or unknown."""
    try:
        _load(state)
    except policies.PolicyErrors as errors:
        return tuple(str(error) for error in errors.errors)
    return ()


def _load(state: TraceState) -> policies.Policy | None:
    text = policy_text(state)
    return None if text is None else _loaded(text, state)


def _loaded(text: str, state: TraceState) -> policies.Policy:
    over, names = organisation_text(state), command_names()
    loaded = policies.load(text, files=_below(state), organisation=over, commands=names)
    return loaded.of(state.tenant_id)


@cache
def command_names() -> frozenset[str]:
    """Every name that a comment command has."""
    from handlers.decide import registry  # which imports the commands, and they this

    return frozenset(registry().commands) | frozenset(registry().second_names)


def organisation_text(state: TraceState) -> str | None:
    """The policy that all repositories of the organisation lie over; None: it has none."""
    return state.facts.get("organisationText") or None


def touches_policy(state: TraceState) -> bool:
    """Whether the change edits anything that the policy in force is made of, or its tests: the file, what
    lies beside it, what it extends, its calendars, the code owners that it asks.
    """
    change = state.change or {}
    paths = change.get("paths") or ()
    rests_on = set(paths_of(state))
    return bool(change.get("touchesPolicy")) or any(
        path.startswith(FOLDER) or path in rests_on for path in paths
    )


def _below(state: TraceState) -> tuple[tuple[str, str], ...]:
    """Path and text of the files that the policy extends, as far as they have been read."""
    known = state.policy_files
    return tuple((path, known[path]) for path in _extended(state) if known.get(path))


def _extended(state: TraceState) -> tuple[str, ...]:
    """The files that the policy extends, one by the other, the first that nobody has read yet included."""
    found: list[str] = []
    path = policies.extended(policy_text(state) or "")
    while path and path not in found:
        found.append(path)
        path = policies.extended(state.policy_files.get(path, ""))
    return tuple(found)


def paths_of(state: TraceState) -> tuple[str, ...]:
    """What is read with the other facts, since the policy names it: files it extends, calendars."""
    policy = policy_of(state)
    calendars = {str(freeze.ics) for freeze in (policy.freezes if policy else ()) if freeze.ics}
    owners = code_owners.PLACES if policy and policy.asks_code_owners else ()
    return tuple(sorted({*calendars, *_extended(state), *owners}))


def code_owners_of(state: TraceState) -> str | None:
    """The CODEOWNERS file of the base branch, empty when it has none, None before anybody looked."""
    if not state.policy_files.keys() & set(code_owners.PLACES):
        return None
    return next((state.policy_files[path] for path in code_owners.PLACES if state.policy_files.get(path)), "")


def unread(state: TraceState, looked_for: Iterable[str]) -> bool:
    """Whether the policy names a file that is not known, and that nobody has just looked for."""
    known = {*state.calendars, *state.policy_files, *looked_for}
    return not known.issuperset(paths_of(state))
