"""What the page of a release says beside its verdict. Plain text: whoever shows it escapes it."""

from __future__ import annotations

from bot.messages.text import short

READERS = ("everybody who may read the repository",)

_STANDING = {
    "counts": "Counts.",
    "revoked": "Taken back by {who}.",
    "pushed": "Ended by a push: it was given for {revision}, which is not the revision looked at now.",
    "expired": "Has expired: {who} may approve again.",
    "barred": "Does not count: {who} {why}.",
    "other-way": "Does not count here: {way}.",
    "unjustified": "Does not count: it gives no reason, and the policy asks for one.",
    "not-asked": "Does not count: the policy does not ask for {who} here.",
}
_WAYS = {True: "the policy asks for a comment command", False: "the policy asks for a review of the change"}


def approval_standing(standing: str, who: str, revision: str, why: str, *, review: bool) -> str:
    """One sentence on what has become of an approval (`policies.tally`)."""
    if standing == "invalidated":
        return f"It was given for {short(revision)} and has ended" + (f": {why}." if why else ".")
    said = _STANDING[standing]
    return said.format(who=who, revision=short(revision), why=why, way=_WAYS[review])


def replaced(revision: str, now: str) -> str:
    """Above the verdict of a revision that is not looked at any more."""
    return f"This was the verdict on {short(revision)}. A push replaced it: {short(now)} is looked at now."


def merged_as(revision: str, now: str) -> str:
    """Above the verdict before the merge."""
    return f"This was the verdict on {short(revision)} before the merge. It was merged as {short(now)}."
