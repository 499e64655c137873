"""`work-item-linked`: the change says why it is made: it names an issue, a ticket, a work item."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Words
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy

ITEM = re.compile(
    r"(?<![\w/&])(?!(?:UTF|SHA|ISO|RFC|CVE)-)"
    r"(?:[A-Z][A-Z0-9]{1,9}-[1-9][0-9]{0,8}|(?:AB)?#[1-9][0-9]{0,8})(?![\w-])"
)
"""`ABC-123`, but no UTF-8; `#123`; `AB#123`."""
LONGEST = 20_000
"""Characters of one text that are looked at."""


class WorkItemLinked(GateModel):
    """A link on the forge, or `ABC-123`, `#123` or `AB#123` in title, branch or commits; `projects` names the
    projects whose tickets count.
    """

    name: ClassVar[str] = "work-item-linked"
    short: ClassVar[str] = "projects"
    section: ClassVar[Section] = "quality"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset()

    projects: Annotated[Words, ONE_OR_MORE] = ()

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        need = f"a ticket of {' or '.join(self.projects)}" if self.projects else "a work item"
        texts = (facts.title, facts.source_branch, *(commit.message for commit in facts.commits or ()))
        named = [item for item in (*(facts.work_items or ()), *_named(texts)) if self._counts(item)]
        if named:
            have = ", ".join(dict.fromkeys(named))
            return Verdict(self.name, "approved", "WorkItemLinked", f"Belongs to {have}.", have, need)
        if facts.commits is None and facts.work_items is None:
            message = "Waits for the forge to say what the change belongs to."
            return Verdict(self.name, "delayed", "WorkItemUnknown", message, "nothing yet", need)
        what = need.removeprefix("a ")
        message = f"Names no {what}: put it into the title, like `feat: add bookings (ABC-123)`."
        return Verdict(self.name, "delayed", "WorkItemMissing", message, "none", need, ("the author",))

    def _counts(self, item: str) -> bool:
        project = item.rpartition("-")[0] or item.partition("#")[0]
        return not self.projects or project.casefold() in {name.casefold() for name in self.projects}


def _named(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (found[0] for found in ITEM.finditer(text[:LONGEST]))
