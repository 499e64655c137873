"""Names and the three ways a person's text gets into ours."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

BOT = "pointsman[bot]"
PIPELINE_CHECK = "pointsman/pipeline"
POLICY_CHECK = "pointsman/policy"
MERGE_CHECK = "pointsman/merge"
"""Over all environments: the one check that branch protection should require."""
ICONS = {"approved": "✅", "delayed": "⏳", "rejected": "❌", "skipped": "➖"}
GATES_BEGIN, GATES_END = "<!-- pointsman:gates -->", "<!-- pointsman:gates-end -->"


UNSEEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Controls of direction and characters without width: they make a text read as another. Joiners stay, which
words of some languages are written with.
"""


def seen(text: str) -> str:
    """The same with what nobody sees made visible."""
    return UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def shortened(text: str, most: int) -> str:
    """At most so many characters of it: forges refuse comments that are too long."""
    return text if len(text) <= most else f"{text[:most]}…"


def code(text: str) -> str:
    """Text shown as it is: no markup, no mention, no line break, nothing unseen."""
    return "`" + re.sub(r"\s+", " ", seen(text).replace("`", "ʼ")).strip() + "`"


def plain(text: str) -> str:
    """Text of a person inside a sentence: markup, HTML and mentions defused."""
    return _plain(text).strip()


def _plain(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", re.sub(r"\s+", " ", seen(text))).replace("@", "@\u2060")


def prose(text: str) -> str:
    """A sentence of ours: what it puts between backticks is code, the rest is `plain`."""
    parts = re.split(r"`([^`]+)`", text)
    return "".join(code(part) if number % 2 else _plain(part) for number, part in enumerate(parts)).strip()


def block(text: str) -> str:
    """Lines shown as they are, whatever fences they have themselves."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", text)), 3)
    return f"{fence}text\n{text}\n{fence}"


def when(moment: str) -> str:
    """A moment (RFC 3339) as people read it, in UTC."""
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%a %Y-%m-%d %H:%M} UTC"


def short(revision: str | None) -> str:
    """The first ten digits of a sha."""
    return (revision or "")[:10]


def environment_of_check(name: str) -> str | None:
    """The environment that a check of ours is about, or None."""
    prefix = check_name("")
    return name.removeprefix(prefix) if name.startswith(prefix) else None


def check_name(environment: str) -> str:
    """The stable name of an environment's check."""
    return f"pointsman/release: {environment}"


def trace_url(base_url: str, trace_id: str) -> str:
    """Studio's page of a trace."""
    return f"{base_url}/traces/{trace_id}"


def release_url(base_url: str, release_id: str, trace_id: str) -> str:
    """Studio's page of a release. The trace makes it exact: one revision may be on two changes."""
    return f"{base_url}/releases/{release_id}?trace={quote(trace_id)}"
