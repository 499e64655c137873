"""One line about an event, for lists: `DeploymentCompleted` in staging by ada -> "Deployment completed.

Staging (ada)".
"""

from __future__ import annotations

import re

from bot.domain.event import Event

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
DETAILS = ("environment", "command", "effect", "toState", "branch", "title", "reasonCode")


def sentence(event: Event) -> str:
    """What happened, in the words of the event's name and its most telling details."""
    words = " ".join(WORD.findall(event.type.rpartition(".")[2])).lower().capitalize()
    found = [
        str(event.data[name])
        for name in DETAILS
        if isinstance(event.data.get(name), str) and event.data[name]
    ]
    if event.environment and event.environment not in found:
        found.insert(0, event.environment)
    text = f"{words}: {', '.join(found[:2])}" if found else words
    return f"{text} ({event.actor})" if event.actor else text
