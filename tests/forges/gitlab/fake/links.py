"""Which issues a change names, and which it closes."""

from __future__ import annotations

import re

from tests.forges.gitlab.fake.state import Change, Issue, Project, State

NAME = r"(?:[\w.-]+(?:/[\w.-]+)+)?#\d+"
CLOSING = re.compile(
    rf"(?i)\b(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?):? +({NAME}(?:(?:,| and) +{NAME})*)"
)
"""https://docs.gitlab.com/user/project/issues/managing_issues/#default-closing-pattern"""


def named(state: State, project: Project, text: str) -> list[tuple[Project, Issue]]:
    """The issues that a text names."""
    found = []
    for path, number in re.findall(r"([\w.-]+(?:/[\w.-]+)+)?#(\d+)", text):
        place = state.project(path) if path else project
        issue = next((one for one in place.issues if str(one.iid) == number), None) if place else None
        if place and issue and (place, issue) not in found:
            found.append((place, issue))
    return found


def closing(state: State, project: Project, change: Change) -> list[tuple[Project, Issue]]:
    """What merging the change closes; nothing, unless it leads to the default branch."""
    if change.target != project.default_branch:
        return []
    messages = [one["message"] for one in project.repo.commits(change.head, f"^{change.versions[-1].base}")]
    said = " ".join(match[1] for text in (change.description, *messages) for match in CLOSING.finditer(text))
    return named(state, project, said)


def related(state: State, project: Project, change: Change) -> list[tuple[Project, Issue]]:
    """All that its texts name."""
    notes = [note.body for note in change.notes if not note.system]
    return named(state, project, "\n".join([change.title, change.description, *notes]))
