"""The page of a release, where a forge has none of its own."""

from __future__ import annotations

from bot.messages.text import plain


def release_page(title: str, notes: str, prerelease: bool) -> str:  # noqa: FBT001 - as the effect has it
    """Title, whether it is to be tried only, notes (Markdown of the bot's own)."""
    parts = [
        f"# {plain(title)}",
        "Pre-release: try it, do not rely on it." if prerelease else "",
        notes.strip(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
