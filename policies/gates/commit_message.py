"""`commit-message: {types: [feat, fix]}`: what is written about the change can be read by machines."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, StrictInt

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Words
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy

SUBJECT = re.compile(r"(?P<type>[A-Za-z]{1,20})(\([^()\r\n]{1,60}\))?!?: \S.*")
"""Conventional Commits 1.0.0, the first line."""


class CommitMessage(GateModel):
    """Conventional Commits: `type(scope): subject`, with one of `types` when some are named.

    `of`: the title of the change, which a squash merge keeps, or every commit; `trailers` must stand in them.
    """

    name: ClassVar[str] = "commit-message"
    section: ClassVar[Section] = "quality"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset()

    of: Literal["title", "commits"] = "title"
    types: Annotated[Words, ONE_OR_MORE] = ()
    trailers: Annotated[Words, ONE_OR_MORE] = ()
    longest: Annotated[StrictInt, Field(ge=10, le=500)] = 100
    """Characters of a subject."""

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        need = "type: subject" + (f" with {' or '.join(self.types)}" if self.types else "")
        written = [facts.title] if self.of == "title" and facts.title else None
        if self.of == "commits" and facts.commits is not None:
            written = [commit.message for commit in facts.commits]
        if written is None:
            message = "Waits for the forge to say what is written about the change."
            return Verdict(self.name, "delayed", "MessageUnknown", message, "nothing yet", need)
        for text in written:
            if complaint := self._complaint(text):
                subject = text.partition("\n")[0][:60]
                how = "change the title" if self.of == "title" else "reword the commit and push it"
                message = f"{subject!r} {complaint}: {how}."
                return Verdict(self.name, "rejected", "MessageUnfit", message, subject, need)
        have = f"{len(written)} read"
        return Verdict(self.name, "approved", "MessageFits", "What is written fits.", have, need)

    def _complaint(self, text: str) -> str:
        subject = text.partition("\n")[0]
        found = SUBJECT.fullmatch(subject)
        if found is None:
            return "does not say its type, like `feat: add bookings`"
        if self.types and found["type"].casefold() not in {name.casefold() for name in self.types}:
            return f"is of the type {found['type']}, not {' or '.join(self.types)}"
        if len(subject) > self.longest:
            return f"has {len(subject)} characters, {self.longest} are the most"
        lines = {line.partition(":")[0].strip().casefold() for line in text.splitlines()[1:] if ":" in line}
        missing = [name for name in self.trailers if name.casefold() not in lines]
        return f"lacks the trailer {missing[0]}" if missing else ""
