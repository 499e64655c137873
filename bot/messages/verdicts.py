"""Verdict trees and the sticky comment that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.deployment import Deployment
from bot.domain.trace_state import TraceState
from bot.messages.text import ICONS, code, plain, short, trace_url


def verdict_title(tree: Mapping[str, Any]) -> str:
    """One line for a check: the state and the first thing that is missing."""
    return f"{tree['state'].capitalize()}: {tree['message']}"


def verdict_lines(tree: Mapping[str, Any], depth: int = 0) -> list[str]:
    """The tree as a Markdown list: icon, name, sentence, who can help, when it changes."""
    extra = []
    if tree["state"] in {"delayed", "rejected"} and not tree.get("children"):
        if tree.get("who_can"):
            extra.append("Can help: " + ", ".join(code(who) for who in tree["who_can"]) + ".")
        if tree.get("next_change_at"):
            extra.append(f"Changes at {tree['next_change_at']}.")
    said = " ".join([plain(tree["message"]), *extra])
    line = f"{'  ' * depth}- {ICONS[tree['state']]} **{plain(tree['name'])}**: {said}"
    return [
        line,
        *(inner for child in tree.get("children") or () for inner in verdict_lines(child, depth + 1)),
    ]


def verdict_markdown(tree: Mapping[str, Any]) -> str:
    """The whole tree, for a check's summary and for `/explain`."""
    return "\n".join(line for child in tree.get("children") or [tree] for line in verdict_lines(child))


def explained(environment: str, tree: Mapping[str, Any]) -> str:
    """The answer to `/explain`."""
    return f"{ICONS[tree['state']]} **{plain(environment)}** is {tree['state']}: {plain(tree['message'])}\n\n{verdict_markdown(tree)}"


def sticky(state: TraceState, trees: Mapping[str, Mapping[str, Any]], base_url: str) -> str:
    """The one comment on a change: what runs where, what each environment waits for, where to read more."""
    head = f"### Release of {code(state.module_id or state.repository)} {plain(state.version)}".rstrip()
    deployed = [deployment_line(deployment) for deployment in state.deployments.values()]
    blocks = [explained(name, tree) for name, tree in trees.items() if name not in state.deployments]
    where = f"[trace {plain(state.trace_id)}]({trace_url(base_url, state.trace_id)})"
    foot = f"Revision {code(short(state.head))} · {where} · `/help` lists what you may do here"
    return "\n\n".join([head, *(["\n".join(deployed)] if deployed else []), *blocks, foot])


def deployment_line(deployment: Deployment) -> str:
    """What became of the release in one environment."""
    name, version = plain(deployment.environment), plain(deployment.version)
    match deployment.status:
        case "completed":
            return f"- 🚀 **{name}** runs {version}: {deployment.url}"
        case "failed" if deployment.rolled_back_to:
            back = plain(deployment.rolled_back_to)
            return f"- ↩️ **{name}**: {version} did not get healthy, {back} runs again. `/retry` tries {version} once more."
        case "failed":
            return f"- ❌ **{name}**: {version} did not get healthy. `/status` says more, `/retry` tries it once more."
        case _:
            return f"- ⏳ **{name}**: {version} is being deployed."


def policy_unusable(error: str) -> str:
    return (
        f"The policy file is broken at {error}. Mend it on the base branch; until then nothing is released."
    )
