"""Names and the three ways a person's text gets into ours."""

from __future__ import annotations

import re

BOT = "pointsman[bot]"
PIPELINE_CHECK = "pointsman/pipeline"
ICONS = {"approved": "✅", "delayed": "⏳", "rejected": "❌", "skipped": "➖"}
GATES_BEGIN, GATES_END = "<!-- pointsman:gates -->", "<!-- pointsman:gates-end -->"


def code(text: str) -> str:
    """Text shown as it is: no markup, no mention, no line break."""
    return "`" + re.sub(r"\s+", " ", text.replace("`", "ʼ")).strip() + "`"


def plain(text: str) -> str:
    """Text of a person inside a sentence: markup, HTML and mentions defused."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", re.sub(r"\s+", " ", text)).replace("@", "@\u2060").strip()


def short(revision: str | None) -> str:
    """The first ten digits of a sha."""
    return (revision or "")[:10]


def check_name(environment: str) -> str:
    """The stable name of an environment's check."""
    return f"pointsman/release: {environment}"


def trace_url(base_url: str, trace_id: str) -> str:
    """Studio's page of a trace."""
    return f"{base_url}/traces/{trace_id}"
