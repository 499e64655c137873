"""Commit messages: Conventional Commits subjects, and trailers from which Git alone gives the trail back.

    feat: add booking-service

    - book, cancel, list

    Trace-Id: trace-1234
    Module-Id: booking-service
    Version: 1.0.0
    Changelog: #booking-service-100

The inline form `Add BookAppointmentHandler [trace:trace-d8c7 sprint:sprint-3]` is read, never written.
"""

from __future__ import annotations

import re
import unicodedata

from bot.domain.errors import Invalid

TYPES = "build chore ci docs feat fix perf refactor revert style test".split()  # noqa: SIM905 - reads as prose
# https://www.conventionalcommits.org/en/v1.0.0/
CONVENTIONAL = re.compile(rf"({'|'.join(TYPES)})(\([a-zA-Z0-9 ._/-]+\))?!?: \S.*")
TRAILER = re.compile(r"([A-Za-z][A-Za-z0-9-]*):[ \t]+(\S.*?)[ \t]*")
INLINE = re.compile(r"\[([a-z]+:[^\s\]]+(?:\s+[a-z]+:[^\s\]]+)*)\]")
TRACE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
NAMES = (
    *("Trace-Id", "Module-Id", "Version", "Agent-Id", "Skill-Id", "Session-Id"),
    *("Sprint-Id", "Milestone-Id", "Feature-Id", "Changelog"),
)


def check_message(subject: str, *, pattern: re.Pattern[str] = CONVENTIONAL, longest: int = 72) -> None:
    """Raises Invalid('CommitMessage') unless the subject is one short, plain line of the wanted form."""
    wrong = ""
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in subject):
        wrong = "is not one plain line"
    elif len(subject) > longest:
        wrong = f"has {len(subject)} characters; at most {longest} may be"
    elif pattern is CONVENTIONAL and not CONVENTIONAL.fullmatch(subject):
        wrong = f"is not `type: what it does`, where type is one of {', '.join(TYPES)} (Conventional Commits)"
    elif not pattern.fullmatch(subject):
        wrong = f"does not match {pattern.pattern}"
    elif subject != subject.strip() or subject.endswith("."):
        wrong = "ends in a full stop or in a space"
    if wrong:
        raise Invalid("CommitMessage", f"The commit subject {wrong}", path="summary")


def trailers(  # noqa: PLR0913 - one argument per trailer
    *,
    trace_id: str,
    module_id: str,
    version: str,
    agent_id: str,
    skill_id: str | None = None,
    session_id: str | None = None,
    sprint_id: str | None = None,
    milestone_id: str | None = None,
    feature_id: str | None = None,
) -> dict[str, str]:
    """The trailers of a commit, in their order; what is not known is left out."""
    values = (
        trace_id,
        module_id,
        version,
        agent_id,
        skill_id,
        session_id,
        sprint_id,
        milestone_id,
        feature_id,
        changelog_anchor(module_id, version),
    )
    # White space folds into one space: a value with a line break would otherwise add trailers of its own.
    return {
        name: " ".join(value.split())
        for name, value in zip(NAMES, values, strict=True)
        if value and value.strip()
    }


def changelog_anchor(module_id: str, version: str) -> str:
    """Where a rendered changelog has the heading `## booking-service 1.0.0`: `#booking-service-100`."""
    plain = re.sub(r"[^\w\- ]", "", f"{module_id} {version}".lower())
    return f"#{plain.replace(' ', '-')}" if module_id and version else ""


def find_trailers(message: str) -> dict[str, str]:
    """Our trailers in a message, by their first spelling; the last of a name counts, as in git.

    All lines are read, not the last paragraph alone: a squash merge leaves the trailers of its commits in
    the middle.
    """
    known = {name.lower(): name for name in NAMES}
    matches = (TRAILER.fullmatch(line) for line in message.splitlines())
    return {known[m[1].lower()]: m[2] for m in matches if m and m[1].lower() in known}


def find_inline(message: str) -> dict[str, str]:
    """The pairs of the inline form: `{"trace": "trace-d8c7", "sprint": "sprint-3"}`."""
    pairs = (pair.split(":", 1) for match in INLINE.finditer(message) for pair in match[1].split())
    return dict((name, value) for name, value in pairs)  # noqa: C402 - typed pairs from typed lists


def find_trace(message: str) -> str | None:
    """The trace that a commit says it belongs to: by trailer, else by the inline form."""
    found = find_trailers(message).get("Trace-Id") or find_inline(message).get("trace")
    return found if found and TRACE_ID.fullmatch(found) else None
