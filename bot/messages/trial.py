"""What a change to the policy comes to: a check's title and summary, and the comment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.effect import NewlyBlocked, OtherVerdict, PolicyTrial, TriedCase
from bot.domain.model import rfc3339
from bot.messages.text import ICONS, code, plain, prose, short, when

MOST_LINES = 20


def trial_running() -> str:
    return "The policy of this revision is being tried"


def trial_failed(why: str) -> str:
    return f"The policy could not be tried: {why}. Ask for the checks again."


def trial_title(trial: PolicyTrial) -> str:
    """One line for the check."""
    if trial.errors:
        more = f", and {len(trial.errors) - 1} more" if len(trial.errors) > 1 else ""
        return f"The policy can not be read: {trial.errors[0]}{more}"
    if trial.failed:
        return f"{len(trial.failed)} of {_many(len(trial.cases), 'unit test')} of the policy failed"
    said = [f"{_many(trial.differing, 'past verdict')} would have been others"] if trial.differing else []
    changes = len({one.change for one in trial.blocked})
    said += [f"{_many(changes, 'open change')} would newly be blocked"] if changes else []
    return f"The policy can be used: {', '.join(said) or 'no past verdict would have been another'}"


def trial_summary(trial: PolicyTrial) -> str:
    """Markdown: what was tried, what differs, whom it would stop."""
    if trial.errors:
        return _listed([prose(error) for error in trial.errors])
    return "\n\n".join(part for part in _parts(trial) if part)


def trial_comment(revision: str, title: str, summary: str) -> str:
    """The one comment about the policy that a change brings."""
    foot = f"Tried with {code(short(revision))}, whose policy is not in force before the merge."
    return "\n\n".join(part for part in (f"### Policy\n\n{prose(title)}.", summary, foot) if part)


def _parts(trial: PolicyTrial) -> Iterator[str]:
    yield _tests(trial)
    yield _past(trial)
    yield _open(trial)


def _tests(trial: PolicyTrial) -> str:
    if not trial.cases:
        return "No unit tests: write some in `.pointsman/tests/*.yaml`."
    passed = len(trial.cases) - len(trial.failed)
    head = (
        f"**Unit tests**: {passed} of {len(trial.cases)} passed; "
        f"{trial.tried} of {_many(trial.rules, 'rule')} were seen both to pass and to block."
    )
    return "\n\n".join(part for part in (head, _listed([_case(case) for case in trial.failed])) if part)


def _case(case: TriedCase) -> str:
    return f"{ICONS['rejected']} {code(f'{case.file}: {case.name}')}: {plain('; '.join(case.problems))}"


def _past(trial: PolicyTrial) -> str:
    asked = f"{_many(trial.verdicts, 'verdict')} of {_many(trial.traces, 'trace')}"
    last = ", the ones that moved last" if trial.cut else ""
    head = f"**Past**: {trial.differing} of {asked}{last} would have been others."
    lines = [_other(one) for one in trial.differences]
    return "\n\n".join(part for part in (head, _listed(lines, trial.differing)) if part)


def _other(one: OtherVerdict) -> str:
    where = f"**{plain(one.environment)}** {code(short(one.revision))}"
    return f"{when(rfc3339(one.at))} {where}: {one.was} → {one.would}, {prose(one.message)}"


def _open(trial: PolicyTrial) -> str:
    changes = len({one.change for one in trial.blocked})
    head = f"**Open changes**: {changes} of {trial.open_changes} would newly be blocked."
    return "\n\n".join(part for part in (head, _listed([_newly(one) for one in trial.blocked])) if part)


def _newly(one: NewlyBlocked) -> str:
    return f"#{one.change} **{plain(one.environment)}**: {', '.join(code(gate) for gate in one.gates)}"


def _listed(lines: Sequence[str], count: int = 0) -> str:
    count = max(count, len(lines))
    more = [f"- and {count - MOST_LINES} more"] if count > MOST_LINES else []
    return "\n".join([*(f"- {line}" for line in lines[:MOST_LINES]), *more])


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
