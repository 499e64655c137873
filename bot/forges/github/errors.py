"""What GitHub's refusals mean to us."""

from __future__ import annotations

from bot.domain.errors import Permanent


class Answered(Exception):
    """GitHub said no (4xx), for a reason that whoever asked must interpret; `message` is GitHub's."""

    def __init__(self, status: int, message: str, errors: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors

    def says(self, *words: str) -> bool:
        """Whether any of these words is in what GitHub said."""
        text = " ".join((self.message, *self.errors)).casefold()
        return any(word.casefold() in text for word in words)


def not_found(what: str) -> Permanent:
    """What an effect names is not there, or the bot may not see it: GitHub answers both alike."""
    return Permanent("NotFound", f"there is no {what}, or the bot may not see it")
