"""What people read who delay, hold, pause, lock, start anew or plan a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.messages.text import code, plain
from bot.messages.verdicts import explained


def moment(at: datetime) -> str:
    """A moment as people read it."""
    return f"{at.astimezone(UTC):%a %Y-%m-%d %H:%M} UTC"


def not_a_moment(text: str) -> str:
    return f"{code(text)} is no moment: write `2h`, `2026-12-24` or `2026-12-24T18:00` (UTC, or with its offset)."


def not_a_duration(text: str) -> str:
    return f"{code(text)} is no duration: write it like `10m`, `2h` or `1h30m`, at most a year."


def explained_at(at: datetime) -> str:
    """Above the answer to `/explain at=...`."""
    return f"As it would be {moment(at)}, if nothing else changes:"


def moment_passed(at: datetime) -> str:
    return f"{moment(at)} is over: name a moment that is still to come."


def nothing_evaluated() -> str:
    return "Nothing has been evaluated here yet: wait for the check, then say it again."


def delayed(environment: str, until: datetime, login: str) -> str:
    undo = code(f"/delay-release {environment} cancel")
    return f"⏳ {code(login)} delayed **{plain(environment)}** until {moment(until)}. {undo} takes that back."


def delay_ended(environment: str) -> str:
    return f"The delay of **{plain(environment)}** is taken back."


def nothing_delayed(environment: str) -> str:
    return f"Nobody has delayed {environment}: there is nothing to take back."


def held(login: str, reason: str) -> str:
    return f"✋ {code(login)} holds the change{_because(reason)}. It is neither merged nor deployed until `/unhold`."


def already_held(login: str) -> str:
    return f"{code(login)} holds the change already."


def freed() -> str:
    return "Nobody holds the change any more."


def not_held() -> str:
    return "Nobody holds the change by `/hold`. If a label holds it, take the label off."


def paused(login: str, reason: str) -> str:
    return f"⏸️ {code(login)} paused the flow{_because(reason)}. What runs goes on, nothing new is started until `/resume`."


def already_paused(login: str) -> str:
    return f"{code(login)} has paused the flow already."


def resumed() -> str:
    return "▶️ The flow goes on."


def not_paused() -> str:
    return "The flow is not paused."


def paused_meanwhile(login: str) -> str:
    return f"{code(login)} has paused the flow: say `/resume` first."


def locked(environment: str, login: str, reason: str) -> str:
    undo = code(f"/unlock {environment}")
    return f"🔒 {code(login)} locked **{plain(environment)}**{_because(reason)}. No release of this repository starts there until {undo}."


def already_locked(environment: str, login: str) -> str:
    return f"{code(login)} has locked {environment} already."


def unlocked(environment: str, login: str) -> str:
    return f"🔓 **{plain(environment)}** is open again; {code(login)} had locked it."


def not_locked(environment: str) -> str:
    return f"Nobody has locked {environment}."


def hotfix(environment: str, version: str, login: str, reason: str) -> str:
    return f"🚑 {code(login)} has {plain(version)} deployed to **{plain(environment)}** once more{_because(reason)}."


def not_approved(environment: str, message: str) -> str:
    return f"A hotfix has to be approved like any other release, and {environment} is not: {message}"


def retrying_later(what: str, at: datetime) -> str:
    return f"🔁 Trying {what} again at {moment(at)}."


def unknown_task(named: str, known: Sequence[str]) -> str:
    return f"There is no task {code(named)} to try again; there is {', '.join(known)}."


def refreshed() -> str:
    return "🔄 Everything is looked at again: the change, the people, the policy."


def command_disabled(name: str) -> str:
    return f"The policy of this repository has switched `/{name}` off."


def in_help(summary: str, second: str) -> str:
    """What `/help` says of a command that has another name too."""
    return f"{summary} (also {code(f'/{second}')})" if second else summary


def alias_of(stands_for: str) -> str:
    return f"The same as {code(f'/{stands_for}')}"


def planned(environment: str, steps: Sequence[str], tree: Mapping[str, Any]) -> str:
    """The answer to `/plan-release`."""
    rows = [f"{number}. {step}" for number, step in enumerate(steps, 1)]
    head = f"Plan of **{plain(environment)}**; nothing was done."
    return "\n\n".join([head, "\n".join(rows), explained(environment, tree)])


def plan_merge(method: str, *, by_bot: bool) -> str:
    who = "The bot merges" if by_bot else "A person merges"
    return f"{who} the change ({method})."


def plan_before(environments: Sequence[str]) -> str:
    return f"Before it: {', '.join(plain(name) for name in environments)}."


def plan_deploy(version: str, environment: str, strategy: str, running: str | None) -> str:
    instead = f", in place of {plain(running)}" if running else ", where nothing runs yet"
    return f"{plain(version)} is deployed to {plain(environment)} by {code(strategy)}{instead}."


def plan_failure(retries: int, rollback: str, good: str | None) -> str:
    times = f"{retries} more {'time' if retries == 1 else 'times'}"
    first = f"If it does not get healthy it is tried {times}" if retries else "If it does not get healthy"
    if rollback != "automatic":
        return f"{first}, and then a person decides: the policy says `rollback: {rollback}`."
    return (
        f"{first}, and then {plain(good)} comes back." if good else f"{first}, and then nothing runs there."
    )


def plan_done(version: str, environment: str) -> str:
    return f"{plain(version)} runs in {plain(environment)} already."


def _because(reason: str) -> str:
    return f": {plain(reason)}" if reason else ""
