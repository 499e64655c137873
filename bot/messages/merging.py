"""Why a change is not merged yet, or people are asked again. Sentences are plain text where they stand in events
as well; `notice` makes a comment of one.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages.text import check_name, code, plain, prose, short

TRY_AGAIN = {
    "Retryable": "It is tried again when a check succeeds, or with `/retry`.",
    "RequiredCheckFailed": "Push a repair, or have the check run again.",
    "ApprovalsMissing": "The forge wants reviews of its own: give them, then `/retry`.",
    "BranchDeleted": "Bring the branch back, then `/retry`.",
    "ChangeClosed": "Reopen the change, then `/retry`.",
}


def notice(sentence: str) -> str:
    """What a person must act on, as a comment."""
    return f"⚠️ {prose(sentence)}"


def branch_conflict(source: str, target: str, why: str) -> str:
    return f"Not mergeable: {why}. Merge {target} into {source}, solve the conflict, push."


def not_merged(reason_code: str, why: str) -> str:
    return f"Not merged: {why}. {TRY_AGAIN.get(reason_code, 'Put that right, then `/retry`.')}"


def not_updated(source: str, target: str, why: str) -> str:
    return f"{source} can not be brought up to date with {target}: {why}. It is merged as it is."


def target_merged(target: str) -> str:
    return f"{target} went on and was merged into the branch"


def branch_waits(target: str) -> str:
    """On the change, while it is too early to bring its branch up to date."""
    return f"ℹ️ {code(target)} has gone on. It is merged into this branch once nothing holds the change; approvals given before then end with that."


def approval_will_end(target: str) -> str:
    """To an approver of a revision that will not be what is merged."""
    return f"But {code(target)} has gone on: once it is merged into the branch, this approval is asked for again."


def approve_again(
    target: str, head: str, ended: Sequence[tuple[str, str]], reviewers: Sequence[str] = ()
) -> str:
    """`ended`: who had approved for which environment. `reviewers`: whose review had counted."""
    whose = [f"{code(who)} (**{plain(where)}**)" for who, where in ended]
    whose += [f"the review of {code(who)}" for who in reviewers]
    ways = [code(f"/approve-release {where}") for where in dict.fromkeys(where for _, where in ended)]
    ways += ["review it again"] if reviewers else []
    return (
        f"🔄 {code(target)} went on and was merged into this branch: {code(short(head))} is what would be merged now. "
        f"No longer counted: {', '.join(whose)}. Please look again, then {' and '.join(ways)}."
    )


def no_longer_counts(who: str, where: str, revision: str, why: str) -> str:
    because = f": {plain(why)}" if why else ""
    return f"- ↩️ The approval of {code(short(revision))} for **{plain(where)}** by {code(who)} has ended{because}."


def merge_title(state: str, waits_for: Sequence[str], *, observed: bool) -> str:
    """One line for the check that guards the branch."""
    if state == "approved":
        return "May be merged: every gate before the merge holds"
    where = ", ".join(waits_for)
    if observed:
        return f"Would {'reject' if state == 'rejected' else 'wait for'} {where}"
    return f"{'Rejected' if state == 'rejected' else 'Waits'} for {where}"


def merge_summary(environments: Sequence[str]) -> str:
    names = ", ".join(code(check_name(name)) for name in environments)
    return f"What is missing, and who can help, is in {names}."


def group_title(change: int, waits_for: Sequence[str], *, observed: bool) -> str:
    """One line for the check of a merge queue's group."""
    if not waits_for:
        return f"May be merged: change {change} is approved everywhere"
    where = ", ".join(waits_for)
    return (
        f"Would not let change {change} in: {where}"
        if observed
        else f"Change {change} is not approved for {where}"
    )


def group_summary(change: int, environments: Sequence[str]) -> str:
    return (
        f"The group is judged by the change that it adds, #{change}. {merge_summary(environments)} "
        "Put it into the queue again when they agree."
    )
