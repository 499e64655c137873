"""The first sentence of a trace's page and its line in the list.

What blocks, who can help, when it changes. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import messages
from bot.domain.trace import TraceState
from bot.studio.blockers import blockers, helpers, next_change
from bot.studio.sentences import Tone, by_name
from handlers.policy import policy_of

AUTHOR = "Author"
"""Not a role of the policy: whoever made the change reads the sentence there."""
SETTLED = {"completed", "failed", "started", "rolling-back"}
MOST_HELPERS = 3


@dataclass(frozen=True)
class Headline:
    """One sentence and its weight."""

    text: str
    tone: Tone


def title(state: TraceState) -> str:
    """What a person calls this trace."""
    return f"{state.module_id} {state.version}".strip() or state.repository or state.trace_id


def headline(state: TraceState) -> Headline:
    """The most important thing about a trace now."""
    found = next(_candidates(state), None)
    step = by_name(state.flow.state.replace("_", " ")) if state.flow.state else "Only watched so far"
    return found or Headline(f"{step}.", "info")


def _candidates(state: TraceState) -> Iterator[Headline]:
    """In order of importance; the first one is said."""
    yield from _moving(state)
    if state.published:
        yield Headline(f"{state.version} is released everywhere.", "good")
    if (state.change or {}).get("state") == "closed":
        yield Headline("The change was closed without a merge.", "bad")
    yield from (Headline(sentence, "bad") for sentence in messages.stops(state))
    yield from _blocked(state)
    yield from _failed(state)
    if state.escalations:
        last = state.escalations[-1]
        who = f"{last.get('role', 'A person')} is needed: "
        yield Headline(("" if last.get("role") == AUTHOR else who) + str(last.get("message", "")), "bad")


def _moving(state: TraceState) -> Iterator[Headline]:
    for name, deployment in state.deployments.items():
        if deployment.status == "rolling-back":
            yield Headline(f"Rolling {name} back from {deployment.version}.", "bad")
        if deployment.status == "started":
            yield Headline(f"Deploying {deployment.version} to {name}.", "info")


def _blocked(state: TraceState) -> Iterator[Headline]:
    for name in waiting(state):
        tree = state.releases[name].tree
        found = blockers(tree)
        if not found:
            continue
        rejected = any(blocker.state == "rejected" for blocker in found)
        said = f"{name} {'is blocked' if rejected else 'waits'}: {found[0].message}"
        if len(found) > 1:
            said += f" And {len(found) - 1} more."
        when = "" if " until " in said else _when(next_change(tree))  # one moment, one way of saying it
        yield Headline(said + _who(helpers(tree)) + when, "bad" if rejected else "wait")


def _failed(state: TraceState) -> Iterator[Headline]:
    for name, deployment in state.deployments.items():
        if deployment.status == "failed":
            back = f" {deployment.rolled_back_to} runs again." if deployment.rolled_back_to else ""
            yield Headline(f"{deployment.version} failed in {name}.{back}", "bad")


def waiting(state: TraceState) -> list[str]:
    """Environments whose verdict is not history yet: this revision is neither there nor on its way."""
    return [name for name in ordered(state) if name in state.releases and not _settled(state, name)]


def ordered(state: TraceState) -> list[str]:
    """The environments evaluated or deployed to, in the policy's order: stored states are sorted by name."""
    policy = policy_of(state)
    known = [*state.releases, *(name for name in state.deployments if name not in state.releases)]
    order = list(policy.environments) if policy else []
    return sorted(known, key=lambda name: order.index(name) if name in order else len(order))


def _settled(state: TraceState, environment: str) -> bool:
    deployed = state.deployments.get(environment)
    revisions = {state.releases[environment].revision, state.head}
    return deployed is not None and deployed.revision in revisions and deployed.status in SETTLED


def _who(names: tuple[str, ...]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - MOST_HELPERS} more" if len(names) > MOST_HELPERS else ""
    return f" Can help: {', '.join(names[:MOST_HELPERS])}{more}."


def _when(moment: str | None) -> str:
    return f" Changes {moment[:10]} {moment[11:16]} UTC." if moment else ""
