"""Verdict trees and the sticky comment that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.deployment import Deployment
from bot.domain.release import release_id
from bot.domain.trace_state import MergeBlocked, TraceState
from bot.messages.merging import branch_conflict, no_longer_counts, not_merged, notice
from bot.messages.text import ICONS, code, plain, prose, release_url, short, trace_url, when

OPEN = frozenset({"delayed", "rejected"})


def verdict_title(tree: Mapping[str, Any]) -> str:
    """One line for a check: the state and the first thing that is missing."""
    return f"{_would(tree) or tree['state'].capitalize()}: {tree['message']}"


def _would(tree: Mapping[str, Any]) -> str:
    """In `mode: observe`, what enforcing would do; empty when nothing would be blocked."""
    return "Would be blocked" if tree.get("observed") and tree["state"] != "approved" else ""


def verdict_lines(tree: Mapping[str, Any], depth: int = 0) -> list[str]:
    """The tree as a Markdown list: icon, name, sentence, who gave what, who can help, when it changes.

    A part that only repeats the sentence of the whole stands for it.
    """
    children = list(tree.get("children") or ())
    if len(children) == 1 and children[0]["message"] == tree["message"]:
        return verdict_lines({**children[0], "name": tree["name"]}, depth)
    extra = []
    if tree["state"] in OPEN and not children:
        if tree["reason_code"] == "ApprovalMissing" and tree["have"]:
            extra.append(f"Given by {code(tree['have'])}.")
        if tree.get("who_can"):
            extra.append("Can help: " + ", ".join(code(who) for who in tree["who_can"]) + ".")
        if tree.get("next_change_at"):
            extra += [] if " until " in tree["message"] else [f"Changes {when(tree['next_change_at'])}."]
    said = " ".join([prose(tree["message"]), *extra])
    line = f"{'  ' * depth}- {ICONS[tree['state']]} **{plain(tree['name'])}**: {said}"
    return [line, *(inner for child in children for inner in verdict_lines(child, depth + 1))]


def verdict_markdown(tree: Mapping[str, Any]) -> str:
    """The whole tree, for a check's summary and for `/explain`."""
    return "\n".join(line for child in tree.get("children") or [tree] for line in verdict_lines(child))


def explained(environment: str, tree: Mapping[str, Any]) -> str:
    """The answer to `/explain`: every gate, also those that hold."""
    if not tree.get("children"):
        return one_line((environment,), tree)
    head = f"{ICONS[tree['state']]} **{plain(environment)}** {_standing(tree)}:"
    return f"{head}\n\n{verdict_markdown(tree)}"


def _standing(tree: Mapping[str, Any]) -> str:
    """The state, in the words of a sentence."""
    if _would(tree):
        return "would be blocked (mode: observe blocks nothing)"
    return {"approved": "may go ahead", "delayed": "waits", "rejected": "is blocked"}[tree["state"]]


def one_line(environments: Sequence[str], tree: Mapping[str, Any]) -> str:
    """The verdict of environments that all say the same."""
    names = ", ".join(f"**{plain(name)}**" for name in environments)
    would = " would be blocked (mode: observe blocks nothing)" if _would(tree) else ""
    return f"{ICONS[tree['state']]} {names}{would}: {prose(tree['message'])}"


def blocks(trees: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What each environment waits for: the gates that do not hold, each in its sentence; the others by name."""
    found: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    for name, tree in trees.items():
        gates = [] if tree["state"] == "approved" else list(tree.get("children") or ())
        key = name if gates else tree["message"]
        found.setdefault(key, []).append(name)
        texts[key] = _open_gates(name, tree, gates) if gates else one_line(found[key], tree)
    return list(texts.values())


def _open_gates(name: str, tree: Mapping[str, Any], gates: Sequence[Mapping[str, Any]]) -> str:
    worst_first = sorted(gates, key=lambda gate: gate["state"] != "rejected")
    stopping = [line for gate in worst_first if gate["state"] in OPEN for line in verdict_lines(gate)]
    hold = ", ".join(plain(gate["name"]) for gate in gates if gate["state"] == "approved")
    lines = [*stopping, *([f"- {ICONS['approved']} {hold}"] if hold else [])]
    return f"{ICONS[tree['state']]} **{plain(name)}** {_standing(tree)}:\n\n" + "\n".join(lines)


def sticky(
    state: TraceState, trees: Mapping[str, Mapping[str, Any]], base_url: str, *, note: str = ""
) -> str:
    """The one comment on a change: what stops the merge, what runs where, what each environment waits for,
    where to read more. `note` is Markdown about the branch.
    """
    head = f"### Release of {code(state.module_id or state.repository)} {plain(state.version)}".rstrip()
    deployed = [deployment_line(deployment) for deployment in state.deployments.values()]
    waiting = {name: tree for name, tree in trees.items() if name not in state.deployments}
    more = [_why(state, name, base_url) for name in trees]
    more.append(f"[trace {plain(state.trace_id)}]({trace_url(base_url, state.trace_id)})")
    foot = f"Revision {code(short(state.head))} · {' · '.join(more)} · `/help` lists what you may do here"
    stop = [notice(sentence) for sentence in stops(state)]
    parts = [head, *stop, note, "\n".join(deployed), *blocks(waiting), "\n".join(_ended(state)), foot]
    return "\n\n".join(part for part in parts if part)


def _why(state: TraceState, environment: str, base_url: str) -> str:
    """A link to everything that is to be said of one environment."""
    release = release_id(state.module_id, state.version, environment, state.head or "")
    return f"[{plain(environment)}]({release_url(base_url, release, state.trace_id)})"


def stops(state: TraceState) -> list[str]:
    """Why this head can not be merged although its gates may hold. Sentences."""
    change, update, blocked = state.change or {}, state.branch_update, state.merge_blocked
    if change.get("state") != "open":
        return []
    found = blocked if blocked and blocked.head == change["head"] else None
    if found is None and update and update.status == "failed" and update.head == change["head"]:
        found = MergeBlocked(head=update.head, reason_code=update.reason_code, message=update.message)
        if found.reason_code != "MergeConflict":
            return []
    if found is None or found.reason_code == "HeadMoved":
        return []
    if found.reason_code == "MergeConflict":
        return [branch_conflict(change["source"], change["target"], found.message)]
    return [not_merged(found.reason_code, found.message)]


def _ended(state: TraceState) -> list[str]:
    """Approvals that their authors may think count: of an earlier revision, and not given again since."""
    if (state.change or {}).get("state") != "open":
        return []
    given = {(a.approver, a.environment) for a in state.approvals if not a.ended}
    last = {
        (a.approver, a.environment): no_longer_counts(a.approver, a.environment, a.revision, a.why)
        for a in state.approvals
        if a.ended == "invalidated" and (a.approver, a.environment) not in given
    }
    return list(last.values())


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
